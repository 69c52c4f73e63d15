//! Undelivered alerts on disk, so that they survive the listener and the machine.
//!
//! The worker and the sender threads share the spool. A disk error is logged once, and delivery
//! goes on without the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use superlance_core::listener::alert::Alert;
use superlance_core::spool::dir::{SpoolError, StateDir, UNFINISHED};
use superlance_core::spool::journal::{ASIDE, Journal, SUFFIX};
use superlance_core::system::hash::fnv1a;
use superlance_core::system::log::{Log, LogOnce};

/// Bounds of the spool.
#[derive(Debug, Clone, Copy)]
struct Limits {
    alerts: usize,
    bytes: usize,
}

const LIMITS: Limits = Limits { alerts: 10_000, bytes: 64 << 20 };

/// The directory of a listener, with its undelivered alerts.
pub(crate) struct Spool {
    parent: PathBuf,
    name: String,
    log: Arc<Log>,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None until the directory can be opened.
    directory: Option<Arc<StateDir>>,
    journal: Journal,
    /// Undelivered alerts by number, in the order in which they were raised.
    waiting: BTreeMap<u64, Waiting>,
    /// The numbers by alert id.
    numbers: BTreeMap<String, u64>,
    next: u64,
    /// Numbers of alerts that are not on the disk.
    unkept: BTreeSet<u64>,
    /// Bytes of those on the disk.
    bytes: usize,
    /// Ids of all alerts that an earlier listener stored, delivered or not: supervisord may send
    /// their events again.
    earlier: BTreeSet<String>,
    trouble: LogOnce,
    /// What journals would keep that were asked for before the directory could be opened.
    unkept_journals: Vec<&'static str>,
}

struct Waiting {
    alert: Arc<Alert>,
    /// The [`key`]s of the targets that have the alert.
    accepted: BTreeSet<String>,
    /// The [`key`]s of the targets that lack it.
    lacking: BTreeSet<String>,
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
enum Record {
    /// An alert was raised.
    Put(Arc<Alert>),
    /// A target has the alert `id`, or will never get it.
    Accepted { id: String, key: String },
    /// All targets have the alert of this id.
    Removed(String),
}

/// An alert that some targets lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) alert: Arc<Alert>,
    /// The [`key`]s of the targets that have it.
    pub(crate) accepted: BTreeSet<String>,
}

impl Spool {
    /// A spool for the listener `name` (such as `group:name`) below `parent`; not yet open.
    pub(crate) fn new(parent: PathBuf, name: &str, log: Arc<Log>) -> Self {
        Self { parent, name: file_name(name), log, limits: LIMITS, state: Mutex::default() }
    }

    /// Opens the spool and returns the undelivered alerts of an earlier listener in their order;
    /// `None` if it is open already or cannot be opened.
    pub(crate) fn open(&self) -> Option<Vec<Stored>> {
        let mut state = self.lock();
        if state.directory.is_some() {
            return None;
        }
        let opened = StateDir::open(&self.parent, &self.name);
        match opened.and_then(|directory| self.check(&directory).map(|()| directory)) {
            Ok(directory) => {
                let directory = Arc::new(directory);
                let (journal, records) = Journal::open(&directory, "alerts", "alerts", &self.log);
                (state.directory, state.journal) = (Some(directory), journal);
                let backlog = state.restore(records);
                state.keep(self.limits, &self.log);
                for what in std::mem::take(&mut state.unkept_journals) {
                    let when = "only from the next start of this listener on";
                    self.log.line(format_args!("{what} are kept on disk {when}"));
                }
                Some(backlog)
            }
            Err(error) => {
                state.complain(&error, &self.log);
                None
            }
        }
    }

    /// Logs which files are not ours, and removes files that a kill left half written.
    fn check(&self, directory: &StateDir) -> Result<(), SpoolError> {
        for name in directory.names()? {
            let is_ours = |name: &str| name.ends_with(SUFFIX) || name.contains(ASIDE);
            if name.strip_suffix(UNFINISHED).is_some_and(is_ours) {
                directory.remove(&name)?;
            } else if !is_ours(&name) {
                let shown = directory.shown();
                self.log.line(format_args!("{shown}/{name} is not a file of ours, and left alone"));
            }
        }
        Ok(())
    }

    /// The journal `name` beside the alerts with its records; `what` names them in messages. Before
    /// the directory is open, it is one that keeps nothing.
    pub(crate) fn journal<T: DeserializeOwned>(
        &self,
        name: &str,
        what: &'static str,
    ) -> (Journal, Vec<T>) {
        let mut state = self.lock();
        if let Some(directory) = &state.directory {
            return Journal::open(directory, name, what, &self.log);
        }
        state.unkept_journals.push(what);
        (Journal::default(), Vec::new())
    }

    /// Stores an alert until the targets with the keys `lacking` have it. `false` if the spool
    /// knows it already, as after an event that came again.
    pub(crate) fn put(&self, alert: &Arc<Alert>, lacking: BTreeSet<String>) -> bool {
        let mut state = self.lock();
        if state.numbers.contains_key(&alert.id) || state.earlier.contains(&alert.id) {
            return false;
        }
        if !lacking.is_empty() {
            let accepted = BTreeSet::new();
            let number = state.insert(Waiting { alert: Arc::clone(alert), accepted, lacking });
            state.unkept.insert(number);
            state.keep(self.limits, &self.log);
        }
        true
    }

    /// Stores an alert of an earlier listener until the targets with these keys have it.
    pub(crate) fn expect(&self, alert: &Alert, lacking: BTreeSet<String>) {
        let mut state = self.lock();
        let Some(number) = state.numbers.get(&alert.id).copied() else { return };
        if lacking.is_empty() {
            state.remove(number);
        } else if let Some(waiting) = state.waiting.get_mut(&number) {
            waiting.lacking = lacking;
        }
    }

