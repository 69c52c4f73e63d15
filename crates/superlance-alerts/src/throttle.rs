//! The throttle: at most one alert of a kind about a process in an interval, and one summary of the
//! held alerts at its end. Pure.

use std::time::{Duration, Instant, SystemTime};

use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use superlance_core::system::order;

use superlance_core::listener::alert::{Alert, Attachment};
use superlance_core::system::clock::{Moment, log_time, unix_seconds};
use superlance_core::system::truncate;

/// Processes and kinds that have intervals of their own. Further alerts share one interval for each
/// kind.
const MAX_WINDOWS: usize = 1_000;

/// Texts that are kept of the held alerts of one interval, except for the last alert.
const MAX_TEXTS: usize = 20;

/// Bytes of each of these texts.
const MAX_TEXT: usize = 2 << 10;

/// Bytes that are kept of the last alert's text.
const MAX_LAST: usize = 16 << 10;

/// Attachments that are kept of the last alert, and bytes of each.
const MAX_ATTACHMENTS: usize = 4;
const MAX_ATTACHMENT: usize = 8 << 10;

/// Holds alerts back.
#[derive(Debug)]
pub struct Throttle {
    interval: Duration,
    windows: LiteMap<Key, Window>,
}

/// What may be sent once in an interval.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    /// Group and name.
    process: Option<(String, String)>,
    kind: String,
}

/// An interval, which begins with an alert that was sent.
#[derive(Debug)]
struct Window {
    until: Instant,
    record: Record,
}

/// The record of held alerts, which survives the listener. Of several with the same key, the last
/// one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    key: Key,
    began: SystemTime,
    held: Option<Held>,
}

/// Held alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    count: u64,
    first: SystemTime,
    last: Alert,
    /// Texts of the held alerts, from the first one on, as far as there is room.
    texts: Vec<String>,
}

impl Throttle {
    /// A throttle that lets one alert of a kind about a process pass in `interval`.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { interval, windows: LiteMap::new() }
    }

    /// Restores held alerts of an earlier listener. Their intervals go on from when they began.
    pub fn restore(&mut self, records: impl IntoIterator<Item = Record>, now: Moment) {
        let records = records.into_iter().map(|record| (record.key.clone(), record));
        for (key, record) in order::map(records) {
            let same = self.windows.get_mut(&key).and_then(|same| same.record.held.as_mut());
            if let (Some(held), Some(earlier)) = (same, &record.held) {
                held.follow(earlier);
                continue;
            }
            let passed = now.wall.duration_since(record.began).unwrap_or_default();
            let until = now.after(self.interval.saturating_sub(passed));
            self.windows.insert(key, Window { until, record });
        }
    }

    /// Holds back an alert raised `now` and returns its record; `None` if the alert is to be sent.
    ///
    /// After the end of an interval, its held alerts are [`due`](Self::due) first; new ones join
    /// them until they are asked for.
    pub fn hold(&mut self, alert: &Alert, now: Moment) -> Option<&Record> {
        let mut key = Key::of(alert);
        if self.windows.len() >= MAX_WINDOWS {
            self.windows.retain(|_, window| window.is_open(now));
            if self.windows.len() >= MAX_WINDOWS && !self.windows.contains_key(&key) {
                key.process = None;
            }
        }
        if !self.windows.get(&key).is_some_and(|window| window.is_open(now)) {
            let until = now.after(self.interval);
            let record = Record { key: key.clone(), began: now.wall, held: None };
            self.windows.insert(key, Window { until, record });
            return None;
        }
        let record = &mut self.windows.get_mut(&key)?.record;
        match &mut record.held {
            Some(held) => held.add(alert),
            none => *none = Some(Held::new(alert)),
        }
        Some(record)
    }

    /// When held alerts will be [`due`](Self::due).
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let holding = self.windows.values().filter(|window| window.record.held.is_some());
        holding.map(|window| window.until).min()
    }

    /// The summaries of all intervals that are over; each begins a new interval.
    #[must_use]
    pub fn due(&mut self, now: Moment) -> Vec<Alert> {
        self.release(now, |window| window.until <= now.instant)
    }

    /// The summaries of all held alerts, at the end of the listener.
    #[must_use]
    pub fn finish(&mut self, now: Moment) -> Vec<Alert> {
        self.release(now, |_| true)
    }

    /// The records of all held alerts, for a later listener.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.windows.values().map(|window| &window.record).filter(|record| record.held.is_some())
    }

    /// The summaries of all held alerts, which stay held.
    #[must_use]
    pub fn summaries(&self) -> Vec<Alert> {
        told(self.windows.values().filter_map(|window| window.record.held.clone()).collect())
    }

    fn release(&mut self, now: Moment, chosen: impl Fn(&Window) -> bool) -> Vec<Alert> {
        let mut released = Vec::new();
        for (_, window) in self.windows.iter_mut().filter(|(_, window)| chosen(window)) {
            if let Some(held) = window.record.held.take() {
                window.until = now.after(self.interval);
                window.record.began = now.wall;
                released.push(held);
            }
        }
        told(released)
    }
}

