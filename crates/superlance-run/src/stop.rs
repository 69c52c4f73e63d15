//! The fast stop: everything that supervisord runs is stopped through its RPC, tier by tier.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use litemap::LiteMap;
use superlance_core::supervisor::{ProcessInfo, RpcError, Supervisor};

use crate::tiers::{has_stopped, tiers, to_be_told};

/// How often supervisord is asked whether a tier has stopped.
const PAUSE: Duration = Duration::from_millis(15);

/// The names of processes by their ids, as supervisord told them last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Arc<Mutex<LiteMap<u32, String>>>);

impl Names {
    fn note(&self, all: &[ProcessInfo]) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for info in all.iter().filter(|info| info.pid != 0) {
            names.insert(info.pid, info.namespec());
        }
    }

    pub(crate) fn get(&self, pid: u32) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&pid).cloned()
    }
}

/// Stops all processes and then supervisord. Returns when the processes have stopped, which may be never.
///
/// supervisord looks for signals once in a second when nothing else wakes it up, and a call does.
///
/// # Errors
/// When supervisord gives no usable answer.
pub(crate) fn stop_all(
    supervisor: &mut dyn Supervisor,
    listeners: &HashSet<String>,
    names: &Names,
) -> Result<(), RpcError> {
    let all = supervisor.all()?;
    names.note(&all);
    let configured = supervisor.configured()?;
    for tier in tiers(&all, &configured, listeners) {
        loop {
            let all = supervisor.all()?;
            names.note(&all);
            if has_stopped(&all, &tier) {
                break;
            }
            for info in to_be_told(&all, &tier, &configured) {
                match supervisor.begin_stop(&info.namespec()) {
                    // It has ended meanwhile.
                    Err(RpcError::Fault(fault))
                        if !RpcError::Fault(fault.clone()).is_shutdown() => {}
                    told => told?,
                }
            }
            thread::sleep(PAUSE);
        }
    }
    supervisor.shut_down()
}

#[cfg(test)]
mod tests {
    use superlance_core::supervisor::Fault;
    use superlance_core::testing::ScriptedSupervisor;

    use super::*;

    fn supervisor() -> ScriptedSupervisor {
        let mut supervisor =
            ScriptedSupervisor::at(9).with("db:db", 3).with("web:web", 4).with("memmon:memmon", 5);
        supervisor.group_priorities.insert("db".to_owned(), 1);
        supervisor
    }

    fn listeners() -> HashSet<String> {
        ["memmon".to_owned()].into()
    }

    #[test]
    fn tiers_are_stopped_one_after_the_other() {
        let (mut supervisor, names) = (supervisor(), Names::default());
        // Not the first of its kind: one that has ended meanwhile is no trouble.
        supervisor.refuse("begin_stop", Fault::NOT_RUNNING, "NOT_RUNNING");
        stop_all(&mut supervisor, &listeners(), &names).unwrap();
        let told = supervisor.calls.iter().filter(|call| call.starts_with("begin_stop"));
        let told: Vec<_> = told.map(String::as_str).collect();
        let expected = ["web:web", "web:web", "db:db", "memmon:memmon"];
        assert_eq!(told, expected.map(|name| format!("begin_stop({name})")));
        assert_eq!(supervisor.calls.last().unwrap(), "shut_down()");
        assert_eq!((names.get(4).as_deref(), names.get(9)), (Some("web:web"), None));
    }

    #[test]
    fn a_supervisord_that_stops_itself_is_left_alone() {
        for method in ["all", "configured", "begin_stop"] {
            let mut supervisor = supervisor();
            supervisor.refuse(method, Fault::SHUTDOWN_STATE, "SHUTDOWN_STATE");
            let outcome = stop_all(&mut supervisor, &listeners(), &Names::default());
            assert!(outcome.unwrap_err().is_shutdown(), "{method}");
        }
    }
}
