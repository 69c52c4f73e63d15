//! The decision beside a model of it, which remembers nothing but reads the whole past at each tick.

use proptest::prelude::*;

use super::rules::{Budget, MaxUnavailable, Threshold};
use super::*;

/// The processes of all stories.
const NAMES: [&str; 4] = ["g:a", "g:b", "h:c", "h:d"];

/// A tick as it is told: seconds since the one before, the findings, and of each process its condition if
/// it is a candidate, whether it was replaced, and its weight.
type Told = (u64, [Finding; 4], [(Option<Condition>, bool, u64); 4]);

/// A tick as it was: the processes that are candidates, and what was decided.
struct Page {
    second: u64,
    checks: Vec<(String, Finding, Vec<Actor>)>,
    decisions: Decisions,
}

#[derive(Clone)]
struct Actor {
    process: Instance,
    condition: Condition,
    weight: u64,
}

/// Plays a story; with `own`, each process has a check of its own. Each decision must be that of the model.
fn play(rules: &Rules, own: bool, down: &[(String, String)], story: &[Told]) {
    let (mut tracker, begin) = (Tracker::default(), Instant::now());
    let (mut second, mut pages) = (1000, Vec::<Page>::new());
    let mut instances = [(1u32, 0u64); 4];
    for (pause, findings, processes) in story {
        second += pause;
        let mut actors = Vec::new();
        for ((name, (condition, replaced, weight)), instance) in
            NAMES.iter().zip(processes).zip(&mut instances)
        {
            if *replaced {
                *instance = (instance.0 + 1, second);
            }
            let (group, name) = name.split_once(':').unwrap();
            let (group, name) = (group.to_owned(), name.to_owned());
            let uptime = (second - instance.1) as i64;
            let process =
                Instance { group, name, pid: instance.0, start: instance.1 as i64, uptime };
            let actor = condition.map(|condition| Actor { process, condition, weight: *weight });
            actors.push(actor);
        }
        let checks: Vec<(String, Finding, Vec<Actor>)> = match own {
            true => actors
                .into_iter()
                .zip(findings)
                .filter_map(|(actor, finding)| {
                    let actor = actor?;
                    Some((actor.process.namespec(), *finding, vec![actor]))
                })
                .collect(),
            false => vec![("all".to_owned(), findings[0], actors.into_iter().flatten().collect())],
        };
        let checked: Vec<_> = checks.iter().map(|check| as_checked(check, own)).collect();
        let running = checks.iter().flat_map(|check| &check.2);
        let running = running.filter(|actor| actor.condition == Condition::Running).count();
        let situation = Situation {
            now: begin + Duration::from_secs(second),
            checks: &checked,
            down,
            selected: 4,
            not_running: 4 - running,
        };
        let decisions = decide(rules, &mut tracker, &situation);
        let expected = model(rules, own, down, &pages, second, &checks);
        assert_eq!(decisions, expected, "at second {second}: {checked:#?}");
        for (check, ruling) in checks.iter().zip(&decisions.rulings) {
            for (actor, _) in acts(check, ruling).filter(|_| !rules.only_tell) {
                let index = NAMES.iter().position(|name| *name == actor.process.namespec());
                let instance = &mut instances[index.unwrap()];
                *instance = (instance.0 + 1, second);
            }
        }
        pages.push(Page { second, checks, decisions });
    }
}

fn as_checked<'a>(
    (key, finding, actors): &'a (String, Finding, Vec<Actor>),
    own: bool,
) -> Checked<'a> {
    let candidate = |actor: &'a Actor| Candidate {
        process: &actor.process,
        condition: actor.condition,
        weight: actor.weight,
    };
    let candidates = actors.iter().map(candidate).collect();
    Checked { key: key.clone(), finding: *finding, is_own: own, candidates }
}

fn acts<'a>(
    check: &'a (String, Finding, Vec<Actor>),
    ruling: &'a Ruling,
) -> impl Iterator<Item = (&'a Actor, &'a Step)> {
    let steps = check.2.iter().zip(&ruling.steps);
    steps
        .filter_map(|(actor, step)| Some((actor, step.as_ref()?)))
        .filter(|(_, s)| **s == Step::Act)
}

