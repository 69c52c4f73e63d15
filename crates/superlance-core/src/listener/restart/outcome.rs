//! What came of a stop or a start.

use std::fmt;

use crate::supervisor::RpcError;

/// The reason why a process was not stopped.
#[derive(Debug)]
pub enum StopError {
    /// The listener was told to end, and might not start the process again.
    Ending,
    /// The process does not run any more: an operator or another program has stopped it.
    Stopped(RpcError),
    /// supervisord refused for another reason, or was not reached.
    Rpc(RpcError),
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ending => f.write_str("the listener was told to end"),
            Self::Stopped(error) | Self::Rpc(error) => error.fmt(f),
        }
    }
}

/// The reason why a process was not started again.
#[derive(Debug)]
pub enum NotStarted {
    /// The listener was told to end, and so was everything else: that is `supervisorctl stop all`, or
    /// looks like it. This process, `group:name`, stays stopped.
    AllStop(String),
    /// supervisord refused, or was not reached.
    Rpc(RpcError),
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllStop(namespec) => write!(
                f,
                "all processes are being stopped; start it with: supervisorctl start {namespec}"
            ),
            Self::Rpc(error) => error.fmt(f),
        }
    }
}

impl NotStarted {
    /// Whether supervisord shuts down.
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        matches!(self, Self::Rpc(error) if error.is_shutdown())
    }
}

/// A process that is not owed a start any more, after retries.
#[derive(Debug)]
pub struct Settled<T> {
    /// `group:name`.
    pub namespec: String,
    /// What the listener noted when it stopped the process.
    pub note: T,
    /// Whether it was started, or stays stopped.
    pub outcome: Result<(), NotStarted>,
}
