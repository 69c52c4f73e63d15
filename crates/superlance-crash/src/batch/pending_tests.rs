//! Batches: what is due to whom, whatever becomes of the mails.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn batch(recipients: &[&str]) -> Batch {
    let recipients: Vec<_> = recipients.iter().map(|address| (*address).to_owned()).collect();
    Batch::new(2.0, 1.0, &recipients)
}

fn with_lines(recipients: &[&str], lines: &[&str]) -> Batch {
    let mut batch = batch(recipients);
    lines.iter().for_each(|line| batch.add((*line).to_owned(), None));
    batch
}

/// The mails that are due: recipients, lines, and the number of those dropped.
fn due(batch: &Batch) -> Vec<(String, String, u64)> {
    let mails = batch.due().into_iter();
    mails.map(|mail| (mail.recipients.join(" "), mail.lines.join(" "), mail.dropped)).collect()
}

fn settle(batch: &mut Batch, outcomes: &[DeliveryOutcome]) {
    let mail = batch.due().remove(0);
    batch.settle(&mail, outcomes);
}

fn later() -> DeliveryOutcome {
    DeliveryOutcome::Retry("down".to_owned())
}

#[test]
fn ticks_count_minutes_as_floats_and_start_again() {
    let mut minutes = batch(&["a"]);
    let due: Vec<_> = (0..5).map(|_| minutes.tick()).collect();
    assert_eq!(due, [false, true, false, true, false]);
    // 5/60 is not exact: twelve of them are a bit less than one, and it takes a thirteenth, in
    // Python as here.
    let mut seconds = Batch::new(1.0, 5.0 / 60.0, &[]);
    let first = (1..).find(|_| seconds.tick());
    let python = (1..).find(|count| (0..*count).fold(0.0, |sum, _| sum + 5.0 / 60.0) >= 1.0);
    assert_eq!(first, python);
    assert!(Batch::new(0.0, 1.0, &[]).tick());
}

#[test]
fn one_mail_has_the_lines_in_order_for_everybody() {
    let mut batch = with_lines(&["a", "b"], &["1", "2"]);
    assert_eq!(due(&batch), [("a b".to_owned(), "1 2".to_owned(), 0)]);
    settle(&mut batch, &[DeliveryOutcome::Delivered, DeliveryOutcome::Delivered]);
    assert!(batch.is_empty() && batch.due().is_empty());
    batch.add("3".to_owned(), None);
    assert_eq!(batch.due()[0].range, 2..3);
}

#[test]
fn what_nobody_got_is_joined_by_what_comes_after_it() {
    let mut batch = with_lines(&["a", "b"], &["1"]);
    settle(&mut batch, &[later(), later()]);
    batch.add("2".to_owned(), None);
    assert_eq!(due(&batch), [("a b".to_owned(), "1 2".to_owned(), 0)]);
}

#[test]
fn whoever_got_a_mail_does_not_get_it_again() {
    let mut batch = with_lines(&["a", "b", "c"], &["1"]);
    let range = batch.due()[0].range.clone();
    settle(
        &mut batch,
        &[DeliveryOutcome::Delivered, later(), DeliveryOutcome::Rejected("no".to_owned())],
    );
    assert_eq!(due(&batch), [("b".to_owned(), "1".to_owned(), 0)]);
    assert_eq!(batch.due()[0].range, range, "the same mail, so the same id");
    batch.add("2".to_owned(), None);
    let mails = [("a c".to_owned(), "2".to_owned(), 0), ("b".to_owned(), "1 2".to_owned(), 0)];
    assert_eq!(due(&batch), mails);
}

#[test]
fn a_mail_that_may_have_arrived_is_repeated_as_it_was() {
    let mut batch = with_lines(&["a"], &["1"]);
    settle(&mut batch, &[DeliveryOutcome::Unknown("lost".to_owned())]);
    batch.add("2".to_owned(), None);
    settle(&mut batch, &[later()]);
    assert_eq!(
        (due(&batch), batch.due()[0].range.clone()),
        (vec![("a".into(), "1".into(), 0)], 0..1)
    );
    settle(&mut batch, &[DeliveryOutcome::Delivered]);
    assert_eq!(due(&batch), [("a".to_owned(), "2".to_owned(), 0)]);
}

#[test]
fn beyond_the_capacity_the_oldest_lines_go_and_are_counted() {
    let mut batch = batch(&["a", "b"]);
    batch.add("0".to_owned(), None);
    settle(&mut batch, &[DeliveryOutcome::Delivered, later()]);
    (1..=CAPACITY + 2).for_each(|number| batch.add(number.to_string(), None));
    let mails = batch.due();
    assert_eq!(mails.len(), 2);
    for (mail, dropped) in mails.iter().zip([2, 3]) {
        assert_eq!((mail.lines.len(), mail.dropped), (CAPACITY, dropped), "{:?}", mail.recipients);
        assert_eq!(mail.lines[0], "3");
        batch.settle(mail, &[DeliveryOutcome::Delivered]);
    }
    assert!(batch.is_empty());
}

#[test]
fn another_listener_goes_on_where_one_was_killed() {
    let mut killed = with_lines(&["a", "b"], &["1", "2"]);
    let kept: Vec<_> = killed.entries("prefix").collect();
    let mut next = batch(&["a", "b"]);
    assert_eq!(next.restore(kept).as_deref(), Some("prefix"));
    assert_eq!(next.due(), killed.due());
    // One recipient is new, and one is none any more.
    settle(&mut killed, &[DeliveryOutcome::Delivered, later()]);
    let mut next = batch(&["b", "c"]);
    next.restore(killed.entries("prefix").collect());
    assert_eq!(due(&next), [("b c".to_owned(), "1 2".to_owned(), 0)]);
    assert_eq!(next.due()[0].range, 0..2);
    // Those who lacked something are gone altogether.
    let mut next = batch(&["a"]);
    next.restore(killed.entries("prefix").collect());
    assert!(next.is_empty());
    next.add("3".to_owned(), None);
    assert_eq!(next.due()[0].range, 2..3);
}

