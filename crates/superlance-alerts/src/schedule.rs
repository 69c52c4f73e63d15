//! The order in which alerts are tried through one transport, and when. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use litemap::LiteMap;
use superlance_core::system::order;

/// Pause after the first failure; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause before something that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Pauses after a try whose result is unknown: each may have arrived and been read.
const DOUBTFUL_PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
];

/// Longest pause before another alert is tried, while nothing is known to work.
const LONGEST_CLOSED: Duration = Duration::from_secs(30);

/// What waits in a schedule.
pub(super) trait Item {
    /// Items of one topic are tried one after the other, in their order.
    fn topic(&self) -> Option<&str>;
}

/// A queue of deliveries. The oldest is tried first, as long as the transport works.
///
/// A failure may be the fault of the transport or of the item, such as a mail to an address that
/// takes none. If it is the transport's, everything waits and is delivered in its order once the
/// transport works again. An item that fails where others do not waits alone: its pauses grow, and
/// nothing waits for it but what is of its topic.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    last: u64,
    waiting: BTreeMap<u64, Waiting<T>>,
    /// The numbers and topics of the items that are being tried.
    in_work: LiteMap<u64, Option<String>>,
    /// Failures since the last delivery.
    failures: u32,
    /// Nothing is tried before this time.
    closed_until: Option<Instant>,
    /// Whether everything is tried now, once more.
    hurried: bool,
}

#[derive(Debug)]
struct Waiting<T> {
    item: T,
    tries: u32,
    doubts: usize,
    due: Option<Instant>,
    /// Whether the item itself is at fault.
    faulty: bool,
}

/// An item that is being tried.
#[derive(Debug)]
pub(super) struct Attempt<T> {
    pub(super) number: u64,
    tries: u32,
    /// How many tries may have arrived.
    doubts: usize,
    faulty: bool,
    pub(super) item: T,
}

/// What happens to an item that was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// It is tried again.
    Waits,
    /// There is no time for another try.
    Ended(T),
    /// It may have arrived too often to be tried again.
    GivenUp(T),
}

impl<T> Default for Schedule<T> {
    fn default() -> Self {
        let (waiting, in_work, closed_until) = (BTreeMap::new(), LiteMap::new(), None);
        Self { last: 0, waiting, in_work, failures: 0, closed_until, hurried: false }
    }
}

impl<T: Item> Schedule<T> {
    /// Appends an item.
    pub(super) fn push(&mut self, item: T) {
        self.last += 1;
        self.waiting
            .insert(self.last, Waiting { item, tries: 0, doubts: 0, due: None, faulty: false });
    }

    /// The number of waiting items.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits, and nothing is being tried.
    pub(super) fn is_finished(&self) -> bool {
        self.waiting.is_empty() && self.in_work.is_empty()
    }

    /// The waiting items, in their order.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &T> {
        self.waiting.values().map(|waiting| &waiting.item)
    }

    /// The waiting items that wait for no earlier one of their topic.
    fn first_of_topics(&self) -> impl Iterator<Item = (u64, &Waiting<T>)> {
        let topics = self.in_work.values().flatten().map(String::as_str);
        let mut topics: BTreeSet<_> = order::gather(topics);
        let waiting = self.waiting.iter().map(|(number, waiting)| (*number, waiting));
        waiting.filter(move |(_, it)| it.item.topic().is_none_or(|topic| topics.insert(topic)))
    }

    /// Takes the item to try now out of the queue. Its try has to be [ended](Self::end).
    pub(super) fn take(&mut self, now: Instant) -> Option<Attempt<T>> {
        let due = |waiting: &Waiting<T>| self.hurried || waiting.due.is_none_or(|due| due <= now);
        if !self.hurried && self.closed_until.is_some_and(|until| until > now) {
            return None;
        }
        let number = self.first_of_topics().find(|(_, waiting)| due(waiting))?.0;
        let Waiting { item, tries, doubts, faulty, .. } = self.waiting.remove(&number)?;
        self.in_work.insert(number, item.topic().map(str::to_owned));
        Some(Attempt { number, tries, doubts, faulty, item })
    }

    /// The try of the item with this number is over, and its outcome is noted.
    pub(super) fn end(&mut self, number: u64) {
        self.in_work.remove(&number);
    }

    /// When the next try may be due, if anything waits.
    pub(super) fn next(&self) -> Option<Instant> {
        let first = self.first_of_topics().map(|(_, waiting)| waiting.due).min()?;
        first.max(self.closed_until)
    }

    /// A delivery: the transport works, so items that failed before are tried again at once.
    pub(super) fn delivered(&mut self) {
        if self.failures > 0 {
            let held_up = self.waiting.values_mut().filter(|waiting| !waiting.faulty);
            held_up.for_each(|waiting| waiting.due = None);
        }
        (self.failures, self.closed_until) = (0, None);
    }

    /// A delivery to some targets: the transport works, and the item waits in its old place for the
    /// rest.
    pub(super) fn failed_in_part(&mut self, attempt: Attempt<T>, now: Instant) -> Next<T> {
        self.delivered();
        self.failed(Attempt { faulty: true, ..attempt }, None, now)
    }

    /// A failure: the item waits in its old place. `pause` is how long the server asks us to wait.
    pub(super) fn failed(
        &mut self,
        attempt: Attempt<T>,
        pause: Option<Duration>,
        now: Instant,
    ) -> Next<T> {
        let pause = pause.unwrap_or_default();
        self.put_back(attempt, pause, pause, now)
    }

    /// An unknown result: the item waits in its old place, and longer each time.
    pub(super) fn doubtful(&mut self, attempt: Attempt<T>, now: Instant) -> Next<T> {
        let doubts = attempt.doubts + 1;
        match DOUBTFUL_PAUSES.get(attempt.doubts) {
            Some(pause) => {
                self.put_back(Attempt { doubts, ..attempt }, *pause, Duration::ZERO, now)
            }
            None if self.hurried => Next::Ended(attempt.item),
            None => Next::GivenUp(attempt.item),
        }
    }

    /// Puts the item back for at least this time, and pauses the transport for at least that time.
    fn put_back(
        &mut self,
        attempt: Attempt<T>,
        pause: Duration,
        closed: Duration,
        now: Instant,
    ) -> Next<T> {
        let Attempt { number, tries, doubts, faulty, item } = attempt;
        if self.hurried {
            return Next::Ended(item);
        }
        // The transport has worked since the item failed before.
        let faulty = faulty || tries > 0 && self.failures == 0;
        let mut due = growing(tries).min(LONGEST_PAUSE).max(pause);
        if faulty {
            self.closed_until = self.closed_until.max(now.checked_add(closed));
        } else {
            due = due.max(self.dropped(closed, now));
        }
        let (tries, due) = (tries.saturating_add(1), now.checked_add(due));
        self.waiting.insert(number, Waiting { item, tries, doubts, due, faulty });
        Next::Waits
    }

    /// A failure of an item that does not wait. The transport pauses, for at least this time; returns
    /// for how long.
    pub(super) fn dropped(&mut self, pause: Duration, now: Instant) -> Duration {
        let closed = pause.max(growing(self.failures).min(LONGEST_CLOSED));
        self.failures = self.failures.saturating_add(1);
        self.closed_until = self.closed_until.max(now.checked_add(closed));
        closed
    }

    /// From now on everything is tried at once, and once.
    pub(super) fn hurry(&mut self) {
        self.hurried = true;
    }
}

fn growing(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2u32.saturating_pow(failures.min(20)))
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
