//! Tables of checks: what is decided about whom.

use superlance_action::decide::rules::{Budget, Threshold};
use superlance_action::instance::Instance;

use super::*;

pub(super) const PLAIN: Rules = Rules {
    threshold: in_a_row(1),
    grace: Duration::ZERO,
    success_ends_grace: false,
    budget: None,
    stagger: false,
    max_unavailable: None,
    only_tell: false,
};

pub(super) const fn in_a_row(failures: u32) -> Threshold {
    Threshold { failures, among: None }
}

/// A process written as `group:name BYTES/LIMIT`, and after that if need be `#PID` and `+UPTIME`.
pub(super) fn process(text: &str) -> Measured {
    let mut words = text.split_whitespace();
    let (group, name) = words.next().unwrap().split_once(':').unwrap();
    let (bytes, limit) = words.next().unwrap().split_once('/').unwrap();
    let (group, name) = (group.to_owned(), name.to_owned());
    let mut instance = Instance { group, name, pid: 1, start: 0, uptime: 1000 };
    for word in words {
        match word.split_at(1) {
            ("#", pid) => instance.pid = pid.parse().unwrap(),
            (_, uptime) => instance.uptime = uptime.parse().unwrap(),
        }
    }
    let limits = limit.parse().into_iter().collect();
    Measured { instance, bytes: bytes.parse().unwrap(), limits }
}

/// Decisions in words, without those about which there is nothing to decide.
fn words(decisions: &[Decision], processes: &[Measured]) -> String {
    let word = |decision: &Decision| {
        let name = |process: &usize| processes[*process].instance.name.clone();
        Some(match decision {
            Decision::Compared { .. } => return None,
            Decision::Total { checks: 0, .. } => return None,
            Decision::Total { sum, checks, .. } => format!("total {sum} ({checks})"),
            Decision::Act { process, .. } => format!("act {}", name(process)),
            Decision::GiveUp { process, rest, .. } => {
                format!("give up {} {}", name(process), rest.as_secs())
            }
            Decision::Spare { process, why } => match why {
                SkipReason::Young { uptime } => format!("young {} {uptime}", name(process)),
                SkipReason::Waiting { checks } => format!("wait {} {checks}", name(process)),
                SkipReason::Staggered => format!("stagger {}", name(process)),
                SkipReason::Stopping => format!("stopping {}", name(process)),
                SkipReason::Guarded => unreachable!("memmon has no such option"),
                SkipReason::LeftAlone { rest } => {
                    format!("alone {} {}", name(process), rest.as_secs())
                }
            },
        })
    };
    decisions.iter().filter_map(word).collect::<Vec<_>>().join(", ")
}

/// Checks: the second in which each is made, the processes, and what is decided.
#[track_caller]
fn check(rules: &Rules, total: Option<u64>, checks: &[(u64, &str, &str)]) {
    let (mut memory, begin) = (Memory::default(), Instant::now());
    for (second, processes, expected) in checks {
        let processes: Vec<_> = processes.split(", ").map(process).collect();
        let now = begin + Duration::from_secs(*second);
        let check = Check { now, processes: &processes, total, down: &[], stopping: &[] };
        let decisions = decide(rules, &mut memory, check);
        assert_eq!(words(&decisions, &processes), *expected, "at second {second}");
    }
}

pub(super) fn budget(times: usize, seconds: u64) -> Option<Budget> {
    Some(Budget { times, within: Duration::from_secs(seconds) })
}

#[test]
fn by_default_every_process_over_its_limit_is_acted_on() {
    check(&PLAIN, None, &[(0, "g:a 3/3, g:b 4/3, g:c 9/-, g:d 5/3", "act b, act d")]);
}

#[test]
fn every_process_is_compared_before_it_is_decided_about() {
    let processes = ["g:a 5/3", "g:b 1/3"].map(process);
    let check =
        Check { now: Instant::now(), processes: &processes, total: None, down: &[], stopping: &[] };
    let decisions = decide(&PLAIN, &mut Memory::default(), check);
    let excess = Excess::Own { limit: 3 };
    let compared = |process| Decision::Compared { process, times: 1 };
    assert_eq!(decisions, [compared(0), Decision::Act { process: 0, excess }, compared(1)]);
}

#[test]
fn only_after_so_many_checks_in_a_row() {
    let rules = Rules { threshold: in_a_row(3), ..PLAIN };
    check(
        &rules,
        None,
        &[
            (0, "g:a 4/3", "wait a 1"),
            (5, "g:a 4/3", "wait a 2"),
            (10, "g:a 3/3", ""),
            (15, "g:a 4/3", "wait a 1"),
            (20, "g:a 9/3", "wait a 2"),
            (25, "g:a 4/3", "act a"),
            // The same one: it was signalled, say. The row begins anew.
            (30, "g:a 4/3", "wait a 1"),
            (35, "g:a 4/3", "wait a 2"),
            // Another instance.
            (40, "g:a 4/3 #2", "wait a 1"),
            (45, "g:a 4/3 #2", "wait a 2"),
            (50, "g:b 1/3", ""),
            (55, "g:a 4/3 #2", "wait a 1"),
        ],
    );
}

