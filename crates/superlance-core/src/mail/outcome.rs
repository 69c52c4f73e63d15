//! The outcome of a delivery.

use std::time::Duration;

/// The outcome for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The server or command accepted it.
    Delivered,
    /// It was refused for good.
    Rejected(String),
    /// It was not delivered; a later try may succeed.
    Retry(String),
    /// It was not delivered, and must not be tried again before this time has passed.
    RetryAfter(String, Duration),
    /// It was sent, and whether it was accepted is unknown.
    Unknown(String),
}
