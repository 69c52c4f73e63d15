use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use superlance_core::supervisor::ProcessInfo;

use super::*;
use crate::condition::STATES;
use crate::fault::Fault;
use crate::graph::Lenience;
use crate::graph::tests::{handled, read};

/// A supervisord in which processes do what they may, and the history of each.
#[derive(Default)]
struct World {
    states: BTreeMap<String, State>,
    started: BTreeSet<String>,
    reached: BTreeMap<String, BTreeSet<&'static str>>,
}

impl World {
    fn of(graph: &Graph) -> Self {
        let processes = graph.programs.iter().flat_map(|program| program.processes.clone());
        let states = processes.map(|process| (process, State::Stopped)).collect();
        Self { states, ..Self::default() }
    }

    fn all(&self) -> Vec<ProcessInfo> {
        let info = |(namespec, state): (&String, &State)| {
            let (group, name) = namespec.split_once(':').unwrap();
            let start = i64::from(self.started.contains(namespec));
            let (group, name) = (group.to_owned(), name.to_owned());
            ProcessInfo {
                group,
                name,
                pid: 0,
                state: *state,
                start,
                stop: 0,
                exit_status: 0,
                now: 9,
            }
        };
        self.states.iter().map(info).collect()
    }

    fn enter(&mut self, namespec: &str, state: State) {
        self.states.insert(namespec.to_owned(), state);
        self.started.insert(namespec.to_owned());
        self.reached.entry(namespec.to_owned()).or_default().insert(state.name());
    }

    /// What supervisord lets follow on a state.
    fn go_on(&mut self, namespec: &str, choice: u8) {
        let next: &[State] = match self.states[namespec] {
            State::Starting => &[State::Running, State::Backoff, State::Stopping],
            State::Running => &[State::Exited, State::Running, State::Stopping],
            State::Backoff => &[State::Starting, State::Fatal],
            State::Stopping => &[State::Stopped],
            State::Exited => &[State::Exited, State::Starting],
            state => &[state][..0],
        };
        if let Some(state) = next.get(usize::from(choice) % next.len().max(1)) {
            self.enter(namespec, *state);
        }
    }

    /// Whether the history has what a condition wants; an oracle that knows no implications.
    fn has(&self, condition: &Condition) -> bool {
        condition.states.iter().any(|state| {
            let has = |process: &String| {
                self.reached.get(process).is_some_and(|reached| reached.contains(state.name()))
            };
            condition.processes.iter().all(has)
        })
    }
}

#[derive(Debug, Clone)]
struct Node {
    handled: bool,
    priority: i64,
    inherits: bool,
    numprocs: u8,
    /// Places of others, counted round, and states, as bits.
    waits: Vec<(usize, u8)>,
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let waits = prop::collection::vec((0..12usize, 1..64u8), 0..3);
    let node = (any::<bool>(), 0..4i64, any::<bool>(), 1..3u8, waits);
    let node = node.prop_map(|(is_root, priority, inherits, numprocs, waits)| Node {
        handled: !is_root || !waits.is_empty(),
        priority,
        inherits,
        numprocs,
        waits,
    });
    prop::collection::vec(node, 1..12)
}

fn graph(nodes: &[Node]) -> Graph {
    let mut text = String::new();
    for (at, node) in nodes.iter().enumerate() {
        let waits = node.waits.iter().map(|(other, bits)| {
            let states = STATES.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
            let states: Vec<_> = states.map(|(_, state)| state.name()).collect();
            format!("p{}:{}", other % nodes.len(), states.join(","))
        });
        let Node { handled: is_handled, priority, inherits, numprocs, .. } = node;
        text += &handled(
            &format!("p{at}"),
            &format!(
                "dependent_startup={is_handled}\npriority={priority}\nnumprocs={numprocs}\n\
                 process_name=%(process_num)s\ndependent_startup_inherit_priority={inherits}\n\
                 dependent_startup_wait_for={}",
                waits.collect::<Vec<_>>().join(" ")
            ),
        );
    }
    read(&text, Lenience::None).graph
}

/// Those that wait for themselves, by following all ways; an oracle without [`crate::cycles`].
fn in_cycles(nodes: &[Node]) -> BTreeSet<usize> {
    let parents = |at: usize| {
        let waits = nodes[at].waits.iter().filter(move |_| nodes[at].handled);
        waits.map(|(other, _)| other % nodes.len())
    };
    let leads_back = |at: &usize| {
        let mut seen: BTreeSet<usize> = parents(*at).collect();
        for _ in nodes {
            seen = seen.iter().copied().chain(seen.iter().copied().flat_map(parents)).collect();
        }
        seen.contains(at)
    };
    (0..nodes.len()).filter(leads_back).collect()
}

