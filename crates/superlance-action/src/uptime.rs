//! The uptime of processes, also when the clock of the machine is set. Pure.

use std::collections::HashMap;
use std::time::Instant;

use superlance_core::supervisor::ProcessInfo;

/// The processes of the last look, by pid and start, which tell instances apart.
#[derive(Debug, Default)]
pub struct Uptimes(HashMap<(u32, i64), Seen>);

/// An instance when it was seen first. Its uptime then is by supervisord's clock, as nothing else knows
/// it; what has passed since is not.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    uptime: i64,
}

impl Uptimes {
    /// Takes note of the processes that run now, and forgets the others.
    pub fn note(&mut self, running: &[&ProcessInfo], now: Instant) {
        let before = std::mem::take(&mut self.0);
        for info in running {
            let instance = (info.pid, info.start);
            let seen = before.get(&instance).copied();
            self.0.insert(instance, seen.unwrap_or(Seen { at: now, uptime: info.uptime() }));
        }
    }

    /// Seconds since the process was started.
    pub fn of(&self, info: &ProcessInfo, now: Instant) -> i64 {
        self.0.get(&(info.pid, info.start)).map_or(info.uptime(), |seen| {
            let since = now.saturating_duration_since(seen.at).as_secs();
            seen.uptime.saturating_add_unsigned(since)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use superlance_core::supervisor::State;

    use super::*;

    fn process(start: i64, now: i64) -> ProcessInfo {
        let (name, group) = ("p".to_owned(), "g".to_owned());
        ProcessInfo {
            name,
            group,
            pid: 7,
            state: State::Running,
            start,
            stop: 0,
            exit_status: 0,
            now,
        }
    }

    #[test]
    fn a_clock_that_is_set_changes_no_uptime() {
        let (mut uptimes, begin) = (Uptimes::default(), Instant::now());
        let mut look = |start, now, after| {
            let (info, at) = (process(start, now), begin + Duration::from_secs(after));
            uptimes.note(&[&info], at);
            uptimes.of(&info, at)
        };
        assert_eq!(look(5000, 5600, 0), 600);
        // An hour back, then a day ahead.
        assert_eq!(look(5000, 2060, 60), 660);
        assert_eq!(look(5000, 91_400, 120), 720);
        // A new instance, and one whose start is in the future already.
        assert_eq!(look(91_400, 91_405, 125), 5);
        assert_eq!(look(99_999, 91_500, 220), 0);
        assert_eq!(look(99_999, 91_530, 250), 30);
    }
}
