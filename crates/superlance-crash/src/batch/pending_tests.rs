//! Batches: what is due, whenever the listener is killed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn with_lines(lines: &[&str]) -> Batch {
    let mut batch = Batch::new(2.0, 1.0);
    lines.iter().for_each(|line| batch.add((*line).to_owned(), None));
    batch
}

/// The due mail: its lines, and how many were dropped.
fn due(batch: &Batch) -> Option<(String, u64)> {
    batch.due().map(|mail| (mail.lines.join(" "), mail.dropped))
}

fn settle(batch: &mut Batch) {
    let mail = batch.due().unwrap();
    batch.settle(&mail);
}

#[test]
fn ticks_count_minutes_as_floats_and_start_again() {
    let mut minutes = Batch::new(2.0, 1.0);
    let due: Vec<_> = (0..5).map(|_| minutes.tick()).collect();
    assert_eq!(due, [false, true, false, true, false]);
    // 5/60 is not exact: twelve of them are a bit less than one, and it takes a thirteenth, in
    // Python as here.
    let mut seconds = Batch::new(1.0, 5.0 / 60.0);
    let first = (1..).find(|_| seconds.tick());
    let python = (1..).find(|count| (0..*count).fold(0.0, |sum, _| sum + 5.0 / 60.0) >= 1.0);
    assert_eq!(first, python);
    assert!(Batch::new(0.0, 1.0).tick());
}

#[test]
fn one_mail_has_the_lines_in_order_and_the_next_has_those_after_it() {
    let mut batch = with_lines(&["1", "2"]);
    assert_eq!(due(&batch), Some(("1 2".to_owned(), 0)));
    settle(&mut batch);
    assert!(batch.is_empty() && batch.due().is_none());
    batch.add("3".to_owned(), None);
    assert_eq!(batch.due().unwrap().range, 2..3);
}

#[test]
fn beyond_the_capacity_the_oldest_lines_go_and_are_counted() {
    let mut batch = with_lines(&[]);
    (0..CAPACITY + 2).for_each(|number| batch.add(number.to_string(), None));
    let mail = batch.due().unwrap();
    assert_eq!((mail.lines.len(), mail.dropped, mail.lines[0].as_str()), (CAPACITY, 2, "2"));
    let mut next = with_lines(&[]);
    next.restore(batch.entries("x").collect());
    assert_eq!(next.due(), Some(mail.clone()));
    batch.settle(&mail);
    batch.add("x".to_owned(), None);
    assert_eq!(due(&batch), Some(("x".to_owned(), 0)));
}

#[test]
fn another_listener_goes_on_where_one_was_killed() {
    let mut killed = with_lines(&["1", "2"]);
    let mut next = with_lines(&[]);
    assert_eq!(next.restore(killed.entries("prefix").collect()).as_deref(), Some("prefix"));
    assert_eq!(next.due(), killed.due());
    settle(&mut killed);
    let mut next = with_lines(&[]);
    next.restore(killed.entries("prefix").collect());
    next.add("3".to_owned(), None);
    assert_eq!(next.due().unwrap().range, 2..3);
}

#[test]
fn an_event_that_comes_again_is_known() {
    let mut killed = with_lines(&[]);
    assert!(!killed.has(None));
    killed.add("1".to_owned(), Some("x".to_owned()));
    settle(&mut killed);
    let mut next = with_lines(&[]);
    next.restore(killed.entries("prefix").collect());
    assert!(next.has(Some("x")) && !next.has(Some("y")) && !next.has(None));
    next.restore(vec![Entry::Line { text: "2".to_owned(), event: Some("y".to_owned()) }]);
    assert!(next.has(Some("y")) && !next.has(Some("x")));
}

#[test]
fn a_mail_that_was_being_raised_is_raised_as_it_was() {
    let killed = with_lines(&["1"]);
    let mut kept: Vec<_> = killed.entries("prefix").collect();
    kept.push(Entry::Raised(1));
    let mut next = with_lines(&[]);
    next.restore(kept);
    next.add("2".to_owned(), None);
    assert!(next.is_interrupted());
    assert_eq!((due(&next), next.due().unwrap().range), (Some(("1".to_owned(), 0)), 0..1));
    settle(&mut next);
    assert!(!next.is_interrupted());
    assert_eq!(due(&next), Some(("2".to_owned(), 0)));
}

#[derive(Debug, Clone)]
enum Step {
    Add,
    Raise,
    /// The listener is killed: between two steps, while it writes a mail, or before it removes the
    /// lines of a mail.
    Killed(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let killed = (0u8..3).prop_map(Step::Killed);
    let step = prop_oneof![6 => Just(Step::Add), 3 => Just(Step::Raise), 1 => killed];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    /// Every line is in one mail, in order; a mail that is raised twice has the same lines both times.
    #[test]
    fn no_line_is_lost_and_none_is_repeated(steps in steps()) {
        let mut batch = Batch::new(2.0, 1.0);
        let mut journal: Vec<Entry> = batch.entries("x").collect();
        let mut added = 0u64;
        // By the parts of their ids.
        let mut mails: BTreeMap<(u64, u64), Vec<String>> = BTreeMap::new();
        for step in steps.into_iter().chain([Step::Raise, Step::Raise]) {
            let (raised, forgotten) = match step {
                Step::Add => {
                    batch.add(added.to_string(), None);
                    journal.push(Entry::Line { text: added.to_string(), event: None });
                    added += 1;
                    continue;
                }
                Step::Killed(0) => (false, false),
                Step::Killed(1) => {
                    journal.extend(batch.due().map(|mail| Entry::Raised(mail.range.end)));
                    (false, false)
                }
                Step::Killed(_) => (true, false),
                Step::Raise => (true, true),
            };
            if let Some(mail) = batch.due().filter(|_| raised) {
                journal.push(Entry::Raised(mail.range.end));
                let known = mails.insert((mail.range.start, mail.range.end), mail.lines.clone());
                prop_assert!(known.is_none_or(|lines| lines == mail.lines));
                if forgotten {
                    batch.settle(&mail);
                    journal = batch.entries("x").collect();
                }
            }
            if !forgotten {
                batch = Batch::new(2.0, 1.0);
                batch.restore(std::mem::take(&mut journal));
                journal = batch.entries("x").collect();
            }
        }
        let lines: Vec<_> = mails.into_values().flatten().collect();
        let expected: Vec<_> = (0..added).map(|number| number.to_string()).collect();
        prop_assert_eq!(lines, expected);
    }

    #[test]
    fn mails_are_due_at_most_once_an_interval(interval in 0.1f64..10.0, ticks in 1usize..200) {
        let mut batch = Batch::new(interval, 0.5);
        let due = (0..ticks).filter(|_| batch.tick()).count();
        prop_assert!(due as f64 * interval <= ticks as f64 * 0.5 + 1e-6);
    }
}
