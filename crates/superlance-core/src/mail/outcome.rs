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
