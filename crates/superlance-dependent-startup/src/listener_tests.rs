//! dependent-startup with a scripted supervisord: what is started, logged and told.

use clap::FromArgMatches;
use superlance_core::supervisor::{Fault as RpcFault, State};
use superlance_core::testing::{RESOLVED, ScriptedSupervisor, World};

use super::*;
use crate::graph::tests::{handled, read};
use crate::options;

fn listener(text: &str, arguments: &str) -> DependentStartup {
    let arguments = ["dependent-startup"].into_iter().chain(arguments.split_whitespace());
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    DependentStartup::new(read(text, options.lenience()), Path::new("/s.conf"), &options, None)
}

/// Processes that were never started.
fn world(names: &[&str]) -> World {
    let supervisor = names.iter().fold(ScriptedSupervisor::at(1000), |all, name| all.with(name, 0));
    let mut world = World::new(supervisor);
    world.supervisor.processes.iter_mut().for_each(|info| info.start = 0);
    world
}

fn set(world: &mut World, namespec: &str, state: State) {
    let process = world.supervisor.process(namespec).unwrap();
    (process.state, process.start) = (state, 990);
}

/// Calls it at its deadlines that are due.
fn run(listener: &mut DependentStartup, world: &mut World) {
    for _ in 0..5 {
        if listener.deadline().is_some_and(|due| due <= Instant::now()) {
            world.with_ctx(|ctx| listener.on_time(ctx));
        }
    }
}

fn event(listener: &mut DependentStartup, world: &mut World, name: &str, state: State) {
    let payload = format!("processname:{name} groupname:{name} from_state:X expected:1 pid:7");
    world.event(listener, &format!("PROCESS_STATE_{}", state.name()), &payload).unwrap();
    run(listener, world);
}

fn sleep_until_due(listener: &DependentStartup) {
    let due = listener.deadline().unwrap();
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}

fn starts(world: &World) -> String {
    let starts = world.supervisor.calls.iter().filter_map(|call| call.strip_prefix("begin_start("));
    starts.map(|name| name.trim_end_matches(')')).collect::<Vec<_>>().join(" ")
}

fn kinds(world: &World) -> Vec<&str> {
    world.alerts.iter().map(|alert| alert.kind.as_str()).collect()
}

const WAIT_A: &str = "dependent_startup_wait_for=a";

#[test]
fn programs_are_started_one_after_the_other_and_then_it_rests() {
    let text =
        handled("a", "") + &handled("b", WAIT_A) + &handled("c", &format!("{WAIT_A}:starting"));
    let (mut listener, mut world) = (listener(&text, ""), world(&["a", "b", "c"]));
    run(&mut listener, &mut world);
    // c at once, since a is STARTING then.
    assert_eq!(starts(&world), "a:a c:c");
    assert!(world.log().starts_with(
        "supervisord-dependent-startup event listener starting...\n\
         Reading supervisor config: /s.conf\n\
         Starting service: a (State: STOPPED)\nStarting service: c (State: STOPPED)\n\
         Services not yet running (1): b\n"
    ));
    set(&mut world, "a:a", State::Running);
    event(&mut listener, &mut world, "a", State::Running);
    assert_eq!(starts(&world), "a:a c:c b:b");
    for name in ["b", "c"] {
        set(&mut world, &format!("{name}:{name}"), State::Running);
        event(&mut listener, &mut world, name, State::Running);
    }
    let done = "No more processes to start for initial startup, ignoring all future events.\n";
    assert!(world.log().ends_with(done), "{}", world.log());
    let asked = world.supervisor.calls.len();
    event(&mut listener, &mut world, "b", State::Exited);
    assert_eq!((world.supervisor.calls.len(), listener.deadline()), (asked, None));
    assert!(world.alerts.is_empty());
}

