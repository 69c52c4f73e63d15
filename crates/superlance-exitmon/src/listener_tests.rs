//! exitmon with a scripted supervisord: what is asked, logged, written and told.

use std::fs;

use clap::FromArgMatches;
use superlance_core::supervisor::Fault;
use superlance_core::testing::{ScriptedSupervisor, World, frame};

use super::*;
use crate::options;

fn options(arguments: &str) -> Options {
    let arguments = ["exitmon"].into_iter().chain(arguments.split_whitespace());
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    Options::from_arg_matches(&matches).unwrap()
}

/// An exitmon that cannot ask `superlance run`.
fn exitmon(arguments: &str, exit_file: Option<PathBuf>) -> Exitmon {
    let options = options(arguments);
    let eyes = Eyes::new(options.selected(), Some("exitmon:exitmon"), None);
    Exitmon::new(&options, true, eyes, exit_file, None)
}

fn world(state: State) -> World {
    let mut supervisor = ScriptedSupervisor::at(1000).with("web:web", 0).with("exitmon:exitmon", 9);
    supervisor.process("web:web").unwrap().state = state;
    supervisor.group_priorities.insert("exitmon".to_owned(), -1);
    World::new(supervisor)
}

/// Calls it at its deadlines until it has none, or for a second.
fn run(exitmon: &mut Exitmon, world: &mut World) {
    let until = Instant::now() + Duration::from_secs(1);
    while let Some(due) = exitmon.deadline().filter(|due| *due < until) {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        world.with_ctx(|ctx| exitmon.on_time(ctx));
    }
}

const EXITED: &str = "processname:web groupname:web from_state:RUNNING expected:0 pid:7";

#[test]
fn an_exit_is_logged_written_down_told_and_ends_supervisord_in_this_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("status");
    let mut world = world(State::Exited);
    world.supervisor.process("web:web").unwrap().exit_status = 3;
    let mut exitmon = exitmon("--after 0", Some(file.clone()));
    world.event(&mut exitmon, "PROCESS_STATE_EXITED", EXITED).unwrap();
    let alert = world.in_flight.begin("an alert that is on its way");
    run(&mut exitmon, &mut world);
    let said = "web:web exited unexpectedly (exit status 3): shutting supervisord down, status 3";
    assert!(world.log().contains(said), "{}", world.log());
    assert_eq!(fs::read_to_string(file).unwrap(), "3\n");
    assert_eq!(world.alerts.len(), 1);
    let subject = "exitmon: web:web exited unexpectedly, supervisord shut down";
    assert_eq!((world.alerts[0].subject.as_str(), world.alerts[0].text.as_str()), (subject, said));
    assert_eq!(world.alerts[0].kind, "shutting-down");
    assert!(!world.supervisor.calls.contains(&"shut_down()".to_owned()));
    drop(alert);
    run(&mut exitmon, &mut world);
    assert_eq!(world.supervisor.calls.last().unwrap(), "shut_down()");
    // It acts once.
    world.event(&mut exitmon, "PROCESS_STATE_EXITED", EXITED).unwrap();
    assert_eq!((exitmon.deadline(), world.alerts.len()), (None, 1));
}

#[test]
fn what_supervisord_ends_itself_is_left_to_it() {
    let mut world = world(State::Fatal);
    let mut exitmon = exitmon("--after 0", None);
    world.supervisor.refuse("all", Fault::SHUTDOWN_STATE, "SHUTDOWN_STATE");
    let payload = "processname:web groupname:web from_state:BACKOFF";
    world.event(&mut exitmon, "PROCESS_STATE_FATAL", payload).unwrap();
    run(&mut exitmon, &mut world);
    assert_eq!((world.log().as_str(), world.alerts.len(), exitmon.deadline()), ("", 0, None));
}

#[test]
fn an_end_that_cannot_be_begun_is_tried_again() {
    let mut world = world(State::Exited);
    let mut exitmon = exitmon("--after 0", None);
    world.supervisor.process("web:web").unwrap().exit_status = -1;
    // The parent of this test is the supervisord of `pid`, and must live.
    for _ in 0..2 {
        world.supervisor.refuse("pid", Fault::NOT_RUNNING, "NOT_RUNNING");
        world.supervisor.fail("shut_down", RpcError::NoAnswer("no answer".to_owned()));
    }
    run(&mut exitmon, &mut world);
    let log = world.log();
    assert!(
        log.contains("web:web exited unexpectedly (terminated by a signal): shutting"),
        "{log}"
    );
    let said = "Cannot shut supervisord down: no answer; the parent of exitmon is no supervisord; \
                tried again\n";
    assert!(log.contains(said), "{log}");
    let deadline = exitmon.deadline().unwrap();
    std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
    run(&mut exitmon, &mut world);
    let told = world.supervisor.calls.iter().filter(|call| *call == "shut_down()").count();
    assert!(told >= 2, "{:?}", world.supervisor.calls);
}