#[test]
fn an_event_that_comes_again_is_known() {
    let mut killed = batch(&["a"]);
    assert!(!killed.has(None));
    killed.add("1".to_owned(), Some("x".to_owned()));
    settle(&mut killed, &[DeliveryOutcome::Delivered]);
    let mut next = batch(&["a"]);
    next.restore(killed.entries("prefix").collect());
    assert!(next.has(Some("x")) && !next.has(Some("y")) && !next.has(None));
    next.restore(vec![Entry::Line { text: "2".to_owned(), event: Some("y".to_owned()) }]);
    assert!(next.has(Some("y")) && !next.has(Some("x")));
}

#[test]
fn a_mail_that_was_being_sent_when_the_listener_was_killed_is_repeated_as_it_was() {
    let killed = with_lines(&["a"], &["1"]);
    let mut kept: Vec<_> = killed.entries("prefix").collect();
    kept.extend(killed.in_doubt(&killed.due()[0]));
    kept.push(Entry::Line { text: "2".to_owned(), event: None });
    let mut next = batch(&["a"]);
    next.restore(kept);
    assert_eq!(due(&next), [("a".to_owned(), "1".to_owned(), 0)]);
    settle(&mut next, &[DeliveryOutcome::Delivered]);
    assert_eq!(due(&next), [("a".to_owned(), "2".to_owned(), 0)]);
}

#[derive(Debug, Clone)]
enum Step {
    Add,
    Flush(Vec<u8>),
    /// The listener is killed: between two steps, or after the first of the mails that are due was
    /// sent.
    Killed(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let flush = proptest::collection::vec(0u8..4, 9).prop_map(Step::Flush);
    let killed = any::<bool>().prop_map(Step::Killed);
    proptest::collection::vec(prop_oneof![6 => Just(Step::Add), 4 => flush, 1 => killed], 0..60)
}

proptest! {
    /// Every recipient gets every line exactly once and in order, unless he was refused it; more
    /// than once only if an earlier mail may have been lost, and then with the same id.
    #[test]
    fn no_line_is_lost_and_none_is_repeated(steps in steps()) {
        let recipients = ["a", "b", "c"];
        let mut batch = batch(&recipients);
        let mut journal: Vec<Entry> = batch.entries("x").collect();
        let mut added = 0u64;
        let mut got: Vec<Vec<u64>> = vec![Vec::new(); 3];
        let mut doubtful: BTreeSet<(usize, u64, u64)> = BTreeSet::new();
        let end = Step::Flush(vec![0; 9]);
        for step in steps.into_iter().chain([end.clone(), end]) {
            let outcomes = match step {
                Step::Add => {
                    batch.add(added.to_string(), None);
                    journal.push(Entry::Line { text: added.to_string(), event: None });
                    added += 1;
                    continue;
                }
                Step::Killed(sending) => {
                    let mails = batch.due();
                    if let Some(mail) = mails.first().filter(|_| sending) {
                        journal.extend(batch.in_doubt(mail));
                        for address in &mail.recipients {
                            let who = recipients.iter().position(|name| name == address).unwrap();
                            doubtful.insert((who, mail.range.start, mail.range.end));
                        }
                    }
                    batch = super::tests::batch(&recipients);
                    batch.restore(std::mem::take(&mut journal));
                    journal = batch.entries("x").collect();
                    continue;
                }
                Step::Flush(outcomes) => outcomes,
            };
            let mut outcomes = outcomes.into_iter();
            let mut addressed = BTreeSet::new();
            for mail in batch.due() {
                prop_assert!(!mail.lines.is_empty() && !mail.recipients.is_empty());
                let mut outcome = Vec::new();
                for address in &mail.recipients {
                    prop_assert!(addressed.insert(address.clone()), "two mails at once");
                    let who = recipients.iter().position(|name| name == address).unwrap();
                    let lines = mail.lines.iter().map(|line| line.parse::<u64>().unwrap());
                    let code = outcomes.next().unwrap();
                    outcome.push(match code {
                        0 => DeliveryOutcome::Delivered,
                        1 => DeliveryOutcome::Rejected(String::new()),
                        2 => later(),
                        _ => DeliveryOutcome::Unknown(String::new()),
                    });
                    if code < 2 {
                        got[who].extend(lines);
                    } else if code == 3 {
                        doubtful.insert((who, mail.range.start, mail.range.end));
                    }
                    // Whatever he may have got already comes again only as the same mail.
                    for (_, start, end) in doubtful.iter().filter(|entry| entry.0 == who) {
                        let same = (mail.range.start, mail.range.end) == (*start, *end);
                        prop_assert!(same || mail.range.start >= *end);
                    }
                }
                batch.settle(&mail, &outcome);
            }
            journal = batch.entries("x").collect();
        }
        prop_assert!(batch.is_empty());
        for lines in got {
            prop_assert_eq!(lines, (0..added).collect::<Vec<_>>());
        }
    }

    #[test]
    fn mails_are_due_at_most_once_an_interval(interval in 0.1f64..10.0, ticks in 1usize..200) {
        let mut batch = Batch::new(interval, 0.5, &[]);
        let due = (0..ticks).filter(|_| batch.tick()).count();
        prop_assert!(due as f64 * interval <= ticks as f64 * 0.5 + 1e-6);
    }
}
