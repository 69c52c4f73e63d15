//! What log and alerts say about programs that are not started. Pure.

use std::time::Duration;

use superlance_core::options::units::duration_text;
use superlance_core::protocol::state::State;
use superlance_probe::outcome::{Class, Verdict};

use crate::condition::Condition;
use crate::decide::Waiting;
use crate::fault::Fault;
use crate::graph::Graph;
use crate::program::{Program, names};
use crate::states::States;

/// What the original writes while programs wait.
pub(crate) fn not_yet_running<'a>(waiting: impl Iterator<Item = &'a Program>) -> String {
    let names: Vec<_> = waiting.map(|program| program.name.as_str()).collect();
    format!("Services not yet running ({}): {}", names.len(), names.join(", "))
}

/// What is wrong with the keys of a program, a sentence each.
pub(crate) fn faults(program: &Program) -> Vec<String> {
    let text = |fault: &Fault| fault.text(&program.name, &program.section);
    program.faults.iter().map(text).collect()
}

/// What the original writes before a start.
pub(crate) fn starting(program: &Program, states: &States) -> String {
    let state = |namespec: &str| states.now(namespec).map_or("UNKNOWN", State::name);
    let states = match program.processes.as_slice() {
        [process] => state(process).to_owned(),
        processes => {
            let each = processes.iter().map(|one| format!("{}: {} ", names(one).1, state(one)));
            each.collect::<Vec<_>>().join(", ").trim_end().to_owned()
        }
    };
    format!("Starting service: {} (State: {states})", program.name)
}

/// `c:c is not started, since a:a is FATAL`.
pub(crate) fn blocked(waiting: &Waiting<'_>) -> String {
    let is = if waiting.failed.len() == 1 { "is" } else { "are" };
    let failed = waiting.failed.join(" and ");
    format!("{} is not started, since {failed} {is} FATAL", waiting.program.label())
}

/// `b:b has waited 5m for a:a (STARTING)`.
pub(crate) fn waited(waiting: &Waiting<'_>, time: Duration, states: &States) -> String {
    let unmet = waiting.unmet.iter().map(|condition| unmet(condition, states));
    let unmet: Vec<_> = unmet.collect();
    let label = waiting.program.label();
    format!("{label} has waited {} for {}", duration_text(time), unmet.join(", and for "))
}

/// The processes for which a condition is not fulfilled, with their states.
pub(crate) fn unmet(condition: &Condition, states: &States) -> String {
    let process = |(namespec, state): (&str, Option<State>)| {
        let state = state.map_or("not known to supervisord", State::name);
        format!("{namespec} ({state})")
    };
    let processes: Vec<_> = states.lacking(condition).into_iter().map(process).collect();
    let processes = processes.join(" and ");
    match (condition.states.as_slice(), condition.healthy) {
        ([State::Running], false) => processes,
        ([], false) => format!("{processes} to be in an unknown state"),
        _ => format!("{processes} to be {}", condition.wanted(" or ")),
    }
}

/// In which way a program is not healthy, and why, in a line; `None` if it is.
pub(crate) fn illness(verdict: &Verdict) -> Option<(Option<Class>, String)> {
    let (class, text) = match verdict {
        Verdict::Good => return None,
        Verdict::Failed(failed) => (Some(failed.class), &failed.text),
        Verdict::Trouble(reason) => (None, reason),
    };
    Some((class, text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// A sentence about the programs that wait for this one; empty for none.
pub(crate) fn behind(at: usize, graph: &Graph) -> String {
    let behind = graph.behind(at);
    let labels: Vec<_> =
        behind.into_iter().filter_map(|at| graph.get(at)).map(Program::label).collect();
    match labels.as_slice() {
        [] => String::new(),
        [one] => format!("Behind it waits {one}."),
        several => format!("Behind it wait {}.", several.join(", ")),
    }
}
