//! Which limits a process has, and whether it is over one. Pure.

use std::collections::BTreeMap;

use superlance_core::selector::{Names, Selector};
use superlance_core::supervisor::ProcessInfo;

use crate::options::Limit;

/// The limits of the command line.
#[derive(Debug)]
pub(crate) struct Limits {
    /// By the text of their selectors, which is the order in which the log names them.
    programs: BTreeMap<String, (Selector, u64)>,
    groups: BTreeMap<String, (Selector, u64)>,
    any: Option<u64>,
}

/// What comparing a process with its limits came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Limits compared with, up to the first that is exceeded; the log has a line for each.
    pub(crate) compared: usize,
    /// Whether the last of them is exceeded.
    pub(crate) over: bool,
}

impl Limits {
    /// Of several limits for the same selector, the last counts.
    pub(crate) fn new(programs: &[Limit], groups: &[Limit], any: Option<u64>) -> Self {
        let by_text = |limits: &[Limit]| {
            let entry = |limit: &Limit| {
                (limit.selector.as_str().to_owned(), (limit.selector.clone(), limit.size))
            };
            limits.iter().map(entry).collect()
        };
        Self { programs: by_text(programs), groups: by_text(groups), any }
    }

    /// Whether there is a process that this could be about.
    pub(crate) fn concern(&self, process: &ProcessInfo) -> bool {
        self.of(process).next().is_some()
    }

    /// Compares a process that uses `bytes` with every limit it has. Only more than a limit is over.
    pub(crate) fn verdict(&self, process: &ProcessInfo, bytes: u64) -> Verdict {
        let mut compared = 0;
        for limit in self.of(process) {
            compared += 1;
            if bytes > limit {
                return Verdict { compared, over: true };
            }
        }
        Verdict { compared, over: false }
    }

    /// The limits of a process: by its name, by `group:name`, by its group, by `-a`, in this order.
    /// Where an exact name is given, patterns that also match do not count.
    fn of<'a>(&'a self, process: &'a ProcessInfo) -> impl Iterator<Item = u64> + 'a {
        let names = Names { group: &process.group, process: &process.name };
        let exact = |name: &str| self.programs.get(name).map(|(_, limit)| *limit);
        let by_name = [exact(&process.name), exact(&process.namespec())];
        let is_named = by_name.iter().any(Option::is_some);
        let by_pattern = self
            .programs
            .values()
            .filter(move |(selector, _)| !is_named && selector.matches(names))
            .map(|(_, limit)| *limit);
        let group = match self.groups.get(&process.group) {
            Some((_, limit)) => vec![*limit],
            None => {
                let matching =
                    self.groups.values().filter(|(s, _)| s.matches_group(&process.group));
                matching.map(|(_, limit)| *limit).collect()
            }
        };
        by_name.into_iter().flatten().chain(by_pattern).chain(group).chain(self.any)
    }

    /// What the log says at the beginning of a check, as the original says it.
    pub(crate) fn describe(&self) -> String {
        let list = |kind: &str, limits: &BTreeMap<String, (Selector, u64)>| {
            let pairs: Vec<_> =
                limits.iter().map(|(name, (_, size))| format!("{name}={size}")).collect();
            (!pairs.is_empty()).then(|| format!("Checking {kind} {}", pairs.join(", ")))
        };
        let any = self.any.map(|size| format!("Checking any={size}"));
        let lines = [list("programs", &self.programs), list("groups", &self.groups), any];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
