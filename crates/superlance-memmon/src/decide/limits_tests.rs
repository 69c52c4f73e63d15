//! Which limits apply, and what is over them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use superlance_core::supervisor::State;

use super::*;

fn process(namespec: &str) -> ProcessInfo {
    let (group, name) = namespec.split_once(':').unwrap();
    ProcessInfo {
        name: name.to_owned(),
        group: group.to_owned(),
        pid: 1,
        state: State::Running,
        start: 0,
        stop: 0,
        exit_status: 0,
        now: 0,
    }
}

fn list(pairs: &[(&str, u64)]) -> Vec<Limit> {
    let limit = |(name, bytes): &(&str, u64)| Limit {
        selector: Selector::parse(name).unwrap(),
        amount: Amount::Bytes(*bytes),
    };
    pairs.iter().map(limit).collect()
}

fn limits(programs: &[(&str, u64)], groups: &[(&str, u64)], any: Option<u64>) -> Limits {
    Limits::new(&list(programs), &list(groups), any.map(Amount::Bytes), false)
}

fn bytes(limits: &Limits, namespec: &str) -> Vec<u64> {
    let limits = limits.of(&process(namespec));
    limits.iter().map(|limit| limit.amount.bytes(None).unwrap()).collect()
}

#[track_caller]
fn check(limits: &Limits, namespec: &str, expected: &[u64]) {
    assert_eq!(bytes(limits, namespec), expected, "{namespec}");
}

#[test]
fn every_limit_that_matches_applies() {
    let limits = limits(&[("p", 1), ("g:p", 2)], &[("g", 3)], Some(4));
    check(&limits, "g:p", &[1, 2, 3, 4]);
    check(&limits, "h:p", &[1, 4]);
    check(&limits, "g:q", &[3, 4]);
    check(&limits, "h:q", &[4]);
}

#[test]
fn exact_names_win_over_patterns() {
    let limits = limits(&[("w*", 1), ("*b", 2), ("web", 3)], &[("g*", 5), ("gg", 6)], None);
    check(&limits, "h:web", &[3]);
    check(&limits, "h:wb", &[2, 1]);
    check(&limits, "g1:x", &[5]);
    check(&limits, "gg:x", &[6]);
}

#[test]
fn the_most_specific_alone_counts_if_so_asked() {
    let programs = [("p", 1), ("g:p", 2), ("p*", 3), ("g:q*", 4)];
    let groups = [("g", 5), ("h*", 6)];
    let limits = Limits::new(&list(&programs), &list(&groups), Some(Amount::Bytes(7)), true);
    check(&limits, "g:p", &[2]);
    check(&limits, "x:p", &[1]);
    check(&limits, "g:p1", &[3]);
    check(&limits, "g:q", &[4]);
    check(&limits, "g:x", &[5]);
    check(&limits, "h1:x", &[6]);
    check(&limits, "x:x", &[7]);
    // Of equally specific ones all count.
    let patterns = Limits::new(&list(&[("p*", 1), ("*q", 2)]), &[], Some(Amount::Bytes(0)), true);
    check(&patterns, "x:pq", &[2, 1]);
}

#[test]
fn each_says_which_option_it_comes_from() {
    let limits = limits(&[("p", 1), ("g:p", 2)], &[("g", 3)], Some(4));
    let options: Vec<_> = limits.of(&process("g:p")).into_iter().map(|l| l.option()).collect();
    assert_eq!(options, ["-p p", "-p g:p", "-g g", "-a"]);
}

#[test]
fn only_more_than_the_limit_is_over() {
    assert_eq!(verdict(&[100, 200], 100), Verdict { compared: 2, over: None });
    assert_eq!(verdict(&[100, 200], 101), Verdict { compared: 1, over: Some(100) });
    assert_eq!(verdict(&[200, 100], 101), Verdict { compared: 2, over: Some(100) });
    assert_eq!(verdict(&[], 101), Verdict { compared: 0, over: None });
}

#[test]
fn the_log_names_them_as_the_original_does() {
    let limits = limits(&[("foo", 2), ("bar", 1), ("foo", 3)], &[("g", 5)], Some(7));
    let lines = ["Checking programs bar=1, foo=3", "Checking groups g=5", "Checking any=7"];
    assert_eq!(limits.describe(None), lines);
    assert!(Limits::new(&[], &[], None, false).describe(None).is_empty());
    let share = Limits::new(&[], &[], Some("40%".parse().unwrap()), false);
    assert!(share.has_shares());
    assert_eq!(share.describe(Some(1000)), ["Checking any=400 (40% of 1000)"]);
}

proptest! {
    /// The verdict of a model that knows exact names only and asks every limit.
    #[test]
    fn over_means_over_some_limit(
        programs in prop::collection::btree_map("[abc]|[ab]:[abc]", 0u64..10, 0..4),
        groups in prop::collection::btree_map("[ab]", 0u64..10, 0..2),
        any in prop::option::of(0u64..10),
        group in "[ab]", name in "[abc]", bytes in 0u64..12,
    ) {
        let pairs = |map: &BTreeMap<String, u64>| {
            list(&map.iter().map(|(name, size)| (name.as_str(), *size)).collect::<Vec<_>>())
        };
        let limits = limits_of(&pairs(&programs), &pairs(&groups), any);
        let namespec = format!("{group}:{name}");
        let model = [programs.get(&name), programs.get(&namespec), groups.get(&group), any.as_ref()];
        let expected = model.iter().flatten().any(|limit| bytes > **limit);
        let verdict = verdict(&self::bytes(&limits, &namespec), bytes);
        prop_assert_eq!(verdict.over.is_some(), expected);
        let matching = model.iter().flatten().count();
        prop_assert!(verdict.over.is_some() || verdict.compared == matching);
    }
}

fn limits_of(programs: &[Limit], groups: &[Limit], any: Option<u64>) -> Limits {
    Limits::new(programs, groups, any.map(Amount::Bytes), false)
}
