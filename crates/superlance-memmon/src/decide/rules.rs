//! The input of decisions: the rules of the command line, a measured process, and the limit that it
//! exceeds. Pure.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use superlance_core::options::units::{UnitError, duration_text, parse_duration};

/// What the command line says about deciding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Checks in a row that a process must be over a limit.
    pub(crate) checks: u32,
    /// Time after its start in which a process is left alone.
    pub(crate) grace: Duration,
    /// How often something may be done about one process.
    pub(crate) budget: Option<Budget>,
    /// Whether at most one process of a group is touched in a check.
    pub(crate) stagger: bool,
    /// Whether processes are only told about, once each time that they go over a limit.
    pub(crate) only_tell: bool,
}

/// So many times within some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) times: usize,
    pub(crate) within: Duration,
}

/// A process that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Measured {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) pid: u32,
    /// When it was started, by supervisord's clock. With the pid it tells instances apart.
    pub(crate) start: i64,
    /// Seconds since then.
    pub(crate) uptime: i64,
    pub(crate) bytes: u64,
    /// Its limits in bytes, in the order in which they are compared.
    #[serde(skip)]
    pub(crate) limits: Vec<u64>,
}

impl Measured {
    pub(crate) fn namespec(&self) -> String {
        format!("{}:{}", self.group, self.name)
    }
}

/// The memory of all of them.
pub(crate) fn total_bytes(processes: &[Measured]) -> u64 {
    processes.iter().fold(0, |sum, process| sum.saturating_add(process.bytes))
}

/// A limit that is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// One of the process itself.
    Own { limit: u64 },
    /// That for everything watched, which used `sum` together.
    Total { sum: u64, limit: u64 },
}

impl Excess {
    pub(crate) fn limit(self) -> u64 {
        match self {
            Self::Own { limit } | Self::Total { limit, .. } => limit,
        }
    }
}

/// Why nothing is done about a process that is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipReason {
    /// It was started only this long ago.
    Young { uptime: i64 },
    /// It has been over for this many checks only.
    Waiting { checks: u32 },
    /// Another one of its group is touched in this check, or does not run.
    Staggered,
    /// It is being stopped, by memmon or by another client.
    Stopping,
    /// Enough was done about it: for this time yet.
    LeftAlone { rest: Duration },
}

impl SkipReason {
    /// The reason for the log.
    pub(crate) fn explain(self, rules: &Rules) -> String {
        match self {
            Self::Young { uptime } => {
                let uptime = Duration::from_secs(u64::try_from(uptime).unwrap_or(0));
                let (uptime, grace) = (duration_text(uptime), duration_text(rules.grace));
                format!("but up for {uptime} only (--grace {grace})")
            }
            Self::Waiting { checks } => format!("check {checks} of {}", rules.checks),
            Self::Staggered => {
                "but another one of its group comes first or does not run (--stagger)".to_owned()
            }
            Self::Stopping => "but is being stopped".to_owned(),
            Self::LeftAlone { rest } => {
                format!("but left alone for {} (--max-restarts)", duration_text(rest))
            }
        }
    }
}

impl Rules {
    /// Whether the processes of a group have turns.
    pub(crate) fn staggers(&self) -> bool {
        self.stagger && !self.only_tell
    }

    /// Whether the process was started so recently that it is left alone.
    pub(crate) fn is_young(&self, process: &Measured) -> bool {
        // An uptime below zero is that of a clock that was set back.
        u64::try_from(process.uptime).unwrap_or(0) < self.grace.as_secs()
    }
}

/// A malformed `--max-restarts` value.
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
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);

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
}
