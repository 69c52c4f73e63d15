//! Whole stories of checks, and what must hold of each of them.

use proptest::prelude::*;

use super::tests::{PLAIN, budget, in_a_row, process};
use super::*;

/// A check of a story: seconds since the one before, and of each process how much it uses, and whether
/// an operator restarted it.
type Chapter = (u64, Vec<(u64, bool)>);

/// What became of it: the second, the processes, the decisions.
type Page = (u64, Vec<Measured>, Vec<Decision>);

const NAMES: [&str; 4] = ["g:a", "g:b", "h:c", "h:d"];

/// Plays a story of four processes with a limit of 5 each; a process that is acted on starts anew.
fn play(rules: &Rules, total: Option<u64>, story: &[Chapter]) -> Vec<Page> {
    let (mut memory, begin) = (Memory::default(), Instant::now());
    let mut second = 1000;
    let mut instances = [(1u32, 0u64); 4];
    let mut pages = Vec::new();
    for (pause, states) in story {
        second += pause;
        let mut processes = Vec::new();
        for ((name, (bytes, replaced)), instance) in NAMES.iter().zip(states).zip(&mut instances) {
            if *replaced {
                *instance = (instance.0 + 1, second);
            }
            let uptime = second - instance.1;
            let text = format!("{name} {bytes}/5 #{} +{uptime}", instance.0);
            let mut measured = process(&text);
            measured.instance.start = instance.1 as i64;
            processes.push(measured);
        }
        let now = begin + Duration::from_secs(second);
        let check = Check { now, processes: &processes, total, down: &[], stopping: &[] };
        let decisions = decide(rules, &mut memory, check);
        for decision in &decisions {
            if let (Decision::Act { process, .. }, false) = (decision, rules.only_tell) {
                instances[*process] = (instances[*process].0 + 1, second);
            }
        }
        pages.push((second, processes, decisions));
    }
    pages
}

fn acted(page: &Page, process: usize) -> Option<Excess> {
    page.2.iter().find_map(|decision| match decision {
        Decision::Act { process: acted, excess } if *acted == process => Some(*excess),
        _ => None,
    })
}

/// In how many of these checks, the last ones, the process was over and might have been acted on, and
/// was not before the last.
fn row(rules: &Rules, pages: &[Page], process: usize) -> u32 {
    let instance = |page: &Page| page.1[process].instance.identity();
    let last = &pages[pages.len() - 1];
    let mut count = 0;
    for (back, page) in pages.iter().rev().enumerate() {
        let measured = &page.1[process];
        let counts = instance(page) == instance(last)
            && measured.bytes > 5
            && measured.instance.uptime >= rules.grace.as_secs() as i64;
        let begins_anew = match acted(page, process) {
            Some(Excess::Total { .. }) => !rules.only_tell,
            act => act.is_some(),
        };
        if !counts || back > 0 && begins_anew {
            break;
        }
        count += 1;
    }
    count
}

fn rules() -> impl Strategy<Value = Rules> {
    let budgets = prop::option::of((1usize..3, 5u64..60));
    (1u32..4, 0u64..20, budgets, any::<bool>(), any::<bool>()).prop_map(
        |(checks, grace, limit, stagger, only_tell)| Rules {
            threshold: in_a_row(checks),
            grace: Duration::from_secs(grace),
            budget: limit.and_then(|(times, within)| budget(times, within)),
            stagger,
            only_tell,
            ..PLAIN
        },
    )
}

fn story() -> impl Strategy<Value = Vec<Chapter>> {
    let state = (0u64..10, prop::bool::weighted(0.1));
    prop::collection::vec((1u64..15, prop::collection::vec(state, 4)), 1..25)
}

