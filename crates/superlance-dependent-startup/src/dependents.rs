//! What is done to programs that run when those that they wait for change: `--restart-dependents` and
//! `--stop-dependents`.

use std::time::Instant;

use litemap::LiteMap;
use superlance_core::listener::Ctx;
use superlance_core::listener::restart::{Restarts, StopError};
use superlance_core::supervisor::{ProcessInfo, RpcError};
use superlance_core::system::log::LogOnce;

use crate::follow::{is_behind, may_run, orphaned, outdated};
use crate::graph::Graph;
use crate::level::Level;
use crate::program::Program;
use crate::states::States;

pub(crate) struct Dependents {
    pub(crate) restart: bool,
    pub(crate) stop: bool,
    pub(crate) level: Level,
    /// Those that we have stopped. Each is started again when all that it waits for is there.
    pub(crate) restarts: Restarts<()>,
    /// Those that supervisord refuses to stop.
    pub(crate) refused: LiteMap<String, LogOnce>,
}

impl Dependents {
    /// Whether there is something to do after all have been started.
    pub(crate) fn follow(&self) -> bool {
        self.restart || self.stop
    }

    /// Whether a program waits again: a process of it was stopped, or is to be restarted.
    pub(crate) fn waits(&self, program: &Program, states: &States) -> bool {
        self.restarts.owed().any(|owed| program.processes.iter().any(|process| process == owed))
            || self.restart && is_behind(program, states)
    }

    /// When [`go_on`](Self::go_on) should be called next.
    pub(crate) fn deadline(&self, graph: &Graph, states: &States) -> Option<Instant> {
        self.restarts.deadline_of(&|namespec| may_run(namespec, graph, states))
    }

    /// Stops what has to be; whether anything was.
    ///
    /// # Errors
    /// When supervisord gives no answer, or ends.
    pub(crate) fn stop(
        &mut self,
        graph: &Graph,
        states: &States,
        all: &[ProcessInfo],
        ctx: &mut Ctx<'_>,
    ) -> Result<bool, RpcError> {
        let mut due = Vec::new();
        if self.stop {
            let orphaned = orphaned(graph, states).into_iter();
            due.extend(orphaned.map(|(process, parent)| {
                let state = states.now(parent).map_or("gone", |state| state.name());
                (process, format!("{process} is stopped, since {parent} is {state}"))
            }));
        }
        if self.restart {
            let outdated = outdated(graph, states).into_iter().rev();
            due.extend(outdated.map(|(process, parent)| {
                (process, format!("{process} is restarted, since {parent} was started anew"))
            }));
        }
        self.refused.retain(|refused, _| due.iter().any(|(process, _)| process == refused));
        let mut has_stopped = false;
        for (process, text) in due {
            let Some(info) = all.iter().find(|info| info.has_namespec(process)) else { continue };
            let log = ctx.log.about(&info.group, &info.name, Some(info.pid));
            if !self.refused.contains_key(process) {
                self.level.say(Level::Info, log, &text);
            }
            match self.restarts.stop(info, (), ctx) {
                Ok(()) => has_stopped = true,
                // An operator was first, and it stays stopped.
                Err(StopError::Stopped(_)) => {}
                Err(StopError::Ending) => return Ok(has_stopped),
                Err(StopError::Rpc(error))
                    if error.fault_code().is_none() || error.is_shutdown() =>
                {
                    return Err(error);
                }
                Err(StopError::Rpc(error)) => {
                    let said = self.refused.entry(process.to_owned()).or_default();
                    said.report_about(log, format!("{process} cannot be stopped: {error}"));
                }
            }
        }
        Ok(has_stopped)
    }

    /// Starts those that we have stopped, where all that they wait for is there.
    pub(crate) fn go_on(&mut self, graph: &Graph, states: &States, ctx: &mut Ctx<'_>) {
        self.restarts.retry_those(&|namespec| may_run(namespec, graph, states), ctx);
    }
}
