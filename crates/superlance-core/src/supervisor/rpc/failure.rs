//! The reasons why supervisord could not be asked, in words.

use std::io;
use std::time::Duration;

use crate::options::units::duration_text;
use crate::supervisor::{Fault, RpcError};
use crate::system::socket::NotConnected;

/// The remedies for a refusal, which depend on who asks. Part of messages, after a colon.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// User name and password are wrong, or missing.
    pub login: &'static str,
    /// The socket may not be opened.
    pub access: &'static str,
}

impl Advice {
    /// To a listener, which supervisord runs.
    pub(super) const LISTENER: Self = Self {
        login: "set SUPERVISOR_USERNAME and SUPERVISOR_PASSWORD in the environment= line of this \
                listener's section",
        access: "give this listener's user access with chmod= or chown= in the \
                 [unix_http_server] section",
    };
}

/// The reason why a call failed.
#[derive(Debug)]
pub(super) enum CallError {
    NotConnected(io::Error),
    Http(ureq::Error),
    /// No answer within this time.
    Late(Duration),
    Status(u16),
    Answer(String),
    Fault(Fault),
}

impl From<ureq::Error> for CallError {
    fn from(error: ureq::Error) -> Self {
        match error {
            // An error in the middle of a body arrives wrapped as an io::Error; this unwraps it.
            ureq::Error::Io(error) => Self::Http(ureq::Error::from(error)),
            ureq::Error::Other(error) => match error.downcast::<NotConnected>() {
                Ok(error) => Self::NotConnected(error.0),
                Err(error) => Self::Http(ureq::Error::Other(error)),
            },
            error => Self::Http(error),
        }
    }
}

impl CallError {
    /// Describes the failure at `url` and, where known, the remedy.
    pub(super) fn explain(self, url: &str, advice: Advice) -> RpcError {
        match self {
            Self::Fault(fault) if fault.code == Fault::UNKNOWN_METHOD => {
                RpcError::Unreachable(format!(
                    "supervisord at {url} does not know its own methods: its configuration lacks the \
                     [rpcinterface:supervisor] section"
                ))
            }
            Self::Fault(fault) => RpcError::Fault(fault),
            Self::Status(401) => RpcError::Unreachable(format!(
                "supervisord at {url} refused user name and password (401): {}",
                advice.login
            )),
            Self::Status(status) => {
                RpcError::NoAnswer(format!("supervisord at {url} answered HTTP {status}"))
            }
            Self::NotConnected(error) => {
                let what_to_do = match error.kind() {
                    io::ErrorKind::PermissionDenied => format!(": {}", advice.access),
                    _ => String::new(),
                };
                RpcError::Unreachable(format!(
                    "cannot talk to supervisord at {url}: {error}{what_to_do}"
                ))
            }
            Self::Http(error) => {
                RpcError::NoAnswer(format!("no answer from supervisord at {url}: {error}"))
            }
            Self::Late(time) => RpcError::NoAnswer(format!(
                "no answer from supervisord at {url} within {}",
                duration_text(time)
            )),
            Self::Answer(what) => RpcError::NoAnswer(format!(
                "cannot understand the answer of supervisord at {url}: {what}"
            )),
        }
    }
}