proptest! {
    /// In every story the rules hold, and every action that they allow is taken.
    #[test]
    fn the_rules_hold_in_every_story(
        rules in rules(), total in prop::option::of(0u64..30), story in story(),
    ) {
        let pages = play(&rules, total, &story);
        for end in 1..=pages.len() {
            let (pages, page) = (&pages[..end], &pages[end - 1]);
            let (second, processes, decisions) = page;
            for (index, process) in processes.iter().enumerate() {
                let told = |decision: &&Decision| !matches!(decision,
                    Decision::Total { .. } | Decision::Compared { .. });
                let about = |decision: &&Decision| matches!(decision,
                    Decision::Act { process, .. } | Decision::Spare { process, .. }
                    | Decision::GiveUp { process, .. } if *process == index);
                let decision = decisions.iter().filter(told).find(about);
                let row = row(&rules, pages, index);
                // Soundness.
                if let Some(excess) = acted(page, index) {
                    prop_assert!(process.instance.uptime >= rules.grace.as_secs() as i64);
                    match excess {
                        Excess::Own { limit } => {
                            prop_assert!(process.bytes > limit && row >= rules.threshold.failures);
                        }
                        Excess::Total { sum, limit } => {
                            prop_assert!(sum > limit && Some(limit) == total);
                            let others = processes.iter().enumerate().filter(|(other, _)| {
                                rules.only_tell
                                    || !matches!(acted(page, *other), Some(Excess::Own { .. }))
                            });
                            prop_assert_eq!(sum, others.map(|(_, other)| other.bytes).sum::<u64>());
                        }
                    }
                }
                // Completeness: who has been over for long enough is dealt with.
                if row >= rules.threshold.failures && !rules.only_tell {
                    let reasonable = match decision {
                        Some(Decision::Act { .. } | Decision::GiveUp { .. }) => true,
                        Some(Decision::Spare { why: SkipReason::LeftAlone { .. }, .. }) => {
                            rules.budget.is_some()
                        }
                        Some(Decision::Spare { why: SkipReason::Staggered, .. }) => {
                            let peers = processes.iter().enumerate();
                            let mut peers = peers.filter(|(_, peer)| peer.instance.group == process.instance.group);
                            rules.stagger && peers.any(|(peer, measured)| {
                                acted(page, peer).is_some() && measured.bytes >= process.bytes
                            })
                        }
                        _ => false,
                    };
                    prop_assert!(reasonable, "{:?} {:?}", decision, process);
                }
                if process.bytes <= 5 && total.is_none() {
                    prop_assert_eq!(decision, None);
                }
                // The budget.
                if let (Some(limit), false) = (rules.budget, rules.only_tell) {
                    let within = limit.within.as_secs();
                    let acts: Vec<u64> = pages.iter()
                        .filter(|page| acted(page, index).is_some() && page.0 + within > *second)
                        .map(|page| page.0)
                        .collect();
                    prop_assert!(acts.len() <= limit.times, "{:?}", acts);
                    if let Some(Decision::GiveUp { rest, .. }) = decision {
                        prop_assert!(acts.len() == limit.times && rest.as_secs() <= within);
                    }
                }
            }
            // At most one of a group, and one for the total.
            let acts = (0..4).filter_map(|index| Some((index, acted(page, index)?)));
            let acts: Vec<_> = acts.collect();
            if rules.stagger && !rules.only_tell {
                let mut groups: Vec<_> = acts.iter().map(|(i, _)| &processes[*i].instance.group).collect();
                groups.sort();
                groups.dedup();
                prop_assert_eq!(groups.len(), acts.len());
            }
            let for_total = |excess: &Excess| matches!(excess, Excess::Total { .. });
            prop_assert!(acts.iter().filter(|(_, excess)| for_total(excess)).count() <= 1);
        }
    }

    /// Without options it is the original's rule: each process over its limit, each time.
    #[test]
    fn without_options_every_process_over_its_limit_is_acted_on(story in story()) {
        for page in play(&PLAIN, None, &story) {
            for (index, process) in page.1.iter().enumerate() {
                prop_assert_eq!(acted(&page, index).is_some(), process.bytes > 5);
            }
        }
    }
}