#[test]
fn a_parent_that_is_fatal_is_told_once_with_those_behind_and_until_it_runs() {
    let text =
        handled("a", "") + &handled("b", WAIT_A) + &handled("c", "dependent_startup_wait_for=b");
    let (mut listener, mut world) =
        (listener(&text, "--log-level warning"), world(&["a", "b", "c"]));
    set(&mut world, "a:a", State::Fatal);
    run(&mut listener, &mut world);
    event(&mut listener, &mut world, "a", State::Fatal);
    assert_eq!(world.log(), "b:b is not started, since a:a is FATAL\n");
    assert_eq!(kinds(&world), ["blocked"]);
    assert_eq!(
        world.alerts[0].subject,
        "dependent-startup: b:b is not started, since a:a is FATAL"
    );
    assert!(
        world.alerts[0].text.ends_with("\n\nBehind it waits c:c."),
        "{:?}",
        world.alerts[0].text
    );
    for state in [State::Starting, State::Running] {
        set(&mut world, "a:a", state);
        event(&mut listener, &mut world, "a", state);
    }
    assert_eq!((starts(&world).as_str(), kinds(&world)), ("b:b", vec!["blocked", RESOLVED]));
}

#[test]
fn what_an_earlier_listener_told_and_is_not_so_any_more_is_forgotten() {
    let text = handled("a", "") + &handled("b", WAIT_A);
    let (mut listener, mut world) = (listener(&text, ""), world(&["a", "b"]));
    world.tell_before(&[
        "start of b:b",
        "start of old:old",
        "refused start of a:a",
        "unknown processes",
        "checks of dependent-startup",
    ]);
    set(&mut world, "a:a", State::Starting);
    run(&mut listener, &mut world);
    let gone = ["refused start of a:a", "start of old:old", "unknown processes"];
    assert_eq!(world.forgotten(), gone);
}

#[test]
fn a_wait_that_is_long_is_told_without_an_event() {
    let text = handled("a", "") + &handled("b", WAIT_A);
    let (mut listener, mut world) = (listener(&text, "--timeout 0"), world(&["a", "b"]));
    set(&mut world, "a:a", State::Starting);
    run(&mut listener, &mut world);
    let said = "b:b has waited 0s for a:a (STARTING)";
    assert!(world.log().contains(said), "{}", world.log());
    assert_eq!(kinds(&world), ["waiting"]);
    assert_eq!(listener.deadline(), None);
}

#[test]
fn what_is_misconfigured_is_told_and_holds_back_nothing_else() {
    let text = handled("a", "")
        + &handled("b", "dependent_startup_wait_for=typo")
        + &handled("c", "dependent_startup_wait_for=b a")
        + "[program:d]\ncommand=x\ndependent_startup=true\n";
    let (mut listener, mut world) = (listener(&text, ""), world(&["a", "b", "c", "d"]));
    run(&mut listener, &mut world);
    assert_eq!((starts(&world).as_str(), kinds(&world)), ("a:a", vec!["misconfigured"; 2]));
    let log = world.log();
    for said in [
        "Service 'b' depends on unknown service 'typo'\n\
         b:b is not started until its keys in the configuration are right\n",
        "supervisord.conf': Service 'd' config has dependent_startup set to True, which requires \
         autostart to be set explicitly to false. autostart is currently not set\n\
         Disable handling service 'd'\n",
        "Error when reading config '",
    ] {
        assert!(log.contains(said), "{log}");
    }
    assert!(world.alerts[0].text.contains("\nBehind it waits c:c."), "{:?}", world.alerts[0].text);
    // An operator may start what is wrong.
    set(&mut world, "a:a", State::Running);
    set(&mut world, "b:b", State::Running);
    event(&mut listener, &mut world, "b", State::Running);
    assert_eq!(starts(&world), "a:a c:c");
}

#[test]
fn a_cycle_is_told_once_with_its_members() {
    let text =
        handled("a", "dependent_startup_wait_for=b") + &handled("b", WAIT_A) + &handled("c", "");
    let (mut listener, mut world) = (listener(&text, "--log-level error"), world(&["a", "b", "c"]));
    run(&mut listener, &mut world);
    let said = "Cirular dependencies detected: Circular dependencies exist among these items: \
                {a:{'b'}, b:{'a'}}";
    assert_eq!((starts(&world).as_str(), world.log()), ("c:c", format!("{said}\n")));
    assert_eq!(kinds(&world), ["misconfigured"]);
    assert!(world.alerts[0].text.contains(said), "{:?}", world.alerts[0].text);
}