#[test]
fn not_within_the_time_of_grace() {
    let rules = Rules { grace: Duration::from_secs(10), threshold: in_a_row(2), ..PLAIN };
    check(
        &rules,
        None,
        &[
            (0, "g:a 4/3 +0", "young a 0"),
            (9, "g:a 4/3 +9", "young a 9"),
            // Only now does the row of checks begin.
            (10, "g:a 4/3 +10", "wait a 1"),
            (15, "g:a 4/3 +15", "act a"),
            // A clock that was set back.
            (20, "g:a 4/3 +-5", "young a -5"),
        ],
    );
}

#[test]
fn what_flaps_is_left_alone_and_that_is_said_once() {
    let rules = Rules { budget: budget(2, 60), ..PLAIN };
    check(
        &rules,
        None,
        &[
            (0, "g:a 4/3, g:b 1/3", "act a"),
            (5, "g:a 4/3 #2, g:b 4/3", "act a, act b"),
            (10, "g:a 4/3 #3", "give up a 55"),
            (15, "g:a 4/3 #3", "alone a 50"),
            // An operator restarts it; that is no reason to begin anew.
            (20, "g:a 4/3 #4", "alone a 45"),
            (25, "g:a 1/3 #4", ""),
            (64, "g:a 4/3 #4", "alone a 1"),
            (65, "g:a 4/3 #4", "act a"),
            (66, "g:a 4/3 #5", "act a"),
            (67, "g:a 4/3 #6", "give up a 59"),
        ],
    );
    // Once a minute is not too often.
    check(
        &rules,
        None,
        &[
            (0, "g:a 4/3", "act a"),
            (40, "g:a 4/3", "act a"),
            (60, "g:a 4/3", "act a"),
            (80, "g:a 4/3", "give up a 40"),
        ],
    );
}

#[test]
fn of_a_group_the_largest_has_its_turn() {
    let rules = Rules { stagger: true, ..PLAIN };
    check(
        &rules,
        None,
        &[
            (0, "g:a 4/3, g:b 9/3, h:c 4/3, g:d 9/3", "stagger a, act b, act c, stagger d"),
            (5, "g:a 4/3, g:b 1/3 #2, h:c 1/3, g:d 9/3", "stagger a, act d"),
            (10, "g:a 4/3, g:b 1/3 #2, h:c 1/3, g:d 1/3 #2", "act a"),
        ],
    );
    // A process that must be left alone takes no turn.
    let rules = Rules { budget: budget(1, 60), ..rules };
    check(
        &rules,
        None,
        &[
            (0, "g:a 9/3, g:b 4/3", "act a, stagger b"),
            (5, "g:a 9/3 #2, g:b 4/3", "give up a 55, act b"),
        ],
    );
    // Who waited for its turn need not wait for further checks.
    let rules = Rules { stagger: true, threshold: in_a_row(2), ..PLAIN };
    check(
        &rules,
        None,
        &[
            (0, "g:a 4/3, g:b 5/3", "wait a 1, wait b 1"),
            (5, "g:a 4/3, g:b 5/3", "stagger a, act b"),
            (10, "g:a 4/3, g:b 1/3 #2", "act a"),
        ],
    );
}

#[test]
fn while_one_of_a_group_is_down_no_other_is_touched() {
    let processes = ["g:a 9/3", "g:b 1/3", "h:c 4/3"].map(process);
    let down = |names: &[(&str, &str)], rules: &Rules, total| {
        let name = |(group, name): &(&str, &str)| ((*group).to_owned(), (*name).to_owned());
        let down: Vec<_> = names.iter().map(name).collect();
        let check =
            Check { now: Instant::now(), processes: &processes, total, down: &down, stopping: &[] };
        words(&decide(rules, &mut Memory::default(), check), &processes)
    };
    let rules = Rules { stagger: true, ..PLAIN };
    assert_eq!(down(&[("g", "x")], &rules, None), "stagger a, act c");
    assert_eq!(down(&[("g", "x")], &rules, Some(2)), "stagger a, act c, total 10 (1), stagger a");
    // Itself does not count: it is starting, say.
    assert_eq!(down(&[("g", "a")], &rules, None), "act a, act c");
    assert_eq!(down(&[("g", "x")], &PLAIN, None), "act a, act c");
}

