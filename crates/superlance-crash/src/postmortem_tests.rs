//! Post-mortems with a scripted supervisord.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::UNIX_EPOCH;

use tempfile::TempDir;

use super::*;
use superlance_core::listener::alert::Attachment;
use superlance_core::supervisor::Fault;
use superlance_core::testing::{ScriptedSupervisor, World, change};

const LOG: &str = "\
2001-01-01 00:00:00,000 INFO spawned: 'foo' with pid 58597
2001-01-01 00:00:00,000 WARN exited: foo (exit status 7; not expected)
";

const SUCCESSOR: &str = "\
2001-01-01 00:00:00,000 INFO spawned: 'foo' with pid 9
2001-01-01 00:00:00,000 INFO exited: foo (exit status 0; expected)
";

const LAST_LINES: [(&str, &str); 2] =
    [("stderr, last 2 lines", "Traceback\nlast"), ("stdout, last line", "out")];

/// A supervisord in which `grp:foo` has exited and may have a successor.
fn world(state: State, pid: u32) -> World {
    world_with_files(state, pid).0
}

/// The same with its logs in files, as long as the directory is there.
fn world_with_files(state: State, pid: u32) -> (World, TempDir) {
    let directory = TempDir::new().unwrap();
    let mut supervisor = ScriptedSupervisor::at(100).with("grp:foo", pid).with("grp:bar", 3);
    supervisor.process("grp:foo").unwrap().state = state;
    supervisor.own_log = Some(LOG.to_owned());
    for (channel, text) in
        [(Channel::Stderr, "first\n\x1b[31mTraceback\x1b[0m\nlast\n"), (Channel::Stdout, "out\n")]
    {
        supervisor.logs.insert(("grp:foo".to_owned(), channel), text.to_owned());
        let path = directory.path().join(format!("grp:foo.{}", channel.name()));
        fs::write(path, text).unwrap();
    }
    supervisor.log_directory = directory.path().to_owned();
    (World::new(supervisor), directory)
}

fn gather(world: &mut World, post_mortem: &mut PostMortem, state: State) -> Findings {
    world.with_ctx(|ctx| post_mortem.gather(&change(state, false), ctx))
}

fn exit(world: &mut World) -> Findings {
    gather(world, &mut PostMortem::new(2, false), State::Exited)
}

fn texts(findings: &Findings) -> Vec<(&str, &str)> {
    findings.logs.iter().map(|log| (log.title.as_str(), log.text.as_str())).collect()
}

#[test]
fn an_exit_has_its_status_and_the_last_lines() {
    let (mut world, _directory) = world_with_files(State::Exited, 0);
    let mut post_mortem = PostMortem::new(2, false);
    let findings = gather(&mut world, &mut post_mortem, State::Exited);
    assert_eq!(findings.cause.as_deref(), Some("exit status 7"));
    assert_eq!(texts(&findings), LAST_LINES);
    let calls = ["details(grp:foo)", "pid()", "own_log()", "all()"];
    assert_eq!(world.supervisor.calls, calls, "supervisord opens no log of a program");
    let measured = [("times_in_last_hour", "1"), ("exit_status", "7")];
    assert_eq!(findings.measured, measured.map(|(name, value)| (name.into(), value.into())));
    assert_eq!(world.log(), "");
    gather(&mut world, &mut post_mortem, State::Exited);
    assert_eq!(world.supervisor.calls[4..], ["details(grp:foo)", "own_log()"], "what is known");
}

#[test]
fn supervisord_reads_the_logs_where_it_is_asked_to() {
    let mut world = world(State::Exited, 0);
    let findings = gather(&mut world, &mut PostMortem::new(2, true), State::Exited);
    assert_eq!(texts(&findings), LAST_LINES);
    let calls =
        ["tail(grp:foo stderr)", "tail(grp:foo stdout)", "details(grp:foo)", "own_log()", "all()"];
    assert_eq!(world.supervisor.calls, calls, "logs first");
}

#[test]
fn what_is_no_log_of_supervisord_is_left_out_and_the_rest_is_there() {
    let (mut world, directory) = world_with_files(State::Exited, 0);
    let (link, secret) = (directory.path().join("grp:foo.stderr"), directory.path().join("secret"));
    fs::rename(&link, &secret).unwrap();
    symlink(&secret, &link).unwrap();
    let findings = exit(&mut world);
    assert_eq!(findings.cause.as_deref(), Some("exit status 7"));
    let why =
        format!("{}: there is a link on the way that the program may have made", link.display());
    let logs =
        [("stderr", format!("(cannot be read: {why})")), ("stdout, last line", "out".into())];
    assert_eq!(texts(&findings), logs.each_ref().map(|(title, text)| (*title, text.as_str())));
    assert_eq!(world.log(), format!("cannot tell all about the end of processes: {why}\n"));
}

