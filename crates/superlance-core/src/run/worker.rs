//! The worker thread, which owns the listener: it hands over events one by one, calls the listener
//! at its deadlines, and at the end lets it finish its work.

use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::listener::alert::{Alert, Alerts};
use crate::listener::environment::Environment;
use crate::listener::identity::Identity;
use crate::listener::in_flight::InFlight;
use crate::listener::{Ctx, Interest, Listener};
use crate::mail::outcome::DeliveryOutcome;
use crate::protocol::event::Event;
use crate::run::backlog::{self, Backlog};
use crate::run::expectation::Expectation;
use crate::run::losses::Losses;
use crate::run::queue::{Arrival, Next, Queue};
use crate::spool::journal::Journal;
use crate::supervisor::Supervisor;
use crate::system::clock::Moment;
use crate::system::log::{FAULT, Log};

/// Pause after a panic in a listener's timer, which would be due again at once.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// The pipeline of a listener, which delivers its alerts beside its work.
pub trait Delivery: Alerts {
    /// The journal of events that are acknowledged and not yet handled, with its records.
    fn events(&self) -> (Journal, Vec<backlog::Record>);

    /// Starts delivery, first of what an earlier listener left.
    fn start(&mut self);

    /// When to call [`on_time`](Self::on_time), if at all.
    fn deadline(&self) -> Option<Instant>;

    /// Delivers what is due, such as held alerts at the end of their interval.
    fn on_time(&mut self, supervisor: &mut dyn Supervisor, now: Moment);

    /// Holds nothing back any longer: the listener is about to end.
    fn drain(&mut self);

    /// Waits until everything is delivered or given up.
    fn finish(&mut self);

    /// Tries to deliver an alert once by each transport, outside of the queues.
    fn try_once(&mut self, alert: Alert) -> Vec<Tried>;
}

/// The outcome of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The recipient and the transport, without secrets.
    pub to: String,
    pub outcome: DeliveryOutcome,
}

/// A listener with the parts it acts with.
pub struct Service {
    pub listener: Box<dyn Listener>,
    pub supervisor: Box<dyn Supervisor>,
    /// The pipeline for its alerts.
    pub alerts: Box<dyn Delivery>,
    pub log: Arc<Log>,
    /// The register of unfinished work.
    pub in_flight: InFlight,
}

impl Service {
    /// A listener, and what it acts with in this environment.
    pub fn new(
        listener: impl Listener + 'static,
        supervisor: Box<dyn Supervisor>,
        alerts: impl Delivery + 'static,
        environment: Environment,
    ) -> Self {
        let Environment { log, in_flight, .. } = environment;
        Self { listener: Box::new(listener), supervisor, alerts: Box::new(alerts), log, in_flight }
    }
}

/// The progress of the end. The main thread sets it.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// The listener is to finish its work.
    pub(crate) ending: AtomicBool,
    /// supervisord is gone, so nothing can be started any more.
    pub(crate) orphaned: AtomicBool,
}

pub(crate) struct Worker {
    service: Service,
    identity: Identity,
    end: Arc<End>,
    backlog: Arc<Backlog>,
    expectation: Arc<Expectation>,
    losses: Option<Arc<Losses>>,
    /// Before this, deadlines do not count.
    quiet_until: Instant,
}

impl Worker {
    pub(crate) fn new(
        service: Service,
        expectation: Arc<Expectation>,
        losses: Option<Arc<Losses>>,
        end: Arc<End>,
        backlog: Arc<Backlog>,
    ) -> Self {
        let (identity, quiet_until) = (Identity::default(), Instant::now());
        Self { service, identity, end, backlog, expectation, losses, quiet_until }
    }

