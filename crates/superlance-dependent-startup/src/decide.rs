//! Which programs may start now, in which order, and what the others wait for. Pure.

use superlance_core::protocol::state::State;

use crate::condition::Condition;
use crate::graph::Graph;
use crate::program::Program;
use crate::states::States;

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision<'a> {
    /// In the order in which they start.
    pub(crate) ready: Vec<Ready<'a>>,
    /// In the order in which they would start.
    pub(crate) waiting: Vec<Waiting<'a>>,
    /// `group:name` of the processes that supervisord does not have, or not yet.
    pub(crate) unknown: Vec<&'a str>,
    /// Whether all that can be started has been, and has come to RUNNING or to an end.
    pub(crate) is_done: bool,
}

/// A program whose conditions are fulfilled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ready<'a> {
    pub(crate) program: &'a Program,
    /// `group:name` of the processes that were never started.
    pub(crate) processes: Vec<&'a str>,
}

/// A program that waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting<'a> {
    pub(crate) at: usize,
    pub(crate) program: &'a Program,
    pub(crate) unmet: Vec<&'a Condition>,
    /// The processes that it waits for and that supervisord does not start again.
    pub(crate) failed: Vec<&'a str>,
}

/// A process that was never started may be started; one that was and is STOPPED an operator has stopped,
/// and all other states are supervisord's to see to.
#[must_use]
pub(crate) fn decide<'a>(graph: &'a Graph, states: &States) -> Decision<'a> {
    let mut decision = Decision { is_done: true, ..Decision::default() };
    for (at, program) in graph.in_turn(Program::is_startable) {
        let processes = || program.processes.iter().map(String::as_str);
        let unknown = decision.unknown.len();
        decision.unknown.extend(processes().filter(|namespec| states.now(namespec).is_none()));
        decision.is_done &= unknown == decision.unknown.len();
        let new: Vec<_> = processes().filter(|namespec| states.is_new(namespec)).collect();
        if new.is_empty() {
            decision.is_done &= !processes().any(|namespec| is_under_way(states.now(namespec)));
            continue;
        }
        decision.is_done = false;
        let unmet: Vec<_> =
            program.conditions.iter().filter(|condition| !states.fulfil(condition)).collect();
        if unmet.is_empty() {
            decision.ready.push(Ready { program, processes: new });
        } else {
            let failed = unmet.iter().flat_map(|condition| failed(condition, states)).collect();
            decision.waiting.push(Waiting { at, program, unmet, failed });
        }
    }
    decision
}

fn is_under_way(state: Option<State>) -> bool {
    matches!(state, Some(State::Starting | State::Backoff))
}

fn failed<'a>(condition: &'a Condition, states: &States) -> Vec<&'a str> {
    let lacking = states.lacking(condition).into_iter();
    lacking
        .filter(|(_, state)| *state == Some(State::Fatal))
        .map(|(namespec, _)| namespec)
        .collect()
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
