//! Decisions: which processes are over a limit of their own or together, and whether to act on them. Pure.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::{Duration, Instant};

pub(crate) mod amount;
pub(crate) mod limits;
pub(crate) mod measured;

use superlance_action::decide::row::Row;
use superlance_action::decide::rules::{Rules, SkipReason};
use superlance_action::decide::tracker::{Allowance, Tracker};
use superlance_action::decide::{Candidate, Checked, Condition, Finding, Situation, Step};

use self::limits::{Verdict, verdict};
use self::measured::{Excess, Measured};

/// Something to say or to do. The process is an index into what was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It was compared with so many limits.
    Compared { process: usize, times: usize },
    /// Everything together was compared with the limit for that; over it for so many checks.
    Total { sum: u64, limit: u64, checks: u32 },
    /// It is over, and nothing is done.
    Spare { process: usize, why: SkipReason },
    /// It is over, and something is done.
    Act { process: usize, excess: Excess },
    /// Enough was done about it: people are told, and it is left alone for this time.
    GiveUp { process: usize, excess: Excess, rest: Duration },
}

/// What there is to decide about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check<'a> {
    pub(crate) now: Instant,
    pub(crate) processes: &'a [Measured],
    /// The limit for all of them together.
    pub(crate) total: Option<u64>,
    /// Group and name of processes that do not run, and should: restarting another one of the group could
    /// leave none of it.
    pub(crate) down: &'a [(String, String)],
    /// Group and name of processes that are being stopped, which may take minutes, or never end.
    pub(crate) stopping: &'a [(String, String)],
}

/// What is remembered of earlier checks.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) tracker: Tracker,
    /// The checks in which everything together was over its limit.
    total: Row,
}

/// Decides about a check; `memory` is what is remembered of earlier ones.
///
/// Who is over a limit of its own comes first, in the order of the processes. Then, if the others are
/// together over the total, the largest of them.
pub(crate) fn decide(rules: &Rules, memory: &mut Memory, check: Check<'_>) -> Vec<Decision> {
    let processes = check.processes;
    let verdicts = processes.iter().map(|process| verdict(&process.limits, process.bytes));
    let verdicts: Vec<Verdict> = verdicts.collect();
    let checks = processes.iter().zip(&verdicts);
    let checks: Vec<_> = checks.map(|(process, verdict)| check.of(process, verdict)).collect();
    let situation = Situation { checks: &checks, ..check.situation() };
    let rulings = superlance_action::decide::decide(rules, &mut memory.tracker, &situation).rulings;

    let (mut decisions, mut remaining, mut touched) = (Vec::new(), Vec::new(), HashSet::new());
    let rulings = verdicts.iter().zip(rulings);
    for (index, (process, (verdict, ruling))) in processes.iter().zip(rulings).enumerate() {
        decisions.push(Decision::Compared { process: index, times: verdict.compared });
        let excess = Excess::Own { limit: verdict.over.unwrap_or_default() };
        let step = ruling.steps.first().copied().flatten();
        let acts = step == Some(Step::Act);
        if acts {
            touched.insert(process.instance.group.as_str());
        }
        // Telling about a process frees nothing.
        if rules.only_tell || !acts {
            remaining.push((index, process));
        }
        decisions.extend(step.map(|step| step_decision(step, index, excess)));
    }
    if let Some(limit) = check.total {
        let mut further = decide_total(rules, memory, check, limit, &remaining, &touched);
        // That someone is left alone need not be said twice.
        let alone = |decision: &Decision| decision.left_alone();
        let named: HashSet<usize> = decisions.iter().filter_map(alone).collect();
        further.retain(|decision| alone(decision).is_none_or(|process| !named.contains(&process)));
        decisions.extend(further);
    }
    decisions
}

fn step_decision(step: Step, process: usize, excess: Excess) -> Decision {
    match step {
        Step::Act => Decision::Act { process, excess },
        Step::Spare(why) => Decision::Spare { process, why },
        Step::GiveUp { rest } => Decision::GiveUp { process, excess, rest },
    }
}

