//! Why a command cannot begin.

/// Why a listener cannot begin. The text says what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartError {
    /// The command line is wrong: exit code 2.
    Usage(String),
    /// The surroundings are: exit code 1.
    Environment(String),
}
