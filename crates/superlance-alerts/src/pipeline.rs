//! The pipeline: from a listener to its transports.

mod over;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use superlance_core::system::order;

use super::firing::Firing;
use super::heartbeat::{Heartbeat, HeartbeatOptions};
use super::held::HeldAlerts;
use super::recovery::{Looked, Recovery, Report};
use super::sender::Sender;
use super::spool::{Spool, Stored};
use crate::throttle::Throttle;
use crate::transport::Transport;
use superlance_core::listener::alert::{Alert, Alerts, Phase};
use superlance_core::listener::environment::Environment;
use superlance_core::listener::in_flight::InFlight;
use superlance_core::listener::restart;
use superlance_core::options::usage::StartError;
use superlance_core::run::backlog;
use superlance_core::run::{Delivery, Tried};
use superlance_core::spool::journal::Journal;
use superlance_core::supervisor::Supervisor;
use superlance_core::system::clock::Moment;
use superlance_core::system::log::Log;

/// What every alert of a listener passes through.
pub struct Pipeline {
    host: String,
    /// The host name that subjects begin with.
    prefix: Option<String>,
    senders: Vec<Sender>,
    log: Arc<Log>,
    spool: Option<Arc<Spool>>,
    held: Option<HeldAlerts>,
    recovery: Recovery,
    /// Whether people are told what has recovered (`--recovery`).
    tells_recovery: bool,
    watched: Journal,
    /// Where a transport keeps alerts until they are over.
    firing: Option<Firing>,
    in_flight: InFlight,
    heartbeat: Heartbeat,
    /// What an earlier listener left in the spool, until delivery begins.
    backlog: Option<Vec<Stored>>,
}

/// The parts of a pipeline.
pub(super) struct Parts {
    pub(super) host: String,
    /// The host name that subjects begin with.
    pub(super) prefix: Option<String>,
    pub(super) transports: Vec<Box<dyn Transport>>,
    pub(super) spool: Option<Spool>,
    pub(super) throttle: Option<Throttle>,
    pub(super) recovery: Recovery,
    /// Whether people are told what has recovered.
    pub(super) tells_recovery: bool,
    /// How long services keep what is over at once.
    pub(super) fire_interval: Duration,
    pub(super) log: Arc<Log>,
    pub(super) in_flight: InFlight,
}

impl Pipeline {
    pub(super) fn new(parts: Parts) -> Self {
        let keeps = parts.transports.iter().any(|transport| transport.takes(Phase::Fires));
        let mut pipeline = Self {
            host: parts.host,
            prefix: parts.prefix,
            senders: Vec::new(),
            log: parts.log,
            spool: parts.spool.map(Arc::new),
            held: parts.throttle.map(|throttle| HeldAlerts::new(throttle, parts.in_flight.clone())),
            recovery: parts.recovery,
            tells_recovery: parts.tells_recovery,
            watched: Journal::default(),
            firing: keeps.then(|| Firing::new(parts.fire_interval)),
            in_flight: parts.in_flight,
            heartbeat: Heartbeat::default(),
            backlog: None,
        };
        parts.transports.into_iter().for_each(|transport| pipeline.add(transport));
        pipeline.open();
        pipeline
    }

    /// Adds a transport to those of the command line, before delivery begins.
    pub fn add(&mut self, transport: Box<dyn Transport>) {
        let (spool, log) = (self.spool.clone(), Arc::clone(&self.log));
        self.senders.push(Sender::new(transport, spool, log, self.in_flight.clone()));
    }

    /// The same with the heartbeat that the command line asks for.
    ///
    /// # Errors
    /// When a URL is wrong, or is not where the command line says.
    pub fn with_heartbeat(
        self,
        options: &HeartbeatOptions,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        Ok(Self { heartbeat: options.heartbeat(environment)?, ..self })
    }

    /// Whether alerts go anywhere but into the log.
    #[must_use]
    pub fn has_transports(&self) -> bool {
        !self.senders.is_empty()
    }

