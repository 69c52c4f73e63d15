//! The measurements. Times in seconds, memory in megabytes.

use std::fs;
use std::time::{Duration, Instant};

use superlance_testing::{Listener, ListenerState, Subject, Supervisord, Who, wait_until};

/// Longer than Python's memmon needs for 500 processes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a tick costs.
pub(crate) struct Cost {
    /// From the event to the last line of the log about a process.
    pub(crate) time: f64,
    /// Of the listener and its children.
    pub(crate) cpu: f64,
}

/// What waiting costs.
pub(crate) struct Idle {
    pub(crate) rss: f64,
    pub(crate) pss: f64,
}

/// The median of some numbers.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn memmon(who: &Who) -> Subject {
    Subject::new(who, "memmon").args(["-a", "100GB"])
}

/// From the start of a memmon to its first READY.
pub(crate) fn start(who: &Who) -> f64 {
    let subject = memmon(who).server_url("unix:///nonexistent");
    let started = Instant::now();
    let mut listener = subject.spawn();
    listener.wait_state(ListenerState::Ready);
    started.elapsed().as_secs_f64()
}

/// What a memmon that waits for its first event occupies.
pub(crate) fn idle(who: &Who) -> Idle {
    let mut listener = memmon(who).server_url("unix:///nonexistent").spawn();
    listener.wait_state(ListenerState::Ready);
    listener.wait_idle();
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", listener.pid())).unwrap();
    let megabytes = |key: &str| {
        let line = rollup.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    Idle { rss: megabytes("Rss:"), pss: megabytes("Pss:") }
}

/// The second tick of a memmon: the first one connects and warms caches.
pub(crate) fn tick(
    who: &Who,
    supervisord: &Supervisord,
    processes: usize,
    cumulative: bool,
) -> Cost {
    let subject = memmon(who).args(cumulative.then_some("-c"));
    let mut listener = subject.server_url(&supervisord.server_url()).spawn();
    check(&mut listener, processes);
    let (cpu, started) = (cpu(&listener), Instant::now());
    check(&mut listener, 2 * processes);
    let time = started.elapsed().as_secs_f64();
    listener.wait_idle();
    Cost { time, cpu: self::cpu(&listener) - cpu }
}

/// Sends a tick and waits until `looks` processes have been looked at, in all.
fn check(listener: &mut Listener, looks: usize) {
    listener.event("TICK_60", "when:1201063880");
    wait_until("the end of a check", PATIENCE, || {
        listener.stderr().matches("RSS of ").count() >= looks
    });
    listener.wait_state(ListenerState::Ready);
}

/// CPU time of a process so far, by the nanosecond for its threads and by the clock tick for those of
/// its children that it has waited for.
fn cpu(listener: &Listener) -> f64 {
    let pid = listener.pid();
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let nanoseconds: u64 = threads
        .map(|thread| fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap())
        .map(|stat| stat.split_whitespace().next().unwrap().parse::<u64>().unwrap())
        .sum();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // cutime and cstime, fields 16 and 17 of proc(5), in the hundredths of a second of Linux.
    let children: f64 = fields[13..15].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    nanoseconds as f64 / 1e9 + children / 100.0
}
