//! The event listeners of a supervisord, which does not tell programs from listeners, and the states that
//! it has given them.

use std::collections::HashSet;
use std::path::PathBuf;

use superlance_config::listener_groups;
use superlance_core::supervisor::deaf::{OWN_LOG, is_deaf};
use superlance_core::supervisor::{ProcessInfo, RpcError, State, Supervisor};

/// What is known of the listeners.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// The configuration that says which groups are listeners.
    file: Option<PathBuf>,
    groups: HashSet<String>,
    /// The processes for which it was read.
    known: Vec<String>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) group: String,
    pub(crate) name: String,
    /// Unknown where it runs and gets no more events.
    pub(crate) state: State,
}

impl Listeners {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file, groups: HashSet::new(), known: Vec::new() }
    }

    /// Those among `processes`.
    ///
    /// # Errors
    /// When supervisord's own log cannot be read, which alone says that a listener gets no more events.
    pub(crate) fn look(
        &mut self,
        processes: &[ProcessInfo],
        supervisor: &mut dyn Supervisor,
    ) -> Result<Vec<Listener>, RpcError> {
        // An update brings other processes, or none that matter here.
        let known: Vec<_> = processes.iter().map(ProcessInfo::namespec).collect();
        if self.known != known {
            self.groups = self.file.as_deref().and_then(listener_groups).unwrap_or_default();
            self.known = known;
        }
        let listeners: Vec<_> =
            processes.iter().filter(|info| self.groups.contains(&info.group)).collect();
        if listeners.is_empty() {
            return Ok(Vec::new());
        }
        let log = supervisor.own_log(OWN_LOG)?;
        let log = log.whole_lines().unwrap_or_default();
        let listener = |info: &ProcessInfo| {
            let is_deaf = info.state == State::Running && is_deaf(log, &info.name);
            let state = if is_deaf { State::Unknown } else { info.state };
            Listener { group: info.group.clone(), name: info.name.clone(), state }
        };
        Ok(listeners.into_iter().map(listener).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use superlance_core::testing::ScriptedSupervisor;

    use super::*;

    #[test]
    fn one_that_gets_no_more_events_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("supervisord.conf");
        fs::write(&file, "[program:web]\n[eventlistener:deaf]\n[eventlistener:good]\n").unwrap();
        let supervisor = ScriptedSupervisor::at(1_000);
        let mut supervisor =
            supervisor.with("web:web", 5).with("deaf:deaf", 6).with("good:good", 7);
        let unknown =
            "WARN deaf: has entered the UNKNOWN state and will no longer receive events, …\n";
        supervisor.own_log = Some(format!("INFO spawned: 'deaf' with pid 6\n{unknown}"));
        let processes = supervisor.all().unwrap();
        let mut listeners = Listeners::new(Some(file));
        let states = |found: Vec<Listener>| {
            found.into_iter().map(|found| (found.name, found.state)).collect::<Vec<_>>()
        };
        let expected = [("deaf".to_owned(), State::Unknown), ("good".to_owned(), State::Running)];
        assert_eq!(states(listeners.look(&processes, &mut supervisor).unwrap()), expected);
        supervisor.own_log = None;
        assert!(listeners.look(&processes, &mut supervisor).is_err());
        // Without listeners nothing is asked.
        let found = Listeners::new(None).look(&processes, &mut supervisor);
        assert_eq!(found, Ok(Vec::new()));
    }
}
