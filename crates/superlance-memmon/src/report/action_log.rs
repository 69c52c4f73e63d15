//! The last actions of memmon one by one, and the number of each outcome. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use serde::Serialize;
use superlance_core::system::clock::unix_seconds;

use crate::decide::rules::Measured;

/// Actions that are remembered one by one.
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

/// The words for all outcomes.
const WORDS: [&str; 5] = ["done", "failed", "gone", "dry-run", "left-alone"];

impl Outcome {
    /// Why it failed, if it did.
    fn reason(self) -> Option<String> {
        match self {
            Self::Failed(reason) => Some(reason),
            _ => None,
        }
    }

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

/// An attempt to do something about a process. As JSON it is a part of the status file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ActionRecord {
    /// Seconds since 1970.
    pub(crate) time: u64,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) bytes: u64,
    /// The limit that was exceeded.
    pub(crate) limit: u64,
    /// `done`, `failed`, `gone`, `dry-run` or `left-alone`.
    pub(crate) outcome: &'static str,
    /// Why it failed.
    pub(crate) reason: Option<String>,
}

/// How often something came of attempts: by group, name and outcome.
pub(crate) type Counts = BTreeMap<(String, String, &'static str), u64>;

/// The log of actions.
#[derive(Debug, Default)]
pub(crate) struct ActionLog {
    recent: VecDeque<ActionRecord>,
    counts: Counts,
}

impl ActionLog {
    pub(crate) fn note(
        &mut self,
        process: &Measured,
        limit: u64,
        outcome: Outcome,
        at: SystemTime,
    ) {
        let (group, name) = (process.group.clone(), process.name.clone());
        let key = (group.clone(), name.clone(), outcome.word());
        *self.counts.entry(key).or_default() += 1;
        self.recent.truncate(RECENT - 1);
        self.recent.push_front(ActionRecord {
            time: unix_seconds(at),
            group,
            name,
            pid: process.pid,
            bytes: process.bytes,
            limit,
            outcome: outcome.word(),
            reason: outcome.reason(),
        });
    }

    /// The last ones, the newest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &ActionRecord> {
        self.recent.iter()
    }

    /// The counts of a process begin at 0: a counter that appears with 1 shows no increase.
    pub(crate) fn expect(&mut self, group: &str, name: &str) {
        for word in WORDS {
            self.counts.entry((group.to_owned(), name.to_owned(), word)).or_default();
        }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}