    /// Records that this target has the alert, or will never get it.
    pub(crate) fn settle(&self, alert: &Alert, key: &str) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(number) = state.numbers.get(&alert.id).copied() else { return };
        let Some(waiting) = state.waiting.get_mut(&number) else { return };
        waiting.lacking.remove(key);
        waiting.accepted.insert(key.to_owned());
        if waiting.lacking.is_empty() {
            state.remove(number);
            if !state.unkept.is_empty() {
                state.keep(self.limits, &self.log);
            }
        } else if !state.unkept.contains(&number) {
            let (id, key) = (alert.id.clone(), key.to_owned());
            state.note(&Record::Accepted { id, key });
        }
    }

    /// Whether the next listener will find the alert.
    pub(crate) fn keeps(&self, alert: &Alert) -> bool {
        let state = self.lock();
        let number = state.numbers.get(&alert.id);
        number.is_some_and(|number| !state.unkept.contains(number)) && state.journal.is_complete()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, waiting: Waiting) -> u64 {
        let number = self.next;
        self.next += 1;
        self.numbers.insert(waiting.alert.id.clone(), number);
        self.waiting.insert(number, waiting);
        number
    }

    /// Adopts what an earlier listener stored.
    fn restore(&mut self, records: Vec<Record>) -> Vec<Stored> {
        let first = self.next;
        for record in records {
            match record {
                Record::Put(alert) if !self.numbers.contains_key(&alert.id) => {
                    let accepted = BTreeSet::new();
                    self.earlier.insert(alert.id.clone());
                    self.bytes += alert.bytes();
                    self.insert(Waiting { alert, accepted, lacking: BTreeSet::new() });
                }
                Record::Put(_) => {}
                Record::Accepted { id, key } => {
                    let number = self.numbers.get(&id);
                    if let Some(waiting) = number.and_then(|at| self.waiting.get_mut(at)) {
                        waiting.accepted.insert(key);
                    }
                }
                Record::Removed(id) => {
                    if let Some(number) = self.numbers.remove(&id) {
                        self.forget(number);
                    }
                }
            }
        }
        if self.waiting.is_empty() {
            self.rewrite();
        }
        let stored = |Waiting { alert, accepted, .. }: &Waiting| Stored {
            alert: Arc::clone(alert),
            accepted: accepted.clone(),
        };
        self.waiting.range(first..).map(|(_, waiting)| stored(waiting)).collect()
    }

    /// Writes to disk the alerts that are not there, as far as there is room.
    fn keep(&mut self, limits: Limits, log: &Log) {
        let Some(directory) = &self.directory else { return };
        while let Some(number) = self.unkept.first().copied() {
            let Some(Waiting { alert, accepted, .. }) = self.waiting.get(&number) else { return };
            let (kept, bytes) = (self.waiting.len() - self.unkept.len(), alert.bytes());
            if kept >= limits.alerts || self.bytes + bytes > limits.bytes {
                let full = SpoolError::Full(directory.shown());
                return self.complain(&full, log);
            }
            self.journal.add(&Record::Put(Arc::clone(alert)));
            for key in accepted {
                let (id, key) = (alert.id.clone(), key.clone());
                self.journal.add(&Record::Accepted { id, key });
            }
            self.unkept.remove(&number);
            self.bytes += bytes;
        }
        if self.journal.needs_rewriting() {
            self.rewrite();
        }
        if self.trouble.clear() {
            log.line("alerts are kept on disk again");
        }
    }

    /// Removes an alert: all targets have it, or it was given up.
    fn remove(&mut self, number: u64) {
        let Some(id) = self.forget(number) else { return };
        self.numbers.remove(&id);
        if self.waiting.len() == self.unkept.len() {
            self.rewrite();
        } else {
            self.note(&Record::Removed(id));
        }
    }

    fn note(&mut self, record: &Record) {
        self.journal.add_soon(record);
        if self.journal.needs_rewriting() {
            self.rewrite();
        }
    }

    fn forget(&mut self, number: u64) -> Option<String> {
        let waiting = self.waiting.remove(&number)?;
        if !self.unkept.remove(&number) {
            self.bytes = self.bytes.saturating_sub(waiting.alert.bytes());
        }
        Some(waiting.alert.id.clone())
    }

    fn rewrite(&mut self) {
        let kept = self.waiting.iter().filter(|(number, _)| !self.unkept.contains(number));
        self.journal.rewrite(kept.flat_map(|(_, Waiting { alert, accepted, .. })| {
            let accepted = accepted
                .iter()
                .map(|key| Record::Accepted { id: alert.id.clone(), key: key.clone() });
            [Record::Put(Arc::clone(alert))].into_iter().chain(accepted)
        }));
    }

    fn complain(&mut self, error: &SpoolError, log: &Log) {
        self.trouble.report(log, format!("alerts are not kept on disk: {error}"));
    }
}

/// The hash of a target for the spool, since the address of a webhook is a secret.
#[must_use]
pub(crate) fn key(recipient: &str) -> String {
    format!("{:016x}", fnv1a(recipient.bytes()))
}

/// A file name for a listener's name, different for each name.
fn file_name(name: &str) -> String {
    let mut safe = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'-' | b'@' => {
                safe.push(char::from(byte));
            }
            b'.' if !safe.is_empty() => safe.push('.'),
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    // File names have at most 255 bytes; all bytes here are ASCII.
    if safe.is_empty() || safe.len() > 200 {
        safe.truncate(180);
        safe.push_str(&format!("%{}", key(name)));
    }
    safe
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
