//! Delivery on threads of its own, one sender for each transport.
//!
//! A server may need seconds, hang, or be away for hours. The listener hands over its alerts and
//! goes on; one thread delivers them in order, and several do at the end.

mod audience;
mod job;
mod trial;

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::job::{Job, Room};
use super::schedule::{Attempt, Next, Schedule};
use super::spool::Spool;
use crate::transport::Transport;
use superlance_core::listener::alert::{Alert, Phase};
use superlance_core::listener::in_flight::InFlight;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::system::io_error::explain;
use superlance_core::system::log::{FAULT, Log, LogOnce};

/// Alerts that may wait for one transport; further ones are logged in full.
const CAPACITY: usize = 10_000;

/// Bytes of the alerts that may wait for one transport.
const CAPACITY_BYTES: usize = 64 << 20;

/// Threads that deliver when the listener is about to end.
const HURRY: usize = 16;

/// Pause before a thread is asked for again after the system refused one.
const PAUSE: Duration = Duration::from_secs(5);

/// One transport and its queue.
pub(super) struct Sender {
    shared: Arc<Shared>,
    in_flight: InFlight,
    /// Bytes of the waiting alerts.
    used: Arc<AtomicUsize>,
    threads: usize,
    /// When to ask for a first thread again.
    retry: Option<Instant>,
}

struct Shared {
    transport: Box<dyn Transport>,
    spool: Option<Arc<Spool>>,
    log: Arc<Log>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    schedule: Schedule<Job>,
    /// Why the transport does not work at the moment.
    trouble: LogOnce,
}

impl Sender {
    /// A sender, whose thread starts with the first alert.
    pub(super) fn new(
        transport: Box<dyn Transport>,
        spool: Option<Arc<Spool>>,
        log: Arc<Log>,
        in_flight: InFlight,
    ) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Shared { transport, spool, log, state, changed };
        Self { shared: Arc::new(shared), in_flight, used: Arc::default(), threads: 0, retry: None }
    }

    /// Takes an alert for all targets except those in `accepted`, and returns at once.
    pub(super) fn send(&mut self, alert: Arc<Alert>, accepted: &BTreeSet<String>) {
        let Shared { transport, log, .. } = &*self.shared;
        let targets = self.targets(alert.phase, accepted);
        if targets.is_empty() || self.shared.awaits(&alert) {
            return;
        }
        let Some(room) = self.room(&alert) else {
            alert.log(log).line(transport.given_up(&alert, &targets, "too many others wait"));
            return self.shared.settled(&alert, &targets);
        };
        let (shared, waiting) = (Arc::clone(&self.shared), Arc::clone(&alert));
        let is_missed = alert.phase != Phase::Lasts;
        let entry =
            is_missed.then(|| self.in_flight.begin_with(move || shared.unfinished(&waiting)));
        self.shared.lock().schedule.push(Job::new(alert, targets, entry, room));
        self.start_threads(1);
        self.shared.changed.notify_all();
    }

    /// Counts an alert in, unless too many wait.
    fn room(&self, alert: &Alert) -> Option<Room> {
        let (bytes, used) = (alert.bytes(), &self.used);
        if self.shared.lock().schedule.len() >= CAPACITY
            || used.load(Ordering::Relaxed) + bytes > CAPACITY_BYTES
        {
            return None;
        }
        used.fetch_add(bytes, Ordering::Relaxed);
        Some(Room { bytes, used: Arc::clone(used) })
    }

    /// Tries everything at once and gives up what fails: the listener is about to end.
    pub(super) fn drain(&mut self) {
        let mut state = self.shared.lock();
        state.schedule.hurry();
        let waiting = state.schedule.len();
        drop(state);
        self.shared.changed.notify_all();
        if self.threads > 0 || waiting > 0 {
            // One more than there are alerts, since a server that hangs may hold the first.
            self.start_threads(HURRY.min(waiting + 1));
        }
    }

    /// Waits until everything is delivered or given up.
    pub(super) fn finish(&mut self) {
        self.drain();
        let mut state = self.shared.lock();
        while !state.schedule.is_finished() {
            state = self.shared.wait(state, None);
        }
    }

    /// When to call [`on_time`](Self::on_time).
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.retry
    }

    /// Asks again for a thread that the system refused.
    pub(super) fn on_time(&mut self, now: Instant) {
        if self.retry.is_some_and(|retry| retry <= now) {
            self.start_threads(1);
        }
    }

    /// Starts threads until there are `count`. They deliver until the program ends.
    fn start_threads(&mut self, count: usize) {
        self.retry = None;
        while self.threads < count {
            let shared = Arc::clone(&self.shared);
            let sender = thread::Builder::new().name("alerts".to_owned());
            if let Err(error) = sender.spawn(move || shared.work()) {
                if self.threads == 0 {
                    let name = self.shared.transport.name();
                    let message = format!("{name}: {}; alerts wait for it", explain(&error));
                    self.shared.lock().trouble.report(&self.shared.log, message);
                    self.retry = Instant::now().checked_add(PAUSE);
                }
                return;
            }
            self.threads += 1;
        }
    }
}

