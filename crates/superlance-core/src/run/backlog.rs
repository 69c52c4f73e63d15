//! Events on disk, from their acknowledgement until they are handled, where there is a spool.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::listener::Interest;
use crate::protocol::frame::Frame;
use crate::spool::diary::Diary;
use crate::system::log::Log;

/// The events that are acknowledged and not yet handled.
pub(crate) struct Ledger {
    log: Arc<Log>,
    state: Mutex<State>,
}

struct State {
    diary: Diary,
    open: BTreeMap<u64, Frame>,
    next: u64,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// An event will be acknowledged.
    Event(u64, Frame),
    /// It was handled.
    Handled(u64),
}

impl Ledger {
    /// A ledger, which goes on with what an earlier listener wrote.
    pub(crate) fn new((mut diary, entries): (Diary, Vec<Entry>), log: Arc<Log>) -> Self {
        let mut open = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Event(number, frame) => drop(open.insert(number, frame)),
                Entry::Handled(number) => drop(open.remove(&number)),
            }
        }
        if !open.is_empty() {
            let count = open.len();
            log.line(format_args!("Events not handled before the last end: {count}"));
        }
        diary.rewrite(events(&open), &log);
        let next = open.last_key_value().map_or(0, |(number, _)| number + 1);
        Self { log, state: Mutex::new(State { diary, open, next }) }
    }

    /// The events that an earlier listener acknowledged and did not handle, with their numbers.
    pub(crate) fn left(&self) -> Vec<(u64, Frame)> {
        self.lock().open.iter().map(|(number, frame)| (*number, frame.clone())).collect()
    }

    /// Writes an event down before it is acknowledged, and gives it a number. Ticks come again anyway.
    pub(crate) fn write(&self, frame: &Frame, interest: Interest) -> Option<u64> {
        let mut state = self.lock();
        let lasting = interest == Interest::Every && !frame.name.starts_with("TICK");
        if !lasting || !state.diary.is_there() {
            return None;
        }
        let State { diary, open, next } = &mut *state;
        let number = *next;
        *next += 1;
        open.insert(number, frame.clone());
        diary.add(&Entry::Event(number, frame.clone()), &self.log);
        if diary.needs_rewriting() {
            diary.rewrite(events(open), &self.log);
        }
        Some(number)
    }

    /// An event was handled: whatever it led to is on the disk.
    pub(crate) fn handled(&self, number: Option<u64>) {
        let Some(number) = number else { return };
        let mut state = self.lock();
        let State { diary, open, .. } = &mut *state;
        open.remove(&number);
        if open.is_empty() || diary.needs_rewriting() {
            diary.rewrite(events(open), &self.log);
        } else {
            diary.add(&Entry::Handled(number), &self.log);
        }
    }

    /// Whether another listener will find the events that are not handled.
    pub(crate) fn is_complete(&self) -> bool {
        self.lock().diary.is_complete()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn events(open: &BTreeMap<u64, Frame>) -> impl Iterator<Item = Entry> {
    open.iter().map(|(number, frame)| Entry::Event(*number, frame.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::dir::StateDir;
    use crate::spool::journal::Journal;
    use crate::testing::{Recorder, frame};

    fn ledger(folder: &std::path::Path) -> (Ledger, Recorder) {
        let recorder = Recorder::default();
        let log = Arc::new(Log::new(recorder.clone()));
        let directory = Arc::new(StateDir::open(folder, "test").unwrap());
        let diary = Diary::open(Journal::open(&directory, "events"), "events", &log);
        (Ledger::new(diary, log), recorder)
    }

    fn left(ledger: &Ledger) -> Vec<String> {
        ledger.left().into_iter().map(|(_, frame)| frame.payload).collect()
    }

    #[test]
    fn what_is_not_handled_is_there_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let (first, recorder) = ledger(folder.path());
        let write = |ledger: &Ledger, payload| ledger.write(&frame("X", payload), Interest::Every);
        let numbers = ["a", "b", "c"].map(|payload| write(&first, payload));
        first.handled(numbers[1]);
        assert_eq!((left(&first), recorder.text().as_str()), (vec!["a".into(), "c".into()], ""));
        drop(first);
        let (second, recorder) = ledger(folder.path());
        assert_eq!(left(&second), ["a", "c"]);
        assert_eq!(recorder.text(), "Events not handled before the last end: 2\n");
        let d = write(&second, "d");
        second
            .left()
            .iter()
            .for_each(|(number, _)| second.handled(Some(*number).filter(|n| Some(*n) != d)));
        drop(second);
        let (third, _) = ledger(folder.path());
        assert_eq!(left(&third), ["d"]);
        third.handled(d);
        assert!(!folder.path().join("test/events.journal").exists());
        assert!(third.is_complete());
    }

    #[test]
    fn ticks_and_looks_are_not_written_and_without_a_spool_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, _) = ledger(folder.path());
        assert_eq!(ledger.write(&frame("TICK_60", "when:1"), Interest::Every), None);
        assert_eq!(ledger.write(&frame("X", ""), Interest::WhenIdle), None);
        let log = Arc::new(Log::new(Recorder::default()));
        let none = Ledger::new((Diary::default(), Vec::new()), log);
        assert_eq!(none.write(&frame("X", ""), Interest::Every), None);
        assert!(!none.is_complete());
    }
}
