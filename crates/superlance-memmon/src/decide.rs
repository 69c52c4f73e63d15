//! Decisions: which processes are over a limit, for how long, and whether to act on them. Pure.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
pub(crate) mod amount;
pub(crate) mod limits;
pub(crate) mod rules;
pub(crate) mod tracker;

use self::limits::{Verdict, verdict};
use self::rules::{Excess, Measured, Rules, SkipReason};
use self::tracker::{Allowance, Standing, Tracker};

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

/// Decides about a check; `past` is what is remembered of earlier ones.
///
/// Who is over a limit of its own comes first, in the order of the processes. Then, if the others are
/// together over the total, the largest of them.
pub(crate) fn decide(rules: &Rules, tracker: &mut Tracker, check: Check<'_>) -> Vec<Decision> {
    let processes = check.processes;
    tracker.meet(processes);
    let verdicts = processes.iter().map(|process| verdict(&process.limits, process.bytes));
    let verdicts: Vec<Verdict> = verdicts.collect();
    let standings = processes.iter().zip(&verdicts);
    let standings = standings.map(|(process, verdict)| match verdict.over {
        Some(_) if check.is_stopping(process) => Standing::SkipReason(SkipReason::Stopping),
        over => tracker.weigh(rules, check.now, process, over),
    });
    let standings: Vec<Standing> = standings.collect();
    let turns = turns(rules, check, &standings);

    let mut decisions = Vec::new();
    let mut remaining = Vec::new();
    for (index, process) in processes.iter().enumerate() {
        let (Some(verdict), Some(standing)) = (verdicts.get(index), standings.get(index)) else {
            continue;
        };
        decisions.push(Decision::Compared { process: index, times: verdict.compared });
        let excess = Excess::Own { limit: verdict.over.unwrap_or_default() };
        let decision = match *standing {
            Standing::Fine => None,
            Standing::SkipReason(why) => Some(Decision::Spare { process: index, why }),
            Standing::Spent(rest) => Some(Decision::GiveUp { process: index, excess, rest }),
            Standing::Due if !turns.contains(&index) => {
                Some(Decision::Spare { process: index, why: SkipReason::Staggered })
            }
            Standing::Due => {
                tracker.act(rules, check.now, process);
                Some(Decision::Act { process: index, excess })
            }
        };
        // Telling about a process frees nothing.
        if rules.only_tell || !matches!(decision, Some(Decision::Act { .. })) {
            remaining.push((index, process));
        }
        decisions.extend(decision);
    }
    if let Some(limit) = check.total {
        let touched = turns.iter().filter_map(|index| Some(processes.get(*index)?.group.as_str()));
        let mut further =
            decide_total(rules, tracker, check, limit, &remaining, &touched.collect());
        // That someone is left alone need not be said twice.
        let alone = |decision: &Decision| decision.left_alone();
        let named: HashSet<usize> = decisions.iter().filter_map(alone).collect();
        further.retain(|decision| alone(decision).is_none_or(|process| !named.contains(&process)));
        decisions.extend(further);
    }
    decisions
}

/// Who of those that something is due about has its turn: all of them, or the largest of each group
/// that runs.
fn turns(rules: &Rules, check: Check<'_>, standings: &[Standing]) -> HashSet<usize> {
    let due = (0..).zip(check.processes.iter().zip(standings));
    let due = due.filter(|(_, (_, standing))| **standing == Standing::Due);
    if !rules.staggers() {
        return due.map(|(index, _)| index).collect();
    }
    let mut largest: HashMap<&str, (usize, u64)> = HashMap::new();
    for (index, (process, _)) in due.filter(|(_, (process, _))| !check.is_group_down(process)) {
        let turn = largest.entry(&process.group).or_insert((index, process.bytes));
        if process.bytes > turn.1 {
            *turn = (index, process.bytes);
        }
    }
    largest.into_values().map(|(index, _)| index).collect()
}

/// Decides about the sum over `remaining`, which nothing is done about yet; of the groups in `touched`
/// something is.
fn decide_total(
    rules: &Rules,
    tracker: &mut Tracker,
    check: Check<'_>,
    limit: u64,
    remaining: &[(usize, &Measured)],
    touched: &HashSet<&str>,
) -> Vec<Decision> {
    let sum = remaining.iter().fold(0u64, |sum, (_, process)| sum.saturating_add(process.bytes));
    let checks = tracker.weigh_total(sum > limit);
    let mut decisions = vec![Decision::Total { sum, limit, checks }];
    if checks < rules.checks || tracker.is_total_told() {
        return decisions;
    }
    let is_candidate = |process| !rules.is_young(process) && !check.is_stopping(process);
    let candidates = remaining.iter().filter(|(_, process)| is_candidate(process));
    // Of equally large ones the first.
    let Some((index, process)) = candidates.min_by_key(|(_, process)| Reverse(process.bytes))
    else {
        return decisions;
    };
    let (process, index, excess) = (*process, *index, Excess::Total { sum, limit });
    let is_others_turn = rules.staggers()
        && (touched.contains(process.group.as_str()) || check.is_group_down(process));
    decisions.push(match tracker.allow(rules, check.now, process) {
        Allowance::Enough if is_others_turn => {
            Decision::Spare { process: index, why: SkipReason::Staggered }
        }
        Allowance::Enough => {
            tracker.act_on_total(rules, check.now, process);
            Decision::Act { process: index, excess }
        }
        Allowance::Spent(rest) => Decision::GiveUp { process: index, excess, rest },
        Allowance::None(rest) => {
            Decision::Spare { process: index, why: SkipReason::LeftAlone { rest } }
        }
    });
    decisions
}

impl Check<'_> {
    fn is_stopping(&self, process: &Measured) -> bool {
        let mut stopping = self.stopping.iter();
        stopping.any(|(group, name)| *group == process.group && *name == process.name)
    }

    /// Whether another process of its group does not run, and should.
    fn is_group_down(&self, process: &Measured) -> bool {
        let mut down = self.down.iter();
        down.any(|(group, name)| *group == process.group && *name != process.name)
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
