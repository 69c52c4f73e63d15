//! What follows for programs that run when those that they wait for are started anew, fail or are
//! stopped. Pure.

use std::cmp::Reverse;

use litemap::LiteMap;
use superlance_core::protocol::state::State;
use superlance_core::system::order;

use crate::condition::Condition;
use crate::graph::Graph;
use crate::program::Program;
use crate::states::States;

/// The processes that run since before one that they wait for was started, in the order of starts and
/// each with that one, when all that they wait for is there again.
pub(crate) fn outdated<'a>(graph: &'a Graph, states: &States) -> Vec<(&'a str, &'a str)> {
    let mut outdated = Vec::new();
    for (_, program) in graph.in_turn(Program::is_startable) {
        for process in running(program, states) {
            let is_met = |condition: &Condition| match newer(condition, process, states) {
                Some(_) => states.fulfil_now(condition),
                None => states.fulfil(condition),
            };
            let mut conditions = program.conditions.iter();
            let parent = conditions.find_map(|condition| newer(condition, process, states));
            if let Some(parent) = parent.filter(|_| program.conditions.iter().all(is_met)) {
                outdated.push((process, parent));
            }
        }
    }
    outdated
}

/// Whether a process of a program runs since before one that it waits for was started.
pub(crate) fn is_behind(program: &Program, states: &States) -> bool {
    let is_older = |process: &str| {
        program.conditions.iter().any(|condition| newer(condition, process, states).is_some())
    };
    running(program, states).any(is_older)
}

/// A process of a condition that was started after this one.
fn newer<'a>(condition: &'a Condition, process: &str, states: &States) -> Option<&'a str> {
    let mut awaited = condition.processes.iter().map(String::as_str);
    awaited.find(|awaited| states.is_newer(awaited, process))
}

/// The processes that run while one whose life they wait for is FATAL or STOPPED, in the reverse order
/// of starts and each with that one; and those behind them.
pub(crate) fn orphaned<'a>(graph: &'a Graph, states: &States) -> Vec<(&'a str, &'a str)> {
    // The processes that are down or will be, each with the first of its chain.
    let processes = graph.programs.iter().flat_map(|program| &program.processes);
    let down = processes.filter(|one| states.is_down(one)).map(|one| (&**one, &**one));
    let mut down: LiteMap<&str, &str> = order::map(down);
    let mut orphaned = Vec::new();
    // Parents come before their children, since these are deeper.
    let mut programs = graph.in_turn(Program::is_startable);
    order::sort_by_key(&mut programs, |(_, program)| program.depth);
    for (_, program) in programs {
        let lives = program.conditions.iter().filter(|condition| condition.is_about_life());
        let mut awaited = lives.flat_map(|condition| &condition.processes);
        let Some(first) = awaited.find_map(|one| down.get(one.as_str()).copied()) else { continue };
        for process in running(program, states) {
            down.insert(process, first);
            orphaned.push((program.depth, program.turn(), process, first));
        }
    }
    order::sort_by_key(&mut orphaned, |(depth, turn, ..)| Reverse((*depth, *turn)));
    orphaned.into_iter().map(|(_, _, process, first)| (process, first)).collect()
}

/// Whether all that a process waits for in its life is there. It has run, so that its other conditions
/// were met.
pub(crate) fn may_run(namespec: &str, graph: &Graph, states: &States) -> bool {
    let is_its = |program: &&Program| program.processes.iter().any(|one| one == namespec);
    let program = graph.programs.iter().find(is_its);
    // One that the configuration has no more waits for nothing.
    let mut conditions = program.into_iter().flat_map(|program| &program.conditions);
    conditions.all(|condition| !condition.is_about_life() || states.fulfil_now(condition))
}

fn running<'a>(program: &'a Program, states: &States) -> impl Iterator<Item = &'a str> {
    let processes = program.processes.iter().map(String::as_str);
    processes.filter(|one| states.now(one) == Some(State::Running))
}

