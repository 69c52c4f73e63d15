//! The certificate authorities that this system trusts.

use rustls::pki_types::CertificateDer;

/// Their certificates: those of `SSL_CERT_FILE` or `SSL_CERT_DIR`, or of the usual places.
///
/// # Errors
/// When there are none. `option` is what needs them, for the message.
pub fn trusted_certificates(option: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!(
            "{option} needs the certificates that this system trusts, and there are none \
             (install ca-certificates, or set SSL_CERT_FILE): {}",
            why.join("; ")
        ));
    }
    Ok(found.certs)
}
