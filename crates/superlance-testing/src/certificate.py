"""Writes a key, a certificate for this machine, and the certificate that vouches for it.

The arguments are explained in certificate.rs, which writes them.
"""

import datetime
import ipaddress
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def make(key, subject, issuer, issuer_key, is_ca):
    end = NOW - DAY if kind == "expired" and not is_ca else NOW + 30 * DAY
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 30 * DAY)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=is_ca, crl_sign=is_ca, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
    )
    if not is_ca:
        here = [x509.DNSName("localhost")]
        here += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "::1")]
        names = [x509.DNSName("elsewhere.example")] if kind == "elsewhere" else here
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        server = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(server, False)
    return builder.sign(issuer_key, hashes.SHA256())


key = ec.generate_private_key(ec.SECP256R1())
if kind == "self-signed":
    certificate = authority = make(key, "superlance test", "superlance test", key, False)
else:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    root = "superlance test authority"
    authority = make(authority_key, root, root, authority_key, True)
    certificate = make(key, "superlance test", root, authority_key, False)

(folder / "certificate.pem").write_bytes(certificate.public_bytes(PEM))
(folder / "authority.pem").write_bytes(authority.public_bytes(PEM))
private = key.private_bytes(
    PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
(folder / "key.pem").write_bytes(private)
