//! Decisions: for which checks that fail something is done, and about which processes. Pure.

pub mod row;
pub mod rules;
pub mod tracker;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use superlance_core::supervisor::State;

use self::rules::{Rules, SkipReason};
use self::tracker::{Allowance, Tracker};
use crate::instance::Instance;

/// What there is to decide about.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    pub now: Instant,
    pub checks: &'a [Checked<'a>],
    /// Group and name of processes that do not run, and should: touching another one of the group could
    /// leave none of it.
    pub down: &'a [(String, String)],
    /// How many processes there are that might be acted on, and how many of them do not run.
    pub selected: usize,
    pub not_running: usize,
}

/// Something that was checked, with the processes that it stands for.
#[derive(Debug)]
pub struct Checked<'a> {
    /// Its name from tick to tick.
    pub key: String,
    pub finding: Finding,
    /// Whether it is about its one process alone, so that its failures are those of an instance.
    pub is_own: bool,
    pub candidates: Vec<Candidate<'a>>,
}

/// What a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    Good,
    Bad,
    /// Nothing that counts.
    Unclear,
    /// There was nothing to check, as its process does not run.
    Absent,
}

/// A process about which something may be done.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    pub process: &'a Instance,
    pub condition: Condition,
    /// Of those of a group the one with the most has its turn first.
    pub weight: u64,
}

/// The condition of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Running,
    /// It is being started, so nothing is done about it, and it may be too young for its check to count.
    Starting,
    /// It is being stopped, which may take minutes, or never end.
    Stopping,
    /// It does not run, and would be started.
    Startable,
}

/// Whether a process in this state does not run, and should: it is being started or stopped, or could not
/// be started.
#[must_use]
pub fn is_down(state: State) -> bool {
    matches!(state, State::Starting | State::Stopping | State::Backoff | State::Fatal)
}

/// What is decided about a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    pub standing: Standing,
    /// What is decided about each candidate; nothing where there is nothing to say about it.
    pub steps: Vec<Option<Step>>,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is to be said of it: it is good or unclear, or people were told.
    Quiet,
    /// It failed, which does not count: its processes are young, or being stopped.
    Excused,
    /// It has failed so many times, which is not enough.
    Waiting { failures: u32 },
    /// It has failed often enough.
    Due { failures: u32 },
}

/// What is decided about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Act,
    Spare(SkipReason),
    /// Enough was done about it: people are told, and it is left alone for this time.
    GiveUp {
        rest: Duration,
    },
}

/// What is decided in a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decisions {
    /// One for each check.
    pub rulings: Vec<Ruling>,
    /// Too many would have been unavailable at once: so many.
    pub guarded: Option<usize>,
}

/// Decides about checks; `tracker` is what is remembered of earlier ones.
pub fn decide(rules: &Rules, tracker: &mut Tracker, situation: &Situation<'_>) -> Decisions {
    tracker.meet(rules, situation.now, situation.checks);
    let checks = situation.checks.iter();
    let mut rulings: Vec<Ruling> =
        checks.map(|check| check.rule(rules, tracker, situation.now)).collect();
    if rules.staggers() {
        take_turns(situation, &mut rulings);
    }
    let guarded = guard(rules, situation, &mut rulings);
    for (check, ruling) in situation.checks.iter().zip(&rulings) {
        if rules.only_tell && matches!(ruling.standing, Standing::Due { .. }) {
            tracker.row(&check.key).clear(true);
        }
        for candidate in check.acted_on(ruling) {
            tracker.act(rules, situation.now, &check.key, candidate.process);
        }
    }
    Decisions { rulings, guarded }
}

impl<'a> Checked<'a> {
    /// Pid and start of the instance whose failures these are.
    pub(crate) fn instance(&self) -> Option<(u32, i64)> {
        let own = self.candidates.first().filter(|_| self.is_own)?;
        Some(own.process.identity())
    }

    /// The candidates that are acted on.
    pub fn acted_on<'b>(
        &'b self,
        ruling: &'b Ruling,
    ) -> impl Iterator<Item = &'b Candidate<'a>> + 'b {
        let steps = self.candidates.iter().zip(&ruling.steps);
        steps.filter(|(_, step)| **step == Some(Step::Act)).map(|(candidate, _)| candidate)
    }

    /// Whether its failure does not count: all its processes are young, or being stopped.
    #[must_use]
    pub fn is_excused(&self, rules: &Rules, tracker: &Tracker) -> bool {
        let mut candidates = self.candidates.iter();
        candidates.len() > 0 && candidates.all(|one| one.excuse(rules, tracker).is_some())
    }

    fn rule(&self, rules: &Rules, tracker: &mut Tracker, now: Instant) -> Ruling {
        let failures = match self.finding {
            Finding::Unclear => return self.alike(Standing::Quiet, None),
            Finding::Good => {
                tracker.row(&self.key).succeed(rules.threshold);
                self.running().for_each(|process| tracker.prove(process));
                return self.alike(Standing::Quiet, None);
            }
            Finding::Absent => rules.threshold.failures,
            Finding::Bad => {
                if self.is_excused(rules, tracker) {
                    let excuses = self.candidates.iter().map(|one| one.excuse(rules, tracker));
                    let steps = excuses.map(|why| why.map(Step::Spare)).collect();
                    return Ruling { standing: Standing::Excused, steps };
                }
                tracker.row(&self.key).fail(rules.threshold)
            }
        };
        if tracker.row(&self.key).is_told() {
            return self.alike(Standing::Quiet, None);
        }
        if failures < rules.threshold.failures {
            let waits = Step::Spare(SkipReason::Waiting { checks: failures });
            return self.alike(Standing::Waiting { failures }, Some(waits));
        }
        let steps = self.candidates.iter().map(|one| one.step(rules, tracker, now));
        Ruling { standing: Standing::Due { failures }, steps: steps.collect() }
    }

    /// The same for each candidate.
    fn alike(&self, standing: Standing, step: Option<Step>) -> Ruling {
        Ruling { standing, steps: vec![step; self.candidates.len()] }
    }

    fn running(&self) -> impl Iterator<Item = &'a Instance> + '_ {
        let running = self.candidates.iter().filter(|one| one.condition == Condition::Running);
        running.map(|one| one.process)
    }
}

