//! Certificates for servers on this machine, made when a test runs.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};

use crate::scratch::Scratch;

const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate with its key, for localhost, 127.0.0.1 and ::1 unless it says otherwise.
///
/// The files live as long as the value and its clones.
#[derive(Clone, Debug)]
pub struct Certificate {
    folder: Arc<Scratch>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Signed by an authority that is known only to those who trust
    /// [`authority`](Certificate::authority).
    #[must_use]
    #[track_caller]
    pub fn signed() -> Certificate {
        Certificate::by_authority(params(&HERE))
    }

    /// Signed by itself.
    #[must_use]
    #[track_caller]
    pub fn self_signed() -> Certificate {
        let (params, key) = (params(&HERE), KeyPair::generate().expect("keys can be made"));
        let certificate = params.self_signed(&key).expect("the parameters are good");
        Certificate::new(&certificate, &key, certificate.der())
    }

    /// Like [`signed`](Certificate::signed), but expired.
    #[must_use]
    #[track_caller]
    pub fn expired() -> Certificate {
        let mut params = params(&HERE);
        params.not_after = date_time_ymd(2000, 1, 1);
        Certificate::by_authority(params)
    }

    /// Like [`signed`](Certificate::signed), but for `elsewhere.example` only.
    #[must_use]
    #[track_caller]
    pub fn for_elsewhere() -> Certificate {
        Certificate::by_authority(params(&["elsewhere.example"]))
    }

    /// The same, and the server asks clients for one that is signed as `clients` is.
    #[must_use]
    #[track_caller]
    pub fn asking_for(mut self, clients: &Certificate) -> Certificate {
        let mut authorities = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(clients.authority());
        authorities.add(authority.expect("we have written it")).expect("it is good");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider);
        let file = CertificateDer::from_pem_file(self.certificate()).expect("we have written it");
        let key = PrivateKeyDer::from_pem_file(self.key()).expect("we have written it");
        let config = builder().with_client_cert_verifier(clients.build().expect("they are good"));
        let config = config.with_single_cert(vec![file], key);
        self.config = Arc::new(config.expect("the key is the certificate's"));
        self
    }

    /// The file for `SSL_CERT_FILE`: the certificate of the authority, or of a self-signed one
    /// itself.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The file with the certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The file with the private key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// A server's side of TLS with it.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    #[track_caller]
    fn by_authority(params: CertificateParams) -> Certificate {
        let mut authority = named("superlance test authority", CertificateParams::default());
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = || KeyPair::generate().expect("keys can be made");
        let authority = CertifiedIssuer::self_signed(authority, key()).expect("they are good");
        let key = key();
        let certificate = params.signed_by(&key, &authority).expect("the parameters are good");
        Certificate::new(&certificate, &key, authority.der())
    }

    #[track_caller]
    fn new(certificate: &rcgen::Certificate, key: &KeyPair, authority: &[u8]) -> Certificate {
        let folder = Scratch::new();
        folder.write("certificate.pem", pem("CERTIFICATE", certificate.der()));
        folder.write("authority.pem", pem("CERTIFICATE", authority));
        folder.write("key.pem", pem("PRIVATE KEY", &key.serialize_der()));
        let config = Arc::new(config(certificate.der().clone(), key));
        Certificate { folder: Arc::new(folder), config }
    }
}

/// What all certificates of servers and clients have in common.
fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let params = CertificateParams::new(names).expect("the names are good");
    let mut params = named("superlance test", params);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(name: &str, mut params: CertificateParams) -> CertificateParams {
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key is the certificate's")
}

fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    builder.with_safe_default_protocol_versions().expect("ring speaks them")
}
