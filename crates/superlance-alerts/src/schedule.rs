//! The order in which alerts are tried through one transport, and when. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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

/// A queue of deliveries. The oldest is tried first, as long as the transport works.
///
/// A failure may be the fault of the transport or of the item, such as a mail to an address that
/// takes none. If it is the transport's, everything waits and is delivered in its order once the
/// transport works again. An item that fails where others do not waits alone: its pauses grow, and
/// nothing waits for it.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    last: u64,
    waiting: BTreeMap<u64, Waiting<T>>,
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
    number: u64,
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
        let (waiting, closed_until) = (BTreeMap::new(), None);
        Self { last: 0, waiting, failures: 0, closed_until, hurried: false }
    }
}

impl<T> Schedule<T> {
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

    /// The waiting items, in their order.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &T> {
        self.waiting.values().map(|waiting| &waiting.item)
    }

    /// Takes the item to try now out of the queue.
    pub(super) fn take(&mut self, now: Instant) -> Option<Attempt<T>> {
        let due = |waiting: &Waiting<T>| self.hurried || waiting.due.is_none_or(|due| due <= now);
        if !self.hurried && self.closed_until.is_some_and(|until| until > now) {
            return None;
        }
        let number = self.waiting.iter().find(|(_, waiting)| due(waiting)).map(|(n, _)| *n)?;
        let Waiting { item, tries, doubts, faulty, .. } = self.waiting.remove(&number)?;
        Some(Attempt { number, tries, doubts, faulty, item })
    }

    /// When the next try may be due, if anything waits.
    pub(super) fn next(&self) -> Option<Instant> {
        let first = self.waiting.values().map(|waiting| waiting.due).min()?;
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
mod tests {
    use super::*;

    /// A transport that may be broken; what was tried, with the second of the try.
    struct Scene {
        schedule: Schedule<&'static str>,
        start: Instant,
        tried: Vec<(u64, &'static str)>,
    }

    impl Scene {
        fn new(items: &[&'static str]) -> Self {
            let mut schedule = Schedule::default();
            items.iter().for_each(|item| schedule.push(*item));
            Self { schedule, start: Instant::now(), tried: Vec::new() }
        }

        /// Tries everything that is due in this time; a try fails where `works` is false.
        fn run(&mut self, seconds: std::ops::Range<u64>, works: impl Fn(&str) -> bool) {
            for second in seconds {
                let now = self.start + Duration::from_secs(second);
                while let Some(attempt) = self.schedule.take(now) {
                    self.tried.push((second, attempt.item));
                    if works(attempt.item) {
                        self.schedule.delivered();
                    } else {
                        assert_eq!(self.schedule.failed(attempt, None, now), Next::Waits);
                    }
                }
            }
        }
    }

    #[test]
    fn as_long_as_the_way_works_things_go_in_order() {
        let mut scene = Scene::new(&["a", "b", "c"]);
        scene.run(0..1, |_| true);
        assert_eq!(scene.tried, [(0, "a"), (0, "b"), (0, "c")]);
        assert_eq!((scene.schedule.len(), scene.schedule.next()), (0, None));
    }

    #[test]
    fn pauses_grow_to_five_minutes() {
        let mut scene = Scene::new(&["a"]);
        scene.run(0..1200, |_| false);
        let seconds: Vec<_> = scene.tried.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111]);
    }

    #[test]
    fn after_an_outage_everything_goes_out_at_once_and_in_order() {
        let mut scene = Scene::new(&["a", "b"]);
        scene.run(0..400, |_| false);
        scene.schedule.push("c");
        scene.tried.clear();
        scene.run(400..800, |_| true);
        let second = scene.tried[0].0;
        assert!(second < 431, "{second}");
        let mut items: Vec<_> = scene.tried.iter().map(|(_, item)| *item).collect();
        assert!(scene.tried.iter().all(|(at, _)| *at == second), "{:?}", scene.tried);
        items.sort_unstable();
        assert_eq!(items, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_never_taken_does_not_stop_the_rest() {
        let mut scene = Scene::new(&["poison", "b"]);
        scene.run(0..120, |item| item != "poison");
        // It is not known yet which of them is at fault.
        assert!(scene.tried.contains(&(61, "b")), "{:?}", scene.tried);
        for second in [120, 130, 140] {
            scene.schedule.push("c");
            scene.run(second..second + 10, |item| item != "poison");
            assert!(scene.tried.contains(&(second, "c")), "{:?}", scene.tried);
        }
        assert_eq!(scene.schedule.len(), 1);
        let tries = scene.tried.iter().filter(|(_, item)| *item == "poison").count();
        assert!(tries <= 9, "{:?}", scene.tried);
    }

    #[test]
    fn one_who_takes_nothing_keeps_no_mail_from_another() {
        let mut scene = Scene::new(&["a", "b", "c"]);
        for item in ["a", "b", "c"] {
            let attempt = scene.schedule.take(scene.start).unwrap();
            assert_eq!(attempt.item, item);
            assert_eq!(scene.schedule.failed_in_part(attempt, scene.start), Next::Waits);
        }
        // Each is tried again at its own time.
        scene.run(0..8, |_| false);
        let seconds: Vec<_> = scene.tried.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [1, 1, 1, 3, 3, 3, 7, 7, 7]);
        scene.schedule.push("d");
        scene.run(8..9, |item| item == "d");
        assert_eq!(scene.tried.last(), Some(&(8, "d")));
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it() {
        let mut scene = Scene::new(&["a", "b"]);
        let attempt = scene.schedule.take(scene.start).unwrap();
        let pause = Some(Duration::from_secs(1000));
        assert_eq!(scene.schedule.failed(attempt, pause, scene.start), Next::Waits);
        assert_eq!(scene.schedule.next(), Some(scene.start + Duration::from_secs(1000)));
        scene.run(0..1000, |_| true);
        assert_eq!(scene.tried, []);
        scene.run(1000..1001, |_| true);
        assert_eq!(scene.tried, [(1000, "a"), (1000, "b")]);
    }

    #[test]
    fn what_may_have_arrived_is_tried_again_rarely_and_not_for_ever() {
        let mut scene = Scene::new(&["a"]);
        let mut tried = Vec::new();
        for second in 0..10_000 {
            let now = scene.start + Duration::from_secs(second);
            let Some(attempt) = scene.schedule.take(now) else { continue };
            tried.push(second);
            // Another item is delayed by seconds.
            let next = scene.schedule.doubtful(attempt, now);
            assert!(scene.schedule.closed_until.unwrap() <= now + LONGEST_CLOSED);
            if tried.len() == 5 {
                assert_eq!(next, Next::GivenUp("a"));
            }
        }
        assert_eq!(tried, [0, 1, 61, 361, 2161]);
        assert_eq!(scene.schedule.len(), 0);
    }

    #[test]
    fn in_a_hurry_everything_is_tried_once_more() {
        let mut scene = Scene::new(&["a", "b"]);
        scene.run(0..100, |_| false);
        scene.schedule.hurry();
        for item in ["a", "b"] {
            let attempt = scene.schedule.take(scene.start).unwrap();
            assert_eq!(scene.schedule.failed(attempt, None, scene.start), Next::Ended(item));
        }
        assert_eq!(scene.schedule.len(), 0);
    }
}
