//! Errors of a request in words: the original's where it has some.

use std::io::{self, ErrorKind};

use superlance_core::system::io_error;
use superlance_core::system::socket::NotConnected;
use ureq::Error;

use crate::outcome::Class;

/// Why no answer came, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    pub(crate) class: Class,
    pub(crate) why: String,
    /// Whether no server listens, perhaps not yet.
    pub(crate) refused: bool,
    /// Whether it is the checker that lacks a descriptor or memory, and nothing is known of the server.
    pub(crate) is_ours: bool,
}

/// `when` says how far things had come.
pub(crate) fn explain(error: Error, when: &str) -> NoAnswer {
    let (mut refused, mut is_ours) = (false, false);
    let class = class(&error);
    let why = match without_wrapper(error) {
        Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            format!("Remote end closed connection {when}")
        }
        Error::Io(error) => {
            refused = matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound);
            is_ours = is_ours_alone(&error);
            os_error(&error)
        }
        Error::Rustls(error) => io_error::explain_tls(&error),
        Error::Timeout(_) => "timed out".to_owned(),
        error => error.to_string(),
    };
    NoAnswer { class, why, refused, is_ours }
}

/// The error of a connection to a unix socket.
fn without_wrapper(error: Error) -> Error {
    match error {
        Error::Other(inner) => match inner.downcast::<NotConnected>() {
            Ok(not_connected) => Error::Io(not_connected.0),
            Err(inner) => Error::Other(inner),
        },
        error => error,
    }
}

/// Whether it is the checker that lacks something. EAGAIN is not among it: a socket returns that whose
/// server accepts no connections.
pub(crate) fn is_ours_alone(error: &io::Error) -> bool {
    io_error::is_shortage(error) && error.kind() != ErrorKind::WouldBlock
}

fn class(error: &Error) -> Class {
    match error {
        Error::Timeout(_) => Class::Timeout,
        Error::Tls(_) | Error::Rustls(_) => Class::Tls,
        Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            Class::Tls
        }
        _ => Class::Connect,
    }
}

/// An error of the system as Python writes it; other errors in words of their own.
fn os_error(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else {
        let text = io_error::explain(error);
        return text.trim_start_matches("failed to lookup address information: ").to_owned();
    };
    let text = error.to_string();
    let words = text.split(" (os error ").next().unwrap_or_default();
    format!("[Errno {number}] {words}")
}
