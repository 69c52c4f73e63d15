//! What is done about a process that uses too much, as it is written on the command line. Pure.

use std::fmt;
use std::str::FromStr;

use nix::sys::signal::Signal;

use superlance_core::options::units::{UnitError, parse_duration};

use crate::decide::Budget;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is touched, and people are told.
    Touch(Touch),
    /// People are told.
    Alert,
}

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// It is stopped and started.
    Restart,
    /// It is stopped, and stays so.
    Stop,
    /// It gets this signal.
    Signal(Signal),
}

/// What is no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAction {
    #[error("{0:?} is not an action: restart, stop, signal:NAME or alert")]
    Action(String),
    #[error("{0:?} has no signal such as USR1, SIGHUP or 10 after the colon")]
    Signal(String),
}

impl FromStr for Action {
    type Err = BadAction;

    fn from_str(text: &str) -> Result<Self, BadAction> {
        match (text, text.strip_prefix("signal:")) {
            ("restart", _) => Ok(Self::Touch(Touch::Restart)),
            ("stop", _) => Ok(Self::Touch(Touch::Stop)),
            ("alert", _) => Ok(Self::Alert),
            (_, Some(name)) => match signal(name) {
                Some(signal) => Ok(Self::Touch(Touch::Signal(signal))),
                None => Err(BadAction::Signal(text.to_owned())),
            },
            _ => Err(BadAction::Action(text.to_owned())),
        }
    }
}

fn signal(name: &str) -> Option<Signal> {
    if let Ok(number) = name.parse::<i32>() {
        return Signal::try_from(number).ok();
    }
    let name = name.to_ascii_uppercase();
    let name = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
    name.parse().ok()
}

impl Touch {
    /// What is done, in a word.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Signal(_) => "signal",
        }
    }
}

/// As it is written on the command line.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Touch(Touch::Restart) => f.write_str("restart"),
            Self::Touch(Touch::Stop) => f.write_str("stop"),
            Self::Touch(Touch::Signal(signal)) => {
                write!(f, "signal:{}", signal.as_str().trim_start_matches("SIG"))
            }
            Self::Alert => f.write_str("alert"),
        }
    }
}

/// What is no budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadBudget {
    #[error("{0:?} is not N/TIME such as 3/1h, with N and TIME of at least 1")]
    Form(String),
    #[error(transparent)]
    Time(#[from] UnitError),
}

impl FromStr for Budget {
    type Err = BadBudget;

    fn from_str(text: &str) -> Result<Self, BadBudget> {
        let form = || BadBudget::Form(text.to_owned());
        let (times, within) = text.split_once('/').ok_or_else(form)?;
        let times = times.trim().parse().ok().filter(|times| *times > 0).ok_or_else(form)?;
        let within = parse_duration(within)?;
        if within.is_zero() || within > LONGEST {
            return Err(form());
        }
        Ok(Self { times, within })
    }
}

/// A thousand years: beyond what a clock can add to a time.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(1000 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn actions() {
        for (text, expected) in [
            ("restart", "restart"),
            ("stop", "stop"),
            ("alert", "alert"),
            ("signal:USR1", "signal:USR1"),
            ("signal:sighup", "signal:HUP"),
            ("signal:10", "signal:USR1"),
        ] {
            assert_eq!(text.parse::<Action>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_bad_action_says_what_was_expected() {
        let message = |text: &str| text.parse::<Action>().unwrap_err().to_string();
        let expected = "\"kill\" is not an action: restart, stop, signal:NAME or alert";
        assert_eq!(message("kill"), expected);
        for bad in ["signal:", "signal:FOO", "signal:0", "signal:99"] {
            let expected =
                format!("{bad:?} has no signal such as USR1, SIGHUP or 10 after the colon");
            assert_eq!(message(bad), expected);
        }
    }

    #[test]
    fn budgets() {
        let budget = Budget { times: 3, within: Duration::from_secs(3600) };
        assert_eq!("3/1h".parse(), Ok(budget));
        for bad in ["3", "0/1h", "x/1h", "-1/1h", "3/0", "3/99999999999d"] {
            let message = bad.parse::<Budget>().unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("{bad:?} is not N/TIME such as 3/1h")),
                "{message}"
            );
        }
        let message = "3/1x".parse::<Budget>().unwrap_err().to_string();
        assert!(message.starts_with("\"1x\" is not a time such as 90"), "{message}");
    }
}
