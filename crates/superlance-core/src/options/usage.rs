//! The reasons why a command cannot start.

/// The reason why a listener cannot start. The text says what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartError {
    /// The command line is wrong: exit code 2.
    Usage(String),
    /// The environment is wrong: exit code 1.
    Environment(String),
    /// What it is to work with is wrong: this exit code.
    Exit(u8, String),
    /// It was to print this, and nothing else: with this exit code.
    Printed(u8, String),
}

impl StartError {
    /// Why, or what was to be printed.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Usage(text)
            | Self::Environment(text)
            | Self::Exit(_, text)
            | Self::Printed(_, text) => text,
        }
    }
}
