//! How TLS is spoken: whom to trust, and with which certificate of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
pub use rustls::pki_types::ServerName;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use superlance_core::system::trust::trusted_certificates;

/// What the command line says about TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Whether the certificate of the server must be valid.
    pub verify: bool,
    /// The authorities to trust instead of the system's.
    pub authorities: Option<PathBuf>,
    /// Our own certificate, with the authorities between.
    pub certificate: Option<PathBuf>,
    /// The key of our own certificate, which may stand in the same file.
    pub key: Option<PathBuf>,
    /// The name to ask for instead of the URL's.
    pub server_name: Option<ServerName<'static>>,
}

/// TLS as these options want it. Files are read again when they have changed.
#[derive(Debug)]
pub struct Tls {
    options: TlsOptions,
    /// The authorities of the system, where they are needed.
    system: Option<Arc<RootCertStore>>,
    current: Mutex<Option<(Vec<Stamp>, Arc<ClientConfig>)>>,
}

/// What changes when a file does.
type Stamp = (SystemTime, u64);

impl Tls {
    /// Certificates that this system trusts are read here, once.
    ///
    /// # Errors
    /// When there are none, and they are needed.
    pub fn new(options: TlsOptions) -> Result<Self, String> {
        let system = match (&options.authorities, options.verify) {
            (None, true) => {
                let trusted = trusted_certificates("--tls-verify")?;
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(trusted);
                Some(Arc::new(store))
            }
            _ => None,
        };
        Ok(Self { options, system, current: Mutex::default() })
    }

    pub(crate) fn server_name(&self) -> Option<ServerName<'static>> {
        self.options.server_name.clone()
    }

    /// The configuration now.
    ///
    /// # Errors
    /// When a file cannot be read or understood. The error names the option.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let stamps = self.stamps()?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = current.as_ref().filter(|(known, _)| *known == stamps) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.build()?);
        *current = Some((stamps, Arc::clone(&config)));
        Ok(config)
    }

    fn stamps(&self) -> Result<Vec<Stamp>, String> {
        let TlsOptions { authorities, certificate, key, .. } = &self.options;
        let files =
            [("--ca-file", authorities), ("--client-cert", certificate), ("--client-key", key)];
        let files = files.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)));
        files
            .map(|(option, path)| {
                let stamp = fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len())));
                stamp.map_err(|error| format!("{option} {}: {error}", path.display()))
            })
            .collect()
    }

    fn build(&self) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder =
            builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let builder = match self.authorities()? {
            Some(authorities) => builder.with_root_certificates(authorities),
            None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone)),
        };
        let Some(path) = &self.options.certificate else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates("--client-cert", path)?;
        let (option, path) = match &self.options.key {
            Some(path) => ("--client-key", path),
            None => ("--client-cert", path),
        };
        let bad = |why: String| format!("{option} {}: {why}", path.display());
        let key = PrivateKeyDer::from_pem_file(path)
            .map_err(|error| bad(explain(&error, "private key")))?;
        builder.with_client_auth_cert(chain, key).map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                bad("it is not the key of the certificate of --client-cert".to_owned())
            }
            error => bad(error.to_string()),
        })
    }

    /// Whom to trust; `None` for anyone.
    fn authorities(&self) -> Result<Option<Arc<RootCertStore>>, String> {
        let Some(path) = &self.options.authorities else { return Ok(self.system.clone()) };
        let mut store = RootCertStore::empty();
        for certificate in certificates("--ca-file", path)? {
            store
                .add(certificate)
                .map_err(|error| format!("--ca-file {}: {error}", path.display()))?;
        }
        Ok(Some(Arc::new(store)))
    }
}

/// All certificates of a file.
fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |error| format!("{option} {}: {}", path.display(), explain(&error, "certificate"));
    let found = CertificateDer::pem_file_iter(path).map_err(bad)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(bad)?;
    if found.is_empty() { Err(bad(PemError::NoItemsFound)) } else { Ok(found) }
}

fn explain(error: &PemError, expected: &str) -> String {
    match error {
        PemError::Io(error) => error.to_string(),
        PemError::NoItemsFound => format!("there is no {expected} in PEM in it"),
        error => format!("expected a {expected} in PEM: {error}"),
    }
}

/// Accepts anything, as the original does, which never looks at a certificate: signatures are not
/// checked either, since ring knows none of the short RSA keys that old servers have.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme::*;
        vec![
            RSA_PKCS1_SHA1,
            RSA_PKCS1_SHA256,
            RSA_PKCS1_SHA384,
            RSA_PKCS1_SHA512,
            ECDSA_NISTP256_SHA256,
            ECDSA_NISTP384_SHA384,
            ECDSA_NISTP521_SHA512,
            RSA_PSS_SHA256,
            RSA_PSS_SHA384,
            RSA_PSS_SHA512,
            ED25519,
            ED448,
        ]
    }
}