    /// The journal of processes that are owed a start, with what is in it.
    pub fn restarts(&self) -> (Journal, Vec<restart::Record>) {
        self.journal("restarts", "processes that are owed a start")
    }

    /// The journal `name` of the spool with its records; `what` names them in messages.
    pub fn journal<T: DeserializeOwned>(
        &self,
        name: &str,
        what: &'static str,
    ) -> (Journal, Vec<T>) {
        let open = |spool: &Arc<Spool>| spool.journal(name, what);
        self.spool.as_ref().map(open).unwrap_or_default()
    }

    /// Opens the spool, unless it is open.
    fn open(&mut self) {
        if let Some(backlog) = self.spool.as_ref().and_then(|spool| spool.open()) {
            self.backlog = Some(backlog);
        }
    }

    /// Delivers what an earlier listener left in the spool.
    fn deliver_backlog(&mut self) {
        let Some(backlog) = self.backlog.take() else { return };
        if self.senders.is_empty() {
            // The alerts stay in the spool until there is a transport.
            return;
        }
        for Stored { alert, accepted } in backlog {
            if let Some(spool) = &self.spool {
                spool.expect(&alert, self.keys(alert.phase, &accepted));
            }
            self.send_to(&alert, &accepted);
        }
        let now = Moment::now();
        let left = self.journal("held", "alerts that are held back");
        match &mut self.held {
            Some(held) => held.keep(left, now),
            // The earlier listener had an --alert-interval, and this one has none.
            None => {
                let mut held =
                    HeldAlerts::new(Throttle::new(Duration::ZERO), self.in_flight.clone());
                held.keep(left, now);
                self.release_all(held);
            }
        }
        let reports: Vec<Report>;
        (self.watched, reports) = self.journal("watched", "processes that have not recovered");
        reports.into_iter().for_each(|report| self.recovery.restore(report, now));
        self.rewrite_watched();
        if let Some(mut firing) = self.firing.take() {
            firing.keep(self.journal("firing", "alerts that are not over"), now);
            self.firing = Some(firing);
        }
    }

    /// Sends the held alerts that are due. Each is in the spool before it leaves the journal of held
    /// alerts.
    fn release_due(&mut self, now: Moment) {
        let due = self.held.as_mut().map(|held| held.due(now)).unwrap_or_default();
        if due.is_empty() {
            return;
        }
        due.into_iter().for_each(|alert| self.send(alert));
        self.held.iter_mut().for_each(HeldAlerts::sent);
    }

    fn release_all(&mut self, mut held: HeldAlerts) {
        held.all(Moment::now()).into_iter().for_each(|alert| self.send(alert));
        held.sent();
    }

    fn send(&mut self, alert: Alert) {
        let (alert, none) = (Arc::new(alert), BTreeSet::new());
        let keep = |spool: &Arc<Spool>| spool.put(&alert, self.keys(alert.phase, &none));
        // A reminder is worth nothing later.
        if alert.phase == Phase::Lasts || self.spool.as_ref().is_none_or(keep) {
            self.send_to(&alert, &none);
        }
    }

    /// Sends an alert to all targets except those in `accepted`.
    fn send_to(&mut self, alert: &Arc<Alert>, accepted: &BTreeSet<String>) {
        for sender in &mut self.senders {
            sender.send(Arc::clone(alert), accepted);
        }
    }

    /// The keys of all targets of an alert of this phase except those in `accepted`.
    fn keys(&self, phase: Phase, accepted: &BTreeSet<String>) -> BTreeSet<String> {
        order::gather(self.senders.iter().flat_map(|sender| sender.keys(phase, accepted)))
    }

    /// Fills in what is the same for all alerts.
    fn complete(&mut self, alert: &mut Alert) {
        if alert.host.is_empty() {
            alert.host.clone_from(&self.host);
        }
        if let Some(prefix) = &self.prefix {
            alert.subject = prefixed(prefix, &alert.subject);
        }
    }
}

