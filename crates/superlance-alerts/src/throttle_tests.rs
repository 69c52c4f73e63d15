//! What is held back, and that every alert is accounted for once.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const INTERVAL: Duration = Duration::from_secs(30);

/// A clock that the tests set.
#[derive(Clone, Copy)]
struct Clock(Moment);

impl Clock {
    fn new() -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        Self(Moment { wall, instant: Instant::now() })
    }

    fn pass(&mut self, time: Duration) {
        self.0.wall += time;
        self.0.instant += time;
    }
}

fn alert(process: &str, kind: &str, number: usize, clock: Clock) -> Alert {
    let (subject, text) = (format!("{process} {kind}"), format!("number {number}"));
    let alert = Alert::new("test", kind, clock.0.wall, subject, text).about("g", process, None);
    Alert { id: format!("id-{number}"), ..alert }
}

/// The number of alerts that one accounts for.
fn worth(alert: &Alert) -> u64 {
    let held = alert.measured.iter().find(|(name, _)| name == "held_back");
    held.map_or(1, |(_, count)| count.parse().unwrap())
}

/// Raises an alert; returns it if it is sent.
fn raise(throttle: &mut Throttle, alert: Alert, clock: Clock) -> Option<Alert> {
    throttle.hold(&alert, clock.0).is_none().then_some(alert)
}

/// A crash a second for a minute.
fn crash_loop(throttle: &mut Throttle, clock: &mut Clock) -> Vec<Alert> {
    let mut out = Vec::new();
    for number in 0..60 {
        out.extend(raise(throttle, alert("p", "exited", number, *clock), *clock));
        clock.pass(Duration::from_secs(1));
        out.extend(throttle.due(clock.0));
    }
    out
}

#[test]
fn a_crash_loop_makes_few_alerts_that_account_for_every_crash() {
    let (mut throttle, mut clock) = (Throttle::new(INTERVAL), Clock::new());
    let mut out = crash_loop(&mut throttle, &mut clock);
    out.extend(throttle.finish(clock.0));
    assert_eq!(out.iter().map(worth).collect::<Vec<_>>(), [1, 29, 30]);
    assert_eq!((out[0].subject.as_str(), out[0].text.as_str()), ("p exited", "number 0"));
    let told = &out[1];
    assert_eq!(told.subject, "p exited (and 28 more)");
    let (first, last) = (out[0].at + Duration::from_secs(1), out[0].at + Duration::from_secs(29));
    let expected = format!(
        "29 alerts were held back by --alert-interval, the first at {}, the last at {}. \
         The last of them:\n\nnumber 29",
        log_time(first),
        log_time(last)
    );
    assert_eq!(told.text, expected);
    let [Attachment { title, text }] = &told.attachments[..] else { panic!("{told:?}") };
    assert_eq!(title, "Held back before it");
    let shown = "p exited\nnumber 1\n\np exited\nnumber 2\n\n";
    assert!(text.starts_with(shown) && text.ends_with("number 20\n\nNot shown: 8 more"), "{text}");
    assert_eq!(throttle.deadline(), None);
}

#[test]
fn one_that_was_held_back_is_told_as_it_was_and_says_so() {
    let (mut throttle, mut clock) = (Throttle::new(INTERVAL), Clock::new());
    assert!(raise(&mut throttle, alert("p", "exited", 0, clock), clock).is_some());
    clock.pass(Duration::from_secs(5));
    let held = alert("p", "exited", 1, clock).attach("Log", "why");
    assert!(raise(&mut throttle, held.clone(), clock).is_none());
    assert_eq!(throttle.deadline(), Some(clock.0.instant + Duration::from_secs(25)));
    assert_eq!(throttle.due(clock.0), []);
    clock.pass(Duration::from_secs(25));
    let told = throttle.due(clock.0);
    let at = log_time(held.at);
    let text = format!("This was held back by --alert-interval at {at}.\n\nnumber 1");
    assert_eq!((told.len(), &told[0].text), (1, &text));
    let same = (&held.subject, &held.attachments, held.at, &held.id);
    assert_eq!((&told[0].subject, &told[0].attachments, told[0].at, &told[0].id), same);
}

#[test]
fn kinds_and_processes_have_intervals_of_their_own_and_those_end() {
    let (mut throttle, mut clock) = (Throttle::new(INTERVAL), Clock::new());
    for (process, kind) in [("p", "exited"), ("q", "exited"), ("p", "fatal")] {
        assert!(raise(&mut throttle, alert(process, kind, 0, clock), clock).is_some());
        assert!(raise(&mut throttle, alert(process, kind, 1, clock), clock).is_none());
    }
    clock.pass(INTERVAL);
    assert_eq!(throttle.due(clock.0).len(), 3);
    assert!(
        raise(&mut throttle, alert("p", "exited", 2, clock), clock).is_none(),
        "the next began"
    );
    clock.pass(INTERVAL * 2);
    assert!(
        raise(&mut throttle, alert("q", "exited", 2, clock), clock).is_some(),
        "it held nothing"
    );
}

#[test]
fn an_event_that_comes_again_counts_once() {
    let (mut throttle, clock) = (Throttle::new(INTERVAL), Clock::new());
    for number in [0, 1, 1, 2, 2] {
        let _ = raise(&mut throttle, alert("p", "exited", number, clock), clock);
    }
    assert_eq!(throttle.finish(clock.0).iter().map(worth).collect::<Vec<_>>(), [2]);
}

