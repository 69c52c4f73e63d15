//! The metrics of a process, and their values. Pure.

use clap::ValueEnum;
use clap::builder::PossibleValue;

/// A way to say how much memory a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Resident set: every page of it that is in memory, shared or not.
    Rss,
    /// Proportional set: its own pages, and its share of those that others have, too.
    Pss,
    /// Unique set: its own pages only; what ending it would give back.
    Uss,
    /// What of it is swapped out.
    Swap,
    /// The resident set and what is swapped out.
    RssAndSwap,
}

impl Metric {
    /// As it is written on the command line, in mails' data and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Pss => "pss",
            Self::Uss => "uss",
            Self::Swap => "swap",
            Self::RssAndSwap => "rss+swap",
        }
    }

    /// As it is written in texts.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Pss => "PSS",
            Self::Uss => "USS",
            Self::Swap => "swap",
            Self::RssAndSwap => "RSS+swap",
        }
    }
}

/// The names, without the explanations, which would make `--help` longer than `-h`.
impl ValueEnum for Metric {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Rss, Self::Pss, Self::Uss, Self::Swap, Self::RssAndSwap]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// Why a number is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// It was not asked for.
    NotAsked,
    /// ps(1), where the numbers come from, does not know it.
    Ps,
    /// The kernel does not tell it of any process.
    Kernel,
    /// The kernel tells it to others, not to this user.
    Permission,
    /// The process has no memory: it is just starting, or has ended and is not reaped yet.
    NoMemory,
}

impl Unavailable {
    /// The reason for people, and what to do about it.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::NotAsked => "it was not read",
            Self::Ps => "ps(1), which tells memory here, knows only the RSS",
            Self::Kernel => {
                "this kernel does not tell it; PSS and USS need Linux 4.14, and --metric rss works \
                 everywhere"
            }
            Self::Permission => {
                "the kernel tells it only to root and to the user of the process; --metric rss and \
                 --metric swap need no permission"
            }
            Self::NoMemory => "the process is just starting or ending",
        }
    }
}

/// How much memory a process uses, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Resident set.
    pub rss: u64,
    /// Proportional set.
    pub pss: Result<u64, Unavailable>,
    /// Unique set.
    pub uss: Result<u64, Unavailable>,
    /// Swapped out.
    pub swap: Result<u64, Unavailable>,
}

impl Usage {
    /// Only the resident set is known, the rest is missing for this reason.
    #[must_use]
    pub fn resident(rss: u64, missing: Unavailable) -> Self {
        Self { rss, pss: Err(missing), uss: Err(missing), swap: Err(missing) }
    }

    /// The number of this kind.
    ///
    /// # Errors
    /// When it could not be read, or was not asked for.
    pub fn get(&self, metric: Metric) -> Result<u64, Unavailable> {
        match metric {
            Metric::Rss => Ok(self.rss),
            Metric::Pss => self.pss,
            Metric::Uss => self.uss,
            Metric::Swap => self.swap,
            Metric::RssAndSwap => self.swap.map(|swap| self.rss.saturating_add(swap)),
        }
    }

    /// Whether there is none at all; a process of which all is swapped out has its swap.
    pub(crate) fn is_empty(&self) -> bool {
        self.rss == 0 && self.swap.unwrap_or(0) == 0
    }

    /// Both together. A number that is missing of one is missing of both: half a sum would pass for
    /// little.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum =
            |a: Result<u64, Unavailable>, b: Result<u64, Unavailable>| Ok(a?.saturating_add(b?));
        Self {
            rss: self.rss.saturating_add(other.rss),
            pss: sum(self.pss, other.pss),
            uss: sum(self.uss, other.uss),
            swap: sum(self.swap, other.swap),
        }
    }
}

/// What must be read for some metrics, besides the resident set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// `smaps_rollup`.
    pub(crate) shares: bool,
    /// `status`.
    pub(crate) swap: bool,
}

impl Needs {
    pub(crate) fn of(metrics: &[Metric]) -> Self {
        let some = |wanted: &[Metric]| metrics.iter().any(|metric| wanted.contains(metric));
        Self {
            shares: some(&[Metric::Pss, Metric::Uss]),
            swap: some(&[Metric::Swap, Metric::RssAndSwap]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_what_all_parts_have() {
        let all = Usage { rss: 1, pss: Ok(2), uss: Ok(3), swap: Ok(4) };
        let sum = all.plus(all);
        let metrics = [Metric::Rss, Metric::Pss, Metric::Uss, Metric::Swap, Metric::RssAndSwap];
        assert_eq!(metrics.map(|metric| sum.get(metric)), [2, 4, 6, 8, 10].map(Ok));
        let sum = all.plus(Usage::resident(10, Unavailable::Permission));
        assert_eq!((sum.rss, sum.pss), (11, Err(Unavailable::Permission)));
        assert_eq!(sum.get(Metric::RssAndSwap), Err(Unavailable::Permission));
    }
}