/// A subject that says first what it is about. The blank before crashmail's is the original's.
fn prefixed(prefix: &str, subject: &str) -> String {
    if subject.is_empty() {
        return prefix.to_owned();
    }
    let blank = if subject.starts_with(' ') { "" } else { " " };
    format!("{prefix}:{blank}{subject}")
}

impl Delivery for Pipeline {
    fn events(&self) -> (Journal, Vec<backlog::Record>) {
        self.journal("events", "events")
    }

    fn start(&mut self) {
        self.deliver_backlog();
    }

    fn deadline(&self) -> Option<Instant> {
        let held = self.held.as_ref().and_then(HeldAlerts::deadline);
        let recovery = self.recovery.deadline();
        let firing = self.firing.as_ref().and_then(Firing::deadline);
        let threads = self.senders.iter().filter_map(Sender::deadline);
        held.into_iter().chain(recovery).chain(firing).chain(threads).min()
    }

    fn on_time(&mut self, supervisor: &mut dyn Supervisor, now: Moment) {
        self.senders.iter_mut().for_each(|sender| sender.on_time(now.instant));
        self.release_due(now);
        let due = self.firing.as_mut().map(|firing| firing.due(now)).unwrap_or_default();
        self.tell_services(due);
        let Looked { recovered, gone } = self.recovery.look(supervisor, now, &self.log);
        let is_any_settled = !recovered.is_empty() || !gone.is_empty();
        recovered.into_iter().for_each(|alert| self.recovered(alert));
        gone.iter().for_each(|trouble| self.over(trouble));
        if is_any_settled {
            self.rewrite_watched();
        }
    }

    fn drain(&mut self) {
        // What is reported from here on the next listener watches.
        self.recovery.stop_looking();
        if let Some(held) = self.held.take() {
            self.release_all(held);
        }
        let over = self.firing.as_mut().map(Firing::finish).unwrap_or_default();
        self.tell_services(over);
        self.senders.iter_mut().for_each(Sender::drain);
    }

    fn finish(&mut self) {
        self.senders.iter_mut().for_each(Sender::finish);
    }

    fn try_once(&mut self, mut alert: Alert) -> Vec<Tried> {
        self.complete(&mut alert);
        self.senders.iter().flat_map(|sender| sender.try_once(&alert)).collect()
    }
}

impl Alerts for Pipeline {
    fn ticked(&mut self, is_success: bool) {
        self.heartbeat.ticked(is_success, &self.log);
    }

    fn is_unresolved(&self, key: &str) -> bool {
        self.recovery.is_unresolved(key)
    }

    fn resolve(&mut self, key: &str, text: &str) {
        let Some(alert) = self.recovery.resolve(key, text, Moment::now()) else { return };
        self.recovered(alert);
        self.rewrite_watched();
    }

    fn retain(&mut self, is_watched: &dyn Fn(&str) -> bool) {
        let others = self.recovery.unresolved().filter(|key| !is_watched(key));
        let others: Vec<_> = others.map(str::to_owned).collect();
        for key in &others {
            self.log
                .line(format_args!("{key} is not watched any more: what was told of it is over"));
            self.recovery.forget(key);
            self.over(key);
        }
        if !others.is_empty() {
            self.rewrite_watched();
        }
    }

    fn raise(&mut self, mut alert: Alert) {
        if self.senders.is_empty() {
            return;
        }
        self.complete(&mut alert);
        self.open();
        self.deliver_backlog();
        let now = Moment::now();
        self.note(&alert, now);
        let is_held = self.held.as_mut().is_some_and(|held| held.hold(&alert, now));
        self.fire(&alert, is_held, now);
        if !is_held {
            return self.send(alert);
        }
        let title = alert.title();
        alert.log(&self.log).line(format_args!("Held back by --alert-interval: {title}"));
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
