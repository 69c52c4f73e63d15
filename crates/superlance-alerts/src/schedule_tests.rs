//! When items are tried, and in which order.

use super::*;

/// An item has the topic that stands before a colon.
impl Item for &'static str {
    fn topic(&self) -> Option<&str> {
        self.split_once(':').map(|(topic, _)| topic)
    }
}

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
                let number = attempt.number;
                self.tried.push((second, attempt.item));
                if works(attempt.item) {
                    self.schedule.delivered();
                } else {
                    assert_eq!(self.schedule.failed(attempt, None, now), Next::Waits);
                }
                self.schedule.end(number);
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

#[test]
fn what_is_of_one_topic_keeps_its_order_and_nothing_else_waits_for_it() {
    let mut scene = Scene::new(&["p:fires", "p:over", "b"]);
    scene.run(0..200, |item| item != "p:fires");
    let is_tried = |scene: &Scene, item| scene.tried.iter().any(|(_, tried)| *tried == item);
    assert!(is_tried(&scene, "b") && !is_tried(&scene, "p:over"), "{:?}", scene.tried);
    scene.tried.clear();
    scene.run(200..500, |_| true);
    let items: Vec<_> = scene.tried.iter().map(|(_, item)| *item).collect();
    assert_eq!(items, ["p:fires", "p:over"]);
}

#[test]
fn in_a_hurry_too_what_is_of_one_topic_is_tried_one_after_the_other() {
    let mut scene = Scene::new(&["p:fires", "p:over", "q:fires"]);
    scene.schedule.hurry();
    let first = scene.schedule.take(scene.start).unwrap();
    assert_eq!(scene.schedule.take(scene.start).unwrap().item, "q:fires");
    assert!(scene.schedule.take(scene.start).is_none());
    assert_eq!(scene.schedule.next(), None);
    scene.schedule.delivered();
    scene.schedule.end(first.number);
    assert_eq!(scene.schedule.take(scene.start).unwrap().item, "p:over");
}