#[test]
fn ignored_faults_are_said_in_the_words_of_the_original() {
    let text = handled("a", "") + &handled("b", "dependent_startup_wait_for=typo a:starting,gone");
    let (mut listener, mut world) =
        (listener(&text, "--error-action ignore --log-level warn"), world(&["a", "b"]));
    run(&mut listener, &mut world);
    assert_eq!(starts(&world), "a:a b:b");
    assert_eq!(
        world.log(),
        "Service 'b' depends on unknown service 'typo'\nRemoving dependency 'typo' from service b\n\
         Ignoring invalid state 'GONE' in 'dependent_startup_wait_for' for 'program:b'\n"
    );
    assert!(world.alerts.is_empty());
}

#[test]
fn a_start_that_is_refused_is_tried_again_and_told_once() {
    let (mut listener, mut world) = (listener(&handled("a", ""), ""), world(&["a"]));
    for _ in 0..2 {
        world.supervisor.refuse("begin_start", 20, "NO_FILE: x");
    }
    run(&mut listener, &mut world);
    let said = "Error when starting service 'a' (group: a): <Fault 20: 'NO_FILE: x'>\n";
    assert_eq!(world.log().matches(said).count(), 1, "{}", world.log());
    assert_eq!(kinds(&world), ["misconfigured"]);
    let due = listener.deadline().unwrap();
    assert!(due > Instant::now());
    // An event does not shorten the pause.
    event(&mut listener, &mut world, "x", State::Running);
    assert_eq!(starts(&world), "a:a");
    for expected in ["a:a a:a", "a:a a:a a:a"] {
        sleep_until_due(&listener);
        run(&mut listener, &mut world);
        assert_eq!(starts(&world), expected);
    }
    assert_eq!(world.log().matches(said).count(), 1, "{}", world.log());
    assert_eq!(kinds(&world), ["misconfigured", RESOLVED]);
}

#[test]
fn a_supervisord_that_does_not_answer_is_asked_again_and_one_that_ends_is_not() {
    let (mut listener, mut world) = (listener(&handled("a", ""), ""), world(&["a"]));
    world.supervisor.fail("all", RpcError::NoAnswer("no answer".to_owned()));
    run(&mut listener, &mut world);
    assert!(world.log().ends_with("Cannot check: no answer\n"), "{}", world.log());
    assert!(listener.deadline().is_some_and(|due| due > Instant::now()));
    world.supervisor.refuse("all", RpcFault::SHUTDOWN_STATE, "SHUTDOWN_STATE");
    event(&mut listener, &mut world, "x", State::Stopped);
    assert_eq!((starts(&world).as_str(), listener.deadline()), ("", None));
}

/// What is overdue does not shorten the pause.
#[test]
fn a_question_without_an_answer_is_asked_again_after_a_pause() {
    let text = handled("a", "") + &handled("b", WAIT_A);
    let (mut listener, mut world) = (listener(&text, "--timeout 0"), world(&["a", "b"]));
    set(&mut world, "a:a", State::Starting);
    for _ in 0..2 {
        world.supervisor.fail("all", RpcError::NoAnswer("no answer".to_owned()));
    }
    run(&mut listener, &mut world);
    assert_eq!(world.supervisor.calls, ["all()"]);
    world.supervisor.fail("all", RpcError::NoAnswer("no answer".to_owned()));
    event(&mut listener, &mut world, "a", State::Starting);
    assert!(listener.deadline().is_some_and(|due| due > Instant::now()));
}

#[test]
fn a_refusal_is_not_over_with_the_wait_before_it() {
    let text = handled("a", "") + &handled("b", WAIT_A);
    let (mut listener, mut world) = (listener(&text, "--timeout 0"), world(&["a", "b"]));
    set(&mut world, "a:a", State::Starting);
    run(&mut listener, &mut world);
    world.supervisor.refuse("begin_start", 20, "NO_FILE: x");
    set(&mut world, "a:a", State::Running);
    event(&mut listener, &mut world, "a", State::Running);
    assert_eq!(kinds(&world), ["waiting", "misconfigured", RESOLVED]);
    // An operator mends it, and starts it by hand.
    set(&mut world, "b:b", State::Running);
    event(&mut listener, &mut world, "b", State::Running);
    assert_eq!(kinds(&world), ["waiting", "misconfigured", RESOLVED, RESOLVED]);
    assert_eq!(listener.deadline(), None);
}