impl Shared {
    /// Delivers what waits and what comes.
    fn work(&self) -> ! {
        let mut state = self.lock();
        loop {
            let Some(attempt) = state.schedule.take(Instant::now()) else {
                let next = state.schedule.next();
                state = self.wait(state, next);
                continue;
            };
            drop(state);
            let number = attempt.number;
            let outcomes = self.deliver(&attempt.item);
            state = self.lock();
            self.settle(attempt, outcomes, &mut state);
            state.schedule.end(number);
            self.changed.notify_all();
        }
    }

    /// Tries to deliver. A panic must not end the thread, since all other alerts would wait for
    /// ever.
    fn deliver(&self, job: &Job) -> Vec<DeliveryOutcome> {
        let Job { alert, targets, .. } = job;
        let delivered =
            panic::catch_unwind(AssertUnwindSafe(|| self.transport.deliver(alert, targets)));
        delivered.unwrap_or_else(|_| {
            let name = self.transport.name();
            self.log.line(format_args!("{FAULT}: panic in {name}"));
            vec![DeliveryOutcome::Unknown("a panic".to_owned()); targets.len()]
        })
    }

    /// Records the outcome for each target of an alert.
    fn settle(&self, mut attempt: Attempt<Job>, outcomes: Vec<DeliveryOutcome>, state: &mut State) {
        if attempt.item.alert.phase == Phase::Lasts {
            return self.settle_reminder(&attempt.item.targets, outcomes, state);
        }
        let Job { alert, targets, .. } = &mut attempt.item;
        let all = std::mem::take(targets);
        let (mut delivered, mut refused) = (Vec::new(), Vec::new());
        let (mut reasons, mut refusals) = (Vec::new(), Vec::new());
        let (mut pause, mut doubtful) = (None, false);
        for (target, outcome) in all.into_iter().zip(outcomes) {
            let reason = match outcome {
                DeliveryOutcome::Delivered => {
                    delivered.push(target);
                    continue;
                }
                DeliveryOutcome::Rejected(reason) => {
                    refusals.push(reason);
                    refused.push(target);
                    continue;
                }
                DeliveryOutcome::Retry(reason) => reason,
                DeliveryOutcome::Unknown(reason) => {
                    doubtful = true;
                    format!("{reason}; it may have arrived")
                }
                DeliveryOutcome::RetryAfter(reason, time) => {
                    pause = pause.max(Some(time));
                    reason
                }
            };
            targets.push(target);
            reasons.push(reason);
        }
        reasons.dedup();
        refusals.dedup();
        let log = alert.log(&self.log);
        if !refusals.is_empty() {
            log.line(self.transport.given_up(alert, &refused, &refusals.join("; ")));
        }
        if !delivered.is_empty() {
            let text = self.transport.delivered(alert, &delivered);
            text.into_iter().for_each(|text| log.line(text));
        }
        self.settled(alert, &delivered);
        self.settled(alert, &refused);
        if reasons.is_empty() {
            if !delivered.is_empty() && state.trouble.clear() {
                self.log.line(format_args!("{} works again", self.transport.name()));
            }
            return state.schedule.delivered();
        }
        let (now, reason) = (Instant::now(), reasons.join("; "));
        let failed = self.transport.failed(targets, &reason);
        let next = match (doubtful, delivered.is_empty()) {
            (true, _) => state.schedule.doubtful(attempt, now),
            (false, true) => state.schedule.failed(attempt, pause, now),
            (false, false) => state.schedule.failed_in_part(attempt, now),
        };
        match next {
            Next::Waits => state.trouble.report(&self.log, failed),
            Next::Ended(job) => self.end(&job, &reason),
            Next::GivenUp(job) => {
                let Job { alert, targets, .. } = &job;
                let text = self.transport.given_up(alert, targets, &reason);
                alert.log(&self.log).line(text);
                self.settled(alert, targets);
            }
        }
    }

    /// The log text about an alert that is not delivered when time is up.
    fn unfinished(&self, alert: &Alert) -> String {
        if !self.keeps(alert) {
            return self.transport.unfinished(alert);
        }
        let (name, subject) = (self.transport.name(), alert.title());
        format!("Not sent in time to {name}, and kept until the next start: {subject}")
    }

    /// Logs that an alert is not tried again before the end, and why.
    fn end(&self, job: &Job, reason: &str) {
        let Job { alert, targets, .. } = job;
        let log = alert.log(&self.log);
        if self.keeps(alert) {
            let (name, kept) = (self.transport.name(), "kept until the next start");
            log.line(format_args!("Not sent to {name}: {reason}; {kept}: {}", alert.title()));
        } else {
            log.line(self.transport.given_up(alert, targets, reason));
        }
    }

    /// Strikes targets off the spool, after the log has what they will not get: a kill in between
    /// must not lose an alert.
    fn settled(&self, alert: &Alert, targets: &[String]) {
        let Some(spool) = &self.spool else { return };
        targets.iter().for_each(|target| spool.settle(alert, &self.key(target)));
    }

    /// Whether the next listener will deliver the alert.
    fn keeps(&self, alert: &Alert) -> bool {
        self.spool.as_ref().is_some_and(|spool| spool.keeps(alert))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        match until {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let time = until.saturating_duration_since(Instant::now());
                // The clock's resolution at least, so that the loop does not spin.
                let time = time.max(Duration::from_millis(1));
                self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
