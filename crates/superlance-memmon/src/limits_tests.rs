//! Which limits apply, and what is over them.

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
        now: 0,
    }
}

fn list(pairs: &[(&str, u64)]) -> Vec<Limit> {
    let limit = |(name, size): &(&str, u64)| Limit {
        selector: Selector::parse(name).unwrap(),
        size: *size,
    };
    pairs.iter().map(limit).collect()
}

fn limits(programs: &[(&str, u64)], groups: &[(&str, u64)], any: Option<u64>) -> Limits {
    Limits::new(&list(programs), &list(groups), any)
}

#[track_caller]
fn check(limits: &Limits, namespec: &str, expected: &[u64]) {
    let process = process(namespec);
    assert_eq!(limits.of(&process).collect::<Vec<_>>(), expected, "{namespec}");
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
fn only_more_than_the_limit_is_over() {
    let limits = limits(&[("p", 100)], &[], Some(200));
    let verdict = |bytes| limits.verdict(&process("p:p"), bytes);
    assert_eq!(verdict(100), Verdict { compared: 2, over: false });
    assert_eq!(verdict(101), Verdict { compared: 1, over: true });
    assert_eq!(limits.verdict(&process("q:q"), 200), Verdict { compared: 1, over: false });
    assert_eq!(limits.verdict(&process("q:q"), 201), Verdict { compared: 1, over: true });
}

#[test]
fn the_log_names_them_as_the_original_does() {
    let limits = limits(&[("foo", 2), ("bar", 1), ("foo", 3)], &[("g", 5)], Some(7));
    let text = "Checking programs bar=1, foo=3\nChecking groups g=5\nChecking any=7";
    assert_eq!(limits.describe(), text);
    assert_eq!(super::Limits::new(&[], &[], None).describe(), "");
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
        let limits = Limits::new(&pairs(&programs), &pairs(&groups), any);
        let namespec = format!("{group}:{name}");
        let model = [programs.get(&name), programs.get(&namespec), groups.get(&group), any.as_ref()];
        let expected = model.iter().flatten().any(|limit| bytes > **limit);
        let verdict = limits.verdict(&process(&namespec), bytes);
        prop_assert_eq!(verdict.over, expected);
        let matching = model.iter().flatten().count();
        prop_assert!(verdict.over || verdict.compared == matching);
    }
}
