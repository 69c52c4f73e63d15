//! The interface of a listener, and the parts it acts with.

pub mod alert;
pub mod blindness;
pub mod environment;
pub mod identity;
pub mod in_flight;
pub mod introduction;
pub mod restart;
pub mod selection;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use crate::listener::alert::{Alert, Alerts};
use crate::listener::identity::Identity;
use crate::listener::in_flight::InFlight;
use crate::listener::introduction::Introduction;
use crate::protocol::event::{Event, ProcessState};
use crate::protocol::frame::Frame;
use crate::supervisor::Supervisor;
use crate::system::clock::Moment;
use crate::system::log::Log;

/// The interest of a listener in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Acknowledge and forget.
    Nothing,
    /// Handle each event, in order.
    Every,
    /// Handle it only if the listener is idle when it arrives: it starts a check, and a late check
    /// would see processes that were just started.
    WhenIdle,
}

impl Interest {
    /// A tick, for a listener that handles each one when it is idle.
    #[must_use]
    pub fn in_tick(frame: &Frame) -> Self {
        if frame.name.starts_with("TICK") { Self::WhenIdle } else { Self::Nothing }
    }

    /// Each event about a change of state that is `wanted`. An event that cannot be read is handled
    /// too, so that the worker can log it.
    #[must_use]
    pub fn in_change(frame: &Frame, wanted: impl FnOnce(&ProcessState) -> bool) -> Self {
        match Event::parse(frame) {
            Ok(Event::ProcessState(change)) if wanted(&change) => Self::Every,
            Ok(_) => Self::Nothing,
            Err(_) => Self::Every,
        }
    }
}

/// Decides whether the listener needs an event. A filter opens nothing and never waits, since
/// supervisord waits for it.
pub type Filter = Box<dyn Fn(&Frame) -> Interest + Send>;

/// An event listener: it decides what to do about events, and acts through [`Ctx`].
///
/// All methods but [`filter`](Listener::filter) are called on one thread, one at a time.
pub trait Listener: Send {
    /// The filter. The reader thread calls it, so that an event that is not needed wakes no other
    /// thread.
    fn filter(&self) -> Filter;

    /// The log line at the start.
    fn introduction(&self) -> Introduction;

    /// Handles an event that passed the filter. Errors go into the log; there is no caller to
    /// return them to.
    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>);

    /// Raises the alert that supervisord threw events away.
    fn events_lost(&mut self, alert: Alert, ctx: &mut Ctx<'_>) {
        ctx.raise(alert);
    }

    /// When to call [`on_time`](Listener::on_time), if at all.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Called at the deadline, when no event is being handled.
    fn on_time(&mut self, _ctx: &mut Ctx<'_>) {}

    /// Called when no more events will come. While there is a deadline afterwards, work is left,
    /// and `on_time` is called until time is up.
    fn finish(&mut self, _ctx: &mut Ctx<'_>) {}
}

/// The parts that a listener acts with.
pub struct Ctx<'a> {
    /// When the event arrived, or this call was made.
    pub arrived: Moment,
    pub supervisor: &'a mut dyn Supervisor,
    /// The event that is being handled, which gives alerts their ids.
    pub identity: &'a mut Identity,
    /// The sink for alerts; see [`raise`](Self::raise).
    pub alerts: &'a mut dyn Alerts,
    pub log: &'a Log,
    /// The register of unfinished work, which is logged when time is up.
    pub in_flight: &'a InFlight,
    /// Whether the listener was told to end meanwhile.
    pub ending: &'a AtomicBool,
}

impl Ctx<'_> {
    /// Raises an alert, and returns at once. The log has the outcome.
    pub fn raise(&mut self, mut alert: Alert) {
        self.identity.complete(&mut alert);
        self.alerts.raise(alert);
    }

    /// The id of the event that is being handled, if there is one: the same when supervisord sends
    /// it again.
    #[must_use]
    pub fn event_id(&self) -> Option<String> {
        self.identity.event()
    }

    /// Whether the listener was told to end. Work in progress should be finished; nothing should
    /// begin that takes long or would leave a process stopped.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// The time now: that of arrival plus the time since.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.arrived.wall + self.arrived.instant.elapsed()
    }
}
