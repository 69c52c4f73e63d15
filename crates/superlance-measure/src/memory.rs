//! The memory of processes, from `/proc` or ps(1).

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::metric::{Metric, Needs, Unavailable, Usage};
use crate::proc::Proc;
use crate::ps;
use crate::tree::families;

/// Where the numbers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// A procfs mounted here. Linux only.
    Proc(PathBuf),
    /// ps(1), once for all processes. It knows the resident set only.
    Ps,
}

/// How much memory a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Itself.
    pub alone: Usage,
    /// With all its descendants, if they were asked for; otherwise the same.
    pub family: Usage,
}

impl Reading {
    /// Whether the process has no memory: it is just starting, or has ended and is not reaped yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.alone.is_empty()
    }

    /// The number that memmon compares with limits: of this kind, with or without descendants.
    ///
    /// # Errors
    /// When it could not be read, was not asked for, or the process has no memory.
    pub fn of(&self, metric: Metric, cumulative: bool) -> Result<u64, Unavailable> {
        if self.is_empty() {
            return Err(Unavailable::NoMemory);
        }
        if cumulative { self.family.get(metric) } else { self.alone.get(metric) }
    }
}

/// Readings by process id. Processes that are gone are missing.
pub type Readings = HashMap<u32, Reading>;

impl Memory {
    /// What this system has.
    #[must_use]
    pub fn of_this_system() -> Self {
        match cfg!(target_os = "linux") {
            true => Self::Proc(PathBuf::from("/proc")),
            false => Self::Ps,
        }
    }

    /// Reads the memory of `pids` in one pass, each process once; with `descendants`, also that of
    /// their families. What no metric of `metrics` needs is not read: PSS and USS make the kernel walk
    /// through all pages of a process.
    ///
    /// # Errors
    /// When nothing can be read at all, for a reason that is for people.
    pub fn read(
        &self,
        pids: &[u32],
        metrics: &[Metric],
        descendants: bool,
    ) -> Result<Readings, String> {
        let each = |pids: &[u32]| pids.iter().map(|pid| (*pid, vec![*pid])).collect();
        match self {
            Self::Proc(root) => {
                let mut proc = Proc::new(root)?;
                let families =
                    if descendants { families(pids, &proc.table()?) } else { each(pids) };
                let needs = Needs::of(metrics);
                let members: HashSet<u32> = families.values().flatten().copied().collect();
                let usages =
                    members.into_iter().filter_map(|pid| Some((pid, proc.usage(pid, needs)?)));
                Ok(sum(&families, &usages.collect()))
            }
            Self::Ps => {
                let table = ps::table()?;
                let parents: Vec<_> = table.iter().map(|entry| (entry.pid, entry.parent)).collect();
                let families = if descendants { families(pids, &parents) } else { each(pids) };
                let usage = |bytes| Usage::resident(bytes, Unavailable::Ps);
                let usages = table.iter().map(|entry| (entry.pid, usage(entry.bytes)));
                Ok(sum(&families, &usages.collect()))
            }
        }
    }
}

fn sum(families: &HashMap<u32, Vec<u32>>, usages: &HashMap<u32, Usage>) -> Readings {
    let reading = |root: &u32, members: &[u32]| {
        let alone = *usages.get(root)?;
        let others = members.iter().filter(|member| *member != root);
        let family = others.filter_map(|pid| usages.get(pid)).fold(alone, |a, b| a.plus(*b));
        Some((*root, Reading { alone, family }))
    };
    families.iter().filter_map(|(root, members)| reading(root, members)).collect()
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