#[test]
fn what_is_being_stopped_is_not_stopped_again() {
    let processes = ["g:a 9/3", "g:b 1/3", "h:c 4/3"].map(process);
    let stopping = [("g".to_owned(), "a".to_owned())];
    let now = Instant::now();
    let check =
        Check { now, processes: &processes, total: Some(9), down: &[], stopping: &stopping };
    let decisions = decide(&PLAIN, &mut Memory::default(), check);
    // Its memory counts, and the largest of the others goes.
    assert_eq!(words(&decisions, &processes), "stopping a, act c, total 10 (1), act b");
}

#[test]
fn who_is_only_told_about_is_told_about_once_each_time() {
    let rules = Rules { only_tell: true, stagger: true, budget: budget(1, 60), ..PLAIN };
    check(
        &rules,
        None,
        &[
            (0, "g:a 4/3, g:b 9/3", "act a, act b"),
            (5, "g:a 5/3, g:b 9/3", ""),
            (10, "g:a 3/3, g:b 9/3", ""),
            (15, "g:a 4/3, g:b 9/3 #2", "act a, act b"),
        ],
    );
}

#[test]
fn over_the_total_the_largest_goes_one_a_check() {
    check(
        &PLAIN,
        Some(10),
        &[
            (0, "g:a 4/-, g:b 6/-", ""),
            (5, "g:a 5/-, g:b 6/-, g:c 6/-", "total 17 (1), act b"),
            (10, "g:a 5/-, g:b 1/- #2, g:c 6/-", "total 12 (1), act c"),
            (15, "g:a 5/-, g:b 1/- #2, g:c 1/- #2", ""),
        ],
    );
    // Who is over a limit of its own goes first, and the others are looked at without it.
    check(
        &PLAIN,
        Some(10),
        &[
            (0, "g:a 9/5, g:b 6/-, g:c 4/-", "act a"),
            (5, "g:a 9/5 #2, g:b 6/-, g:c 5/-", "act a, total 11 (1), act b"),
        ],
    );
}

#[test]
fn all_rules_hold_for_the_total() {
    let rules = Rules { threshold: in_a_row(2), grace: Duration::from_secs(10), ..PLAIN };
    check(
        &rules,
        Some(10),
        &[
            (0, "g:a 4/-, g:b 9/-", "total 13 (1)"),
            (5, "g:a 4/-, g:b 9/-", "total 13 (2), act b"),
            (10, "g:a 4/-, g:b 9/- #2 +1", "total 13 (1)"),
            (15, "g:a 4/-, g:b 9/- #2 +6", "total 13 (2), act a"),
            (20, "g:a 4/- #2 +1, g:b 9/- #2 +8", "total 13 (1)"),
            (25, "g:a 4/- #2 +6, g:b 9/- #2 +9", "total 13 (2)"),
        ],
    );
    let rules = Rules { budget: budget(1, 60), ..PLAIN };
    check(
        &rules,
        Some(10),
        &[
            (0, "g:a 4/-, g:b 9/-", "total 13 (1), act b"),
            // That others are restarted for what b does would not help.
            (5, "g:a 4/-, g:b 9/- #2", "total 13 (1), give up b 55"),
            (10, "g:a 4/-, g:b 9/- #2", "total 13 (2), alone b 50"),
        ],
    );
    let rules = Rules { stagger: true, ..PLAIN };
    check(
        &rules,
        Some(10),
        &[
            (0, "g:a 5/3, g:b 9/-, g:c 4/-", "act a, total 13 (1), stagger b"),
            (5, "g:a 1/3 #2, g:b 9/-, g:c 4/-", "total 14 (2), act b"),
        ],
    );
    let rules = Rules { only_tell: true, ..PLAIN };
    check(
        &rules,
        Some(10),
        &[
            (0, "g:a 4/-, g:b 9/-", "total 13 (1), act b"),
            (5, "g:a 4/-, g:b 9/-", "total 13 (1)"),
            (7, "g:a 4/3, g:b 9/-", "act a, total 13 (2)"),
            (8, "g:a 4/3, g:b 9/-", "total 13 (3)"),
            (10, "g:a 1/-, g:b 9/-", ""),
            (15, "g:a 4/-, g:b 9/-", "total 13 (1), act b"),
        ],
    );
}

#[test]
fn who_is_left_alone_for_both_reasons_is_named_once() {
    let rules = Rules { budget: budget(1, 60), ..PLAIN };
    check(
        &rules,
        Some(5),
        &[
            (0, "g:a 9/3", "act a"),
            (5, "g:a 9/3 #2", "give up a 55, total 9 (1)"),
            (10, "g:a 9/3 #2", "alone a 50, total 9 (2)"),
        ],
    );
}
