//! A snapshot of all processes: their memory, limits and sums. Pure.

use std::cmp::Reverse;

use superlance_core::supervisor::ProcessInfo;
use superlance_core::system::order;
use superlance_measure::{Metric, Reading, Unavailable};
use superlance_memmon::Limited;

use crate::options::Sort;

/// The metrics that are compared with limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) metric: Metric,
    pub(crate) scope: Scope,
    /// Whether there are limits.
    pub(crate) has_limits: bool,
}

/// Of a process, or of a process with all its descendants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Alone,
    Family,
}

/// A process.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) info: ProcessInfo,
    /// `None` if it does not run, or is not there for us to see.
    pub(crate) reading: Option<Reading>,
    /// The limit that it reaches first.
    pub(crate) limit: Option<Limited>,
    /// Whether it counts in the limit of all together.
    pub(crate) is_watched: bool,
    /// The conditions that dependent-startup waits for before it starts the process.
    pub(crate) waits_for: Vec<String>,
}

/// All processes at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Where supervisord listens.
    pub(crate) url: String,
    /// supervisord's time, in seconds since 1970; 0 where it has no processes.
    pub(crate) time: i64,
    pub(crate) question: Question,
    pub(crate) rows: Vec<Row>,
    /// The limit of all together, if there is one and all are shown.
    pub(crate) total_limit: Option<u64>,
    /// Why no memory at all is known.
    pub(crate) blind: Option<String>,
    /// Names that were asked for and mean nothing.
    pub(crate) unknown: Vec<String>,
    /// Options with limits that concern nothing: `-p foo`.
    pub(crate) idle: Vec<String>,
}

/// A sum, and what it lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    /// How many of the processes are in it.
    pub(crate) known: usize,
    /// How many are not.
    pub(crate) missing: usize,
}

impl Row {
    pub(crate) fn runs(&self) -> bool {
        self.info.pid != 0
    }

    /// How much it uses; `None` if that is not known.
    pub(crate) fn bytes(&self, metric: Metric, scope: Scope) -> Option<u64> {
        let reading = self.reading?;
        let usage = match scope {
            Scope::Alone => reading.alone,
            Scope::Family => reading.family,
        };
        usage.get(metric).ok()
    }

    /// How much more it may use; negative if it is over its limit.
    pub(crate) fn headroom(&self, question: Question) -> Option<i128> {
        let used = self.bytes(question.metric, question.scope)?;
        self.limit.as_ref().map(|limit| limit.headroom(used))
    }

    /// For how long it has run, in seconds.
    pub(crate) fn uptime(&self) -> Option<u64> {
        // A clock that was set back makes it negative.
        self.runs().then(|| u64::try_from(self.info.uptime()).unwrap_or(0))
    }

    /// Why some number is missing: `Some(None)` when all are, since the process is not to be seen.
    fn unavailable(&self) -> Option<Option<Unavailable>> {
        let Some(reading) = self.reading else { return Some(None) };
        let usages = [reading.alone, reading.family];
        usages.iter().find_map(|usage| usage.pss.and(usage.swap).err()).map(Some)
    }
}

impl Snapshot {
    /// Puts what matters most first. Where that is equal, supervisord's order stays.
    pub(crate) fn sort(&mut self, sort: Sort) {
        let (question, rows) = (self.question, &mut self.rows);
        let largest = |metric| move |row: &Row| Reverse(row.bytes(metric, question.scope));
        match sort {
            Sort::Name => {}
            Sort::Rss => order::sort_by_key(rows, largest(Metric::Rss)),
            Sort::Pss => order::sort_by_key(rows, largest(Metric::Pss)),
            Sort::Swap => order::sort_by_key(rows, largest(Metric::Swap)),
            Sort::Uptime => order::sort_by_key(rows, |row| Reverse(row.uptime())),
            Sort::Headroom => order::sort_by_key(rows, |row| {
                let headroom = row.headroom(question);
                (headroom.is_none(), headroom)
            }),
        }
    }

    fn running(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.runs())
    }

    /// How many run.
    pub(crate) fn count_running(&self) -> usize {
        self.running().count()
    }

    /// How many are over their limits.
    pub(crate) fn count_over(&self) -> usize {
        let headrooms = self.rows.iter().filter_map(|row| row.headroom(self.question));
        headrooms.filter(|headroom| *headroom < 0).count()
    }

    /// How much more all that are watched may use together; `None` also when it is not known of one.
    pub(crate) fn total_headroom(&self) -> Option<i128> {
        let limit = i128::from(self.total_limit?);
        let watched = self.running().filter(|row| row.is_watched);
        let Question { metric, scope, .. } = self.question;
        watched
            .map(|row| row.bytes(metric, scope))
            .try_fold(limit, |left, bytes| Some(left - i128::from(bytes?)))
    }

    /// How many run and are not watched.
    pub(crate) fn count_unwatched(&self) -> usize {
        self.running().filter(|row| !row.is_watched).count()
    }

    /// Whether something is over a limit.
    pub(crate) fn is_over(&self) -> bool {
        self.count_over() > 0 || self.total_headroom().is_some_and(|headroom| headroom < 0)
    }

    /// What all that run use.
    pub(crate) fn sum(&self, metric: Metric, scope: Scope) -> Sum {
        self.running().fold(Sum::default(), |sum, row| match row.bytes(metric, scope) {
            Some(bytes) => {
                Sum { bytes: sum.bytes.saturating_add(bytes), known: sum.known + 1, ..sum }
            }
            None => Sum { missing: sum.missing + 1, ..sum },
        })
    }

    /// For how many processes numbers are missing, by the reason; `None` when they are not to be seen.
    pub(crate) fn unavailable(&self) -> Vec<(Option<Unavailable>, usize)> {
        let mut reasons: Vec<(Option<Unavailable>, usize)> = Vec::new();
        for why in self.running().filter_map(Row::unavailable) {
            match reasons.iter_mut().find(|(reason, _)| *reason == why) {
                Some((_, count)) => *count += 1,
                None => reasons.push((why, 1)),
            }
        }
        reasons
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
pub(crate) mod tests;