/// The summaries, oldest first.
fn told(mut held: Vec<Held>) -> Vec<Alert> {
    order::sort_by_key(&mut held, |held| held.first);
    held.into_iter().map(Held::tell).collect()
}

impl Window {
    fn is_open(&self, now: Moment) -> bool {
        self.record.held.is_some() || self.until > now.instant
    }
}

impl Key {
    fn of(alert: &Alert) -> Self {
        let process = alert.process.as_ref();
        let process = process.map(|process| (process.group.clone(), process.name.clone()));
        Self { process, kind: alert.kind.clone() }
    }
}

impl Held {
    fn new(alert: &Alert) -> Self {
        Self { count: 1, first: alert.at, last: bounded(alert.clone()), texts: Vec::new() }
    }

    fn add(&mut self, alert: &Alert) {
        // supervisord sends an event again that was not acknowledged before a listener was killed.
        if !alert.id.is_empty() && alert.id == self.last.id {
            return;
        }
        let before = std::mem::replace(&mut self.last, bounded(alert.clone()));
        if self.texts.len() < MAX_TEXTS {
            self.texts.push(short(&before));
        }
        self.count += 1;
    }

    /// Joins those held back before these.
    fn follow(&mut self, earlier: &Self) {
        self.count += earlier.count;
        self.first = self.first.min(earlier.first);
        let mut texts = earlier.texts.clone();
        texts.push(short(&earlier.last));
        texts.append(&mut self.texts);
        texts.truncate(MAX_TEXTS);
        self.texts = texts;
    }

    /// The summary: the last alert, with what is known of the others.
    fn tell(self) -> Alert {
        let Self { count, first, last, texts } = self;
        let last_at = last.at;
        let mut alert = last
            .measuring("held_back", count)
            .measuring("held_back_first", unix_seconds(first))
            .measuring("held_back_last", unix_seconds(last_at));
        let (first, last_at) = (log_time(first), log_time(last_at));
        if count == 1 {
            alert.text =
                format!("This was held back by --alert-interval at {first}.\n\n{}", alert.text);
            return alert;
        }
        alert.subject = format!("{} (and {} more)", alert.subject, count - 1);
        alert.text = format!(
            "{count} alerts were held back by --alert-interval, the first at {first}, the last at \
             {last_at}. The last of them:\n\n{}",
            alert.text
        );
        let missing = count.saturating_sub(1).saturating_sub(texts.len() as u64);
        let mut before = texts.join("\n\n");
        if missing > 0 {
            before = format!("{before}\n\nNot shown: {missing} more");
        }
        alert.attach("Held back before it", before)
    }
}

/// What is shown of an alert that is not the last.
fn short(alert: &Alert) -> String {
    beginning(format!("{}\n{}", alert.subject, alert.text), MAX_TEXT)
}

/// A copy of the alert, short enough to keep a thousand of them in memory.
fn bounded(mut alert: Alert) -> Alert {
    alert.text = beginning(alert.text, MAX_LAST);
    let missing = alert.attachments.len().saturating_sub(MAX_ATTACHMENTS);
    if missing > 0 {
        alert.attachments.truncate(MAX_ATTACHMENTS);
        alert.text = format!("{}\n\nNot shown: {missing} attachments", alert.text);
    }
    for Attachment { text, .. } in &mut alert.attachments {
        *text = end(std::mem::take(text), MAX_ATTACHMENT);
    }
    alert
}

/// The beginning of a text.
pub(crate) fn beginning(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    format!("{}...", truncate::beginning(&text, limit))
}

/// The end of a text: the end of a log says why.
fn end(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    format!("...{}", truncate::end(&text, limit))
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
