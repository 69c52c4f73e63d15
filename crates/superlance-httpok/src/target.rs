//! Targets of checks as the shared decision sees them. Pure.

use std::time::Instant;

use superlance_action::decide::tracker::Tracker;
use superlance_action::decide::{Candidate, Checked, Condition, Finding};
use superlance_action::instance::Instance;
use superlance_core::listener::alert::process_key;
use superlance_core::supervisor::{ProcessInfo, State};

use crate::plan::Probed;
use crate::round::Judgement;

/// What is checked together, with the processes that it stands for.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// Whether it is one process, as with `--each`.
    pub(crate) each: bool,
    /// Its checks; none where the process does not run.
    pub(crate) round: &'a [Probed],
    pub(crate) judgement: Judgement<'a>,
    pub(crate) processes: &'a [(ProcessInfo, Instance)],
}

/// What is known of processes besides what supervisord says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knowledge<'a> {
    pub(crate) now: Instant,
    pub(crate) tracker: &'a Tracker,
    /// The states in which processes are started.
    pub(crate) start: &'a [State],
    /// The processes that are owed a start anyway, by `group:name`.
    pub(crate) owed: &'a [String],
}

impl<'a> Target<'a> {
    /// Its name from tick to tick.
    pub(crate) fn key(&self) -> String {
        match self.own() {
            Some(process) => process.namespec(),
            None => String::new(),
        }
    }

    /// The process that it is about, with `--each`.
    pub(crate) fn own(&self) -> Option<&'a ProcessInfo> {
        self.processes.first().filter(|_| self.each).map(|(info, _)| info)
    }

    /// What recovers when this URL answers well again.
    pub(crate) fn recovery_key(&self, url: &str) -> String {
        match self.own() {
            Some(process) => process_key(&process.group, &process.name),
            None => url.to_owned(),
        }
    }

    /// What answers well, and in which words.
    pub(crate) fn good(&self) -> Vec<(String, String)> {
        let good = self.round.iter().filter(|probed| probed.is_good());
        let good = good.map(|probed| (self.recovery_key(&probed.url), probed.again()));
        match (&self.judgement, self.each) {
            (Judgement::Good, true) => good.take(1).collect(),
            (_, true) => Vec::new(),
            (_, false) => good.collect(),
        }
    }

    /// The check, for the decision.
    pub(crate) fn checked(&self, knowledge: Knowledge<'_>) -> Checked<'a> {
        let finding = match self.judgement {
            _ if self.round.is_empty() => Finding::Absent,
            Judgement::Good => Finding::Good,
            Judgement::Failed(_) => Finding::Bad,
            Judgement::Uncounted(_) | Judgement::Unknown => Finding::Unclear,
        };
        let candidate = |(info, process): &'a (ProcessInfo, Instance)| {
            let condition = knowledge.condition(info)?;
            Some(Candidate { process, condition, weight: knowledge.weight(process) })
        };
        let candidates = self.processes.iter().filter_map(candidate).collect();
        Checked { key: self.key(), finding, is_own: self.each, candidates }
    }
}

impl Knowledge<'_> {
    /// The condition of a process about which something may be done.
    pub(crate) fn condition(self, info: &ProcessInfo) -> Option<Condition> {
        match info.state {
            State::Running => Some(Condition::Running),
            State::Starting | State::Backoff => Some(Condition::Starting),
            state if self.start.contains(&state) && !self.owed.contains(&info.namespec()) => {
                Some(Condition::Startable)
            }
            _ => None,
        }
    }

    /// The one about which nothing was done for longest has its turn first.
    fn weight(self, process: &Instance) -> u64 {
        self.tracker.last_act(&process.namespec()).map_or(u64::MAX, |act| {
            let since = self.now.saturating_duration_since(act);
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }
}
