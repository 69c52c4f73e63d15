//! The rules of the command line. Pure.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use superlance_core::options::units::{UnitError, duration_text, parse_duration};

/// What the command line says about deciding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    pub threshold: Threshold,
    /// Time after its start in which a process is left alone.
    pub grace: Duration,
    /// Whether a check that succeeds ends that time.
    pub success_ends_grace: bool,
    /// How often something may be done about one process.
    pub budget: Option<Budget>,
    /// Whether at most one process of a group is touched at a time.
    pub stagger: bool,
    /// How many processes may be unavailable at a time.
    pub max_unavailable: Option<MaxUnavailable>,
    /// Whether processes are only told about, once each time that a check begins to fail.
    pub only_tell: bool,
}

impl Rules {
    /// Whether the processes of a group have turns.
    #[must_use]
    pub fn staggers(&self) -> bool {
        self.stagger && !self.only_tell
    }
}

/// How many checks must have failed (`--for`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    pub failures: u32,
    /// Among how many of the last ones; in a row without it.
    pub among: Option<u32>,
}

/// The last checks that may be looked at together.
const LONGEST_ROW: u32 = 1000;

impl Default for Threshold {
    fn default() -> Self {
        Self { failures: 1, among: None }
    }
}

/// A malformed value of `--for`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not N or N/M such as 3 or 3/5, with N of at least 1 and M from N to {LONGEST_ROW}"
)]
pub struct BadThreshold(String);

impl FromStr for Threshold {
    type Err = BadThreshold;

    fn from_str(text: &str) -> Result<Self, BadThreshold> {
        let bad = || BadThreshold(text.to_owned());
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| bad());
        let (failures, among) = match text.split_once('/') {
            Some((failures, among)) => (number(failures)?, Some(number(among)?)),
            None => (number(text)?, None),
        };
        let fits = among.is_none_or(|among| (failures..=LONGEST_ROW).contains(&among));
        if failures == 0 || !fits {
            return Err(bad());
        }
        Ok(Self { failures, among })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.among {
            Some(among) => write!(f, "{}/{among}", self.failures),
            None => write!(f, "{}", self.failures),
        }
    }
}

/// So many times within some time (`--max-restarts`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub times: usize,
    pub within: Duration,
}

/// A malformed value of `--max-restarts`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBudget {
    #[error("{0:?} is not N/TIME such as 3/1h, with N and TIME of at least 1")]
    Form(String),
    #[error(transparent)]
    Time(#[from] UnitError),
}

/// A thousand years: beyond what a clock can add to a time.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);

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

/// So many times within this time: `3 times within 1h`.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} times within {}", self.times, duration_text(self.within))
    }
}

/// How many processes may be unavailable at a time (`--max-unavailable`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxUnavailable {
    Number(usize),
    Percent(usize),
}

/// A malformed value of `--max-unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a number of processes such as 2, or a part of them such as 50%, from 0% to 100%"
)]
pub struct BadMaxUnavailable(String);

impl MaxUnavailable {
    /// How many of so many that is. A part of one process is none.
    #[must_use]
    pub fn of(self, processes: usize) -> usize {
        match self {
            Self::Number(number) => number,
            Self::Percent(percent) => processes.saturating_mul(percent) / 100,
        }
    }
}

impl FromStr for MaxUnavailable {
    type Err = BadMaxUnavailable;

    fn from_str(text: &str) -> Result<Self, BadMaxUnavailable> {
        let bad = |_| BadMaxUnavailable(text.to_owned());
        match text.trim().strip_suffix('%') {
            None => text.trim().parse().map(Self::Number).map_err(bad),
            Some(percent) => match percent.trim().parse().map_err(bad)? {
                percent @ 0..=100 => Ok(Self::Percent(percent)),
                _ => Err(BadMaxUnavailable(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for MaxUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Why nothing is done about a process although a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It was started only this long ago.
    Young { uptime: i64 },
    /// The check has failed so many times only.
    Waiting { checks: u32 },
    /// Another one of its group is touched first, or does not run.
    Staggered,
    /// It is being stopped, by this listener or by another client.
    Stopping,
    /// Too many would be unavailable at once.
    Guarded,
    /// Enough was done about it: for this time yet.
    LeftAlone { rest: Duration },
}

impl SkipReason {
    /// The reason for the log.
    #[must_use]
    pub fn explain(self, rules: &Rules) -> String {
        match self {
            Self::Young { uptime } => {
                let uptime = Duration::from_secs(u64::try_from(uptime).unwrap_or(0));
                let (uptime, grace) = (duration_text(uptime), duration_text(rules.grace));
                format!("but up for {uptime} only (--grace {grace})")
            }
            Self::Waiting { checks } => match rules.threshold.among {
                Some(among) => {
                    format!("check {checks} of {} (--for {0}/{among})", rules.threshold.failures)
                }
                None => format!("check {checks} of {}", rules.threshold.failures),
            },
            Self::Staggered => {
                "but another one of its group comes first or does not run (--stagger)".to_owned()
            }
            Self::Stopping => "but is being stopped".to_owned(),
            Self::Guarded => {
                "but too many would be unavailable at once (--max-unavailable)".to_owned()
            }
            Self::LeftAlone { rest } => {
                format!("but left alone for {} (--max-restarts)", duration_text(rest))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn thresholds() {
        for (text, failures, among) in [("1", 1, None), ("3/5", 3, Some(5)), ("2/2", 2, Some(2))] {
            assert_eq!(text.parse(), Ok(Threshold { failures, among }));
        }
        for bad in ["", "0", "0/3", "4/3", "x", "3/", "-1", "3/1001"] {
            let message = bad.parse::<Threshold>().unwrap_err().to_string();
            assert!(message.starts_with(&format!("{bad:?} is not N or N/M")), "{message}");
        }
    }

    #[test]
    fn a_part_is_rounded_down() {
        for (text, of, expected) in
            [("2", 9, 2), ("50%", 8, 4), ("50%", 5, 2), ("33%", 3, 0), ("0%", 9, 0), ("100%", 9, 9)]
        {
            assert_eq!(text.parse::<MaxUnavailable>().unwrap().of(of), expected, "{text} of {of}");
        }
        for bad in ["", "x", "-1", "101%", "%", "1.5"] {
            let message = bad.parse::<MaxUnavailable>().unwrap_err().to_string();
            assert!(message.contains("is not a number of processes"), "{message}");
        }
    }
}
