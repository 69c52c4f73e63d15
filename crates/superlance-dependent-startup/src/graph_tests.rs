use std::fs;

use superlance_config::ThisHost;

use super::*;
use crate::condition::Condition;

pub(crate) fn read(text: &str, lenience: Lenience) -> Reading {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("supervisord.conf");
    fs::write(&file, format!("[supervisord]\n{text}")).unwrap();
    let variables = vec![("LEVEL".to_owned(), "7".to_owned())];
    let host = ThisHost { working_folder: folder.path().to_owned(), variables };
    Reading::load(&file, &host, lenience).unwrap()
}

/// A section that is handled, with these lines.
pub(crate) fn handled(name: &str, lines: &str) -> String {
    let fixed = "command=x\nautostart=false\ndependent_startup=true";
    format!("[program:{name}]\n{fixed}\n{lines}\n")
}

fn graph(text: &str) -> Graph {
    read(text, Lenience::None).graph
}

fn program<'a>(graph: &'a Graph, name: &str) -> &'a Program {
    graph.programs.iter().find(|program| program.name == name).unwrap()
}

#[test]
fn keys_of_programs_and_fcgi_programs_count_and_those_of_listeners_do_not() {
    let keys = "command=x\nautostart=false\ndependent_startup=on\n";
    let text = format!(
        "[program:a]\n{keys}[fcgi-program:b]\nsocket=tcp://localhost:9\n{keys}\
         dependent_startup_wait_for=a  c:exited\n[program:c]\ncommand=x\n\
         [eventlistener:d]\nevents=TICK\n{keys}"
    );
    let graph = graph(&text);
    let names: Vec<_> = graph.programs.iter().map(|program| program.name.as_str()).collect();
    assert_eq!(names, ["a", "c", "b"]);
    let b = program(&graph, "b");
    let texts: Vec<_> = b.conditions.iter().map(Condition::text).collect();
    assert_eq!((texts.join(" ").as_str(), b.handled, b.depth), ("a c:exited", true, 1));
    assert!(program(&graph, "a").handled && !program(&graph, "c").handled);
    assert!(graph.programs.iter().all(|program| program.faults.is_empty()));
}

#[test]
fn values_are_expanded_as_the_original_does() {
    let text = handled("a", "priority=%(ENV_LEVEL)s")
        + &handled("x", "dependent_startup_wait_for=a\ndependent_startup_inherit_priority=true")
        + &handled("y", "dependent_startup_wait_for=%(program_name)s");
    let graph = graph(&text);
    assert_eq!(program(&graph, "x").priority, 7);
    let Fault::Value { key, reason } = &program(&graph, "y").faults[0] else { panic!() };
    assert!(key == WAIT_FOR && reason.contains("%(program_name)s is not known here"), "{reason}");
}

#[test]
fn a_priority_is_inherited_if_it_is_less_and_0_is_none() {
    let wait = "dependent_startup_wait_for";
    let inherit = "dependent_startup_inherit_priority=true";
    let text = handled("a", "priority=5")
        + &handled("b", "priority=0")
        + &handled("c", &format!("{wait}=a b\n{inherit}"))
        + &handled("d", &format!("{wait}=c\n{inherit}\npriority=3"))
        + &handled("e", &format!("{wait}=d\n{inherit}"))
        + &handled("f", &format!("{wait}=d"));
    let graph = graph(&text);
    let priorities: Vec<_> = graph.programs.iter().map(|program| program.priority).collect();
    assert_eq!(priorities, [5, 999, 5, 3, 3, 999]);
    let depths: Vec<_> = graph.programs.iter().map(|program| program.depth).collect();
    assert_eq!(depths, [0, 0, 1, 2, 3, 3]);
}

#[test]
fn what_supervisord_starts_is_not_started_here() {
    for (lines, is_written) in [("", false), ("autostart=true\n", true)] {
        let graph = graph(&format!("[program:a]\ncommand=x\ndependent_startup=1\n{lines}"));
        assert_eq!(graph.programs[0].faults, [Fault::Autostart { is_written }]);
        assert!(!graph.programs[0].is_startable());
    }
}

#[test]
fn members_of_cycles_are_named_and_those_behind_them_are_not() {
    let wait = |name: &str| format!("dependent_startup_wait_for={name}");
    let text = handled("a", &wait("c"))
        + &handled("b", &wait("a"))
        + &handled("c", &wait("b free"))
        + &handled("behind", &wait("c"))
        + &handled("free", "")
        + &handled("self", &wait("self"));
    let graph = graph(&text);
    let members = |program: &Program| match program.faults.as_slice() {
        [Fault::Cycle(members)] => members.keys().cloned().collect::<Vec<_>>().join(" "),
        [] => String::new(),
        other => panic!("{other:?}"),
    };
    let members: Vec<_> = graph.programs.iter().map(members).collect();
    assert_eq!(members, ["a b c", "a b c", "a b c", "", "", "self"]);
    let behind: Vec<_> =
        graph.behind(4).into_iter().map(|at| graph.programs[at].name.as_str()).collect();
    assert_eq!(behind, ["a", "b", "c", "behind"]);
}

#[test]
fn what_is_ignored_holds_nothing_back() {
    let text = handled("a", "")
        + &handled("b", "dependent_startup_wait_for=typo a:exited,gone")
        + &handled("c", "dependent_startup_wait_for=a:gone");
    let reading = read(&text, Lenience::Ignore);
    assert!(reading.graph.programs.iter().all(Program::is_startable));
    assert_eq!(reading.ignored.len(), 3);
    let states: Vec<_> =
        reading.graph.programs.iter().flat_map(|p| &p.conditions).map(|c| c.states.len()).collect();
    assert_eq!(states, [1, 0]);
    // A value that cannot be read may have any condition in it.
    let unread = read(&handled("b", "dependent_startup_wait_for=a %(gone)s"), Lenience::Ignore);
    assert!(!unread.graph.programs[0].is_startable());
    let strict = graph(&text);
    assert_eq!(program(&strict, "b").faults.len(), 2);
    assert_eq!(program(&strict, "c").faults.len(), 1);
}
