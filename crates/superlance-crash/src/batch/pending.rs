//! Lines that wait to be mailed together, and when that is due. Pure.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Lines that wait for the end of an interval. The oldest go first.
const CAPACITY: usize = 10_000;

/// Lines, numbered from 0, that are in no mail yet.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Minutes between mails.
    interval: f64,
    /// Minutes in a tick.
    tick: f64,
    /// Minutes since the last time that a mail was due.
    passed: f64,
    lines: VecDeque<String>,
    /// Number of the first of them.
    first: u64,
    /// How many before them were dropped.
    dropped: u64,
    /// The end of a mail that was being raised when a listener was killed.
    raised: Option<u64>,
    /// What names the event that the last line is about.
    last_event: Option<String>,
}

/// What is kept on disk of a batch, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// What the following lines belong to.
    Head {
        /// The number of the next line.
        first: u64,
        /// What the ids of mails begin with: a mail with the same lines has the same id, whichever
        /// listener raises it.
        ids: String,
        /// How many lines were dropped before it.
        dropped: u64,
        /// The event of the last line.
        event: Option<String>,
    },
    /// A line.
    Line {
        /// The line.
        text: String,
        /// What names the event that it is about.
        event: Option<String>,
    },
    /// All lines below this number are being raised as one mail.
    Raised(u64),
}

/// The lines of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which lines they are.
    pub range: Range<u64>,
    /// How many before them were dropped.
    pub dropped: u64,
    /// The lines.
    pub lines: Vec<String>,
}

impl Batch {
    /// An empty batch. The ticks that will be reported are `tick` minutes apart.
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

    /// Takes up what an earlier listener kept, and returns what its mails' ids begin with.
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

    /// What is to be kept, of a batch whose mails' ids begin with `ids`.
    pub fn entries(&self, ids: &str) -> impl Iterator<Item = Entry> {
        let Self { first, dropped, .. } = *self;
        let head =
            Entry::Head { first, ids: ids.to_owned(), dropped, event: self.last_event.clone() };
        let lines = self.lines.iter().cloned().map(|text| Entry::Line { text, event: None });
        std::iter::once(head).chain(lines).chain(self.raised.map(Entry::Raised))
    }

    /// Whether no line waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a mail was being raised when a listener was killed, and may not be in the spool.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.raised.is_some()
    }

    /// Whether the last line is about this event: it was not acknowledged before a listener was killed,
    /// and came again.
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

    /// Counts a tick; `true` when a mail is due. Python's floats, so that it is due when it always was.
    #[must_use]
    pub fn tick(&mut self) -> bool {
        self.passed += self.tick;
        let due = self.passed >= self.interval;
        if due {
            self.passed = 0.0;
        }
        due
    }

    /// What the next mail has: all lines that wait, or those of a mail that was being raised.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        let all = self.first + self.lines.len() as u64;
        let end = self.raised.filter(|end| *end > self.first).map_or(all, |end| end.min(all));
        let range = self.first..end;
        let count = usize::try_from(end - self.first).unwrap_or(usize::MAX);
        let lines: Vec<_> = self.lines.iter().take(count).cloned().collect();
        (!lines.is_empty()).then_some(Due { range, dropped: self.dropped, lines })
    }

    /// The lines of this mail wait no longer.
    pub fn settle(&mut self, mail: &Due) {
        self.lines.drain(..mail.lines.len().min(self.lines.len()));
        (self.first, self.dropped, self.raised) = (mail.range.end, 0, None);
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
