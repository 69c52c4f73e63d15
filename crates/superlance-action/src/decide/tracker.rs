//! What is remembered from check to check. Pure.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::Checked;
use super::row::Row;
use super::rules::{Rules, Threshold};
use crate::instance::Instance;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is remembered of all checks and processes.
#[derive(Debug, Default)]
pub struct Tracker {
    /// By the key of the check.
    rows: HashMap<String, OwnedRow>,
    /// By `group:name`.
    processes: HashMap<String, Record>,
}

#[derive(Debug, Default)]
struct OwnedRow {
    row: Row,
    /// The instance that it is about, if it is about one.
    instance: Option<(u32, i64)>,
}

/// What is remembered of a process, of all its instances.
#[derive(Debug, Default)]
struct Record {
    /// The instance of which a check has succeeded.
    proven: Option<(u32, i64)>,
    /// When something was done about it, as long as that counts.
    acts: Vec<Instant>,
    /// When something was done about it last, whether that counts or not.
    last_act: Option<Instant>,
    /// Until when enough was done.
    alone_until: Option<Instant>,
}

/// Whether something may be done about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// Yes.
    Enough,
    /// Not any more, as of now; for this time.
    Spent(Duration),
    /// Not for this time yet.
    None(Duration),
}

impl Tracker {
    /// Takes note of what is checked: the row of a check begins anew with another instance, and so does
    /// one that was not made; what was done about a process is remembered as long as it counts, and for a
    /// day at least.
    pub(super) fn meet(&mut self, rules: &Rules, now: Instant, checks: &[Checked<'_>]) {
        let mut before = std::mem::take(&mut self.rows);
        for check in checks {
            let instance = check.instance();
            let old = before.remove(&check.key).filter(|row| row.instance == instance);
            let row = old.map(|old| old.row).unwrap_or_default();
            self.rows.insert(check.key.clone(), OwnedRow { row, instance });
        }
        let there = checks.iter().flat_map(|check| &check.candidates);
        let there: HashSet<String> = there.map(|candidate| candidate.process.namespec()).collect();
        let kept = rules.budget.map_or(DAY, |budget| budget.within.max(DAY));
        let is_recent = |act: Instant| now.saturating_duration_since(act) < kept;
        self.processes
            .retain(|name, record| there.contains(name) || record.last_act.is_some_and(is_recent));
    }

    pub(super) fn row(&mut self, key: &str) -> &mut Row {
        &mut self.rows.entry(key.to_owned()).or_default().row
    }

    fn process(&mut self, process: &Instance) -> &mut Record {
        self.processes.entry(process.namespec()).or_default()
    }

    /// A check of a process has succeeded.
    pub(super) fn prove(&mut self, process: &Instance) {
        self.process(process).proven = Some(process.identity());
    }

    /// Whether the process was started so recently that it is left alone.
    #[must_use]
    pub fn is_young(&self, rules: &Rules, process: &Instance) -> bool {
        // An uptime below zero is that of a clock that was set back.
        if u64::try_from(process.uptime).unwrap_or(0) >= rules.grace.as_secs() {
            return false;
        }
        let record = self.processes.get(&process.namespec()).filter(|_| rules.success_ends_grace);
        record.is_none_or(|record| record.proven != Some(process.identity()))
    }

    /// Whether something may be done about a process. One about which something was done too often is
    /// left alone for as long as the budget counts, from the last time on. Then the budget is whole again.
    pub fn allow(&mut self, rules: &Rules, now: Instant, process: &Instance) -> Allowance {
        let Some(budget) = rules.budget.filter(|_| !rules.only_tell) else {
            return Allowance::Enough;
        };
        let record = self.process(process);
        if let Some(until) = record.alone_until {
            if until > now {
                return Allowance::None(until.saturating_duration_since(now));
            }
            record.alone_until = None;
        }
        record.acts.retain(|act| now.saturating_duration_since(*act) < budget.within);
        match record.acts.last() {
            Some(last) if record.acts.len() >= budget.times => {
                let until = *last + budget.within;
                record.alone_until = Some(until);
                Allowance::Spent(until.saturating_duration_since(now))
            }
            _ => Allowance::Enough,
        }
    }

    /// Something is done about a process, so that the row of this check begins anew.
    pub fn act(&mut self, rules: &Rules, now: Instant, key: &str, process: &Instance) {
        self.row(key).clear(rules.only_tell);
        let record = self.process(process);
        record.last_act = Some(now);
        if rules.budget.is_some() && !rules.only_tell {
            record.acts.push(now);
        }
    }

    /// The failures that count in the row of a check.
    #[must_use]
    pub fn failures(&self, key: &str, threshold: Threshold) -> u32 {
        self.rows.get(key).map_or(0, |owned| owned.row.failures(threshold))
    }

    /// When something was done last about this process, `group:name`.
    #[must_use]
    pub fn last_act(&self, namespec: &str) -> Option<Instant> {
        self.processes.get(namespec)?.last_act
    }
}