proptest! {
    #[test]
    fn what_can_start_starts_in_order_and_not_before(
        nodes in nodes(), choices in prop::collection::vec(any::<(u8, u8)>(), 0..60), listens: bool,
    ) {
        let graph = graph(&nodes);
        let cycles: BTreeSet<usize> = { graph.programs.iter().enumerate() }
            .filter(|(_, program)| matches!(program.faults.as_slice(), [Fault::Cycle(_)]))
            .map(|(at, _)| at)
            .collect();
        prop_assert_eq!(&cycles, &in_cycles(&nodes));
        let (mut world, mut states) = (World::of(&graph), States::default());
        for (which, choice) in choices.into_iter().map(Some).chain([None]).flatten() {
            states.look(&world.all());
            let decision = decide(&graph, &states);
            let mut last = None;
            for Ready { program, processes } in &decision.ready {
                prop_assert!(program.handled && program.faults.is_empty());
                prop_assert!(program.conditions.iter().all(|condition| world.has(condition)));
                prop_assert!(last <= Some(program.turn()));
                last = Some(program.turn());
                for process in processes {
                    prop_assert!(!world.started.contains(*process));
                }
            }
            // The oracle: nothing that might start is left out.
            for (at, program) in graph.programs.iter().enumerate() {
                let is_new = program.processes.iter().any(|it| !world.started.contains(it));
                let may = nodes[at].handled && !cycles.contains(&at) && is_new
                    && program.conditions.iter().all(|condition| world.has(condition));
                let does = decision.ready.iter().any(|ready| ready.program.name == program.name);
                prop_assert!(!may || does, "{} {:?}", program.name, world.reached);
            }
            let started: Vec<String> = { decision.ready.iter() }
                .flat_map(|ready| ready.processes.iter().map(ToString::to_string))
                .collect();
            for process in started {
                world.enter(&process, State::Starting);
            }
            let all: Vec<_> = world.states.keys().cloned().collect();
            let process = &all[usize::from(which) % all.len()];
            let is_unhandled = graph.programs.iter().any(|program| {
                !program.handled && program.processes.contains(process)
            });
            if is_unhandled && !world.started.contains(process) {
                world.enter(process, State::Starting);
            } else {
                world.go_on(process, choice);
            }
            // It tells no more than the looks where no two changes come between them.
            if listens {
                states.hear(process, world.states[process]);
            }
        }
    }
}

fn looked(graph: &Graph, all: &[(&str, State, i64)]) -> States {
    let mut world = World::of(graph);
    for (namespec, state, start) in all {
        world.states.insert((*namespec).to_owned(), *state);
        if *start != 0 {
            world.started.insert((*namespec).to_owned());
        }
    }
    let mut states = States::default();
    states.look(&world.all());
    states
}

#[test]
fn what_was_started_before_is_left_alone_whatever_became_of_it() {
    let graph = read(&handled("a", ""), Lenience::None).graph;
    for (state, start, ready, is_done) in [
        (State::Stopped, 0, true, false),
        (State::Stopped, 7, false, true),
        (State::Stopping, 7, false, true),
        (State::Starting, 7, false, false),
        (State::Backoff, 7, false, false),
        (State::Running, 7, false, true),
        (State::Exited, 7, false, true),
        (State::Fatal, 7, false, true),
        (State::Unknown, 7, false, true),
    ] {
        let states = looked(&graph, &[("a:a", state, start)]);
        let decision = decide(&graph, &states);
        assert_eq!((!decision.ready.is_empty(), decision.is_done), (ready, is_done), "{state:?}");
    }
}

#[test]
fn a_parent_that_is_fatal_blocks_unless_that_is_waited_for() {
    let wait = |list: &str| format!("dependent_startup_wait_for={list}");
    let text = handled("a", "")
        + &handled("b", &wait("a"))
        + &handled("c", &wait("a:exited,fatal"))
        + &handled("d", &wait("b"));
    let graph = read(&text, Lenience::None).graph;
    let states = looked(&graph, &[("a:a", State::Fatal, 7)]);
    let decision = decide(&graph, &states);
    let ready: Vec<_> = decision.ready.iter().map(|ready| ready.program.name.as_str()).collect();
    assert_eq!(ready, ["c"]);
    let waiting: Vec<_> = { decision.waiting.iter() }
        .map(|waiting| (waiting.program.name.as_str(), waiting.failed.as_slice()))
        .collect();
    assert_eq!(waiting, [("b", &["a:a"][..]), ("d", &[])]);
}