#[test]
fn a_dry_run_says_once_what_would_be_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("status");
    let mut world = world(State::Fatal);
    world.supervisor.spawn_errors.insert("web:web".to_owned(), "can't find command 'x'".to_owned());
    let mut exitmon = exitmon("--after 0 --dry-run", Some(file.clone()));
    for _ in 0..3 {
        run(&mut exitmon, &mut world);
        world.event(&mut exitmon, "TICK_5", "when:1").unwrap();
    }
    let said = "web:web is FATAL (can't find command 'x'): would shut supervisord down, status 1\n";
    assert_eq!((world.log().as_str(), world.alerts.len()), (said, 1));
    assert_eq!((world.alerts[0].kind.as_str(), file.exists()), ("would-shut-down", false));
}

/// A priority makes no listener, and a listener may have any.
#[test]
fn event_listeners_are_known_by_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("supervisord.conf");
    for (text, matters) in
        [("[program:web]\ncommand=x\n", true), ("[eventlistener:web]\ncommand=x\n", false)]
    {
        fs::write(&file, format!("[supervisord]\n{text}")).unwrap();
        let mut world = world(State::Fatal);
        let priority = if matters { -1 } else { 5 };
        world.supervisor.group_priorities.insert("web".to_owned(), priority);
        let options = options("--after 0");
        let eyes = Eyes::new(options.selected(), Some("exitmon:exitmon"), Some(file.clone()));
        let mut exitmon = Exitmon::new(&options, true, eyes, None, None);
        run(&mut exitmon, &mut world);
        assert_eq!(world.alerts.len(), usize::from(matters), "{text}");
    }
}

#[test]
fn event_listeners_do_not_matter_unless_that_is_said() {
    for (arguments, matters) in [("", false), ("-p guard", true), ("--listeners", true)] {
        let mut world = world(State::Running);
        world.supervisor = std::mem::take(&mut world.supervisor).with("guard:guard", 0);
        world.supervisor.process("guard:guard").unwrap().state = State::Fatal;
        world.supervisor.group_priorities.insert("guard".to_owned(), -1);
        let mut exitmon = exitmon(&format!("--after 0 {arguments}"), None);
        run(&mut exitmon, &mut world);
        assert_eq!(world.alerts.len(), usize::from(matters), "{arguments} {}", world.log());
    }
}

/// One that cannot ask supervisord.
fn blind() -> Exitmon {
    let options = options("--after 0");
    let eyes = Eyes::new(options.selected(), None, None);
    Exitmon::new(&options, false, eyes, None, None)
}

#[test]
fn where_supervisord_cannot_be_asked_only_fatal_counts() {
    let mut exitmon = blind();
    let mut world = World::default();
    world.event(&mut exitmon, "PROCESS_STATE_EXITED", EXITED).unwrap();
    assert_eq!(exitmon.deadline(), None);
    let payload = "processname:web groupname:web from_state:BACKOFF";
    world.event(&mut exitmon, "PROCESS_STATE_FATAL", payload).unwrap();
    world.with_ctx(|ctx| exitmon.on_time(ctx));
    assert_eq!(world.log(), "web:web is FATAL: shutting supervisord down, status 1\n");
    // supervisord's own stop makes FATAL what was in BACKOFF.
    let mut exitmon = blind();
    world.event(&mut exitmon, "SUPERVISOR_STATE_CHANGE_STOPPING", "").unwrap();
    world.event(&mut exitmon, "PROCESS_STATE_FATAL", payload).unwrap();
    assert_eq!(exitmon.deadline(), None);
}

#[test]
fn told_to_end_it_begins_nothing() {
    let mut world = world(State::Exited);
    let mut exitmon = exitmon("--after 0", None);
    world.supervisor.process("web:web").unwrap().exit_status = 3;
    world.ending.store(true, std::sync::atomic::Ordering::Relaxed);
    world.event(&mut exitmon, "PROCESS_STATE_EXITED", EXITED).unwrap();
    world.with_ctx(|ctx| exitmon.on_time(ctx));
    world.with_ctx(|ctx| exitmon.finish(ctx));
    assert_eq!((world.log().as_str(), exitmon.deadline()), ("", None));
}

#[test]
fn all_events_about_processes_are_heard() {
    let filter = exitmon("", None).filter();
    assert_eq!(filter(&frame("PROCESS_STATE_EXITED", EXITED)), Interest::Every);
    assert_eq!(filter(&frame("TICK_5", "when:1")), Interest::WhenIdle);
    assert_eq!(filter(&frame(STOPPING, "")), Interest::Every);
    assert_eq!(filter(&frame("PROCESS_LOG_STDOUT", "x")), Interest::Nothing);
}

#[test]
fn the_command_line_says_what_is_expected() {
    let said = "expected states separated by commas, of exited, expected, fatal, unknown, stopped";
    for bad in ["running", "fatal,backoff", "fatal,stoped", ""] {
        let error = options::command().try_get_matches_from(["exitmon", "--on", bad]).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    for (arguments, asks) in [
        ("", None),
        ("--on fatal", None),
        ("--on exited", Some("--on")),
        ("--on fatal,stopped", Some("--on")),
        ("--when all", Some("--when all")),
        ("--max-exits 3/1m", Some("--max-exits")),
        ("--listeners", Some("--listeners")),
        ("--heartbeat-fail http://h/", Some("--heartbeat")),
    ] {
        assert_eq!(options(arguments).asks_supervisord(), asks, "{arguments}");
    }
}
