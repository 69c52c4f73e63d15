//! Orders, sums, and what is missing.

use superlance_core::supervisor::State;
use superlance_measure::Usage;

use super::*;

pub(crate) const MB: u64 = 1 << 20;

/// A process that has run for an hour: `group:name`, its process id (0 if it does not run).
pub(crate) fn process(namespec: &str, pid: u32) -> ProcessInfo {
    let (group, name) = namespec.split_once(':').unwrap_or((namespec, namespec));
    ProcessInfo {
        name: name.to_owned(),
        group: group.to_owned(),
        pid,
        state: if pid == 0 { State::Stopped } else { State::Running },
        start: 1_000,
        stop: 0,
        exit_status: 0,
        now: 4_600,
    }
}

/// Of so many megabytes, a tenth of that in PSS; its children have as much again.
pub(crate) fn reading(megabytes: u64) -> Reading {
    let bytes = megabytes * MB;
    let alone = Usage { rss: bytes, pss: Ok(bytes / 10), uss: Ok(bytes / 20), swap: Ok(0) };
    Reading { alone, family: alone.plus(alone) }
}

/// A process that runs and uses so many megabytes.
pub(crate) fn row(namespec: &str, megabytes: u64, limit: Option<u64>) -> Row {
    let pid = u32::try_from(megabytes).unwrap() + 1_000;
    let limit = limit.map(|limit| Limited { bytes: limit * MB, option: "-a".to_owned() });
    let is_watched = limit.is_some();
    Row {
        info: process(namespec, pid),
        reading: Some(reading(megabytes)),
        limit,
        is_watched,
        waits_for: Vec::new(),
    }
}

pub(crate) fn snapshot(rows: Vec<Row>) -> Snapshot {
    let has_limits = rows.iter().any(|row| row.limit.is_some());
    Snapshot {
        url: "unix:///s.sock".to_owned(),
        time: 4_600,
        question: Question { metric: Metric::Rss, scope: Scope::Alone, has_limits },
        rows,
        total_limit: None,
        blind: None,
        unknown: Vec::new(),
        idle: Vec::new(),
    }
}

/// A process of another user: the kernel shows only its RSS.
pub(crate) fn foreign(namespec: &str, megabytes: u64) -> Row {
    let alone = Usage { swap: Ok(0), ..Usage::resident(megabytes * MB, Unavailable::Permission) };
    Row { reading: Some(Reading { alone, family: alone }), ..row(namespec, megabytes, None) }
}

/// A process that does not run.
pub(crate) fn stopped(namespec: &str) -> Row {
    Row { reading: None, info: process(namespec, 0), ..row(namespec, 0, None) }
}

#[track_caller]
fn check(rows: Vec<Row>, sort: Sort, expected: &[&str]) {
    let mut snapshot = snapshot(rows);
    snapshot.sort(sort);
    let names: Vec<_> = snapshot.rows.iter().map(|row| row.info.short_name()).collect();
    assert_eq!(names, expected, "{sort:?}");
}

#[test]
fn what_matters_comes_first() {
    let rows = || {
        vec![
            stopped("a"),
            row("b", 10, Some(20)),
            row("c", 30, None),
            row("d", 25, Some(20)),
            row("e", 30, Some(1000)),
        ]
    };
    check(rows(), Sort::Name, &["a", "b", "c", "d", "e"]);
    check(rows(), Sort::Rss, &["c", "e", "d", "b", "a"]);
    check(rows(), Sort::Headroom, &["d", "b", "e", "a", "c"]);
    let mut young = rows();
    young[1].info.start = 4_599;
    check(young, Sort::Uptime, &["c", "d", "e", "b", "a"]);
    let mut swapped = rows();
    swapped[3].reading.as_mut().unwrap().alone.swap = Ok(1);
    check(swapped, Sort::Swap, &["d", "b", "c", "e", "a"]);
    // What is not known is not large.
    check(vec![foreign("a", 99), row("b", 1, None)], Sort::Pss, &["b", "a"]);
}

#[test]
fn sums_are_of_what_runs_and_say_what_they_lack() {
    let snapshot = snapshot(vec![row("a", 10, None), stopped("b"), foreign("c", 30)]);
    let sum = |metric| snapshot.sum(metric, Scope::Alone);
    assert_eq!(sum(Metric::Rss), Sum { bytes: 40 * MB, known: 2, missing: 0 });
    assert_eq!(sum(Metric::Pss), Sum { bytes: MB, known: 1, missing: 1 });
    assert_eq!(snapshot.sum(Metric::Rss, Scope::Family).bytes, 50 * MB);
    assert_eq!(snapshot.count_running(), 2);
}

#[test]
fn exactly_the_limit_is_not_over_it() {
    let snapshot = snapshot(vec![row("a", 10, Some(10)), row("b", 11, Some(10))]);
    assert_eq!(snapshot.count_over(), 1);
    let headrooms = snapshot.rows.iter().map(|row| row.headroom(snapshot.question).unwrap());
    assert_eq!(headrooms.collect::<Vec<_>>(), [0, -i128::from(MB)]);
}

#[test]
fn the_limit_of_all_together_is_for_what_is_watched() {
    let rows = vec![row("a", 10, Some(99)), row("b", 5, Some(99)), row("c", 7, None), stopped("d")];
    let mut snapshot = snapshot(rows);
    assert_eq!((snapshot.total_headroom(), snapshot.is_over()), (None, false));
    snapshot.total_limit = Some(15 * MB);
    assert_eq!((snapshot.total_headroom(), snapshot.is_over()), (Some(0), false));
    assert_eq!(snapshot.count_unwatched(), 1);
    snapshot.question.scope = Scope::Family;
    assert_eq!(snapshot.total_headroom(), Some(-15 * i128::from(MB)));
    assert!(snapshot.is_over() && snapshot.count_over() == 0);
    snapshot.rows[0].reading = None;
    assert_eq!((snapshot.total_headroom(), snapshot.is_over()), (None, false));
}

#[test]
fn limits_are_compared_with_what_was_asked_for() {
    let mut snapshot = snapshot(vec![row("a", 10, Some(15)), foreign("b", 99)]);
    assert_eq!(snapshot.count_over(), 0);
    snapshot.question.scope = Scope::Family;
    assert_eq!(snapshot.count_over(), 1);
    snapshot.question.metric = Metric::Pss;
    assert_eq!(snapshot.count_over(), 0);
    // What is not known cannot be over.
    snapshot.rows[1].limit = snapshot.rows[0].limit.clone();
    assert_eq!(snapshot.rows[1].headroom(snapshot.question), None);
}

#[test]
fn a_clock_that_was_set_back_makes_no_negative_time() {
    let mut row = row("a", 1, None);
    assert_eq!(row.uptime(), Some(3_600));
    row.info.start = row.info.now + 60;
    assert_eq!(row.uptime(), Some(0));
    assert_eq!(stopped("a").uptime(), None);
}

#[test]
fn missing_numbers_are_counted_by_their_reason() {
    let hidden = Row { reading: None, ..row("d", 1, None) };
    let rows = vec![row("a", 1, None), foreign("b", 1), foreign("c", 1), hidden, stopped("e")];
    let expected = vec![(Some(Unavailable::Permission), 2), (None, 1)];
    assert_eq!(snapshot(rows).unavailable(), expected);
}
