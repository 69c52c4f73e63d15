//! What memmon did, for those who look at its files. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use crate::alerts::Case;

/// Deeds that are remembered one by one.
const RECENT: usize = 50;

/// What came of an attempt to do something about a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// It was not, for this reason.
    Failed(String),
    /// The process ends or has ended by itself.
    Gone,
    /// Nothing is ever done (`--dry-run`).
    Dry,
    /// Enough was done about this process.
    LeftAlone,
}

impl Outcome {
    /// A word for it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Gone => "gone",
            Self::Dry => "dry-run",
            Self::LeftAlone => "left-alone",
        }
    }
}

/// An attempt to do something about a process.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) at: SystemTime,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) bytes: u64,
    pub(crate) limit: u64,
    pub(crate) outcome: Outcome,
}

/// How often something came of attempts: by group, name and outcome.
pub(crate) type Counts = BTreeMap<(String, String, &'static str), u64>;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    recent: VecDeque<Deed>,
    counts: Counts,
}

impl Deeds {
    pub(crate) fn note(&mut self, case: &Case, outcome: Outcome, at: SystemTime) {
        let process = &case.process;
        let (group, name) = (process.group.clone(), process.name.clone());
        let key = (group.clone(), name.clone(), outcome.word());
        *self.counts.entry(key).or_default() += 1;
        self.recent.truncate(RECENT - 1);
        self.recent.push_front(Deed {
            at,
            group,
            name,
            pid: process.pid,
            bytes: process.bytes,
            limit: case.excess.limit(),
            outcome,
        });
    }

    /// The last ones, the newest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Deed> {
        self.recent.iter()
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}
