//! The processes below this one: reaping, naming and killing them.

use litemap::LiteMap;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use superlance_core::system::process::{Stat, stats};

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
pub(crate) fn descendants() -> LiteMap<u32, String> {
    let stats = stats();
    let processes = stats.iter().filter_map(|(pid, stat)| Some((*pid, Stat::parse(stat)?)));
    let alive: Vec<_> = processes.filter(|(_, stat)| !stat.has_ended()).collect();
    let (own, mut below) = (std::process::id(), LiteMap::new());
    // A parent may stand after its child.
    loop {
        let before = below.len();
        for (pid, stat) in &alive {
            if stat.parent == own || below.contains_key(&stat.parent) {
                // A line end would begin a line of the log that is the program's own.
                below.insert(*pid, stat.name.replace('\n', "?"));
            }
        }
        if below.len() == before {
            return below;
        }
    }
}

/// Whether a process, which is alive, is below this one.
pub(crate) fn is_below(pid: u32) -> bool {
    descendants().contains_key(&pid)
}

/// Processes for a message: `web:web (pid 12), sleep (pid 13)`.
pub(crate) fn named(processes: &LiteMap<u32, String>, names: &Names) -> String {
    let named = processes
        .iter()
        .map(|(pid, comm)| format!("{} (pid {pid})", names.get(*pid).as_ref().unwrap_or(comm)));
    named.collect::<Vec<_>>().join(", ")
}
