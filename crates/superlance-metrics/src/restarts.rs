//! The number of times that processes were started again, by the times of their starts. Pure.

use litemap::LiteMap;
use superlance_core::supervisor::ProcessInfo;

/// The restarts since the first look.
#[derive(Debug, Default)]
pub(crate) struct Restarts(LiteMap<(String, String), Counted>);

#[derive(Debug)]
struct Counted {
    /// When it was started last; 0 for never.
    start: i64,
    pid: u32,
    restarts: u64,
}

impl Counted {
    /// The restarts until it was started then, as this process.
    fn restarts_by(&self, start: i64, pid: u32) -> u64 {
        // When the clock is set back, supervisord may change the start of a process that goes on.
        let goes_on = pid != 0 && pid == self.pid;
        let is_again = self.start != 0 && self.start != start && !goes_on;
        self.restarts + u64::from(is_again)
    }
}

impl Restarts {
    /// Takes note of what supervisord has now. What it has no more is forgotten.
    pub(crate) fn note(&mut self, processes: &[ProcessInfo]) {
        let before = std::mem::take(&mut self.0);
        for ProcessInfo { group, name, start, pid, .. } in processes {
            let key = (group.clone(), name.clone());
            let restarts = before.get(&key).map_or(0, |last| last.restarts_by(*start, *pid));
            self.0.insert(key, Counted { start: *start, pid: *pid, restarts });
        }
    }

    /// Group, name and number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.0.iter().map(|((group, name), counted)| (&**group, &**name, counted.restarts))
    }
}

#[cfg(test)]
mod tests {
    use superlance_core::testing::ScriptedSupervisor;

    use super::*;

    #[test]
    fn a_new_time_of_start_is_a_restart_unless_it_is_the_first_or_the_process_goes_on() {
        let mut restarts = Restarts::default();
        let mut count = |seen: Option<(i64, u32)>| {
            let mut processes = ScriptedSupervisor::at(1000).with("web:a", 7).processes;
            processes.retain_mut(|info| {
                (info.start, info.pid) = seen.unwrap_or_default();
                seen.is_some()
            });
            restarts.note(&processes);
            restarts
                .iter()
                .map(|(group, name, number)| format!("{group}:{name} {number}"))
                .collect::<Vec<_>>()
        };
        for (seen, expected) in [
            (Some((0, 0)), vec!["web:a 0"]),
            (Some((10, 7)), vec!["web:a 0"]),
            (Some((10, 7)), vec!["web:a 0"]),
            (Some((10, 0)), vec!["web:a 0"]),
            (Some((20, 8)), vec!["web:a 1"]),
            // The clock was set back.
            (Some((15, 8)), vec!["web:a 1"]),
            (Some((5, 9)), vec!["web:a 2"]),
            // It ends as soon as it is started.
            (Some((6, 0)), vec!["web:a 3"]),
            (Some((7, 0)), vec!["web:a 4"]),
            (None, vec![]),
            (Some((30, 7)), vec!["web:a 0"]),
        ] {
            assert_eq!(count(seen), expected, "{seen:?}");
        }
    }
}
