//! The processes below this one: reaping, naming and killing them.

use std::collections::{BTreeMap, BTreeSet};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};
use procfs::process::all_processes;

use crate::stop::Names;

/// The children that have ended, with what a shell would say of them.
pub(crate) fn reap() -> Vec<(Pid, u8)> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) => {
                ended.push((pid, u8::try_from(status).unwrap_or(u8::MAX)));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                ended.push((pid, u8::try_from(128 + signal as i32).unwrap_or(u8::MAX)));
            }
            Ok(WaitStatus::StillAlive) | Err(_) => return ended,
            Ok(_) => {}
        }
    }
}

/// Sends a signal, to a process that may have ended.
pub(crate) fn send(pid: Pid, signal: Signal) {
    let _ = kill(pid, signal);
}

/// The living processes below this one, with the names that they have in the system.
pub(crate) fn descendants() -> BTreeMap<i32, String> {
    let processes = all_processes().into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| process.stat().ok());
    let alive: Vec<_> = stats.filter(|stat| !"ZX".contains(stat.state)).collect();
    let mut below = BTreeMap::new();
    let mut found = BTreeSet::from([getpid().as_raw()]);
    // A parent may stand after its child.
    loop {
        let before = below.len();
        for stat in alive.iter().filter(|stat| found.contains(&stat.ppid)) {
            below.insert(stat.pid, stat.comm.clone());
        }
        if below.len() == before {
            return below;
        }
        found.extend(below.keys());
    }
}

/// Whether a process, which is alive, is below this one.
pub(crate) fn is_below(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| descendants().contains_key(&pid))
}

/// Processes for a message: `web:web (pid 12), sleep (pid 13)`.
pub(crate) fn named(processes: &BTreeMap<i32, String>, names: &Names) -> String {
    let named = processes.iter().map(|(pid, comm)| {
        let known = u32::try_from(*pid).ok().and_then(|pid| names.get(pid));
        format!("{} (pid {pid})", known.as_ref().unwrap_or(comm))
    });
    named.collect::<Vec<_>>().join(", ")
}
