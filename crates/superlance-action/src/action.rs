//! The action about a process, as the command line names it. Pure.

use std::fmt;
use std::str::FromStr;

use nix::sys::signal::Signal;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The process is acted on, and an alert reports it.
    Intervene(Intervention),
    /// An alert reports it; nothing else is done.
    Alert,
}

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intervention {
    /// It is stopped and started.
    Restart,
    /// It is stopped, and stays so.
    Stop,
    /// It gets this signal.
    Signal(Signal),
}

/// A malformed `--action` value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAction {
    #[error("{0:?} is not an action: restart, stop, signal:NAME or alert")]
    Action(String),
    #[error("{0:?} has no signal such as USR1, SIGHUP or 10 after the colon")]
    Signal(String),
}

impl FromStr for Action {
    type Err = BadAction;

    fn from_str(text: &str) -> Result<Self, BadAction> {
        match (text, text.strip_prefix("signal:")) {
            ("restart", _) => Ok(Self::Intervene(Intervention::Restart)),
            ("stop", _) => Ok(Self::Intervene(Intervention::Stop)),
            ("alert", _) => Ok(Self::Alert),
            (_, Some(name)) => match signal(name) {
                Some(signal) => Ok(Self::Intervene(Intervention::Signal(signal))),
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

impl Intervention {
    /// What is done, in a word.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Signal(_) => "signal",
        }
    }
}

impl Action {
    /// What is done about this process, or with `--dry-run` would be.
    #[must_use]
    pub fn doing(self, namespec: &str, dry_run: bool) -> String {
        let (does, would) = match self {
            Self::Alert => ("Telling about", "tell about"),
            Self::Intervene(Intervention::Restart) => ("Restarting", "restart"),
            Self::Intervene(Intervention::Stop) => ("Stopping", "stop"),
            Self::Intervene(Intervention::Signal(signal)) if dry_run => {
                return format!("Would send {signal} to {namespec}");
            }
            Self::Intervene(Intervention::Signal(signal)) => {
                return format!("Sending {signal} to {namespec}");
            }
        };
        if dry_run { format!("Would {would} {namespec}") } else { format!("{does} {namespec}") }
    }
}

/// As it is written on the command line.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intervene(Intervention::Restart) => f.write_str("restart"),
            Self::Intervene(Intervention::Stop) => f.write_str("stop"),
            Self::Intervene(Intervention::Signal(signal)) => {
                write!(f, "signal:{}", signal.as_str().trim_start_matches("SIG"))
            }
            Self::Alert => f.write_str("alert"),
        }
    }
}

#[cfg(test)]
mod tests {
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
}