#[test]
fn what_was_held_back_before_joins_what_is_held_back_now() {
    let (mut earlier, clock) = (Throttle::new(INTERVAL), Clock::new());
    let mut journal = Vec::new();
    for number in 0..4 {
        journal.extend(earlier.hold(&alert("p", "exited", number, clock), clock.0).cloned());
    }
    let (mut throttle, mut later) = (Throttle::new(INTERVAL), clock);
    later.pass(Duration::from_secs(1));
    for number in 4..7 {
        let _ = throttle.hold(&alert("p", "exited", number, later), later.0);
    }
    throttle.restore(journal, later.0);
    let told = throttle.finish(later.0).remove(0);
    assert_eq!((worth(&told), told.at), (5, later.0.wall));
    let numbers = |text: &str| text.split("number ").skip(1).map(|n| n[..1].to_owned()).collect();
    let shown: Vec<String> = numbers(&told.attachments[0].text);
    assert_eq!(shown, ["1", "2", "3", "5"]);
    assert!(told.text.contains(&log_time(clock.0.wall)), "{}", told.text);
}

#[test]
fn what_is_kept_is_bounded() {
    let (mut throttle, clock) = (Throttle::new(INTERVAL), Clock::new());
    let mut total = 0;
    for number in 0..MAX_WINDOWS + 50 {
        for copy in 0..2 {
            let process = format!("p{number}");
            let alert = alert(&process, "exited", 2 * number + copy, clock);
            let out = raise(&mut throttle, alert, clock);
            total += u64::from(out.is_some());
        }
    }
    assert_eq!(total, 1_001, "the last fifty share one interval");
    let mut huge = alert("p0", "exited", 0, clock);
    huge.text = "é".repeat(1 << 15);
    for number in 0..10 {
        huge = huge.attach(format!("Log {number}"), "é".repeat(1 << 15));
    }
    for number in 0..100 {
        let alert = Alert { id: number.to_string(), ..huge.clone() };
        assert!(raise(&mut throttle, alert, clock).is_none());
    }
    let record = throttle.records().next().unwrap();
    let size = serde_json::to_string(record).unwrap().len();
    assert!(size < MAX_TEXT * MAX_TEXTS + MAX_LAST + MAX_ATTACHMENT * MAX_ATTACHMENTS + 4096);
    let told = throttle.finish(clock.0);
    assert_eq!(total + told.iter().map(worth).sum::<u64>(), 2 * 1_050 + 100);
    let told = told.iter().find(|told| worth(told) == 101).unwrap();
    assert!(told.text.contains("é...\n\nNot shown: 6 attachments"), "{}", told.text);
    assert!(told.attachments[0].text.starts_with("...é"));
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Raise(u8, u8),
    /// The worker wakes up, late by this many milliseconds.
    Wake(u64),
    /// The listener is killed, and another one takes up what it kept.
    Killed,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u64..20_000).prop_map(Step::Pass),
        8 => (0u8..3, 0u8..2).prop_map(|(process, kind)| Step::Raise(process, kind)),
        3 => (0u64..2_000).prop_map(Step::Wake),
        1 => Just(Step::Killed),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn every_alert_is_accounted_for_once_and_one_goes_out_in_an_interval(steps in steps()) {
        let (mut throttle, mut clock) = (Throttle::new(INTERVAL), Clock::new());
        let mut journal: Vec<Record> = Vec::new();
        let mut raised: BTreeMap<String, u64> = BTreeMap::new();
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        let mut last_out: BTreeMap<String, Instant> = BTreeMap::new();
        for (number, step) in steps.into_iter().enumerate() {
            let mut out = Vec::new();
            match step {
                Step::Pass(time) => clock.pass(Duration::from_millis(time)),
                Step::Raise(process, kind) => {
                    let alert = alert(&format!("p{process}"), &format!("k{kind}"), number, clock);
                    let subject = alert.subject.clone();
                    *raised.entry(subject.clone()).or_default() += 1;
                    match throttle.hold(&alert, clock.0) {
                        None => out.push(alert),
                        Some(record) => journal.push(record.clone()),
                    }
                }
                Step::Wake(late) => {
                    if let Some(deadline) = throttle.deadline() {
                        let wait = deadline.saturating_duration_since(clock.0.instant);
                        clock.pass(wait + Duration::from_millis(late));
                        out = throttle.due(clock.0);
                        prop_assert!(!out.is_empty(), "woken for nothing");
                        journal = throttle.records().cloned().collect();
                    }
                }
                Step::Killed => {
                    throttle = Throttle::new(INTERVAL);
                    let text = serde_json::to_string(&journal).unwrap();
                    throttle.restore(serde_json::from_str::<Vec<_>>(&text).unwrap(), clock.0);
                    // Intervals that held nothing back are forgotten.
                    let held = |subject: &String| journal.iter().any(|r| r.subject() == *subject);
                    last_out.retain(|subject, _| held(subject));
                }
            }
            for alert in out {
                let subject = alert.subject.split(" (").next().unwrap().to_owned();
                *told.entry(subject.clone()).or_default() += worth(&alert);
                if let Some(before) = last_out.insert(subject, clock.0.instant) {
                    prop_assert!(clock.0.instant - before >= INTERVAL, "two in an interval");
                }
            }
        }
        for alert in throttle.finish(clock.0) {
            let subject = alert.subject.split(" (").next().unwrap().to_owned();
            *told.entry(subject).or_default() += worth(&alert);
        }
        prop_assert_eq!(raised, told);
        prop_assert_eq!(throttle.records().count(), 0);
    }
}

impl Record {
    /// The subject of the alerts that it is about.
    fn subject(&self) -> String {
        let (_, process) = self.key.process.clone().unwrap();
        format!("{process} {}", self.key.kind)
    }
}
