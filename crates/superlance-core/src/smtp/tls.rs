//! STARTTLS: with a certificate that passes, or with any.

use std::sync::Arc;

use lettre::transport::smtp::client::{CertificateStore, TlsParameters};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

/// How to encrypt a connection to `host`. Only a certificate that is verified needs the system's
/// roots, which take tens of milliseconds to load.
pub(super) fn parameters(host: &str, verify: bool) -> Result<TlsParameters, String> {
    let builder = TlsParameters::builder(host.to_owned());
    let builder = match verify {
        true => builder,
        false => builder
            .certificate_store(CertificateStore::None)
            .dangerous_accept_invalid_certs(true)
            .dangerous_accept_invalid_hostnames(true),
    };
    builder.build().map_err(|error| format!("TLS: {error}"))
}

/// Whether a certificate, with those that came along, would pass as that of `host`.
pub(super) fn judge(host: &str, chain: Vec<Vec<u8>>) -> Result<(), String> {
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
    let (own, others) = chain.split_first().ok_or("it sent none")?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|error| format!("no certificate authorities: {error}"))?;
    let verdict = verifier.verify_server_cert(own, others, &name, &[], UnixTime::now());
    verdict.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
