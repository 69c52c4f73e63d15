//! Fakes for the tests of handlers: a scripted supervisord, recorded alerts and a recorded log.

mod scripted;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

pub use self::scripted::ScriptedSupervisor;
use crate::listener::alert::{Alert, Alerts, Recovers};
use crate::listener::identity::Identity;
use crate::listener::in_flight::InFlight;
use crate::listener::{Ctx, Interest, Listener};
use crate::protocol::event::{Event, ProcessState};
use crate::protocol::frame::Frame;
use crate::supervisor::State;
use crate::system::clock::Moment;
use crate::system::log::Log;

/// A buffer to write to and to read from. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<u8>>>);

impl Recorder {
    /// The text so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The kind of a recorded resolution; its key is the subject.
pub const RESOLVED: &str = "resolved";

/// The kind of a recorded trouble that is not watched any more; its key is the subject.
pub const FORGOTTEN: &str = "forgotten";

impl Alerts for Vec<Alert> {
    fn raise(&mut self, alert: Alert) {
        self.push(alert);
    }

    fn is_unresolved(&self, key: &str) -> bool {
        let waits = |alert: &Alert| match &alert.recovers {
            Recovers::WhenResolved { key: waiting, .. } => (waiting == key).then_some(true),
            Recovers::Recovered { key: over } => (over == key).then_some(false),
            _ => ([RESOLVED, FORGOTTEN].contains(&&*alert.kind) && alert.subject == key)
                .then_some(false),
        };
        self.iter().rev().find_map(waits).unwrap_or(false)
    }

    fn resolve(&mut self, key: &str, text: &str) {
        self.push(Alert::new("", RESOLVED, UNIX_EPOCH, key.to_owned(), text.to_owned()));
    }

    fn retain(&mut self, is_watched: &dyn Fn(&str) -> bool) {
        let key = |alert: &Alert| match &alert.recovers {
            Recovers::WhenResolved { key, .. } => Some(key.clone()),
            _ => None,
        };
        let told: BTreeSet<_> = self.iter().filter_map(key).collect();
        let left = told.into_iter().filter(|key| self.is_unresolved(key) && !is_watched(key));
        let forgotten = |key| Alert::new("", FORGOTTEN, UNIX_EPOCH, key, String::new());
        let forgotten: Vec<_> = left.map(forgotten).collect();
        self.extend(forgotten);
    }
}

/// All parts that a listener acts with, as fakes.
#[derive(Default)]
pub struct World {
    pub supervisor: ScriptedSupervisor,
    pub alerts: Vec<Alert>,
    pub identity: Identity,
    pub in_flight: InFlight,
    /// Whether the listener was told to end.
    pub ending: AtomicBool,
    log: Recorder,
}

impl World {
    /// Troubles with these keys, as an earlier listener has told them.
    pub fn tell_before(&mut self, keys: &[&str]) {
        let told = |key: &&str| {
            let alert = Alert::new("", "told", UNIX_EPOCH, String::new(), String::new());
            alert.recovers(Recovers::WhenResolved { key: (*key).to_owned(), at_once: true })
        };
        self.alerts.extend(keys.iter().map(told));
    }

    /// The keys that were forgotten since.
    #[must_use]
    pub fn forgotten(&self) -> Vec<&str> {
        let forgotten = self.alerts.iter().filter(|alert| alert.kind == FORGOTTEN);
        forgotten.map(|alert| alert.subject.as_str()).collect()
    }

    /// A world with this supervisord.
    #[must_use]
    pub fn new(supervisor: ScriptedSupervisor) -> Self {
        Self { supervisor, ..Self::default() }
    }

    /// The log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The log, for parts that write to it themselves.
    #[must_use]
    pub fn shared_log(&self) -> Arc<Log> {
        Arc::new(Log::new(self.log.clone()))
    }

    /// Calls `body` with this world as context, at the first second of 2001 (UTC).
    pub fn with_ctx<R>(&mut self, body: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
        let wall = UNIX_EPOCH + Duration::from_secs(978_307_200);
        let log = Log::new(self.log.clone());
        body(&mut Ctx {
            arrived: Moment { wall, instant: Instant::now() },
            supervisor: &mut self.supervisor,
            identity: &mut self.identity,
            alerts: &mut self.alerts,
            log: &log,
            in_flight: &self.in_flight,
            ending: &self.ending,
        })
    }

    /// Lets `listener` handle an event, if its filter wants it.
    ///
    /// # Errors
    /// When the payload is not that of such an event.
    pub fn event(
        &mut self,
        listener: &mut dyn Listener,
        name: &str,
        payload: &str,
    ) -> Result<(), crate::protocol::event::ParseError> {
        let frame = frame(name, payload);
        let event = Event::parse(&frame)?;
        if listener.filter()(&frame) != Interest::Nothing {
            self.with_ctx(|ctx| listener.handle(&event, ctx));
        }
        Ok(())
    }
}

/// An event off the wire.
#[must_use]
pub fn frame(name: &str, payload: &str) -> Frame {
    Frame { name: name.to_owned(), serial: None, pool_serial: None, payload: payload.to_owned() }
}

/// `grp:foo` changes its state.
#[must_use]
pub fn change(state: State, expected: bool) -> ProcessState {
    ProcessState {
        state,
        process: "foo".to_owned(),
        group: "grp".to_owned(),
        from_state: "RUNNING".to_owned(),
        pid: (state == State::Exited).then_some(58597),
        expected: (state == State::Exited).then_some(expected),
        tries: None,
    }
}