#[test]
fn told_to_end_it_starts_nothing() {
    let (mut listener, mut world) = (listener(&handled("a", ""), ""), world(&["a"]));
    world.ending.store(true, std::sync::atomic::Ordering::Relaxed);
    run(&mut listener, &mut world);
    world.with_ctx(|ctx| listener.finish(ctx));
    assert_eq!((starts(&world).as_str(), listener.deadline()), ("", None));
}

#[test]
fn several_processes_are_started_one_by_one_and_waited_for_all() {
    let several = "numprocs=2\nprocess_name=%(program_name)s_%(process_num)02d";
    let text = handled("w", several) + &handled("b", "dependent_startup_wait_for=w:starting");
    let (mut listener, mut world) = (listener(&text, ""), world(&["w:w_00", "w:w_01", "b"]));
    run(&mut listener, &mut world);
    assert_eq!(starts(&world), "w:w_00 w:w_01 b:b");
    assert!(world.log().contains("Starting service: w (State: w_00: STOPPED , w_01: STOPPED)\n"));
}

#[test]
fn without_programs_there_is_nothing_to_do() {
    let (mut listener, mut world) = (listener("[program:a]\ncommand=x\n", ""), world(&["a"]));
    run(&mut listener, &mut world);
    assert!(world.log().ends_with("Found no services to start\n"), "{}", world.log());
    assert_eq!((world.supervisor.calls.len(), listener.deadline()), (0, None));
}

/// Those that wait for the life of what is stopped are stopped, and started again when it is back.
#[test]
fn dependents_are_stopped_in_reverse_order_and_started_again() {
    let text =
        handled("a", "") + &handled("b", WAIT_A) + &handled("c", "dependent_startup_wait_for=b");
    let (mut listener, mut world) = (listener(&text, "--stop-dependents"), world(&["a", "b", "c"]));
    for name in ["a:a", "b:b", "c:c"] {
        set(&mut world, name, State::Running);
    }
    run(&mut listener, &mut world);
    let done = "No more processes to start for initial startup, following their dependents.\n";
    assert!(world.log().ends_with(done), "{}", world.log());
    set(&mut world, "a:a", State::Stopped);
    event(&mut listener, &mut world, "a", State::Stopped);
    let stops: Vec<_> =
        world.supervisor.calls.iter().filter(|call| call.starts_with("stop")).cloned().collect();
    assert_eq!(stops, ["stop(c:c)", "stop(b:b)"]);
    let said = "c:c is stopped, since a:a is STOPPED\nb:b is stopped, since a:a is STOPPED\n";
    assert!(world.log().contains(said), "{}", world.log());
    assert_eq!(starts(&world), "");
    assert_eq!(listener.deadline(), None);
    // c has to wait for b.
    set(&mut world, "a:a", State::Running);
    event(&mut listener, &mut world, "a", State::Running);
    assert_eq!(starts(&world), "b:b");
    world.supervisor.process("b:b").unwrap().state = State::Running;
    event(&mut listener, &mut world, "b", State::Running);
    assert_eq!(starts(&world), "b:b c:c");
}

#[test]
fn what_an_operator_stopped_is_not_started_again_with_its_parent() {
    let text = handled("a", "") + &handled("b", WAIT_A);
    let arguments = "--stop-dependents --restart-dependents";
    let (mut listener, mut world) = (listener(&text, arguments), world(&["a", "b"]));
    set(&mut world, "a:a", State::Running);
    set(&mut world, "b:b", State::Stopped);
    run(&mut listener, &mut world);
    for state in [State::Stopped, State::Running] {
        set(&mut world, "a:a", state);
        event(&mut listener, &mut world, "a", state);
    }
    assert_eq!(starts(&world), "");
    assert!(!world.supervisor.calls.iter().any(|call| call.starts_with("stop")));
}

