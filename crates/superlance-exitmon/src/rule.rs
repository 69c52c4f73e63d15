//! The rule: whether what happened to the watched processes ends supervisord. Pure.
//!
//! supervisord restarts what it restarts within its next loop, a second at most, and does not tell
//! whether it will. So an end counts when it has lasted for `--after`: [`Watch::hear`] notes events,
//! [`Watch::judge`] compares them with a look at all processes.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use litemap::LiteMap;
use superlance_action::decide::rules::Budget;
use superlance_core::protocol::event::ProcessState;
use superlance_core::supervisor::State;
use superlance_core::system::order;
use superlance_crash::trigger::{StateFilter, Trigger};

/// `--when`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// The first process that ends so.
    Any,
    /// The end of all that have run.
    All,
}

/// What the command line says about the end.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) on: StateFilter,
    pub(crate) when: When,
    pub(crate) max_exits: Option<Budget>,
    pub(crate) after: Duration,
}

/// Why a process is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Program,
    /// An event listener, with `--listeners`.
    Listener,
}

/// A watched process, as a look shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) state: State,
    /// Whether it was started since supervisord was.
    pub(crate) has_run: bool,
    /// When it ended or its last start failed, in seconds since 1970.
    pub(crate) ended: i64,
    /// How long ago it exited by supervisord's clock, where that is known.
    pub(crate) lasts: Option<Duration>,
    /// Whether its exit was not expected.
    pub(crate) failed: bool,
}

/// What ends supervisord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// This process came to this end.
    One { change: ProcessState, trigger: Trigger, role: Role },
    /// This one exited unexpectedly for the so manieth time.
    TooOften { change: ProcessState, count: usize, budget: Budget },
    /// All have ended; the first that failed, if one did.
    All { processes: Vec<Seen>, failed: Option<Seen> },
}

/// What a look leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// The processes that are no longer at their end, and where they are now.
    pub(crate) going_on: Vec<(ProcessState, Option<State>)>,
    pub(crate) end: Option<Cause>,
}

/// What is remembered of the watched processes.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The ends that may count, by `group:name`.
    candidates: LiteMap<String, Candidate>,
    /// The latest unexpected exits of each process.
    exits: HashMap<String, VecDeque<Instant>>,
    /// The processes that were heard to fail, in this order.
    failures: Vec<String>,
    /// The ends that were told: their states and times.
    told: HashMap<String, (State, i64)>,
    /// When to look whether all have ended.
    look: Option<Instant>,
    /// Since when all have ended.
    all_ended: Option<Instant>,
    all_told: bool,
}

/// An end that may count.
#[derive(Debug, Clone)]
struct Candidate {
    change: ProcessState,
    trigger: Trigger,
    role: Role,
    /// The number of unexpected exits, where those are too many: then it counts in any case.
    too_often: Option<usize>,
    due: Instant,
}

impl Rules {
    /// The events that ends are told by.
    pub(crate) fn events(&self) -> Vec<String> {
        match self.when {
            When::Any => self.on.events(),
            When::All => ["EXITED", "FATAL"].map(|state| format!("PROCESS_STATE_{state}")).into(),
        }
    }

    fn counts(&self, role: Role, trigger: Trigger) -> bool {
        match role {
            Role::Program => self.when == When::Any && self.on.contains(trigger),
            Role::Listener => matches!(trigger, Trigger::Fatal | Trigger::Unknown),
        }
    }
}

impl Seen {
    pub(crate) fn namespec(&self) -> String {
        format!("{}:{}", self.group, self.name)
    }

    /// The change of state that brought it here.
    pub(crate) fn change(&self) -> ProcessState {
        ProcessState {
            state: self.state,
            process: self.name.clone(),
            group: self.group.clone(),
            from_state: "unknown".to_owned(),
            pid: None,
            expected: (self.state == State::Exited).then_some(!self.failed),
            tries: None,
        }
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, State::Exited | State::Fatal | State::Stopped)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.state == State::Fatal || self.state == State::Exited && self.failed
    }
}

pub(crate) fn namespec(change: &ProcessState) -> String {
    format!("{}:{}", change.group, change.process)
}

impl Watch {
    /// Notes a change of state of a watched process; `true` if that is the end of an end.
    pub(crate) fn hear(
        &mut self,
        rules: &Rules,
        change: &ProcessState,
        role: Role,
        now: Instant,
    ) -> bool {
        let name = namespec(change);
        let trigger = Trigger::of(change);
        if matches!(trigger, Some(Trigger::Exited | Trigger::Fatal)) {
            self.failures.retain(|other| *other != name);
            self.failures.push(name.clone());
        }
        if rules.when == When::All && role == Role::Program {
            self.look = Some(now);
        }
        let too_often = match trigger {
            Some(Trigger::Exited) if role == Role::Program => self.count(rules, &name, now),
            _ => None,
        };
        let known = self.candidates.get(&name);
        if known.is_some_and(|known| known.too_often.is_some() || rules.after.is_zero()) {
            return false;
        }
        let counts = |trigger: &Trigger| too_often.is_some() || rules.counts(role, *trigger);
        let Some(trigger) = trigger.filter(counts) else {
            return self.candidates.remove(&name).is_some();
        };
        let after = if too_often.is_some() { Duration::ZERO } else { rules.after };
        let change = change.clone();
        let candidate = Candidate { change, trigger, role, too_often, due: now + after };
        self.candidates.insert(name, candidate);
        false
    }

