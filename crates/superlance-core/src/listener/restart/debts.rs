//! The processes that are owed a start, in memory and in a journal.

use std::fmt;
use std::time::{Duration, Instant};

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use super::FIRST_PAUSE;
use crate::listener::in_flight::{Entry, InFlight};
use crate::spool::journal::Journal;
use crate::supervisor::ProcessInfo;
use crate::system::log::LogOnce;

/// What the next listener needs to know of a process that is owed a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `group:name`.
    namespec: String,
    /// When the instance was started that was to be stopped.
    start: i64,
}

/// The facts about our stop that distinguish it from an operator's. Times are by supervisord's
/// clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stopped {
    /// Requested, not before this time; whether it happened is unknown.
    Perhaps(i64),
    /// Done at an unknown time: the clock may have been set back since.
    Done,
    /// Done at this time.
    At(i64),
    /// Requested by an earlier listener, of the instance that was started at this time. An instance is
    /// stopped once.
    Earlier(i64),
}

impl Stopped {
    pub(super) fn agrees_with(self, info: &ProcessInfo) -> bool {
        match self {
            Self::Perhaps(time) => info.stop >= time,
            Self::Done => true,
            Self::At(time) => info.stop == time,
            Self::Earlier(start) => info.start == start,
        }
    }
}

/// A process that is owed a start.
#[derive(Debug)]
pub(super) struct Debt<T> {
    pub(super) stopped: Stopped,
    /// `None` if an earlier listener has stopped the process.
    pub(super) note: Option<T>,
    pub(super) due: Instant,
    pub(super) pause: Duration,
    pub(super) complaint: LogOnce,
    record: Record,
    /// When our stop was asked for, by supervisord's clock.
    since: Option<i64>,
    _entry: Entry,
}

impl<T> Debt<T> {
    pub(super) fn namespec(&self) -> &str {
        &self.record.namespec
    }
}

/// All of them, by `group:name`.
pub(super) struct Debts<T> {
    by_namespec: LiteMap<String, Debt<T>>,
    journal: Journal,
}

impl<T> Default for Debts<T> {
    fn default() -> Self {
        Self { by_namespec: LiteMap::new(), journal: Journal::default() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Debts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.by_namespec.fmt(f)
    }
}

impl<T> Debts<T> {
    pub(super) fn keep(&mut self, journal: Journal, records: Vec<Record>, in_flight: &InFlight) {
        self.journal = journal;
        for record in records {
            let (stopped, due) = (Stopped::Earlier(record.start), Instant::now());
            self.insert(Debt {
                stopped,
                note: None,
                due,
                pause: FIRST_PAUSE,
                complaint: LogOnce::default(),
                since: None,
                _entry: in_flight.begin(self.advice(&record.namespec)),
                record,
            });
        }
    }

    /// A process of which `info` was just asked is about to be stopped.
    pub(super) fn add(&mut self, info: &ProcessInfo, note: T, in_flight: &InFlight) {
        let record = Record { namespec: info.namespec(), start: info.start };
        self.journal.add(&record);
        self.insert(Debt {
            stopped: Stopped::Perhaps(info.now),
            note: Some(note),
            due: Instant::now() + FIRST_PAUSE,
            pause: FIRST_PAUSE,
            complaint: LogOnce::default(),
            since: Some(info.now),
            _entry: in_flight.begin(self.advice(&record.namespec)),
            record,
        });
        if self.journal.needs_rewriting() {
            self.rewrite();
        }
    }

    fn rewrite(&mut self) {
        self.journal.rewrite(self.by_namespec.values().map(|debt| &debt.record));
    }

    fn insert(&mut self, debt: Debt<T>) {
        self.by_namespec.insert(debt.record.namespec.clone(), debt);
    }

    /// What the log says when the process is owed a start at the end.
    fn advice(&self, namespec: &str) -> String {
        let next =
            if self.journal.is_complete() { "the next start of this listener, or " } else { "" };
        format!(
            "{namespec} was stopped and is not started again yet; \
             start it with: {next}supervisorctl start {namespec}"
        )
    }

    pub(super) fn remove(&mut self, namespec: &str) -> Option<Debt<T>> {
        let debt = self.by_namespec.remove(namespec)?;
        self.rewrite();
        Some(debt)
    }

    pub(super) fn get(&mut self, namespec: &str) -> Option<&mut Debt<T>> {
        self.by_namespec.get_mut(namespec)
    }

    pub(super) fn has(&self, namespec: &str) -> bool {
        self.by_namespec.contains_key(namespec)
    }

    pub(super) fn namespecs(&self) -> impl Iterator<Item = &str> {
        self.by_namespec.keys().map(String::as_str)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Debt<T>> {
        self.by_namespec.values()
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Debt<T>> {
        self.by_namespec.iter_mut().map(|(_, debt)| debt)
    }

    pub(super) fn due(&self, now: Instant) -> Vec<String> {
        self.all().filter(|debt| debt.due <= now).map(|debt| debt.record.namespec.clone()).collect()
    }

    /// When the first of our stops was asked for, by supervisord's clock.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.all().filter_map(|debt| debt.since).min()
    }
}
