//! How the log looks, as the command line says it. Declared once for all listeners.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::system::log::Format;

/// The heading in `--help`.
const HEADING: &str = "Log";

// No doc comment: clap would show it in place of what the command does.
#[derive(Debug, Clone, Default, Args)]
pub struct LogOptions {
    /// What the log looks like: plain lines, the time and the name of the listener before each, or
    /// one JSON object for each message [default: SUPERLANCE_LOG of the environment, or else plain]
    #[arg(long, value_name = "FORMAT", help_heading = HEADING)]
    log_format: Option<Format>,

    /// Log what happens, but not each look at it such as "Checking …" and "RSS of …"
    #[arg(long, help_heading = HEADING)]
    pub(crate) quiet: bool,
}

impl LogOptions {
    /// The format: that of the option, or else of the `variable` SUPERLANCE_LOG; plain without both.
    ///
    /// # Errors
    /// When the variable says something else, and is needed. The text says what was expected.
    pub(crate) fn format(&self, variable: Option<&str>) -> Result<Format, String> {
        let given = variable.filter(|variable| !variable.is_empty());
        match (self.log_format, given) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(Format::default()),
            (None, Some(given)) => Format::from_str(given, false).map_err(|_| {
                format!(
                    "SUPERLANCE_LOG is {given:?}, so the log is plain: expected plain, time or json"
                )
            }),
        }
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Plain, Self::Time, Self::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Plain => "plain",
            Self::Time => "time",
            Self::Json => "json",
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_beats_the_variable() {
        for (option, variable, expected) in [
            (None, None, Format::Plain),
            (None, Some(""), Format::Plain),
            (None, Some("json"), Format::Json),
            (Some(Format::Time), Some("json"), Format::Time),
            (Some(Format::Plain), Some("nonsense"), Format::Plain),
        ] {
            let options = LogOptions { log_format: option, quiet: false };
            assert_eq!(options.format(variable), Ok(expected), "{option:?} {variable:?}");
        }
        for bad in ["JSON", "nonsense"] {
            let error = LogOptions::default().format(Some(bad)).unwrap_err();
            assert!(error.contains(bad) && error.ends_with("plain, time or json"), "{error}");
        }
    }
}
