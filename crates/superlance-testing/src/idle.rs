//! Tells when a process is idle, as seen from outside (Linux).
//!
//! Our listeners acknowledge an event before they handle it, so the protocol does not tell when
//! they are done. The kernel does: no child, every thread asleep, and no thread woken in between.

use std::fs;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

/// How long nothing must have happened in a process to call it idle.
const REST: Duration = Duration::from_millis(30);

/// A watch on a process: many looks, the first of which cannot be the one that finds it at rest.
#[derive(Debug, Default)]
pub(crate) struct Watch(Option<(u64, Instant)>);

impl Watch {
    /// Looks at the process once more; true when it has been at rest since long enough.
    pub(crate) fn is_resting(&mut self, pid: Pid) -> bool {
        match (switches_at_rest(pid), self.0) {
            // The look for children is the dear one, so it comes last.
            (Some(now), Some((before, since))) if now == before => {
                since.elapsed() >= REST && !has_children(pid)
            }
            (switches, _) => {
                self.0 = switches.map(|switches| (switches, Instant::now()));
                false
            }
        }
    }
}

/// How often the threads of a process have been on and off the processor, if all of them sleep.
///
/// Two equal answers some milliseconds apart mean that nothing happened between them.
fn switches_at_rest(pid: Pid) -> Option<u64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    threads
        .map(|thread| fs::read_to_string(thread.ok()?.path().join("status")).ok())
        .map(|status| switches_if_asleep(&status?))
        .sum()
}

fn switches_if_asleep(status: &str) -> Option<u64> {
    let field = |name: &str| {
        status.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    };
    let count = |name| field(name)?.parse::<u64>().ok();
    field("State")?.starts_with('S').then_some(())?;
    Some(count("voluntary_ctxt_switches")? + count("nonvoluntary_ctxt_switches")?)
}

fn has_children(pid: Pid) -> bool {
    children_of_threads(pid).unwrap_or_else(|| is_a_parent(pid))
}

/// Asks the threads, where the kernel is built so that they tell.
fn children_of_threads(pid: Pid) -> Option<bool> {
    let mut threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    threads.try_fold(false, |found, thread| {
        let children = fs::read_to_string(thread.ok()?.path().join("children")).ok()?;
        Some(found || !children.is_empty())
    })
}

/// Asks all processes.
fn is_a_parent(pid: Pid) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else {
        return false;
    };
    entries
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        // The name before the last parenthesis may contain anything; then: state, parent.
        .filter_map(|stat| stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok())
        .any(|parent: i32| parent == pid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::switches_if_asleep;

    #[test]
    fn sleep_is_told_from_work() {
        let counts = "voluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(switches_if_asleep(&format!("State:\tS (sleeping)\n{counts}")), Some(7));
        assert_eq!(switches_if_asleep(&format!("State:\tR (running)\n{counts}")), None);
    }
}
