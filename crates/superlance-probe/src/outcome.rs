//! The outcome of a check.

use std::time::{Duration, SystemTime};

/// What a check brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// When the server's certificate expires, if it showed one.
    pub certificate_end: Option<SystemTime>,
    /// What should be known about the check itself, such as that a body was not judged to its end.
    pub note: Option<String>,
}

/// Whether the service is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Failed(Failed),
    /// The check could not be made, for this reason, so that nothing is known of the service.
    Trouble(String),
}

/// In which way the service is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub class: Class,
    /// The whole message, with the URL in it.
    pub text: String,
    /// Whether no server listens, perhaps not yet.
    pub refused: bool,
}

impl Failed {
    /// A failure of a service that is there.
    pub(crate) fn new(class: Class, text: String) -> Self {
        Self { class, text, refused: false }
    }
}

/// The class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// There was no connection, or it broke off, or what came is no answer.
    Connect,
    /// Time was up.
    Timeout,
    Tls,
    Status,
    Body,
    /// The answer is as it should be, and took too long.
    Slow,
}

impl Class {
    pub const ALL: [Self; 6] =
        [Self::Connect, Self::Timeout, Self::Tls, Self::Status, Self::Body, Self::Slow];

    /// Its name on the command line and in alerts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Status => "status",
            Self::Body => "body",
            Self::Slow => "slow",
        }
    }
}
