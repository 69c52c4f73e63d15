//! What services that keep alerts until they are over have been told of, when to tell it again, and
//! when it is over.
//!
//! What happens at once, such as a restart, is over after an interval. What lasts, such as a process
//! that could not be started, is over when it recovers, and is told again until then: Alertmanager
//! ends an alert that is not.

use std::time::{Duration, Instant, SystemTime};

use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use superlance_core::listener::alert::{Alert, Phase};
use superlance_core::spool::journal::Journal;
use superlance_core::system::clock::Moment;
use superlance_core::system::order;

use crate::kinds::lasts;

/// How long what is over at once is kept, without --alert-interval.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How often what lasts is told again.
pub(crate) const REPEAT: Duration = Duration::from_secs(60);

/// Alerts that are remembered. Further ones are told once.
const MAX_FIRES: usize = 1_000;

/// Bytes that are kept of a text.
const MAX_TEXT: usize = 4 << 10;

/// What fires.
pub(crate) struct Firing {
    interval: Duration,
    fires: LiteMap<Key, Fire>,
    journal: Journal,
}

/// Of what there is one alert: kind, process and trouble.
pub(crate) type Key = (String, Option<(String, String)>, Option<String>);

struct Fire {
    /// When to tell it again, or that it is over.
    next: Instant,
    record: Record,
}

/// What fires, for a later listener. Of several about the same, the last one counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    alert: Alert,
    /// When it is over; none for what lasts.
    end: Option<SystemTime>,
}

impl Firing {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, fires: LiteMap::new(), journal: Journal::default() }
    }

    /// Keeps what fires in this journal, and goes on with what an earlier listener left there.
    pub(crate) fn keep(&mut self, (journal, left): (Journal, Vec<Record>), now: Moment) {
        self.journal = journal;
        let left = left.into_iter().map(|record| (key(&record.alert), record));
        for (key, record) in order::map(left) {
            let rest = |end: SystemTime| end.duration_since(now.wall).unwrap_or_default();
            let next = now.after(record.end.map(rest).unwrap_or_default());
            self.fires.entry(key).or_insert(Fire { next, record });
        }
        self.rewrite();
    }

    /// Takes note of an alert. Returns what to tell services: unless it `is_news`, a trouble that they
    /// know lasts.
    pub(crate) fn note(&mut self, alert: &Alert, is_news: bool, now: Moment) -> Alert {
        let key = key(alert);
        let is_known = self.fires.contains_key(&key);
        let phase = if is_known && !is_news { Phase::Lasts } else { Phase::Fires };
        let end = (!lasts(alert)).then(|| now.wall + self.interval);
        let next = now.after(end.map_or(REPEAT, |_| self.interval));
        let record = Record { alert: bounded(alert.clone()), end };
        if is_known || self.fires.len() < MAX_FIRES {
            self.journal.add(&record);
            self.fires.insert(key, Fire { next, record });
        }
        if self.journal.needs_rewriting() {
            self.rewrite();
        }
        told(alert, phase)
    }

    /// What is over because this trouble is. Its owner sends it, and then has the journal
    /// [rewritten](Self::rewrite).
    pub(crate) fn end(&mut self, trouble: &str) -> Vec<Alert> {
        self.take(Phase::Over, |fire| fire.record.alert.trouble().as_deref() == Some(trouble))
    }

    /// What is over at once and will be known to no later listener, at the end of this one.
    pub(crate) fn finish(&mut self) -> Vec<Alert> {
        if self.journal.is_complete() {
            return Vec::new();
        }
        self.take(Phase::Passed, |fire| fire.record.end.is_some())
    }

    /// When something is [`due`](Self::due).
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.fires.values().map(|fire| fire.next).min()
    }

    /// What to tell now: what is over, and what is not over yet.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<Alert> {
        let is_past = |fire: &Fire| fire.record.end.is_some() && fire.next <= now.instant;
        let mut due = self.take(Phase::Passed, is_past);
        for (_, fire) in self.fires.iter_mut().filter(|(_, fire)| fire.next <= now.instant) {
            fire.next = now.after(REPEAT);
            due.push(told(&fire.record.alert, Phase::Lasts));
        }
        due
    }

    /// Forgets these; returns what to tell, in this phase.
    fn take(&mut self, phase: Phase, chosen: impl Fn(&Fire) -> bool) -> Vec<Alert> {
        let fires = std::mem::take(&mut self.fires).into_iter();
        let (over, left): (Vec<_>, Vec<_>) = fires.partition(|(_, fire)| chosen(fire));
        self.fires = LiteMap::from_sorted_store_unchecked(left);
        over.iter().map(|(_, fire)| told(&fire.record.alert, phase)).collect()
    }

    /// Rewrites the journal, after what is over is told.
    pub(crate) fn rewrite(&mut self) {
        self.journal.rewrite(self.fires.values().map(|fire| &fire.record));
    }
}

pub(crate) fn key(alert: &Alert) -> Key {
    let process = alert.process.as_ref();
    let process = process.map(|process| (process.group.clone(), process.name.clone()));
    (alert.kind.clone(), process, alert.trouble())
}

/// The alert as services are told in this phase, with an id of its own.
pub(crate) fn told(alert: &Alert, phase: Phase) -> Alert {
    let (name, subject) = match phase {
        Phase::Told => return alert.clone(),
        Phase::Fires => ("fires", alert.subject.clone()),
        Phase::Lasts => ("lasts", alert.subject.clone()),
        Phase::Over | Phase::Passed => ("over", format!("{} (over)", alert.title())),
    };
    Alert { id: format!("{}.{name}", alert.id), subject, phase, ..alert.clone() }
}

/// A copy of the alert, short enough to keep a thousand of them in memory.
fn bounded(mut alert: Alert) -> Alert {
    let whole = alert.whole_text();
    alert.text = crate::throttle::beginning(whole, MAX_TEXT);
    alert.attachments.clear();
    alert
}

#[cfg(test)]
#[path = "firing_tests.rs"]
mod tests;
