//! From a listener to the ways out.

use std::sync::Arc;

use super::identity::Identity;
use super::sender::Sender;
use super::{Alert, Alerts, Way};
use crate::frame::Frame;
use crate::log::Log;
use crate::unfinished::Unfinished;

/// What every alert of a listener goes through.
pub struct Pipeline {
    host: String,
    /// What subjects begin with.
    prefix: Option<String>,
    senders: Vec<Sender>,
    identity: Identity,
    /// Name of the event that is being handled, if it is one.
    event: String,
}

impl Pipeline {
    pub(super) fn new(
        listener: &str,
        host: String,
        prefix: Option<String>,
        ways: Vec<Box<dyn Way>>,
        log: &Arc<Log>,
        unfinished: &Unfinished,
    ) -> Self {
        let sender = |way| Sender::new(way, Arc::clone(log), unfinished.clone());
        let senders = ways.into_iter().map(sender).collect();
        let (identity, event) = (Identity::new(listener), String::new());
        Self { host, prefix, senders, identity, event }
    }

    /// Whether anybody is told of alerts.
    #[must_use]
    pub fn has_ways(&self) -> bool {
        !self.senders.is_empty()
    }

    /// From now on, `frame` is being handled; or what no event asks for.
    pub(crate) fn begin(&mut self, frame: Option<&Frame>) {
        self.event = frame.map(|frame| frame.name.clone()).unwrap_or_default();
        self.identity.begin(frame);
    }

    /// The listener is about to end.
    pub(crate) fn hurry(&mut self) {
        self.senders.iter_mut().for_each(Sender::hurry);
    }

    /// Waits until everything is delivered or given up.
    pub(crate) fn finish(&mut self) {
        self.senders.iter_mut().for_each(Sender::finish);
    }

    /// What is the same for all alerts, which listeners need not say.
    fn complete(&mut self, alert: &mut Alert) {
        if alert.id.is_empty() {
            alert.id = self.identity.of(alert);
        }
        if alert.host.is_empty() {
            alert.host.clone_from(&self.host);
        }
        if alert.event.is_empty() {
            alert.event.clone_from(&self.event);
        }
        if let Some(prefix) = &self.prefix {
            alert.subject = prefixed(prefix, &alert.subject);
        }
    }
}

/// A subject that says first what it is about. The blank before crashmail's is the original's.
pub(crate) fn prefixed(prefix: &str, subject: &str) -> String {
    let blank = if subject.starts_with(' ') { "" } else { " " };
    format!("{prefix}:{blank}{subject}")
}

impl Alerts for Pipeline {
    fn raise(&mut self, mut alert: Alert) {
        self.complete(&mut alert);
        let alert = Arc::new(alert);
        for sender in &mut self.senders {
            sender.send(Arc::clone(&alert));
        }
    }
}
