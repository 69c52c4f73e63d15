//! How much the log has, by `--log-level` of the original.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use superlance_core::system::log::About;

/// What a message is, and the least of what is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    NotSet,
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    /// Whether messages of a level are logged.
    pub(crate) fn shows(self, level: Self) -> bool {
        level >= self
    }

    /// Logs a message of a level, unless this one leaves it out.
    pub(crate) fn say<'a>(self, level: Self, log: impl Into<About<'a>>, message: &str) {
        if self.shows(level) {
            log.into().line(message);
        }
    }
}

impl ValueEnum for Level {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Critical, Self::Error, Self::Warning, Self::Info, Self::Debug, Self::NotSet]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            // The original misspells it.
            Self::Critical => PossibleValue::new("critical").alias("critial"),
            Self::Error => PossibleValue::new("error"),
            Self::Warning => PossibleValue::new("warning").alias("warn"),
            Self::Info => PossibleValue::new("info"),
            Self::Debug => PossibleValue::new("debug"),
            Self::NotSet => PossibleValue::new("notset"),
        })
    }
}
