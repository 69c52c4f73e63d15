//! Lines that wait to be mailed: to whom, and since when. Pure.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use superlance_core::mail::outcome::DeliveryOutcome;

/// Lines that are kept for recipients who cannot be reached. The oldest go first.
const CAPACITY: usize = 10_000;

/// Lines, each of which every recipient is to get once.
///
/// Lines are numbered from 0. As long as all goes well every recipient lacks the same lines, and one
/// mail has them all; someone whom a mail did not reach lacks more than the others, and gets one of
/// his own.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Minutes between mails.
    interval: f64,
    /// Minutes in a tick.
    tick: f64,
    /// Minutes since the last time that mails were due.
    passed: f64,
    /// The lines that someone lacks.
    lines: VecDeque<String>,
    /// Number of the first of them.
    first: u64,
    recipients: Vec<Recipient>,
    /// What names the event that the last line is about.
    last_event: Option<String>,
}

/// Someone who is to get the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    address: String,
    /// The first line that he lacks. Less than `Batch::first` when some of them were dropped.
    next: u64,
    /// The end of a mail that he may have got. Until that is known he gets this very mail again,
    /// so that its id tells his mail program that there are not two.
    unsettled: Option<u64>,
}

/// What is kept on disk of a batch, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// The number of the next line, and what the ids of mails begin with: a mail with the same lines
    /// shall have the same id, whoever sends it.
    Head {
        /// The number.
        first: u64,
        /// The beginning of ids.
        ids: String,
        /// The event of the last line.
        event: Option<String>,
    },
    /// What someone lacks from here on.
    Recipient(Recipient),
    /// A line.
    Line {
        /// The line.
        text: String,
        /// What names the event that it is about.
        event: Option<String>,
    },
}

/// A mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which lines it has.
    pub range: Range<u64>,
    /// How many before them had to be dropped.
    pub dropped: u64,
    /// The lines.
    pub lines: Vec<String>,
    /// Who gets it.
    pub recipients: Vec<String>,
}

impl Batch {
    /// An empty batch. The ticks that will be reported are `tick` minutes apart.
    #[must_use]
    pub fn new(interval: f64, tick: f64, recipients: &[String]) -> Self {
        let recipient =
            |address: &String| Recipient { address: address.clone(), next: 0, unsettled: None };
        Self {
            interval,
            tick,
            passed: 0.0,
            lines: VecDeque::new(),
            first: 0,
            recipients: recipients.iter().map(recipient).collect(),
            last_event: None,
        }
    }

    /// Takes up what an earlier listener kept, and returns what its mails' ids begin with. Whoever was
    /// no recipient then gets all that is there.
    pub fn restore(&mut self, entries: Vec<Entry>) -> Option<String> {
        let mut prefix = None;
        for entry in entries {
            match entry {
                Entry::Head { first, ids, event } => {
                    self.last_event = event;
                    self.first = first;
                    self.recipients.iter_mut().for_each(|recipient| recipient.next = first);
                    prefix = Some(ids);
                }
                Entry::Recipient(kept) => {
                    let same = |recipient: &&mut Recipient| recipient.address == kept.address;
                    for recipient in self.recipients.iter_mut().filter(same) {
                        recipient.clone_from(&kept);
                    }
                }
                Entry::Line { text, event } => self.add(text, event),
            }
        }
        self.forget_settled();
        prefix
    }

    /// What is to be kept, of a batch whose mails' ids begin with `ids`.
    pub fn entries(&self, ids: &str) -> impl Iterator<Item = Entry> {
        let (ids, event) = (ids.to_owned(), self.last_event.clone());
        let head = Entry::Head { first: self.first, ids, event };
        let recipients = self.recipients.iter().cloned().map(Entry::Recipient);
        let lines = self.lines.iter().cloned().map(|text| Entry::Line { text, event: None });
        std::iter::once(head).chain(recipients).chain(lines)
    }

    /// What is to be kept while a mail is being sent: until its outcome is known it may have arrived.
    #[must_use]
    pub fn in_doubt(&self, mail: &Due) -> Vec<Entry> {
        let to = |recipient: &&Recipient| mail.recipients.contains(&recipient.address);
        let recipients = self.recipients.iter().filter(to).cloned();
        let doubtful = |recipient| Recipient { unsettled: Some(mail.range.end), ..recipient };
        recipients.map(doubtful).map(Entry::Recipient).collect()
    }

    /// Whether nobody lacks anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
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
        }
    }

    /// Counts a tick; `true` when mails are due. Python's floats, so that they are due when they
    /// always were.
    #[must_use]
    pub fn tick(&mut self) -> bool {
        self.passed += self.tick;
        let due = self.passed >= self.interval;
        if due {
            self.passed = 0.0;
        }
        due
    }

    /// The mails to send now: one for all recipients that lack the same lines.
    #[must_use]
    pub fn due(&self) -> Vec<Due> {
        let mut mails: Vec<Due> = Vec::new();
        for recipient in &self.recipients {
            let start = recipient.next.max(self.first);
            let end = recipient.unsettled.filter(|end| *end > start).unwrap_or(self.end());
            let (range, dropped) = (start..end, start - recipient.next);
            let same = |mail: &&mut Due| (&mail.range, mail.dropped) == (&range, dropped);
            if let Some(mail) = mails.iter_mut().find(same) {
                mail.recipients.push(recipient.address.clone());
            } else if !range.is_empty() {
                let lines = self.lines_in(&range);
                let recipients = vec![recipient.address.clone()];
                mails.push(Due { range, dropped, lines, recipients });
            }
        }
        mails
    }

    /// Takes note of what became of a mail: an outcome for each of its recipients, in their order.
    pub fn settle(&mut self, mail: &Due, outcomes: &[DeliveryOutcome]) {
        for (address, outcome) in mail.recipients.iter().zip(outcomes) {
            let known = |recipient: &&mut Recipient| recipient.address == *address;
            for recipient in self.recipients.iter_mut().filter(known) {
                match outcome {
                    DeliveryOutcome::Delivered | DeliveryOutcome::Rejected(_) => {
                        (recipient.next, recipient.unsettled) = (mail.range.end, None);
                    }
                    DeliveryOutcome::Unknown(_) => recipient.unsettled = Some(mail.range.end),
                    DeliveryOutcome::Retry(_) | DeliveryOutcome::RetryAfter(..) => {}
                }
            }
        }
        self.forget_settled();
    }

    /// Forgets the lines that nobody lacks.
    fn forget_settled(&mut self) {
        let lacking = self.recipients.iter().map(|recipient| recipient.next).min();
        let lacking = lacking.unwrap_or_else(|| self.end());
        while self.first < lacking && self.lines.pop_front().is_some() {
            self.first += 1;
        }
    }

    fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    fn lines_in(&self, range: &Range<u64>) -> Vec<String> {
        let numbered = (self.first..).zip(&self.lines);
        numbered
            .filter(|(number, _)| range.contains(number))
            .map(|(_, line)| line.clone())
            .collect()
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