impl Candidate<'_> {
    /// Why its check need not be good.
    fn excuse(&self, rules: &Rules, tracker: &Tracker) -> Option<SkipReason> {
        match self.condition {
            Condition::Stopping => Some(SkipReason::Stopping),
            Condition::Startable => None,
            Condition::Running | Condition::Starting => tracker
                .is_young(rules, self.process)
                .then_some(SkipReason::Young { uptime: self.process.uptime }),
        }
    }

    /// What is decided about it when its check has failed often enough.
    fn step(&self, rules: &Rules, tracker: &mut Tracker, now: Instant) -> Option<Step> {
        if let Some(why) = self.excuse(rules, tracker) {
            return Some(Step::Spare(why));
        }
        if self.condition == Condition::Starting {
            return None;
        }
        Some(match tracker.allow(rules, now, self.process) {
            Allowance::Enough => Step::Act,
            Allowance::Spent(rest) => Step::GiveUp { rest },
            Allowance::None(rest) => Step::Spare(SkipReason::LeftAlone { rest }),
        })
    }
}

/// Leaves one of each group that runs its turn. A start takes nothing away, so it needs none.
fn take_turns(situation: &Situation<'_>, rulings: &mut [Ruling]) {
    let mut first: HashMap<String, (&Candidate<'_>, usize)> = HashMap::new();
    for (index, candidate) in touched(situation, rulings) {
        if situation.is_group_down(candidate.process) {
            continue;
        }
        let turn = first.entry(candidate.process.group.clone()).or_insert((candidate, index));
        if candidate.weight > turn.0.weight {
            *turn = (candidate, index);
        }
    }
    let turns: HashSet<usize> = first.into_values().map(|(_, index)| index).collect();
    spare(situation, rulings, SkipReason::Staggered, |index| !turns.contains(&index));
}

/// Touches none where too many would be unavailable; returns how many.
fn guard(rules: &Rules, situation: &Situation<'_>, rulings: &mut [Ruling]) -> Option<usize> {
    let limit = rules.max_unavailable.filter(|_| !rules.only_tell)?.of(situation.selected);
    let touched = touched(situation, rulings);
    let names: HashSet<_> = touched.iter().map(|(_, one)| one.process.namespec()).collect();
    let unavailable = names.len() + situation.not_running;
    if names.is_empty() || unavailable <= limit {
        return None;
    }
    spare(situation, rulings, SkipReason::Guarded, |_| true);
    Some(unavailable)
}

/// The running processes that are acted on, numbered through all checks.
fn touched<'a>(situation: &Situation<'a>, rulings: &[Ruling]) -> Vec<(usize, &'a Candidate<'a>)> {
    let candidates = situation.checks.iter().flat_map(|check| &check.candidates);
    let steps = rulings.iter().flat_map(|ruling| &ruling.steps);
    let acts = candidates.zip(steps).enumerate().filter(|(_, (candidate, step))| {
        candidate.condition == Condition::Running && **step == Some(Step::Act)
    });
    acts.map(|(index, (candidate, _))| (index, candidate)).collect()
}

/// Spares those of the [`touched`] whose index `which` accepts.
fn spare(
    situation: &Situation<'_>,
    rulings: &mut [Ruling],
    why: SkipReason,
    which: impl Fn(usize) -> bool,
) {
    let spared: HashSet<usize> = touched(situation, rulings)
        .into_iter()
        .map(|(index, _)| index)
        .filter(|index| which(*index))
        .collect();
    let steps = rulings.iter_mut().flat_map(|ruling| &mut ruling.steps).enumerate();
    for (_, step) in steps.filter(|(index, _)| spared.contains(index)) {
        *step = Some(Step::Spare(why));
    }
}

impl Situation<'_> {
    /// Whether another process of its group does not run, and should.
    #[must_use]
    pub fn is_group_down(&self, process: &Instance) -> bool {
        let mut down = self.down.iter();
        down.any(|(group, name)| *group == process.group && *name != process.name)
    }
}

#[cfg(test)]
#[path = "decide/decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decide/model_tests.rs"]
mod model;
