//! Certificates for servers on this machine, made when a test runs.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use crate::scratch::Scratch;
use crate::venv;

const SOURCE: &str = include_str!("certificate.py");

/// A certificate with its key, for localhost, 127.0.0.1 and ::1 unless it says otherwise.
///
/// The files live as long as the value and its clones.
#[derive(Clone, Debug)]
pub struct Certificate {
    folder: Arc<Scratch>,
}

impl Certificate {
    /// Signed by an authority that nobody knows, but whoever is told of
    /// [`authority`](Certificate::authority).
    #[must_use]
    #[track_caller]
    pub fn signed() -> Certificate {
        Certificate::make("signed")
    }

    /// Signed by itself.
    #[must_use]
    #[track_caller]
    pub fn self_signed() -> Certificate {
        Certificate::make("self-signed")
    }

    /// Like [`signed`](Certificate::signed), but over since yesterday.
    #[must_use]
    #[track_caller]
    pub fn expired() -> Certificate {
        Certificate::make("expired")
    }

    /// Like [`signed`](Certificate::signed), but for `elsewhere.example` only.
    #[must_use]
    #[track_caller]
    pub fn for_elsewhere() -> Certificate {
        Certificate::make("elsewhere")
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

    #[track_caller]
    fn make(kind: &str) -> Certificate {
        let folder = Scratch::new();
        let mut command = Command::new(venv::python());
        let output = command.args(["-c", SOURCE]).arg(folder.path()).arg(kind).output();
        let output = output.expect("python should run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no certificate, has `make venv` been run? {errors}");
        Certificate { folder: Arc::new(folder) }
    }
}
