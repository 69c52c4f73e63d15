//! Python's memmon as the program under test.

use std::time::Duration;

use nix::sys::signal::Signal;
use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, Feed, Frame, ListenerState, Mailbox, SOON,
    Subject, wait_until,
};

#[test]
fn a_tick_restarts_what_is_too_large_and_mails() {
    let (fake, mailbox, ballast) =
        (FakeSupervisor::unix(), Mailbox::new(), Ballast::new(30).spawn());
    fake.add(FakeProcess::running("grp:foo", ballast.pid()));
    fake.add(FakeProcess::running("idle", 0));
    let mut memmon = Subject::theirs("memmon")
        .server_url(&fake.server_url())
        .args(["-a", "20MB", "-m", "bob@example.com", "-s", &mailbox.command()])
        .spawn();

    memmon.event("TICK_60", "when:1201063880");
    assert_eq!(memmon.wait_result(), "OK");

    memmon.wait_idle();
    assert_eq!(memmon.state(), ListenerState::Ready);
    assert_eq!(memmon.stdout(), "READY\nRESULT 2\nOKREADY\n");
    let restart = [
        "getAllProcessInfo()",
        "getProcessInfo(grp:foo)",
        "stopProcess(grp:foo)",
        "startProcess(grp:foo)",
    ];
    assert_eq!(fake.calls(), restart);
    assert_ne!(fake.process("grp:foo").pid, ballast.pid());
    let mails = mailbox.wait_for(1);
    assert!(
        mails[0].starts_with("To: bob@example.com\nSubject: memmon: process grp:foo restarted\n\n")
    );
    assert!(memmon.stderr().starts_with("Checking any=20971520\nRSS of grp:foo is "));

    memmon.close_stdin();
    assert_eq!(memmon.wait_exit(SOON).code(), Some(1));
    assert!(memmon.stderr().contains("KeyError: 'len'"));
}

#[test]
fn a_process_that_nobody_has_is_no_trouble_for_ps() {
    let fake = FakeSupervisor::inet();
    fake.add(FakeProcess::running("foo", 5_000_001));
    let memmon = Subject::theirs("memmon").server_url(&fake.server_url()).args(["-a", "1"]);
    let mut memmon = memmon.spawn();
    memmon.event("TICK_5", "when:5");
    assert_eq!(memmon.wait_result(), "OK");
    assert_eq!(memmon.stderr(), "Checking any=1\n");
}

#[test]
fn frames_of_all_kinds_are_understood() {
    let fake = FakeSupervisor::unix();
    let mut memmon = Subject::theirs("memmon").server_url(&fake.server_url()).args(["-a1"]).spawn();
    memmon.send(&Frame::new("PROCESS_STATE_EXITED", "processname:café"));
    memmon.wait_result();
    memmon.send(&Frame::new("TICK_60", "when:1").serial(99).server("other"));
    memmon.wait_result();
    assert_eq!(memmon.results(), ["OK", "OK"]);
    fake.wait_for_call("getAllProcessInfo");
}

#[test]
fn a_word_on_stdout_is_seen_as_supervisord_sees_it() {
    let (fake, ballast) = (FakeSupervisor::unix(), Ballast::new(5).spawn());
    fake.add(FakeProcess::running("foo", ballast.pid()));
    let mut memmon = Subject::theirs("memmon")
        .server_url(&fake.server_url())
        .args(["-a1", "-m", "x@y", "-s", "cat > /dev/null; echo hello"])
        .spawn();
    memmon.event("TICK_60", "when:1");
    memmon.wait_state(ListenerState::Unknown);
    assert!(memmon.surprise().unwrap().starts_with("hello\n"));
    assert!(memmon.is_running());
}

#[test]
fn signals_end_it_and_nothing_is_left() {
    let memmon = Subject::theirs("memmon").server_url("unix:///nowhere").args(["-a1"]);
    let mut memmon = memmon.spawn();
    memmon.wait_state(ListenerState::Ready);
    memmon.signal(Signal::SIGTERM);
    assert_eq!(memmon.wait_exit(SOON).code(), None);

    // A mail command that hangs, in the background even, dies with the listener.
    let (fake, ballast) = (FakeSupervisor::unix(), Ballast::new(5).spawn());
    let mailbox = Mailbox::new();
    fake.add(FakeProcess::running("foo", ballast.pid()));
    let hang = format!(
        "cat > /dev/null; (setsid sleep 1000 & echo $! | {}); sleep 1000",
        mailbox.command()
    );
    let mut memmon = Subject::theirs("memmon")
        .server_url(&fake.server_url())
        .args(["-a1", "-m", "x@y", "-s", &hang])
        .spawn();
    memmon.event("TICK_60", "when:1");
    let background: u32 = mailbox.wait_for(1)[0].trim().parse().unwrap();
    let alive =
        || std::fs::read(format!("/proc/{background}/environ")).is_ok_and(|e| !e.is_empty());
    wait_until("the sleep to start", SOON, alive);
    drop(memmon);
    assert!(!alive());
}

#[test]
fn usage_comes_on_stdout_from_theirs() {
    let output = Subject::theirs("memmon").args(["--help"]).output(Duration::from_secs(20));
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("memmon.py [-c]"));
}

#[test]
fn what_a_listener_that_was_killed_has_not_acknowledged_is_sent_again() {
    let fake = FakeSupervisor::unix();
    fake.once("getAllProcessInfo", Answer::Hold);
    let memmon = Subject::theirs("memmon").server_url(&fake.server_url()).args(["-a", "1"]);
    let mut feed = Feed::new(memmon);
    let killed = feed.listener().pid();
    feed.event_and_kill("TICK_60", "when:1", |_| fake.wait_for_call("getAllProcessInfo"));
    assert_ne!(feed.listener().pid(), killed);
    assert_eq!(feed.listener().results(), ["OK"]);
    feed.event("TICK_60", "when:2");
    assert_eq!(feed.listener().results(), ["OK", "OK"]);
    assert_eq!(feed.logs().matches("Checking any=1").count(), fake.calls().len());
}
