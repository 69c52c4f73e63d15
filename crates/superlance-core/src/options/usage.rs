//! The reasons why a command cannot start.

/// The reason why a listener cannot start. The text says what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartError {
    /// The command line is wrong: exit code 2.
    Usage(String),
    /// The environment is wrong: exit code 1.
    Environment(String),
}