fn model(
    rules: &Rules,
    own: bool,
    down: &[(String, String)],
    past: &[Page],
    second: u64,
    checks: &[(String, Finding, Vec<Actor>)],
) -> Decisions {
    let mut rulings: Vec<Ruling> =
        checks.iter().map(|check| rule(rules, own, past, second, check)).collect();
    let all: Vec<(usize, usize, &Actor)> = checks
        .iter()
        .enumerate()
        .flat_map(|(c, check)| check.2.iter().enumerate().map(move |(a, actor)| (c, a, actor)))
        .collect();
    let touched = |rulings: &[Ruling]| -> Vec<(usize, usize, &Actor)> {
        let is_touched = |(c, a, actor): &&(usize, usize, &Actor)| {
            actor.condition == Condition::Running && rulings[*c].steps[*a] == Some(Step::Act)
        };
        all.iter().filter(is_touched).copied().collect()
    };
    if rules.stagger && !rules.only_tell {
        let due = touched(&rulings);
        for (c, a, actor) in &due {
            let Instance { group, name, .. } = &actor.process;
            let is_down = down.iter().any(|(g, n)| g == group && n != name);
            // Another one of its group with more weight, or the same and before it.
            let is_others = due.iter().any(|(oc, oa, other)| {
                let waits =
                    down.iter().any(|(g, n)| *g == other.process.group && *n != other.process.name);
                other.process.group == *group
                    && !waits
                    && (other.weight > actor.weight
                        || other.weight == actor.weight && (oc, oa) < (c, a))
            });
            if is_down || is_others {
                rulings[*c].steps[*a] = Some(Step::Spare(SkipReason::Staggered));
            }
        }
    }
    let mut guarded = None;
    if let (Some(limit), false) = (rules.max_unavailable, rules.only_tell) {
        let acts = touched(&rulings);
        let running = all.iter().filter(|(_, _, actor)| actor.condition == Condition::Running);
        let unavailable = acts.len() + 4 - running.count();
        if !acts.is_empty() && unavailable > limit.of(4) {
            guarded = Some(unavailable);
            for (c, a, _) in acts {
                rulings[c].steps[a] = Some(Step::Spare(SkipReason::Guarded));
            }
        }
    }
    Decisions { rulings, guarded }
}

fn rule(
    rules: &Rules,
    own: bool,
    past: &[Page],
    second: u64,
    check: &(String, Finding, Vec<Actor>),
) -> Ruling {
    let (key, finding, actors) = check;
    let alike = |standing, step| Ruling { standing, steps: vec![step; actors.len()] };
    let excuses: Vec<_> = actors.iter().map(|actor| excuse(rules, past, actor)).collect();
    let is_excused = !actors.is_empty() && excuses.iter().all(Option::is_some);
    let (mut results, told) = row(rules, own, past, check);
    let failures = match finding {
        Finding::Good | Finding::Unclear => return alike(Standing::Quiet, None),
        Finding::Absent => rules.threshold.failures,
        Finding::Bad if is_excused => {
            let steps = excuses.into_iter().map(|why| why.map(Step::Spare)).collect();
            return Ruling { standing: Standing::Excused, steps };
        }
        Finding::Bad => {
            results.push(true);
            count(rules.threshold, &results)
        }
    };
    if told {
        return alike(Standing::Quiet, None);
    }
    if failures < rules.threshold.failures {
        let waits = Step::Spare(SkipReason::Waiting { checks: failures });
        return alike(Standing::Waiting { failures }, Some(waits));
    }
    let step = |(actor, excuse): (&Actor, Option<SkipReason>)| match (excuse, actor.condition) {
        (Some(why), _) => Some(Step::Spare(why)),
        (None, Condition::Starting) => None,
        (None, _) => Some(allowance(rules, past, second, &actor.process.namespec())),
    };
    assert!(!key.is_empty());
    let steps = actors.iter().zip(excuses).map(step).collect();
    Ruling { standing: Standing::Due { failures }, steps }
}

fn count(threshold: Threshold, results: &[bool]) -> u32 {
    let failures = match threshold.among {
        Some(among) => results.iter().rev().take(among as usize).filter(|failed| **failed).count(),
        None => results.iter().rev().take_while(|failed| **failed).count(),
    };
    failures as u32
}

/// The results of a check since its row began, and whether people were told of it and nothing else is done.
fn row(
    rules: &Rules,
    own: bool,
    past: &[Page],
    check: &(String, Finding, Vec<Actor>),
) -> (Vec<bool>, bool) {
    let instance = |check: &(String, Finding, Vec<Actor>)| match own {
        true => Some(check.2[0].process.identity()),
        false => None,
    };
    // The ticks since which it was there without a break, and about the same instance.
    let same = |page: &Page| {
        let index = page.checks.iter().position(|other| other.0 == check.0)?;
        (instance(&page.checks[index]) == instance(check)).then_some(index)
    };
    let begin = past.iter().rposition(|page| same(page).is_none()).map_or(0, |last| last + 1);
    let (mut results, mut told) = (Vec::new(), false);
    for page in &past[begin..] {
        let index = same(page).unwrap();
        let (earlier, ruling) = (&page.checks[index], &page.decisions.rulings[index]);
        match earlier.1 {
            Finding::Good => {
                results.push(false);
                told = false;
            }
            Finding::Bad if ruling.standing != Standing::Excused => results.push(true),
            _ => {}
        }
        let is_due = matches!(ruling.standing, Standing::Due { .. });
        if acts(earlier, ruling).next().is_some() || is_due && rules.only_tell {
            results.clear();
            told = rules.only_tell;
        }
    }
    (results, told)
}