#[test]
fn without_the_process_id_of_supervisord_no_path_means_anything() {
    let (mut world, _directory) = world_with_files(State::Exited, 0);
    world.supervisor.refuse("pid", Fault::SHUTDOWN_STATE, "SHUTDOWN_STATE");
    let findings = exit(&mut world);
    assert_eq!(texts(&findings)[0].1, "(cannot be read: <Fault 6: 'SHUTDOWN_STATE'>)");
    assert_eq!(texts(&findings)[1], ("stdout, last line", "out"), "it is asked again");
}

#[test]
fn the_successor_is_noticed_and_its_status_is_not_taken() {
    // Finally it has exited as well, before it was asked about.
    for (state, pid) in
        [(State::Running, 9), (State::Starting, 9), (State::Backoff, 0), (State::Exited, 0)]
    {
        let (mut world, _directory) = world_with_files(state, pid);
        world.supervisor.own_log = Some(LOG.to_owned() + SUCCESSOR);
        let findings = exit(&mut world);
        assert_eq!(findings.cause.as_deref(), Some("exit status 7"));
        let title = "stderr, last 2 lines (it was started since, and some may be newer)";
        assert_eq!(texts(&findings)[0].0, title, "{state:?}");
    }
}

#[test]
fn two_of_a_name_are_not_confused() {
    let mut world = world(State::Exited, 0);
    world.supervisor = std::mem::take(&mut world.supervisor).with("other:foo", 4);
    assert_eq!(exit(&mut world).cause, None);
}

#[test]
fn an_instance_older_than_the_log_is_known_by_its_time() {
    let mut world = world(State::Exited, 0);
    // The events of these tests arrive at the first second of 2001, UTC.
    let time = |seconds: u64| log_time(UNIX_EPOCH + Duration::from_secs(978_307_200 - seconds));
    world.supervisor.own_log = Some(format!(
        "{} INFO something\n{} WARN exited: foo (terminated by SIGSEGV; not expected)\n",
        time(60),
        time(1)
    ));
    let mut post_mortem = PostMortem::new(0, false);
    assert_eq!(
        gather(&mut world, &mut post_mortem, State::Exited).cause,
        None,
        "it may have waited for us"
    );
    post_mortem.since = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
    let findings = gather(&mut world, &mut post_mortem, State::Exited);
    let cause = "terminated by SIGSEGV; the 2nd time in the last hour";
    assert_eq!(findings.cause.as_deref(), Some(cause));
    assert!(findings.measured.contains(&("signal".to_owned(), "SIGSEGV".to_owned())));
    assert!(findings.logs.is_empty(), "--tail 0");
}

#[test]
fn a_failed_start_has_its_error() {
    let mut world = world(State::Fatal, 0);
    let mut fatal = |error: &str, state: State| {
        world.supervisor.spawn_errors.insert("grp:foo".to_owned(), error.to_owned());
        world.supervisor.calls.clear();
        let findings = gather(&mut world, &mut PostMortem::new(0, false), state);
        (findings.cause.unwrap_or_default(), world.supervisor.calls.clone())
    };
    let (cause, calls) = fatal("can't find command 'nosuch'", State::Fatal);
    assert_eq!((cause.as_str(), calls.len()), ("can't find command 'nosuch'", 1));
    let quickly = "Exited too quickly (process log may have details)";
    let cause = fatal(quickly, State::Fatal).0;
    assert_eq!(cause, format!("{quickly}; at the last try: exit status 7"));
    // supervisord's answer is not about that end any more.
    assert_eq!(fatal(quickly, State::Backoff).0, "");
    assert_eq!(fatal("", State::Fatal).0, "");
}

#[test]
fn what_cannot_be_read_is_said_once_in_the_log_and_in_every_alert() {
    let mut world = world(State::Exited, 0);
    world.supervisor.own_log = None;
    let mut post_mortem = PostMortem::new(1, false);
    let reason = "<Fault 20: 'NO_FILE: None'>";
    for times in ["", "; the 2nd time in the last hour"] {
        let findings = gather(&mut world, &mut post_mortem, State::Exited);
        assert_eq!(findings.cause, Some(format!("not known: {reason}{times}")));
        assert_eq!(findings.logs.len(), 2);
    }
    let complaint = format!("cannot tell all about the end of processes: {reason}\n");
    assert_eq!(world.log(), complaint);
    // It ended, and ended again.
    world.supervisor.own_log = Some(LOG.to_owned());
    assert!(
        gather(&mut world, &mut post_mortem, State::Exited)
            .cause
            .unwrap()
            .starts_with("exit status 7")
    );
    world.supervisor.own_log = None;
    gather(&mut world, &mut post_mortem, State::Exited);
    assert_eq!(world.log(), complaint.repeat(2));
}

