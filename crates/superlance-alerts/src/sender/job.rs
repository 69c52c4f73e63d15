//! What waits for a transport.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use superlance_core::listener::alert::{Alert, Phase};
use superlance_core::listener::in_flight::Entry;

use crate::firing;
use crate::schedule::Item;

/// An alert and the targets that lack it.
pub(super) struct Job {
    pub(super) alert: Arc<Alert>,
    pub(super) targets: Vec<String>,
    /// What services know the alert by: that it is over has to follow it.
    topic: Option<String>,
    /// Finished when the alert is delivered or its failure logged.
    _entry: Option<Entry>,
    _room: Room,
}

/// The bytes that a waiting alert takes up.
pub(super) struct Room {
    pub(super) bytes: usize,
    pub(super) used: Arc<AtomicUsize>,
}

impl Job {
    pub(super) fn new(
        alert: Arc<Alert>,
        targets: Vec<String>,
        entry: Option<Entry>,
        room: Room,
    ) -> Self {
        let is_for_services = alert.phase != Phase::Told;
        let topic = is_for_services.then(|| format!("{:?}", firing::key(&alert)));
        Self { alert, targets, topic, _entry: entry, _room: room }
    }
}

impl Item for Job {
    fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