/// Decides about the sum over `remaining`, which nothing is done about yet; of the groups in `touched`
/// something is.
fn decide_total(
    rules: &Rules,
    memory: &mut Memory,
    check: Check<'_>,
    limit: u64,
    remaining: &[(usize, &Measured)],
    touched: &HashSet<&str>,
) -> Vec<Decision> {
    let sum = remaining.iter().fold(0u64, |sum, (_, process)| sum.saturating_add(process.bytes));
    let checks = memory.weigh_total(rules, sum > limit);
    let mut decisions = vec![Decision::Total { sum, limit, checks }];
    if checks < rules.threshold.failures || memory.total.is_told() {
        return decisions;
    }
    let Memory { tracker, total } = memory;
    let is_candidate = |process: &Measured| {
        !tracker.is_young(rules, &process.instance) && !check.is_stopping(process)
    };
    let candidates = remaining.iter().filter(|(_, process)| is_candidate(process));
    // Of equally large ones the first.
    let Some((index, process)) = candidates.min_by_key(|(_, process)| Reverse(process.bytes))
    else {
        return decisions;
    };
    let (process, index, excess) = (*process, *index, Excess::Total { sum, limit });
    let group = process.instance.group.as_str();
    let is_others_turn = rules.staggers()
        && (touched.contains(group) || check.situation().is_group_down(&process.instance));
    decisions.push(match tracker.allow(rules, check.now, &process.instance) {
        Allowance::Enough if is_others_turn => {
            Decision::Spare { process: index, why: SkipReason::Staggered }
        }
        Allowance::Enough => {
            total.clear(rules.only_tell);
            if !rules.only_tell {
                tracker.act(rules, check.now, &process.namespec(), &process.instance);
            }
            Decision::Act { process: index, excess }
        }
        Allowance::Spent(rest) => Decision::GiveUp { process: index, excess, rest },
        Allowance::None(rest) => {
            Decision::Spare { process: index, why: SkipReason::LeftAlone { rest } }
        }
    });
    decisions
}

impl Memory {
    /// Counts a check of everything together, and returns in how many it was over.
    fn weigh_total(&mut self, rules: &Rules, over: bool) -> u32 {
        if over {
            return self.total.fail(rules.threshold);
        }
        self.total.succeed(rules.threshold);
        0
    }

    /// In how many checks a process was over a limit.
    pub(crate) fn checks(&self, rules: &Rules, namespec: &str) -> u32 {
        self.tracker.failures(namespec, rules.threshold)
    }
}

impl<'a> Check<'a> {
    fn situation(self) -> Situation<'a> {
        let (now, down) = (self.now, self.down);
        Situation { now, down, checks: &[], selected: self.processes.len(), not_running: 0 }
    }

    /// A process as a check of its own.
    fn of(self, process: &'a Measured, verdict: &Verdict) -> Checked<'a> {
        let condition =
            if self.is_stopping(process) { Condition::Stopping } else { Condition::Running };
        let candidate = Candidate { process: &process.instance, condition, weight: process.bytes };
        Checked {
            key: process.namespec(),
            finding: if verdict.over.is_some() { Finding::Bad } else { Finding::Good },
            is_own: true,
            candidates: vec![candidate],
        }
    }

    fn is_stopping(&self, process: &Measured) -> bool {
        let mut stopping = self.stopping.iter();
        let Measured { instance, .. } = process;
        stopping.any(|(group, name)| *group == instance.group && *name == instance.name)
    }
}

impl Decision {
    /// The process, if enough was done about it.
    fn left_alone(&self) -> Option<usize> {
        match self {
            Self::GiveUp { process, .. }
            | Self::Spare { process, why: SkipReason::LeftAlone { .. } } => Some(*process),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "decide/decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decide/decide_stories_tests.rs"]
mod stories;