    /// Works until the queue is closed and empty, and no work is left.
    pub(crate) fn run(mut self, queue: &Queue) {
        self.deliver("the start of delivery", |alerts| alerts.start());
        loop {
            let remarks = [self.expectation.deadline(), self.losses_deadline()];
            let deadlines = remarks.into_iter().chain([self.deadline()]);
            match queue.next(deadlines.flatten().min()) {
                Next::Event(arrival) => {
                    // The next listener makes its own check.
                    let looks = arrival.interest == Interest::WhenIdle;
                    let number = arrival.number;
                    if !(looks && self.end.ending.load(Ordering::Relaxed)) {
                        self.handle(arrival);
                    }
                    self.backlog.handled(number);
                }
                Next::Deadline => {
                    self.expectation.on_time(Instant::now());
                    if self.losses_deadline().is_some_and(|due| due <= Instant::now()) {
                        self.tell_losses();
                    }
                    self.on_time();
                }
                Next::Closed => break,
            }
        }
        self.tell_losses();
        self.call(Moment::now(), None, "the end", |listener, ctx| listener.finish(ctx));
        self.deliver("alerts that are held back", |alerts| alerts.drain());
        while let Some(deadline) = self.deadline() {
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
            self.on_time();
            if self.end.orphaned.load(Ordering::Relaxed) {
                break;
            }
        }
        self.deliver("the end of delivery", |alerts| alerts.finish());
        // The listener is not dropped, which would forget the work that is left.
        for text in self.service.in_flight.texts() {
            self.service.log.line(text);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let Service { listener, alerts, .. } = &self.service;
        let deadline = listener.deadline().into_iter().chain(alerts.deadline()).min();
        deadline.map(|deadline| deadline.max(self.quiet_until))
    }

    /// Calls the listener and the pipeline if their deadlines have passed.
    fn on_time(&mut self) {
        let now = Moment::now();
        let due = |deadline: Option<Instant>| deadline.is_some_and(|due| due <= now.instant);
        if due(self.service.listener.deadline()) {
            self.call(now, None, "a retry", |listener, ctx| listener.on_time(ctx));
        }
        if due(self.service.alerts.deadline()) {
            self.guarded("alerts that are due", |worker| {
                let Service { alerts, supervisor, .. } = &mut worker.service;
                alerts.on_time(&mut **supervisor, now);
            });
        }
    }

    fn deliver(&mut self, during: &str, step: impl FnOnce(&mut dyn Delivery)) {
        self.guarded(during, |worker| step(&mut *worker.service.alerts));
    }

    fn losses_deadline(&self) -> Option<Instant> {
        self.losses.as_ref()?.deadline()
    }

    fn tell_losses(&mut self) {
        if let Some(losses) = self.losses.clone() {
            self.call(Moment::now(), None, "lost events", |listener, ctx| {
                losses.tell(listener, ctx);
            });
        }
    }

    fn handle(&mut self, arrival: Arrival) {
        let arrival = Arc::new(arrival);
        // A check that starts with a tick notes what it stops by itself; the tick says nothing.
        let _entry = (arrival.interest == Interest::Every).then(|| {
            let (event, backlog) = (Arc::clone(&arrival), Arc::clone(&self.backlog));
            self.service.in_flight.begin_with(move || backlog.unfinished(&event))
        });
        let frame = &arrival.frame;
        let during = format_args!("{} {}", frame.name, frame.payload);
        self.call(arrival.at, Some(&arrival), during, |listener, ctx| match Event::parse(frame) {
            Ok(event) => listener.handle(&event, ctx),
            Err(error) => ctx.log.line(format_args!("Event not understood: {error}")),
        });
    }

    /// Calls the listener, for an event if there is one.
    fn call(
        &mut self,
        arrived: Moment,
        event: Option<&Arrival>,
        during: impl Display,
        body: impl FnOnce(&mut dyn Listener, &mut Ctx<'_>),
    ) {
        self.guarded(during, |worker| {
            match event {
                Some(Arrival { frame, id, .. }) => worker.identity.begin(&frame.name, *id),
                None => worker.identity.begin("", None),
            }
            let Service { listener, supervisor, alerts, log, in_flight } = &mut worker.service;
            let mut ctx = Ctx {
                arrived,
                supervisor: &mut **supervisor,
                identity: &mut worker.identity,
                alerts: &mut **alerts,
                log,
                in_flight,
                ending: &worker.end.ending,
            };
            body(&mut **listener, &mut ctx);
        });
    }

    /// Runs `body`. A panic is logged, and the next event is handled: a listener that died of an
    /// event would get the same event from supervisord for ever.
    fn guarded(&mut self, during: impl Display, body: impl FnOnce(&mut Self)) {
        if panic::catch_unwind(AssertUnwindSafe(|| body(self))).is_err() {
            self.quiet_until = Instant::now() + AFTER_PANIC;
            self.service.log.line(format_args!("{FAULT}: panic while handling {during}"));
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
