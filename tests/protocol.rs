//! The event protocol as supervisord sees it, with memmon as the listener.

use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, Frame, Listener, ListenerState, Subject,
};

use crate::ours;

const SOON: Duration = Duration::from_secs(10);

fn memmon(fake: &FakeSupervisor) -> Listener {
    Subject::ours(ours(), "memmon").args(["-a", "5MB"]).server_url(&fake.server_url()).spawn()
}

#[test]
fn every_event_is_answered_at_once_and_with_ok() {
    let fake = FakeSupervisor::unix();
    fake.on("getAllProcessInfo", Answer::Hold);
    let mut memmon = memmon(&fake);
    for number in 0..200 {
        let name = ["TICK_5", "PROCESS_STATE_EXITED", "NONSENSE", "TICK_60"][number % 4];
        memmon.event(name, "anything at all: ünd more");
        assert_eq!(memmon.wait_result(), "OK");
    }
    assert_eq!(memmon.results().len(), 200);
    fake.release();
    memmon.close_stdin();
    assert!(memmon.wait_exit(SOON).success());
}

#[test]
fn characters_and_bytes_may_even_alternate() {
    let fake = FakeSupervisor::unix();
    let mut memmon = memmon(&fake);
    let payload = "processname:café groupname:日本 from_state:RUNNING expected:0 pid:7";
    for frame in [
        Frame::new("PROCESS_STATE_EXITED", payload).len_in_bytes(),
        Frame::new("PROCESS_STATE_EXITED", payload),
        Frame::new("TICK_5", "when:1"),
    ] {
        memmon.send(&frame);
        assert_eq!(memmon.wait_result(), "OK");
    }
    fake.wait_for_call("getAllProcessInfo");
}

#[test]
fn a_header_may_have_other_keys_in_another_order() {
    let fake = FakeSupervisor::unix();
    let mut memmon = memmon(&fake);
    let header = "eventname:TICK_5 new:thing len:{len} serial:5 ver:4.0 odd words server:a:b c";
    memmon.send(&Frame::new("TICK_5", "when:1").header(header));
    assert_eq!(memmon.wait_result(), "OK");
    fake.wait_for_call("getAllProcessInfo");
}

#[test]
fn a_protocol_that_cannot_be_followed_ends_with_an_error() {
    let fake = FakeSupervisor::unix();
    let mut memmon = memmon(&fake);
    memmon.wait_state(ListenerState::Ready);
    memmon.write(b"this is no header\n");
    assert_eq!(memmon.wait_exit(SOON).code(), Some(1));
    let log = memmon.stderr();
    assert!(log.contains("the event protocol is lost: no `len` in the event header"), "{log}");
}

#[test]
fn a_signal_ends_it_in_good_order_and_by_that_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        let fake = FakeSupervisor::unix();
        let mut memmon = memmon(&fake);
        memmon.wait_state(ListenerState::Ready);
        memmon.signal(signal);
        assert_eq!(memmon.wait_exit(SOON).signal(), Some(signal as i32));
        assert_eq!(memmon.stderr(), format!("memmon: ended by {signal}\n"));
    }
}

#[test]
fn what_was_begun_is_finished_after_sigterm() {
    let (first, second) = (Ballast::new(10).spawn(), Ballast::new(10).spawn());
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo", first.pid()).next_pid(second.pid()));
    fake.once("stopProcess", Answer::Hold);
    let mut memmon = memmon(&fake);
    memmon.event("TICK_5", "when:1");
    fake.wait_for_call("stopProcess");
    memmon.signal(Signal::SIGTERM);
    fake.release();
    fake.wait_for_call("startProcess");
    assert_eq!(memmon.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    assert_eq!(fake.process("foo:foo").pid, second.pid());
}

#[test]
fn what_cannot_be_finished_is_said_within_the_time_there_is() {
    let ballast = Ballast::new(10).spawn();
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo", ballast.pid()));
    fake.once("stopProcess", Answer::Hold);
    let mut memmon = memmon(&fake);
    memmon.event("TICK_5", "when:1");
    fake.wait_for_call("stopProcess");
    let started = Instant::now();
    memmon.signal(Signal::SIGTERM);
    let status = memmon.wait_exit(Duration::from_secs(10));
    assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
    assert!(started.elapsed() >= Duration::from_secs(7), "it did not wait");
    assert!(
        memmon
            .stderr()
            .ends_with("start it with: supervisorctl start foo:foo\nmemmon: ended by SIGTERM\n")
    );
}

/// As when a service manager signals every process, and then supervisord its children.
#[test]
fn further_signals_change_nothing() {
    let (first, second) = (Ballast::new(10).spawn(), Ballast::new(10).spawn());
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo", first.pid()).next_pid(second.pid()));
    fake.once("stopProcess", Answer::Hold);
    let mut memmon = memmon(&fake);
    memmon.event("TICK_5", "when:1");
    fake.wait_for_call("stopProcess");
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1] {
        memmon.signal(signal);
        memmon.wait_idle();
    }
    fake.release();
    fake.wait_for_call("startProcess");
    assert_eq!(memmon.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
}

#[test]
fn no_restart_is_begun_after_sigterm() {
    let (first, second) = (Ballast::new(10).spawn(), Ballast::new(10).spawn());
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo", first.pid()));
    fake.add(FakeProcess::running("zoo", second.pid()));
    fake.once("stopProcess", Answer::Hold);
    let mut memmon = memmon(&fake);
    memmon.event("TICK_5", "when:1");
    fake.wait_for_call("stopProcess");
    memmon.signal(Signal::SIGTERM);
    memmon.wait_idle();
    fake.release();
    assert_eq!(memmon.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    let calls = fake.calls();
    assert_eq!(calls.last().unwrap(), "startProcess(foo:foo)", "{calls:?}");
}

/// The pause between retries has grown when the reason for them is gone.
#[test]
fn at_the_end_a_start_that_is_owed_is_tried_at_once() {
    let ballast = Ballast::new(10).spawn();
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo", ballast.pid()));
    fake.on("startProcess", Answer::fault(20, "NO_FILE: /usr/bin/foo"));
    let mut memmon = memmon(&fake);
    memmon.event("TICK_5", "when:1");
    fake.wait_for_calls("startProcess", 3);
    fake.behave();
    memmon.signal(Signal::SIGTERM);
    assert_eq!(memmon.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    let end = "foo:foo was started again\nmemmon: ended by SIGTERM\n";
    assert!(memmon.stderr().ends_with(end), "{}", memmon.stderr());
}

#[test]
fn without_supervisord_it_says_what_is_owed_and_ends() {
    let ballast = Ballast::new(10).spawn();
    let mut fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo", ballast.pid()));
    fake.once("startProcess", Answer::fault(20, "NO_FILE: /usr/bin/foo"));
    let mut memmon = memmon(&fake);
    memmon.event("TICK_5", "when:1");
    memmon.wait_for_log("Failed to start process foo:foo");
    fake.stop();
    let started = Instant::now();
    memmon.close_stdin();
    assert_eq!(memmon.wait_exit(SOON).code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(4));
    let log = memmon.stderr();
    assert!(log.ends_with("start it with: supervisorctl start foo:foo\n"), "{log}");
}

/// A stdout that is closed means that supervisord is gone.
#[test]
fn a_reader_that_went_away_is_an_end_like_any_other() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = std::process::Command::new(ours())
        .args(["memmon", "-a", "5MB"])
        .env("SUPERVISOR_SERVER_URL", "unix:///nonexistent")
        .stdin(std::process::Stdio::piped())
        .stdout(writer.as_fd().try_clone_to_owned().unwrap())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
