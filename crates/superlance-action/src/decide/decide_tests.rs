//! Tables of ticks for checks that stand for several processes. Those of one process each are in memmon.

use superlance_core::options::units::parse_duration;

use super::rules::{Budget, MaxUnavailable};
use super::*;

/// A tick in words: checks, and what is decided about them.
///
/// A check is written as `key!` (bad), `key+` (good), `key?` (unclear) or `key-` (absent) and its
/// processes, `group:name`, with `/#PID`, `/@UPTIME` and `/CONDITION` if need be.
struct Ticks {
    rules: Rules,
    tracker: Tracker,
    begin: Instant,
    selected: usize,
    not_running: usize,
    down: Vec<(String, String)>,
    is_own: bool,
}

impl Ticks {
    fn new(rules: Rules) -> Self {
        Self {
            rules,
            tracker: Tracker::default(),
            begin: Instant::now(),
            selected: 4,
            not_running: 0,
            down: Vec::new(),
            is_own: false,
        }
    }

    #[track_caller]
    fn at(&mut self, second: u64, checks: &str, expected: &str) {
        let parsed: Vec<_> = checks.split("; ").map(parse).collect();
        let checks: Vec<_> = parsed.iter().map(|parsed| self.checked(parsed)).collect();
        let situation = Situation {
            now: self.begin + Duration::from_secs(second),
            checks: &checks,
            down: &self.down,
            selected: self.selected,
            not_running: self.not_running,
        };
        let decisions = decide(&self.rules, &mut self.tracker, &situation);
        assert_eq!(words(&checks, &decisions), expected, "at second {second}");
    }

    fn checked<'a>(&self, (key, finding, processes): &'a Parsed) -> Checked<'a> {
        let candidate = |(process, condition): &'a (Instance, Condition)| Candidate {
            process,
            condition: *condition,
            weight: 0,
        };
        let candidates = processes.iter().map(candidate).collect();
        Checked { key: key.clone(), finding: *finding, is_own: self.is_own, candidates }
    }
}

type Parsed = (String, Finding, Vec<(Instance, Condition)>);

fn parse(text: &str) -> Parsed {
    let mut words = text.split(' ');
    let (key, finding) = words.next().unwrap().split_at(1);
    let finding = match finding {
        "!" => Finding::Bad,
        "+" => Finding::Good,
        "-" => Finding::Absent,
        _ => Finding::Unclear,
    };
    (key.to_owned(), finding, words.map(process).collect())
}

fn process(word: &str) -> (Instance, Condition) {
    let mut parts = word.split('/');
    let (group, name) = parts.next().unwrap().split_once(':').unwrap();
    let (group, name) = (group.to_owned(), name.to_owned());
    let mut process = Instance { group, name, pid: 1, start: 0, uptime: 1000 };
    let mut condition = Condition::Running;
    for part in parts {
        match (part, part.split_at(1)) {
            (_, ("#", pid)) => process.pid = pid.parse().unwrap(),
            (_, ("@", uptime)) => process.uptime = uptime.parse().unwrap(),
            ("starting", _) => condition = Condition::Starting,
            ("stopping", _) => condition = Condition::Stopping,
            _ => condition = Condition::Startable,
        }
    }
    (process, condition)
}

