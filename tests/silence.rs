//! Listeners whose configuration gives them nothing to do say so.

use std::process::{Command, Stdio};

use superlance_testing::{
    Channel, FakeProcess, FakeSupervisor, ListenerState, Subject, Supervisord,
};

use crate::{links, ours};

const EXIT: &str = "processname:foo groupname:foo from_state:RUNNING expected:0 pid:7";

#[test]
fn each_says_at_its_start_who_it_is_and_what_it_waits_for() {
    let batch = ["-t", "a@b", "-f", "c@d"];
    for (name, arguments, said) in [
        (
            "memmon",
            &["-g", "workers=1.5GB", "-p", "foo=200MB", "-a", "40%", "--exclude", "db"][..],
            "watches -p foo=200MB, -g workers=1536MB, -a 40%, --exclude db; waits for TICK",
        ),
        (
            "httpok",
            &["-p", "foo", "-p", "g:*", "http://bob:secret@localhost:1/x"],
            "checks http://bob:***@localhost:1/x for -p foo, -p g:*; waits for TICK",
        ),
        (
            "httpok",
            &["-a", "http://localhost:1/"],
            "checks http://localhost:1/ for -a, all running processes; waits for TICK",
        ),
        ("crashmail", &["-m", "bob"], "watches every process; waits for PROCESS_STATE_EXITED"),
        (
            "crashmail",
            &["-m", "bob", "-p", "foo", "--on", "exited,expected,fatal"],
            "watches -p foo; waits for PROCESS_STATE_EXITED, PROCESS_STATE_FATAL",
        ),
        (
            "crashmailbatch",
            &[&batch[..], &["-e", "TICK_5"]].concat(),
            "watches every process; waits for PROCESS_STATE_EXITED, TICK_5",
        ),
        (
            "exitmon",
            &["-p", "web", "--exclude", "x", "--max-exits", "3/10m"],
            "ends supervisord when of -p web, --exclude x one is fatal or exited for 2s, or exits more \
             than 3 times within 10m; waits for PROCESS_STATE_FATAL, PROCESS_STATE_EXITED",
        ),
        (
            "fatalmailbatch",
            &[&batch[..], &["--program", "a*"]].concat(),
            "watches --program a*; waits for PROCESS_STATE_FATAL, TICK_60",
        ),
        ("crashsms", &batch, "watches every process; waits for PROCESS_STATE_EXITED, TICK_60"),
    ] {
        let fake = FakeSupervisor::unix();
        let listener = Subject::ours(ours(), name).args(arguments.to_vec());
        let mut listener = listener.server_url(&fake.server_url()).spawn();
        listener.wait_state(ListenerState::Ready);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(listener.introduction(), format!("{name} (superlance {version}): {said}"));
    }
}

#[test]
fn events_that_are_of_no_use_are_named() {
    let fake = FakeSupervisor::unix();
    for (name, arguments, event, said) in [
        (
            "memmon",
            &["-a", "1GB"][..],
            "PROCESS_STATE_EXITED",
            "memmon: three events have come (PROCESS_STATE_EXITED), and none that it can use: is TICK \
             in its events=? (SL201)\n",
        ),
        (
            "crashmail",
            &["-m", "bob", "--on", "fatal"],
            "PROCESS_STATE_EXITED",
            "crashmail: three events have come (PROCESS_STATE_EXITED), and none that it can use: is \
             PROCESS_STATE_FATAL in its events=? (SL201)\n",
        ),
        (
            "crashmailbatch",
            &["-t", "a@b", "-f", "c@d"],
            "PROCESS_STATE_RUNNING",
            "crashmailbatch: three events have come (PROCESS_STATE_RUNNING), and none that it can \
             use: are PROCESS_STATE_EXITED and TICK_60 in its events=? (SL201)\n",
        ),
    ] {
        let listener = Subject::ours(ours(), name).args(arguments.to_vec());
        let mut listener = listener.server_url(&fake.server_url()).spawn();
        for _ in 0..9 {
            listener.event(event, EXIT);
            listener.wait_result();
        }
        assert_eq!(listener.stderr(), said);
    }
    assert!(fake.calls().is_empty(), "{:?}", fake.calls());
}

/// The first message would make the listener UNKNOWN for ever, while it counts as RUNNING.
#[test]
fn a_listener_whose_outputs_are_one_pipe_does_not_start() {
    let (_links, path) = links();
    let command = "sh -c \"exec crashmail -m bob@example.com 2>&1\"";
    let program = [("redirect_stderr", "true"), ("startsecs", "0"), ("autorestart", "false")];
    let supervisord = Supervisord::builder()
        .first_in_path(&path)
        .listener("crashmail", command, "PROCESS_STATE_EXITED", &[("startretries", "1")])
        .program("memmon", "memmon -a 1GB", &program)
        .start();
    let advice =
        "with redirect_stderr=true the section is a [program:x] and must be an [eventlistener:x]";
    supervisord.wait_for_process_log("memmon", Channel::Stdout, advice);
    supervisord.wait_state("crashmail", "FATAL");
    let log = supervisord.process_log("crashmail", Channel::Stdout);
    assert!(log.starts_with("crashmail: standard output and standard error are one pipe"), "{log}");
    assert!(supervisord.log().contains("exited: crashmail (exit status 2; not expected)"));
    // What is no pipe cannot be the protocol.
    let mut listener = Command::new(path.join("crashmail"));
    listener.args(["-m", "bob"]).env("SUPERVISOR_ENABLED", "1").stdin(Stdio::null());
    let status = listener.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_selector_that_matches_nothing_is_named() {
    for (name, arguments, event, said) in [
        ("crashmail", &["-m", "bob", "-p", "fooo"][..], "PROCESS_STATE_EXITED", "-p fooo"),
        (
            "crashmailbatch",
            &["-t", "a@b", "-f", "c@d", "--program", "fooo"],
            "PROCESS_STATE_EXITED",
            "--program fooo",
        ),
        ("httpok", &["-E", "-p", "fooo", "http://localhost:1/"], "TICK_60", "-p fooo"),
        ("memmon", &["-p", "fooo=1GB"], "TICK_60", "-p fooo"),
    ] {
        let fake = FakeSupervisor::unix();
        fake.add(FakeProcess::running("foo", std::process::id()));
        let listener = Subject::ours(ours(), name).args(arguments.to_vec());
        let mut listener = listener.server_url(&fake.server_url()).spawn();
        listener.event(event, EXIT);
        let said = format!(
            "No process of supervisord matches {said}: compare with supervisorctl status (SL301)\n"
        );
        listener.wait_for_log(&said);
        listener.event(event, EXIT);
        listener.wait_idle();
        assert_eq!(listener.stderr().matches(&said).count(), 1, "{}", listener.stderr());
    }
}
