//! Events on disk, from their acknowledgement until they are handled, if there is a spool.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::listener::Interest;
use crate::protocol::frame::Frame;
use crate::run::queue::Arrival;
use crate::spool::journal::Journal;
use crate::system::clock::Moment;
use crate::system::log::Log;

/// The events that are acknowledged and not yet handled.
pub(crate) struct Backlog(Mutex<State>);

struct State {
    journal: Journal,
    open: BTreeMap<u64, EventRecord>,
    next: u64,
}

/// A record of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// An event, written before its acknowledgement.
    Event(EventRecord),
    /// The event of this number was handled.
    Handled(u64),
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    pub number: u64,
    /// When it arrived.
    pub at: SystemTime,
    /// Its id; a later supervisord uses its serial for another event.
    pub id: Option<u64>,
    pub frame: Frame,
}

impl EventRecord {
    /// The event, for a later listener.
    pub(crate) fn arrival(self, interest: Interest) -> Arrival {
        let Self { number, at, id, frame } = self;
        let at = Moment { wall: at, instant: Instant::now() };
        Arrival { at, frame, id, interest, number: Some(number) }
    }
}

impl Backlog {
    /// A backlog, with the events that an earlier listener left.
    pub(crate) fn new((mut journal, records): (Journal, Vec<Record>), log: &Log) -> Self {
        let mut open = BTreeMap::new();
        for record in records {
            match record {
                Record::Event(event) => drop(open.insert(event.number, event)),
                Record::Handled(number) => drop(open.remove(&number)),
            }
        }
        if !open.is_empty() {
            let count = open.len();
            log.line(format_args!("Events not handled before the last end: {count}"));
        }
        journal.rewrite(records_of(&open));
        let next = open.last_key_value().map_or(0, |(number, _)| number + 1);
        Self(Mutex::new(State { journal, open, next }))
    }

    /// The events that an earlier listener acknowledged and did not handle.
    pub(crate) fn left(&self) -> Vec<EventRecord> {
        self.lock().open.values().cloned().collect()
    }

    /// Stores an event before it is acknowledged, and numbers it. Ticks come again anyway.
    ///
    /// From here on, a kill of the listener loses nothing. The record may reach the disk some
    /// milliseconds later: a crash of the machine in that time also ends supervisord and the events
    /// in its buffer.
    pub(crate) fn keep(&self, arrival: &mut Arrival) {
        let mut state = self.lock();
        let frame = &arrival.frame;
        let lasting = arrival.interest == Interest::Every && !frame.name.starts_with("TICK");
        if !lasting || !state.journal.is_open() {
            return;
        }
        let State { journal, open, next } = &mut *state;
        let number = *next;
        *next += 1;
        let (at, id, frame) = (arrival.at.wall, arrival.id, frame.clone());
        let record = Record::Event(EventRecord { number, at, id, frame });
        journal.add_soon(&record);
        if let Record::Event(event) = record {
            open.insert(number, event);
        }
        if journal.needs_rewriting() {
            journal.rewrite(records_of(open));
        }
        arrival.number = Some(number);
    }

    /// The event of this number was handled: the alerts that it led to are on the disk.
    pub(crate) fn handled(&self, number: Option<u64>) {
        let Some(number) = number else { return };
        let mut state = self.lock();
        let State { journal, open, .. } = &mut *state;
        open.remove(&number);
        if !open.is_empty() {
            journal.add_soon(&Record::Handled(number));
        }
        if open.is_empty() || journal.needs_rewriting() {
            journal.rewrite(records_of(open));
        }
    }

    /// The log text about an event that is not handled when time is up.
    pub(crate) fn unfinished(&self, arrival: &Arrival) -> String {
        let Frame { name, payload, .. } = &arrival.frame;
        let is_kept = arrival.number.is_some() && self.is_complete();
        let kept = if is_kept { ", and kept until the next start" } else { "" };
        format!("Event not handled in time{kept}: {name} {payload}")
    }

    /// Whether the next listener will find the events that are not handled.
    fn is_complete(&self) -> bool {
        self.lock().journal.is_complete()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn records_of(open: &BTreeMap<u64, EventRecord>) -> impl Iterator<Item = Record> {
    open.values().cloned().map(Record::Event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::identity::Instance;
    use crate::spool::dir::StateDir;
    use crate::testing::{Recorder, frame};
    use std::sync::Arc;
    use std::time::Duration;

    fn backlog(folder: &std::path::Path) -> (Backlog, Recorder) {
        let recorder = Recorder::default();
        let log = Arc::new(Log::new(recorder.clone()));
        let directory = Arc::new(StateDir::open(folder, "test").unwrap());
        (Backlog::new(Journal::open(&directory, "events", "events", &log), &log), recorder)
    }

    fn arrival(frame: Frame, interest: Interest) -> Arrival {
        let id = Instance::of_parent().event_id(&frame);
        Arrival { at: Moment::now(), frame, id, interest, number: None }
    }

    fn keep(backlog: &Backlog, frame: Frame, interest: Interest) -> Option<u64> {
        let mut arrival = arrival(frame, interest);
        backlog.keep(&mut arrival);
        arrival.number
    }

    fn left(backlog: &Backlog) -> Vec<String> {
        backlog.left().into_iter().map(|event| event.frame.payload).collect()
    }

    #[test]
    fn what_is_not_handled_is_there_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let (first, recorder) = backlog(folder.path());
        let write =
            |backlog: &Backlog, payload| keep(backlog, frame("X", payload), Interest::Every);
        let numbers = ["a", "b", "c"].map(|payload| write(&first, payload));
        first.handled(numbers[1]);
        assert_eq!((left(&first), recorder.text().as_str()), (vec!["a".into(), "c".into()], ""));
        drop(first);
        let (second, recorder) = backlog(folder.path());
        assert_eq!(left(&second), ["a", "c"]);
        assert_eq!(recorder.text(), "Events not handled before the last end: 2\n");
        let d = write(&second, "d");
        for event in second.left() {
            second.handled(Some(event.number).filter(|number| Some(*number) != d));
        }
        drop(second);
        let (third, _) = backlog(folder.path());
        assert_eq!(left(&third), ["d"]);
        third.handled(d);
        assert!(!folder.path().join("test/events.journal").exists());
        assert!(third.is_complete());
    }

    #[test]
    fn an_event_that_is_left_tells_when_it_arrived_and_who_numbered_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut event = arrival(Frame { serial: Some(0), ..frame("X", "a") }, Interest::Every);
        event.at.wall -= Duration::from_secs(3600);
        backlog(folder.path()).0.keep(&mut event);
        let [left] = <[_; 1]>::try_from(backlog(folder.path()).0.left()).unwrap();
        let again = left.arrival(Interest::Every);
        assert_eq!((again.at.wall, again.id), (event.at.wall, event.id));
        assert!(again.id.is_some() && again.at.instant >= event.at.instant);
    }

    #[test]
    fn ticks_and_looks_are_not_written_and_without_a_spool_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let (some, _) = backlog(folder.path());
        assert_eq!(keep(&some, frame("TICK_60", "when:1"), Interest::Every), None);
        assert_eq!(keep(&some, frame("X", ""), Interest::WhenIdle), None);
        let none = Backlog::new(Default::default(), &Log::new(Recorder::default()));
        assert_eq!(keep(&none, frame("X", ""), Interest::Every), None);
        assert!(!none.is_complete());
    }
}