fn words(checks: &[Checked<'_>], decisions: &Decisions) -> String {
    let mut words = Vec::new();
    for (check, ruling) in checks.iter().zip(&decisions.rulings) {
        match ruling.standing {
            Standing::Waiting { failures } => words.push(format!("wait {} {failures}", check.key)),
            Standing::Due { failures } if check.candidates.is_empty() => {
                words.push(format!("due {} {failures}", check.key));
            }
            _ => {}
        }
        for (candidate, step) in check.candidates.iter().zip(&ruling.steps) {
            let name = &candidate.process.name;
            words.extend(match step {
                None | Some(Step::Spare(SkipReason::Waiting { .. })) => None,
                Some(Step::Act) => Some(format!("act {name}")),
                Some(Step::GiveUp { rest }) => Some(format!("give up {name} {}", rest.as_secs())),
                Some(Step::Spare(why)) => Some(match why {
                    SkipReason::Young { .. } => format!("young {name}"),
                    SkipReason::Staggered => format!("stagger {name}"),
                    SkipReason::Stopping => format!("stopping {name}"),
                    SkipReason::Guarded => format!("guard {name}"),
                    SkipReason::LeftAlone { rest } => format!("alone {name} {}", rest.as_secs()),
                    SkipReason::Waiting { .. } => unreachable!(),
                }),
            });
        }
    }
    words.extend(decisions.guarded.map(|count| format!("{count} at once")));
    words.join(", ")
}

fn rules() -> Rules {
    Rules::default()
}

fn times(text: &str) -> Option<Budget> {
    Some(text.parse().unwrap())
}

fn grace(text: &str) -> Rules {
    let grace = parse_duration(text).unwrap();
    Rules { grace, success_ends_grace: true, ..rules() }
}

#[test]
fn all_processes_of_a_check_that_fails_are_acted_on() {
    let mut ticks = Ticks::new(rules());
    ticks.at(0, "u+ g:a g:b", "");
    ticks.at(1, "u! g:a g:b", "act a, act b");
    ticks.at(2, "u? g:a g:b", "");
    ticks.at(3, "u! g:a/starting g:b/stopping", "stopping b");
    // With no process at all it is due, too: people are told.
    ticks.at(4, "u!", "due u 2");
}

#[test]
fn failures_in_a_row_are_ended_by_a_success_and_by_an_action() {
    let mut ticks = Ticks::new(Rules { threshold: "3".parse().unwrap(), ..rules() });
    ticks.at(0, "u! g:a", "wait u 1");
    ticks.at(1, "u! g:a", "wait u 2");
    ticks.at(2, "u+ g:a", "");
    ticks.at(3, "u! g:a", "wait u 1");
    // What is not known is neither.
    ticks.at(4, "u? g:a", "");
    // Neither is the restart of a process behind a check for many.
    ticks.at(5, "u! g:a/#2", "wait u 2");
    ticks.at(6, "u! g:a/#2", "act a");
    ticks.at(7, "u! g:a/#3", "wait u 1");
}

#[test]
fn a_check_of_one_process_begins_anew_with_another_instance() {
    let mut ticks = Ticks::new(Rules { threshold: "2".parse().unwrap(), ..rules() });
    ticks.is_own = true;
    ticks.at(0, "a! g:a; b! g:b", "wait a 1, wait b 1");
    ticks.at(1, "a! g:a/#2; b! g:b", "wait a 1, act b");
}

#[test]
fn failures_among_the_last_are_not_ended_by_a_success() {
    let mut ticks = Ticks::new(Rules { threshold: "3/5".parse().unwrap(), ..rules() });
    ticks.at(0, "u! g:a", "wait u 1");
    ticks.at(1, "u+ g:a", "");
    ticks.at(2, "u! g:a", "wait u 2");
    ticks.at(3, "u+ g:a", "");
    ticks.at(4, "u! g:a", "act a");
    ticks.at(5, "u! g:a", "wait u 1");
    ticks.at(6, "u! g:a", "wait u 2");
    for second in 7..10 {
        ticks.at(second, "u+ g:a", "");
    }
    // The first of the two is the sixth now.
    ticks.at(10, "u! g:a", "wait u 2");
    ticks.at(11, "u! g:a", "wait u 2");
}

#[test]
fn failures_count_when_one_process_is_out_of_its_grace() {
    let mut ticks = Ticks::new(grace("10s"));
    ticks.at(0, "u! g:a/@9 g:b/@5/starting", "young a, young b");
    ticks.at(1, "u! g:a/@10 g:b/@6", "act a, young b");
    // A process that is to be started is not waited for.
    ticks.at(2, "u! g:a/@1/#2 g:c/startable", "young a, act c");
}

#[test]
fn the_first_success_since_its_start_ends_the_grace_of_a_process() {
    let mut ticks = Ticks::new(grace("1m"));
    ticks.at(0, "u+ g:a/@5 g:b/@1/starting", "");
    ticks.at(1, "u! g:a/@6 g:b/@2", "act a, young b");
    ticks.at(2, "u! g:a/@1/#2 g:b/@3", "young a, young b");
    let mut ticks = Ticks::new(Rules { success_ends_grace: false, ..grace("1m") });
    ticks.at(0, "u+ g:a/@5", "");
    ticks.at(1, "u! g:a/@6", "young a");
}

#[test]
fn each_process_has_a_budget() {
    let mut ticks = Ticks::new(Rules { budget: times("1/60s"), ..rules() });
    ticks.at(0, "u! g:a", "act a");
    ticks.at(5, "u! g:a g:b", "give up a 55, act b");
    ticks.at(10, "u! g:a g:b", "alone a 50, give up b 55");
    // A start counts.
    ticks.at(60, "u! g:a/startable g:b", "act a, alone b 5");
    ticks.at(61, "u! g:a", "give up a 59");
}

#[test]
fn what_was_done_about_a_process_that_is_gone_is_remembered_as_long_as_it_counts() {
    for (budget, kept) in [("1/60s", 86_400), ("1/2d", 2 * 86_400)] {
        let mut ticks = Ticks::new(Rules { budget: times(budget), ..rules() });
        ticks.at(0, "u! g:a", "act a");
        for (second, is_known) in [(kept - 1, true), (kept, false)] {
            ticks.at(second, "u+ g:b", "");
            assert_eq!(ticks.tracker.last_act("g:a").is_some(), is_known, "{budget} {second}");
        }
    }
}

#[test]
fn one_of_a_group_has_its_turn_and_a_start_needs_none() {
    let mut ticks = Ticks::new(Rules { stagger: true, ..rules() });
    ticks.at(0, "u! g:a g:b h:c", "act a, stagger b, act c");
    ticks.at(1, "u! g:a/startable g:b/startable h:c", "act a, act b, act c");
    // Of one group in all checks together.
    ticks.at(2, "u! g:a; v! g:b", "act a, stagger b");
    ticks.down = vec![("g".to_owned(), "x".to_owned())];
    ticks.at(3, "u! g:a h:c", "stagger a, act c");
}

#[test]
fn where_too_many_would_be_unavailable_nothing_is_touched() {
    let half = Some(MaxUnavailable::Percent(50));
    let mut ticks = Ticks::new(Rules { max_unavailable: half, budget: times("1/60s"), ..rules() });
    ticks.is_own = true;
    let three = "a! g:a; b! g:b; c! g:c; d+ g:d";
    ticks.at(0, three, "guard a, guard b, guard c, 3 at once");
    ticks.at(1, "a! g:a; b! g:b; c+ g:c; d+ g:d", "act a, act b");
    // Those that do not run count, for whatever reason.
    ticks.not_running = 2;
    ticks.at(2, "c! g:c; d+ g:d", "guard c, 3 at once");
    // A start makes one more available; where nothing else is to be done there is nothing to guard.
    ticks.at(3, "a- g:c/startable; c! g:d", "act c, guard d, 3 at once");
    ticks.not_running = 4;
    ticks.at(4, "a- g:x/startable", "act x");
    // What was guarded was not done, and costs no budget.
    ticks.not_running = 0;
    ticks.at(5, "d! g:d", "act d");
}

#[test]
fn who_is_only_told_is_told_once_until_the_check_is_good() {
    let mut ticks = Ticks::new(Rules { only_tell: true, stagger: true, ..rules() });
    ticks.at(0, "u! g:a g:b", "act a, act b");
    ticks.at(1, "u! g:a g:b", "");
    ticks.at(2, "u+ g:a g:b", "");
    ticks.at(3, "u!", "due u 1");
    ticks.at(4, "u!", "");
}

#[test]
fn a_process_that_does_not_run_is_started_at_once() {
    let mut ticks =
        Ticks::new(Rules { threshold: "3".parse().unwrap(), budget: times("1/60s"), ..rules() });
    ticks.is_own = true;
    ticks.at(0, "a- g:a/startable", "act a");
    ticks.at(1, "a- g:a/startable", "give up a 59");
}