#[cfg(test)]
mod tests {
    use superlance_core::supervisor::ProcessInfo;

    use super::*;
    use crate::graph::Lenience;
    use crate::graph::tests::{handled, read};

    /// db, web after it, proxy after web, and report after the end of a job.
    fn graph() -> Graph {
        let text = handled("db", "")
            + &handled("job", "")
            + &handled("proxy", "dependent_startup_wait_for=web")
            + &handled("report", "dependent_startup_wait_for=job:exited db:fatal,running")
            + &handled("web", "dependent_startup_wait_for=db");
        read(&text, Lenience::None).graph
    }

    fn states(all: &[(&str, State, i64)]) -> States {
        let info = |(name, state, start): &(&str, State, i64)| {
            let (group, name) = ((*name).to_owned(), (*name).to_owned());
            ProcessInfo {
                group,
                name,
                pid: 0,
                state: *state,
                start: *start,
                stop: 0,
                exit_status: 0,
                now: 99,
            }
        };
        let mut states = States::default();
        states.look(&all.iter().map(info).collect::<Vec<_>>());
        states
    }

    #[test]
    fn what_runs_since_before_what_it_waits_for_is_outdated_once_that_is_there() {
        use State::{Exited, Running, Starting, Stopped};
        for (db, job, web, outdated_processes) in [
            ((Running, 1), (Exited, 1), (Running, 2), ""),
            (
                (Running, 3),
                (Exited, 1),
                (Running, 2),
                "web:web after db:db, report:report after db:db",
            ),
            ((Starting, 3), (Exited, 1), (Running, 2), ""),
            // proxy is outdated only once web is.
            (
                (Running, 3),
                (Exited, 1),
                (Running, 5),
                "proxy:proxy after web:web, report:report after db:db",
            ),
            ((Running, 1), (Running, 7), (Running, 2), ""),
            ((Running, 1), (Exited, 7), (Running, 2), "report:report after job:job"),
            // The clock was set back since.
            ((Running, 200), (Exited, 1), (Running, 2), ""),
            // An operator has stopped it.
            ((Running, 3), (Exited, 1), (Stopped, 2), "report:report after db:db"),
        ] {
            let all = [
                ("db", db.0, db.1),
                ("job", job.0, job.1),
                ("web", web.0, web.1),
                ("proxy", Running, 2),
                ("report", Running, 2),
            ];
            let (graph, states) = (graph(), states(&all));
            let mut found: Vec<_> = outdated(&graph, &states)
                .into_iter()
                .map(|(process, parent)| format!("{process} after {parent}"))
                .collect();
            found.sort_by_key(|text| !text.starts_with("web") && !text.starts_with("proxy"));
            assert_eq!(found.join(", "), outdated_processes, "{db:?} {job:?} {web:?}");
        }
    }

    #[test]
    fn what_waits_for_the_life_of_what_is_down_is_orphaned_with_all_behind() {
        use State::{Exited, Fatal, Running, Stopped, Stopping};
        for (db, web, orphaned_processes) in [
            (Running, Running, ""),
            (Stopping, Running, ""),
            (Exited, Running, ""),
            (Stopped, Running, "proxy:proxy web:web"),
            (Fatal, Running, "proxy:proxy web:web"),
            (Stopped, Stopping, ""),
            (Running, Stopped, "proxy:proxy"),
        ] {
            let all = [
                ("db", db, 1),
                ("job", Stopped, 1),
                ("web", web, 2),
                ("proxy", Running, 3),
                ("report", Running, 3),
            ];
            let (graph, states) = (graph(), states(&all));
            let found: Vec<_> =
                orphaned(&graph, &states).into_iter().map(|(process, _)| process).collect();
            assert_eq!(found.join(" "), orphaned_processes, "{db:?} {web:?}");
            assert_eq!(may_run("web:web", &graph, &states), matches!(db, Running | Exited));
        }
        assert!(may_run("gone:gone", &graph(), &States::default()));
    }
}