    /// Counts an unexpected exit; the number if those are too many.
    fn count(&mut self, rules: &Rules, name: &str, now: Instant) -> Option<usize> {
        let budget = rules.max_exits?;
        let exits = self.exits.entry(name.to_owned()).or_default();
        exits.push_back(now);
        let old = |at: &Instant| now.saturating_duration_since(*at) > budget.within;
        while exits.front().is_some_and(old) || exits.len() > budget.times + 1 {
            exits.pop_front();
        }
        (exits.len() > budget.times).then_some(exits.len())
    }

    /// When the next look is due, if one is.
    pub(crate) fn deadline(&self, rules: &Rules) -> Option<Instant> {
        let all_ended = self.all_ended.filter(|_| !self.all_told).map(|since| since + rules.after);
        let due = self.candidates.values().map(|candidate| candidate.due);
        due.chain(self.look).chain(all_ended).min()
    }

    /// The processes as they were last heard of, where there is no other look.
    pub(crate) fn heard(&self) -> Vec<Seen> {
        let seen = |Candidate { change, role, .. }: &Candidate| Seen {
            group: change.group.clone(),
            name: change.process.clone(),
            role: *role,
            state: change.state,
            has_run: true,
            ended: 0,
            lasts: None,
            failed: change.is_unexpected_exit(),
        };
        self.candidates.values().map(seen).collect()
    }

    /// supervisord stops everything: what ends from now on, ends for that.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether supervisord is to end, as `look` shows all watched processes now.
    pub(crate) fn judge(&mut self, rules: &Rules, look: &[Seen], now: Instant) -> Judgement {
        self.find(rules, look, now);
        let mut judgement = Judgement::default();
        let mut due: Vec<_> =
            self.candidates.iter().filter(|(_, candidate)| candidate.due <= now).collect();
        order::sort_by_key(&mut due, |(_, candidate)| candidate.due);
        let due: Vec<String> = due.into_iter().map(|(name, _)| name.clone()).collect();
        for name in due {
            let Some(candidate) = self.candidates.remove(&name) else { continue };
            let seen = look.iter().find(|seen| seen.namespec() == name);
            let state = seen.map(|seen| seen.state);
            let is_there = state == Some(candidate.trigger.state());
            let counts = candidate.too_often.is_some() || rules.after.is_zero();
            // A later exit than that of the event, which is still to come.
            let lasts = seen.and_then(|seen| seen.lasts).filter(|lasts| *lasts < rules.after);
            if let Some(lasts) = lasts.filter(|_| is_there && !counts) {
                let due = now + (rules.after - lasts);
                self.candidates.insert(name, Candidate { due, ..candidate });
                continue;
            }
            if is_there || counts {
                if let Some(seen) = seen {
                    self.told.insert(name, (seen.state, seen.ended));
                }
                judgement.end = Some(candidate.cause(rules));
                return judgement;
            }
            judgement.going_on.push((candidate.change, state));
        }
        self.look = None;
        judgement.end = self.all(rules, look, now);
        judgement
    }

    /// Notes ends of which no event came: those before the start, and those whose event was lost.
    fn find(&mut self, rules: &Rules, look: &[Seen], now: Instant) {
        for seen in look {
            let (name, change) = (seen.namespec(), seen.change());
            let trigger = Trigger::of(&change).filter(|trigger| {
                rules.counts(seen.role, *trigger) && *trigger != Trigger::Stopped
            });
            let is_told = self.told.get(&name) == Some(&(seen.state, seen.ended));
            let Some(trigger) = trigger.filter(|_| !is_told) else { continue };
            self.candidates.entry(name).or_insert(Candidate {
                change,
                trigger,
                role: seen.role,
                too_often: None,
                due: now + rules.after,
            });
        }
    }

    /// The end of all, with `--when all`.
    fn all(&mut self, rules: &Rules, look: &[Seen], now: Instant) -> Option<Cause> {
        if rules.when != When::All {
            return None;
        }
        let ran = look.iter().filter(|seen| seen.role == Role::Program && seen.has_run);
        let processes: Vec<_> = ran.cloned().collect();
        if processes.is_empty() || !processes.iter().all(Seen::has_ended) {
            (self.all_ended, self.all_told) = (None, false);
            return None;
        }
        let since = *self.all_ended.get_or_insert(now);
        if self.all_told || now < since + rules.after {
            return None;
        }
        self.all_told = true;
        // supervisord's times are whole seconds.
        let heard = |seen: &Seen| {
            let name = seen.namespec();
            self.failures.iter().position(|other| *other == name).unwrap_or(usize::MAX)
        };
        let failed = processes.iter().filter(|seen| seen.has_failed());
        let failed = failed.min_by_key(|seen| (seen.ended, heard(seen))).cloned();
        Some(Cause::All { processes, failed })
    }
}

impl Candidate {
    fn cause(self, rules: &Rules) -> Cause {
        let Self { change, trigger, role, too_often, .. } = self;
        match (too_often, rules.max_exits) {
            (Some(count), Some(budget)) => Cause::TooOften { change, count, budget },
            _ => Cause::One { change, trigger, role },
        }
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