fn excuse(rules: &Rules, past: &[Page], actor: &Actor) -> Option<SkipReason> {
    let uptime = actor.process.uptime;
    let is_young = uptime < rules.grace.as_secs() as i64
        && !(rules.success_ends_grace && is_proven(past, &actor.process));
    match actor.condition {
        Condition::Stopping => Some(SkipReason::Stopping),
        Condition::Startable => None,
        _ => is_young.then_some(SkipReason::Young { uptime }),
    }
}

/// Whether a check of this instance has succeeded while it ran. That is forgotten of a process that was no
/// candidate meanwhile, and never acted on before.
fn is_proven(past: &[Page], process: &Instance) -> bool {
    let (mut proven, mut acted) = (None, false);
    for page in past {
        let mut is_there = false;
        for (check, ruling) in page.checks.iter().zip(&page.decisions.rulings) {
            for actor in check.2.iter().filter(|a| a.process.namespec() == process.namespec()) {
                is_there = true;
                if check.1 == Finding::Good && actor.condition == Condition::Running {
                    proven = Some(actor.process.identity());
                }
            }
            acted |= acts(check, ruling).any(|(a, _)| a.process.namespec() == process.namespec());
        }
        if !is_there && !acted {
            proven = None;
        }
    }
    proven == Some(process.identity())
}

fn allowance(rules: &Rules, past: &[Page], second: u64, namespec: &str) -> Step {
    let Some(Budget { times, within }) = rules.budget.filter(|_| !rules.only_tell) else {
        return Step::Act;
    };
    let within = within.as_secs();
    let (mut acted, mut alone_until) = (Vec::new(), 0);
    for page in past {
        for (check, ruling) in page.checks.iter().zip(&page.decisions.rulings) {
            for (actor, step) in check.2.iter().zip(&ruling.steps) {
                match step {
                    _ if actor.process.namespec() != namespec => {}
                    Some(Step::Act) => acted.push(page.second),
                    Some(Step::GiveUp { rest }) => alone_until = page.second + rest.as_secs(),
                    _ => {}
                }
            }
        }
    }
    let rest = |until: u64| Duration::from_secs(until - second);
    if alone_until > second {
        return Step::Spare(SkipReason::LeftAlone { rest: rest(alone_until) });
    }
    let recent = acted.iter().filter(|at| second - *at < within);
    match acted.last() {
        Some(last) if recent.count() >= times => Step::GiveUp { rest: rest(last + within) },
        _ => Step::Act,
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let threshold = prop_oneof![
        (1u32..4).prop_map(|failures| Threshold { failures, among: None }),
        (1u32..4, 0u32..3)
            .prop_map(|(failures, more)| Threshold { failures, among: Some(failures + more) }),
    ];
    let budget = prop::option::of(
        (1usize..3, 5u64..60)
            .prop_map(|(times, within)| Budget { times, within: Duration::from_secs(within) }),
    );
    let limit = prop::option::of(prop_oneof![
        (0usize..4).prop_map(MaxUnavailable::Number),
        (0usize..=100).prop_map(MaxUnavailable::Percent),
    ]);
    let flags = prop::array::uniform3(any::<bool>());
    (threshold, 0u64..20, budget, limit, flags).prop_map(
        |(threshold, grace, budget, max_unavailable, [stagger, ends, tell])| Rules {
            threshold,
            grace: Duration::from_secs(grace),
            success_ends_grace: ends,
            budget,
            stagger,
            max_unavailable,
            only_tell: tell,
        },
    )
}

fn story() -> impl Strategy<Value = Vec<Told>> {
    let finding = prop_oneof![
        5 => Just(Finding::Bad),
        2 => Just(Finding::Good),
        1 => Just(Finding::Unclear),
        1 => Just(Finding::Absent),
    ];
    let condition = prop_oneof![
        8 => Just(Some(Condition::Running)),
        1 => Just(Some(Condition::Starting)),
        1 => Just(Some(Condition::Stopping)),
        1 => Just(Some(Condition::Startable)),
        1 => Just(None),
    ];
    let process = (condition, prop::bool::weighted(0.05), 0u64..4);
    let tick = (1u64..15, prop::array::uniform4(finding), prop::array::uniform4(process));
    prop::collection::vec(tick, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_decision_is_that_of_the_model(
        rules in rules(), own in any::<bool>(), a_down in any::<bool>(), story in story(),
    ) {
        let down = ("g".to_owned(), "a".to_owned());
        play(&rules, own, if a_down { std::slice::from_ref(&down) } else { &[] }, &story);
    }
}
