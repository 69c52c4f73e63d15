//! The state of each process from check to check. Pure.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::rules::{Measured, Rules, SkipReason};

/// What is remembered of all processes.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    /// By `group:name`.
    records: HashMap<String, Record>,
    /// Checks in a row in which everything together was over its limit.
    total_checks: u32,
    /// Whether people were told of that, and nothing else is done.
    total_told: bool,
}

#[derive(Debug, Default)]
struct Record {
    /// Pid and start of the instance that the next two are about.
    instance: (u32, i64),
    /// Checks in a row in which it was over a limit, since something was done about it.
    checks: u32,
    /// Whether people were told that it is over, and nothing else is done.
    told: bool,
    /// When something was done about it, of all instances.
    acts: Vec<Instant>,
    /// Until when enough was done.
    alone_until: Option<Instant>,
}

/// How a process stands in a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is to be said of it.
    Fine,
    /// It is over, and left alone for this reason.
    SkipReason(SkipReason),
    /// It is over, and as of now enough was done about it; for this time.
    Spent(Duration),
    /// Something is to be done about it.
    Due,
}

/// Whether something may be done about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Yes.
    Enough,
    /// Not any more, as of now; for this time.
    Spent(Duration),
    /// Not for this time yet.
    None(Duration),
}

impl Tracker {
    /// Takes note of who is there: a new instance of a process begins anew, and so does who was not
    /// there; what was done about a process is remembered as long as it counts.
    pub(crate) fn meet(&mut self, processes: &[Measured]) {
        for process in processes {
            let record = self.records.entry(process.namespec()).or_default();
            let instance = (process.pid, process.start);
            if record.instance != instance {
                (record.instance, record.checks, record.told) = (instance, 0, false);
            }
        }
        let there: HashSet<String> = processes.iter().map(Measured::namespec).collect();
        self.records.retain(|name, record| {
            let is_there = there.contains(name);
            if !is_there {
                (record.checks, record.told) = (0, false);
            }
            is_there || !record.acts.is_empty()
        });
    }

    /// How a process stands that is over this limit, or over none.
    pub(crate) fn weigh(
        &mut self,
        rules: &Rules,
        now: Instant,
        process: &Measured,
        over: Option<u64>,
    ) -> Standing {
        let record = self.records.entry(process.namespec()).or_default();
        if over.is_none() {
            (record.checks, record.told) = (0, false);
            return Standing::Fine;
        }
        if rules.is_young(process) {
            return Standing::SkipReason(SkipReason::Young { uptime: process.uptime });
        }
        record.checks = record.checks.saturating_add(1);
        if record.told {
            return Standing::Fine;
        }
        if record.checks < rules.checks {
            return Standing::SkipReason(SkipReason::Waiting { checks: record.checks });
        }
        match record.allow(rules, now) {
            Allowance::Enough => Standing::Due,
            Allowance::Spent(rest) => Standing::Spent(rest),
            Allowance::None(rest) => Standing::SkipReason(SkipReason::LeftAlone { rest }),
        }
    }

    /// Counts a check of everything together, and returns how many it has been over in a row.
    pub(crate) fn weigh_total(&mut self, over: bool) -> u32 {
        self.total_checks = if over { self.total_checks.saturating_add(1) } else { 0 };
        self.total_told &= over;
        self.total_checks
    }

    /// Whether people were told that everything together is over, and that is all.
    pub(crate) fn is_total_told(&self) -> bool {
        self.total_told
    }

    /// Whether something may be done about a process.
    pub(crate) fn allow(&mut self, rules: &Rules, now: Instant, process: &Measured) -> Allowance {
        self.records.entry(process.namespec()).or_default().allow(rules, now)
    }

    /// Something is done about a process.
    pub(crate) fn act(&mut self, rules: &Rules, now: Instant, process: &Measured) {
        let record = self.records.entry(process.namespec()).or_default();
        record.checks = 0;
        if rules.only_tell {
            record.told = true;
        } else if rules.budget.is_some() {
            record.acts.push(now);
        }
    }

    /// Something is done about a process because of everything together.
    pub(crate) fn act_on_total(&mut self, rules: &Rules, now: Instant, process: &Measured) {
        self.total_checks = 0;
        if rules.only_tell {
            self.total_told = true;
        } else {
            self.act(rules, now, process);
        }
    }

    /// Checks in a row in which a process was over a limit.
    pub(crate) fn checks(&self, namespec: &str) -> u32 {
        self.records.get(namespec).map_or(0, |record| record.checks)
    }
}

impl Record {
    /// A process about which something was done too often is left alone for as long as the budget
    /// counts, from the last time on. Then the budget is whole again.
    fn allow(&mut self, rules: &Rules, now: Instant) -> Allowance {
        let Some(budget) = rules.budget.filter(|_| !rules.only_tell) else {
            return Allowance::Enough;
        };
        if let Some(until) = self.alone_until {
            if until > now {
                return Allowance::None(until.saturating_duration_since(now));
            }
            self.alone_until = None;
        }
        self.acts.retain(|act| now.saturating_duration_since(*act) < budget.within);
        match self.acts.last() {
            Some(last) if self.acts.len() >= budget.times => {
                let until = *last + budget.within;
                self.alone_until = Some(until);
                Allowance::Spent(until.saturating_duration_since(now))
            }
            _ => Allowance::Enough,
        }
    }
}
