//! What became of something that was to be delivered.

use std::time::Duration;

/// What became of it for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It was taken.
    Delivered,
    /// It is not wanted, now or later.
    Rejected(String),
    /// It was not delivered, and that may change.
    Retry(String),
    /// It was not delivered, and is not to be tried again before so much time has passed.
    RetryAfter(String, Duration),
    /// It was sent, and whether it was taken is not known.
    Unknown(String),
}

impl DeliveryOutcome {
    /// The same, with the place before the reason.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Delivered => self,
            Self::Rejected(reason) => Self::Rejected(format!("{place}: {reason}")),
            Self::Retry(reason) => Self::Retry(format!("{place}: {reason}")),
            Self::RetryAfter(reason, time) => Self::RetryAfter(format!("{place}: {reason}"), time),
            Self::Unknown(reason) => Self::Unknown(format!("{place}: {reason}")),
        }
    }
}