#[test]
fn dependents_are_restarted_when_what_they_wait_for_was_started_anew() {
    let text = handled("a", "") + &handled("b", WAIT_A);
    let (mut listener, mut world) = (listener(&text, "--restart-dependents"), world(&["a", "b"]));
    set(&mut world, "a:a", State::Running);
    set(&mut world, "b:b", State::Running);
    run(&mut listener, &mut world);
    let process = world.supervisor.process("a:a").unwrap();
    (process.state, process.start) = (State::Starting, 995);
    event(&mut listener, &mut world, "a", State::Starting);
    assert!(!world.supervisor.calls.iter().any(|call| call.starts_with("stop")));
    world.supervisor.process("a:a").unwrap().state = State::Running;
    event(&mut listener, &mut world, "a", State::Running);
    let said = "b:b is restarted, since a:a was started anew\nb:b was started again\n";
    assert!(world.log().contains(said), "{}", world.log());
    assert_eq!(starts(&world), "b:b");
}

/// What may not run yet is owed, and said; the next listener takes it over from the spool.
#[test]
fn what_we_stopped_is_said_at_the_end() {
    let text = handled("a", "") + &handled("b", WAIT_A);
    let (mut listener, mut world) = (listener(&text, "--stop-dependents"), world(&["a", "b"]));
    set(&mut world, "a:a", State::Fatal);
    set(&mut world, "b:b", State::Running);
    run(&mut listener, &mut world);
    world.with_ctx(|ctx| listener.finish(ctx));
    assert_eq!(listener.deadline(), None);
    let owed = world.in_flight.texts();
    assert!(owed[0].ends_with("start it with: supervisorctl start b:b"), "{owed:?}");
}

/// `supervisorctl update` adds a listener before the programs that it is to start.
#[test]
fn programs_that_supervisord_does_not_have_yet_are_waited_for() {
    let text = handled("a", "") + &handled("b", "");
    let (mut listener, mut world) = (listener(&text, ""), world(&["a"]));
    set(&mut world, "a:a", State::Running);
    run(&mut listener, &mut world);
    assert!(!world.log().contains("No more processes"), "{}", world.log());
    assert!(listener.deadline().is_some_and(|due| due <= Instant::now() + RETRY));
    world.supervisor = std::mem::take(&mut world.supervisor).with("b", 0);
    let added = world.supervisor.process("b:b").unwrap();
    (added.state, added.start) = (State::Stopped, 0);
    listener.look = Some(Instant::now());
    run(&mut listener, &mut world);
    assert_eq!((starts(&world).as_str(), world.alerts.len()), ("b:b", 0));
}

/// A check may cost the program that answers it.
#[test]
fn health_is_asked_for_only_while_something_waits_for_it() {
    let check = "dependent_startup_check=file:///";
    let text = handled("a", check) + &handled("b", &format!("{WAIT_A}:healthy"));
    let arguments = "--restart-dependents --stop-dependents";
    let (mut listener, mut world) = (listener(&text, arguments), world(&["a", "b"]));
    set(&mut world, "a:a", State::Running);
    set(&mut world, "b:b", State::Running);
    run(&mut listener, &mut world);
    assert_eq!((listener.phase, listener.deadline()), (Phase::Follows, None));
    world.supervisor.process("a:a").unwrap().start = 995;
    event(&mut listener, &mut world, "a", State::Running);
    assert!(listener.deadline().is_some(), "{}", world.log());
}

/// Each time with another output, as that of curl is.
#[test]
fn a_program_that_stays_ill_is_told_of_once() {
    let check = "dependent_startup_check=exec: date +%%s%%N; false";
    let text = handled("a", check) + &handled("b", &format!("{WAIT_A}:healthy"));
    let (mut listener, mut world) = (listener(&text, ""), world(&["a", "b"]));
    set(&mut world, "a:a", State::Running);
    let start = Instant::now();
    for round in 0..2 {
        listener.look = Some(Instant::now());
        run(&mut listener, &mut world);
        let wanted = LiteMap::from_iter([(0, 990)]);
        listener.health.ask(&wanted, start + Duration::from_secs(60 * (round + 1)));
        while listener.health.look().is_some() {
            world.with_ctx(|ctx| listener.examine(ctx));
            assert!(start.elapsed() < Duration::from_secs(20), "{}", world.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let said = "a is not healthy: error checking with \"date …\": the command failed";
    assert_eq!(world.log().matches(said).count(), 1, "{}", world.log());
}
