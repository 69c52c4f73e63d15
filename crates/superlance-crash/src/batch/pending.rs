//! A batch: lines that wait to be mailed together, and when the mail is due. Pure.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Lines that wait for the end of an interval, the oldest first.
const CAPACITY: usize = 10_000;

/// Lines that are in no mail yet, numbered from 0.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Minutes between mails.
    interval: f64,
    /// Minutes in a tick.
    tick: f64,
    /// Minutes since the last time that a mail was due.
    passed: f64,
    lines: VecDeque<String>,
    /// The number of the first line.
    first: u64,
    /// How many earlier lines were dropped.
    dropped: u64,
    /// The end of a mail that was being raised when a listener was killed.
    raised: Option<u64>,
    /// The id of the event that the last line is about.
    last_event: Option<String>,
}

/// A record on disk; their order is the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// The beginning of a batch.
    Head {
        /// The number of the next line.
        first: u64,
        /// The beginning of the ids of its mails: mails with the same lines have the same id, in
        /// every listener that raises them.
        ids: String,
        /// How many earlier lines were dropped.
        dropped: u64,
        /// The event of the last line.
        event: Option<String>,
    },
    Line {
        text: String,
        /// The id of its event.
        event: Option<String>,
    },
    /// All lines below this number are being raised as one mail.
    Raised(u64),
}

/// The lines of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The numbers of the lines.
    pub range: Range<u64>,
    /// How many earlier lines were dropped.
    pub dropped: u64,
    pub lines: Vec<String>,
}

impl Batch {
    /// An empty batch, with ticks that are `tick` minutes apart.
    #[must_use]
    pub fn new(interval: f64, tick: f64) -> Self {
        Self {
            interval,
            tick,
            passed: 0.0,
            lines: VecDeque::new(),
            first: 0,
            dropped: 0,
            raised: None,
            last_event: None,
        }
    }

    /// Adopts the records of an earlier listener, and returns the beginning of its mails' ids.
    pub fn restore(&mut self, entries: Vec<Entry>) -> Option<String> {
        let mut prefix = None;
        for entry in entries {
            match entry {
                Entry::Head { first, ids, dropped, event } => {
                    (self.first, self.dropped, self.last_event) = (first, dropped, event);
                    prefix = Some(ids);
                }
                Entry::Line { text, event } => self.add(text, event),
                Entry::Raised(end) => self.raised = Some(end),
            }
        }
        prefix
    }

    /// The records of a batch whose mails' ids begin with `ids`.
    pub fn entries(&self, ids: &str) -> impl Iterator<Item = Entry> {
        let Self { first, dropped, .. } = *self;
        let head =
            Entry::Head { first, ids: ids.to_owned(), dropped, event: self.last_event.clone() };
        let lines = self.lines.iter().cloned().map(|text| Entry::Line { text, event: None });
        std::iter::once(head).chain(lines).chain(self.raised.map(Entry::Raised))
    }

    /// Whether the batch is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a mail was being raised when a listener was killed, so that it may not be in the
    /// spool.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.raised.is_some()
    }

    /// Whether the last line is about this event, which comes again after a listener was killed
    /// before its acknowledgement.
    #[must_use]
    pub fn has(&self, event: Option<&str>) -> bool {
        event.is_some() && event == self.last_event.as_deref()
    }

    /// Adds a line about an event. Beyond the capacity the oldest is dropped.
    pub fn add(&mut self, line: String, event: Option<String>) {
        self.last_event = event.or(self.last_event.take());
        self.lines.push_back(line);
        if self.lines.len() > CAPACITY {
            self.lines.pop_front();
            self.first += 1;
            self.dropped += 1;
        }
    }

    /// Counts a tick; `true` when a mail is due. The sums are Python's floats, so that it is due at
    /// the same tick.
    #[must_use]
    pub fn tick(&mut self) -> bool {
        self.passed += self.tick;
        let due = self.passed >= self.interval;
        if due {
            self.passed = 0.0;
        }
        due
    }

    /// The lines of the next mail: all that wait, or those of a mail that was being raised.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        let all = self.first + self.lines.len() as u64;
        let end = self.raised.filter(|end| *end > self.first).map_or(all, |end| end.min(all));
        let range = self.first..end;
        let count = usize::try_from(end - self.first).unwrap_or(usize::MAX);
        let lines: Vec<_> = self.lines.iter().take(count).cloned().collect();
        (!lines.is_empty()).then_some(Due { range, dropped: self.dropped, lines })
    }

    /// Removes the lines of this mail.
    pub fn settle(&mut self, mail: &Due) {
        self.lines.drain(..mail.lines.len().min(self.lines.len()));
        (self.first, self.dropped, self.raised) = (mail.range.end, 0, None);
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
