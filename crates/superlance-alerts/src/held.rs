//! The alerts that `--alert-interval` holds back: in the throttle, on disk, and in the register of
//! unfinished work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use superlance_core::listener::alert::Alert;
use superlance_core::listener::in_flight::{Entry, InFlight};
use superlance_core::spool::journal::Journal;
use superlance_core::system::clock::Moment;

use crate::throttle::{Record, Throttle};
use crate::transport::whole;

/// What is held back. Its owner sends what is released, and then calls [`sent`](Self::sent).
pub(crate) struct HeldAlerts {
    /// Shared with the entry. It is not locked during writes to the disk: at the end, the main thread
    /// does not wait for a disk that hangs.
    throttle: Arc<Mutex<Throttle>>,
    journal: Journal,
    in_flight: InFlight,
    /// While anything is held back.
    entry: Option<Entry>,
}

impl HeldAlerts {
    pub(crate) fn new(throttle: Throttle, in_flight: InFlight) -> Self {
        let (throttle, journal) = (Arc::new(Mutex::new(throttle)), Journal::default());
        Self { throttle, journal, in_flight, entry: None }
    }

    /// Keeps alerts in this journal, and goes on with those that an earlier listener left there.
    pub(crate) fn keep(&mut self, (journal, left): (Journal, Vec<Record>), now: Moment) {
        self.journal = journal;
        lock(&self.throttle).restore(left, now);
        self.rewrite();
        self.register();
    }

    /// Holds an alert back; `false` if it is to be sent.
    pub(crate) fn hold(&mut self, alert: &Alert, now: Moment) -> bool {
        let record = lock(&self.throttle).hold(alert, now).cloned();
        let Some(record) = record else { return false };
        self.journal.add(&record);
        if self.journal.needs_rewriting() {
            self.rewrite();
        }
        self.register();
        true
    }

    /// When alerts will be [`due`](Self::due).
    pub(crate) fn deadline(&self) -> Option<Instant> {
        lock(&self.throttle).deadline()
    }

    /// The summaries of all intervals that are over.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<Alert> {
        lock(&self.throttle).due(now)
    }

    /// The summaries of everything, at the end of the listener.
    pub(crate) fn all(&mut self, now: Moment) -> Vec<Alert> {
        lock(&self.throttle).finish(now)
    }

    /// What was released is in the spool and on its way.
    pub(crate) fn sent(&mut self) {
        self.rewrite();
        self.register();
    }

    fn rewrite(&mut self) {
        let records: Vec<_> = lock(&self.throttle).records().cloned().collect();
        self.journal.rewrite(records);
    }

    /// Registers what is held back now, for the log if time is up before it is sent.
    fn register(&mut self) {
        let (throttle, kept) = (Arc::clone(&self.throttle), self.journal.is_complete());
        let is_any = lock(&throttle).records().next().is_some();
        self.entry = is_any.then(|| self.in_flight.begin_with(move || unsent(&throttle, kept)));
    }
}

fn lock(throttle: &Mutex<Throttle>) -> MutexGuard<'_, Throttle> {
    throttle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The log text about alerts that are still held back when time is up.
fn unsent(throttle: &Mutex<Throttle>, kept: bool) -> String {
    let text = |alert: &Alert| match kept {
        true => format!("Held back and kept until the next start: {}", alert.title()),
        false => format!("Held back and not sent in time:\n\n{}", whole(alert)),
    };
    lock(throttle).summaries().iter().map(text).collect::<Vec<_>>().join("\n")
}
