//! The number of times that processes were started again, by the times of their starts. Pure.

use std::collections::BTreeMap;

use superlance_core::supervisor::ProcessInfo;

/// The restarts since the first look.
#[derive(Debug, Default)]
pub(crate) struct Restarts(BTreeMap<(String, String), Counted>);

#[derive(Debug)]
struct Counted {
    /// When it was started last; 0 for never.
    start: i64,
    restarts: u64,
}

impl Restarts {
    /// Takes note of what supervisord has now. What it has no more is forgotten.
    pub(crate) fn note(&mut self, processes: &[ProcessInfo]) {
        let mut before = std::mem::take(&mut self.0);
        for ProcessInfo { group, name, start, .. } in processes {
            let key = (group.clone(), name.clone());
            let counted = before.remove(&key).unwrap_or(Counted { start: *start, restarts: 0 });
            let is_again = counted.start != 0 && counted.start != *start;
            let restarts = counted.restarts + u64::from(is_again);
            self.0.insert(key, Counted { start: *start, restarts });
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
    fn a_new_time_of_start_is_a_restart_unless_it_is_the_first() {
        let mut restarts = Restarts::default();
        let mut count = |start: Option<i64>| {
            let mut processes = ScriptedSupervisor::at(1000).with("web:a", 7).processes;
            processes.retain_mut(|info| {
                info.start = start.unwrap_or_default();
                start.is_some()
            });
            restarts.note(&processes);
            restarts
                .iter()
                .map(|(group, name, number)| format!("{group}:{name} {number}"))
                .collect::<Vec<_>>()
        };
        for (start, expected) in [
            (Some(0), vec!["web:a 0"]),
            (Some(10), vec!["web:a 0"]),
            (Some(10), vec!["web:a 0"]),
            (Some(20), vec!["web:a 1"]),
            // The clock was set back.
            (Some(5), vec!["web:a 2"]),
            (None, vec![]),
            (Some(30), vec!["web:a 0"]),
        ] {
            assert_eq!(count(start), expected, "{start:?}");
        }
    }
}
