//! What a listener is, and what it acts with.

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

/// What a listener makes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Acknowledge and forget.
    Nothing,
    /// Handle every one, in order.
    Every,
    /// Handle it if the listener is idle when it arrives: it makes the listener look at how things
    /// are, and a look that is late is a look at processes that were just started.
    WhenIdle,
}

impl Interest {
    /// Every event about a process that says what is `wanted`. One that cannot be read is for the
    /// worker to complain about.
    #[must_use]
    pub fn in_change(frame: &Frame, wanted: impl FnOnce(&ProcessState) -> bool) -> Self {
        match Event::parse(frame) {
            Ok(Event::ProcessState(change)) if wanted(&change) => Self::Every,
            Ok(_) => Self::Nothing,
            Err(_) => Self::Every,
        }
    }
}

/// Decides what to make of an event. It has the options that it needs, opens nothing and never waits,
/// for supervisord waits for it.
pub type Filter = Box<dyn Fn(&Frame) -> Interest + Send>;

/// An event listener: it decides what to do about events, and does it through [`Ctx`].
///
/// All methods but [`filter`](Listener::filter) are called on one thread, one at a time.
pub trait Listener: Send {
    /// What to make of events. The thread that reads them asks it, so that an event that needs
    /// nothing wakes no other thread.
    fn filter(&self) -> Filter;

    /// What the log says at the start.
    fn introduction(&self) -> Introduction;

    /// Handles an event that the filter has let through. Whatever goes wrong is said in the log; there is nobody to return it to.
    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>);

    /// Tells people that supervisord threw events away.
    fn events_lost(&mut self, alert: Alert, ctx: &mut Ctx<'_>) {
        ctx.raise(alert);
    }

    /// When [`on_time`](Listener::on_time) wants to be called, if it does.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Called at the deadline, when no event is being handled.
    fn on_time(&mut self, _ctx: &mut Ctx<'_>) {}

    /// Called when no event will come any more. As long as there is a deadline afterwards,
    /// something is still owed, and `on_time` goes on being called until the time is up.
    fn finish(&mut self, _ctx: &mut Ctx<'_>) {}
}

/// What a listener acts with.
pub struct Ctx<'a> {
    /// When the event arrived, or this call was made.
    pub arrived: Moment,
    /// supervisord.
    pub supervisor: &'a mut dyn Supervisor,
    /// The event that is being handled, which gives alerts their ids.
    pub identity: &'a mut Identity,
    /// What takes alerts; [`raise`](Self::raise) them.
    pub alerts: &'a mut dyn Alerts,
    /// Where messages go.
    pub log: &'a Log,
    /// Where to note what must not be lost in silence.
    pub unfinished: &'a InFlight,
    /// Whether the listener was told to end meanwhile.
    pub ending: &'a AtomicBool,
}

impl Ctx<'_> {
    /// Raises an alert, and returns at once. What becomes of it is said in the log.
    pub fn raise(&mut self, mut alert: Alert) {
        self.identity.complete(&mut alert);
        self.alerts.raise(alert);
    }

    /// What names the event that is being handled, if one is: the same when supervisord sends it again.
    #[must_use]
    pub fn event_id(&self) -> Option<String> {
        self.identity.event()
    }

    /// Whether the listener was told to end: what is begun should be finished, and nothing begun
    /// that takes long or would leave a process stopped.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// The time now: that of arrival, and what has passed since.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.arrived.wall + self.arrived.instant.elapsed()
    }
}
