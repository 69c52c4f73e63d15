//! How much memory processes use: the resident set, the number that `ps -o rss` prints.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::ps;

/// Where the numbers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Memory {
    /// A procfs mounted here. Linux only.
    #[cfg(target_os = "linux")]
    Proc(PathBuf),
    /// ps(1), once for all processes.
    Ps,
}

/// A process in the system's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) bytes: u64,
}

/// Resident bytes by process id. Processes that are gone are missing.
pub(crate) type Readings = HashMap<u32, u64>;

impl Memory {
    /// What this system has.
    pub(crate) fn of_this_system(through_ps: bool) -> Self {
        #[cfg(target_os = "linux")]
        if !through_ps {
            return Self::Proc(PathBuf::from("/proc"));
        }
        let _ = through_ps;
        Self::Ps
    }

    /// Reads the memory of `pids`; with `cumulative`, each together with all its descendants, from
    /// one look at the process table.
    pub(crate) fn read(&self, pids: &[u32], cumulative: bool) -> Result<Readings, String> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Proc(root) if cumulative => Ok(sum_trees(pids, &proc::table(root)?)),
            #[cfg(target_os = "linux")]
            Self::Proc(root) => proc::each(root, pids),
            Self::Ps => {
                let table = ps::table()?;
                Ok(if cumulative { sum_trees(pids, &table) } else { pick(pids, &table) })
            }
        }
    }
}

fn pick(pids: &[u32], table: &[Entry]) -> Readings {
    let all: Readings = table.iter().map(|entry| (entry.pid, entry.bytes)).collect();
    pids.iter().filter_map(|pid| Some((*pid, *all.get(pid)?))).collect()
}

/// For each of `roots`, the sum over it and all its descendants.
fn sum_trees(roots: &[u32], table: &[Entry]) -> Readings {
    let by_pid: HashMap<u32, u64> = table.iter().map(|entry| (entry.pid, entry.bytes)).collect();
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in table {
        children.entry(entry.parent).or_default().push(entry.pid);
    }
    let sum = |root: u32| {
        let mut sum = *by_pid.get(&root)?;
        // The table is no snapshot: a pid that was used again in between could close a circle.
        let mut seen = HashSet::from([root]);
        let mut waiting = vec![root];
        while let Some(parent) = waiting.pop() {
            for child in children.get(&parent).into_iter().flatten() {
                if seen.insert(*child) {
                    sum = sum.saturating_add(by_pid.get(child).copied().unwrap_or(0));
                    waiting.push(*child);
                }
            }
        }
        Some(sum)
    };
    roots.iter().filter_map(|root| Some((*root, sum(*root)?))).collect()
}

#[cfg(target_os = "linux")]
mod proc {
    use std::path::Path;

    use procfs::ProcError;
    use procfs::process::{Process, all_processes_with_root};

    use super::{Entry, Readings};

    /// The processes of `pids` that exist.
    pub(super) fn each(root: &Path, pids: &[u32]) -> Result<Readings, String> {
        check(root)?;
        let read = |pid: &u32| {
            let directory = root.join(pid.to_string());
            Some((*pid, resident(&Process::new_with_root(directory).ok()?).ok()?))
        };
        Ok(pids.iter().filter_map(read).collect())
    }

    /// All processes.
    pub(super) fn table(root: &Path) -> Result<Vec<Entry>, String> {
        let unreadable = |error| format!("cannot read {}: {error}", root.display());
        let processes = all_processes_with_root(root).map_err(unreadable)?;
        let entry = |process: Result<Process, ProcError>| {
            let process = process.ok()?;
            let (stat, bytes) = (process.stat().ok()?, resident(&process).ok()?);
            let pid = u32::try_from(stat.pid).ok()?;
            Some(Entry { pid, parent: u32::try_from(stat.ppid).ok()?, bytes })
        };
        Ok(processes.filter_map(entry).collect())
    }

    /// `statm`, since the number in `stat` lags behind by up to 64 pages per thread.
    fn resident(process: &Process) -> Result<u64, ProcError> {
        Ok(process.statm()?.resident * procfs::page_size())
    }

    /// A process that is gone cannot be told from a proc that is not mounted.
    fn check(root: &Path) -> Result<(), String> {
        match root.join("self").symlink_metadata() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("cannot read {}: {error}", root.display())),
        }
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