#[test]
fn a_supervisord_that_cannot_be_reached_is_asked_once() {
    let mut world = world(State::Exited, 0);
    world.supervisor.fail("details", RpcError::Unreachable("no socket".to_owned()));
    let findings = exit(&mut world);
    assert_eq!(findings.cause.as_deref(), Some("not known: no socket"));
    assert!(findings.logs.is_empty());
    assert_eq!(world.supervisor.calls.len(), 1);
    assert_eq!(world.log(), "cannot tell all about the end of processes: no socket\n");
}

#[test]
fn a_log_that_cannot_be_read_does_not_keep_the_rest_away() {
    let mut world = world(State::Exited, 0);
    world.supervisor.fail("tail", RpcError::NoAnswer("it is not UTF-8".to_owned()));
    let findings = gather(&mut world, &mut PostMortem::new(2, true), State::Exited);
    assert_eq!(findings.cause.as_deref(), Some("exit status 7"));
    let logs = [("stderr", "(cannot be read: it is not UTF-8)"), ("stdout, last line", "out")];
    assert_eq!(texts(&findings), logs);
    assert_eq!(world.log(), "cannot tell all about the end of processes: it is not UTF-8\n");
}

#[test]
fn a_process_that_is_no_more_has_no_cause() {
    let mut world = World::new(ScriptedSupervisor::at(1));
    let findings = exit(&mut world);
    assert_eq!(findings.cause.as_deref(), Some("not known: <Fault 10: 'BAD_NAME: grp:foo'>"));
    assert!(findings.logs.is_empty());
}

#[test]
fn logs_that_are_not_kept_are_left_out() {
    let mut world = world(State::Exited, 0);
    let key = |channel| ("grp:foo".to_owned(), channel);
    world.supervisor.logs.insert(key(Channel::Stdout), String::new());
    assert_eq!(texts(&exit(&mut world))[1], ("stdout", "(empty)"));
    world.supervisor.logs.remove(&key(Channel::Stderr));
    assert_eq!(texts(&exit(&mut world)), [("stdout", "(empty)")]);
    world.supervisor.logs.clear();
    let none = "(supervisord keeps none: see stdout_logfile and stderr_logfile)";
    assert_eq!(texts(&exit(&mut world)), [("Logs", none)]);
}

#[test]
fn a_start_has_no_cause() {
    let mut world = world(State::Running, 9);
    assert_eq!(
        gather(&mut world, &mut PostMortem::new(2, false), State::Running),
        Findings::default()
    );
    assert!(world.supervisor.calls.is_empty());
}

#[test]
fn the_names_of_all_processes_are_not_asked_for_each_time() {
    let mut world = world(State::Exited, 0);
    let mut post_mortem = PostMortem::new(0, false);
    for _ in 0..3 {
        gather(&mut world, &mut post_mortem, State::Exited);
    }
    assert_eq!(world.supervisor.calls.iter().filter(|call| *call == "all()").count(), 1);
}

#[test]
fn a_refusal_about_names_is_no_answer() {
    let mut world = world(State::Exited, 0);
    let fault = Fault { code: Fault::SHUTDOWN_STATE, text: "SHUTDOWN_STATE".to_owned() };
    world.supervisor.fail("all", RpcError::Fault(fault));
    let cause = exit(&mut world).cause;
    assert_eq!(cause.as_deref(), Some("not known: <Fault 6: 'SHUTDOWN_STATE'>"));
}

#[test]
fn in_a_list_they_stand_below_their_line() {
    let log = |title: &str, text: &str| Attachment { title: title.into(), text: text.into() };
    let findings = Findings {
        cause: Some("exit status 7".to_owned()),
        ending: None,
        logs: vec![log("stderr, last 3 lines", "a\n\n  b"), log("stdout", "(empty)")],
        measured: vec![],
    };
    let block = "\n    Cause: exit status 7\n    stderr, last 3 lines:\n    | a\n    |\n    |   b\n    \
                 stdout:\n    | (empty)\n";
    assert_eq!(findings.block(), block);
    assert_eq!(Findings::default().block(), "");
}
