//! What memmon does otherwise because all listeners here do: mails, protocol, command line.

use std::time::Duration;

use nix::sys::signal::Signal;
use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, Frame, ListenerState, SOON, Subject, Transcript,
    Who, record, record_both, wait_until,
};

use super::{one_tick, twenty_megabytes};
use crate::ours;
use crate::verdict::{MAIL, assert_died, deviates};

#[test]
fn d15_a_mail_command_cannot_touch_the_protocol() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = one_tick(
        "a mail command that prints",
        &["-a", "5MB", "-m", "bob", "-s", "{mailbox}; echo queued; echo as 7 >&2"],
        &[foo],
    );
    deviates("D15", &transcript, |theirs, ours| {
        assert!(theirs.unknown && theirs.protocol.contains("queued\n"), "{theirs:#?}");
        assert_eq!(ours.protocol, "READY\nRESULT 2\nOKREADY\n");
        assert!(ours.log.ends_with("queued\nas 7\n"), "{}", ours.log);
        assert_eq!(ours.mails.len(), 1);
    });
}

#[test]
fn d15_a_mail_command_that_fails_is_reported_with_the_mail() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = one_tick(
        "a mail command that fails",
        &["-a", "5MB", "-m", "bob", "-s", "cat >&2; exit 75"],
        &[foo],
    );
    deviates("D15", &transcript, |theirs, ours| {
        assert!(!theirs.log.contains("75") && theirs.alive, "{theirs:#?}");
        let report = "Mail not sent with \"cat >&2; exit 75\": the command failed with exit status 75. \
                      The mail was:\n\nTo: bob\nSubject: memmon: process foo:foo restarted\n\n";
        assert!(ours.log.contains(report), "{}", ours.log);
    });
}

#[test]
fn d15_a_mail_command_that_hangs_holds_up_nothing() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let restart = |subject: Subject| {
        let fake = FakeSupervisor::unix();
        fake.add(foo.clone());
        let arguments = ["-a", "5MB", "-m", "bob", "-s", "sleep 1000"];
        let mut listener = subject.args(arguments).server_url(&fake.server_url()).spawn();
        listener.event("TICK_60", "when:1");
        fake.wait_for_call("startProcess");
        (listener, fake)
    };
    let (mut theirs, _fake) = restart(Subject::theirs("memmon"));
    let (mut ours, fake) = restart(Subject::ours(ours(), "memmon"));
    // A tick that comes before the restart is over is dropped.
    wait_until("the next check", SOON, || {
        ours.event("TICK_60", "when:2");
        ours.wait_result();
        fake.calls().iter().filter(|call| *call == "getAllProcessInfo()").count() >= 2
    });
    assert_eq!(theirs.state(), ListenerState::Busy);
    record("D15", "memmon", "a mail command that hangs");
}

#[test]
fn d20_the_end_of_events_is_the_end() {
    let transcript = one_tick("the end of stdin", &["-a", "5MB"], &[]);
    deviates("D20", &transcript, |theirs, ours| {
        assert_eq!(theirs.exit, Some(1));
        assert!(theirs.afterwards.log.contains("KeyError: 'len'"));
        assert_eq!(ours.afterwards.log, "");
    });
}

#[test]
fn d21_any_identifier_will_do() {
    for identifier in ["my host", "a:b", "web 1: x serial:7"] {
        let transcript = Transcript::new("memmon", "an identifier with blanks or colons")
            .args(["-a", "5MB"])
            .send(Frame::new("TICK_60", "when:1").server(identifier));
        deviates("D21", &transcript, |theirs, ours| {
            assert_died(theirs, "ValueError");
            assert_eq!(ours.calls, ["getAllProcessInfo()"]);
        });
    }
}

#[test]
fn d23_a_stray_argument_is_named() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let arguments = ["-p", "foo=5GB", "bar=2MB", "-a", "5MB"];
    deviates("D23", &one_tick("stray arguments", &arguments, &[foo]), |theirs, ours| {
        let checking = "Checking programs foo=5368709120\nRSS of foo:foo is [RSS]\n";
        assert_eq!(theirs.log, checking);
        let warning = "memmon: ignored, since no option takes the first of them: bar=2MB -a 5MB\n";
        assert_eq!(ours.log, format!("{warning}{checking}"));
        assert_eq!(theirs.calls, ours.calls);
    });
}

#[test]
fn d23_negative_sizes_are_errors() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let theirs = one_tick("a negative size", &["-a", "-5MB"], &[foo]).run(&Who::Theirs);
    assert!(theirs.calls.contains(&"stopProcess(foo:foo)".to_owned()), "restarts everything");
    let ours = Subject::ours(ours(), "memmon").args(["-a", "-5MB"]).output(Duration::from_secs(10));
    assert_eq!(ours.status.code(), Some(2));
    record_both("D23", "memmon", "a negative size", &theirs, &ours);
}

#[test]
fn d24_usage_errors_leave_the_protocol_alone() {
    for arguments in [&[][..], &["-p", "foo"], &["-a", "abc"], &["--nonsense"], &["-u", "x"]] {
        let run = |subject: Subject| {
            subject.args(arguments.iter().copied()).output(Duration::from_secs(10))
        };
        let (theirs, ours) = (run(Subject::theirs("memmon")), run(Subject::ours(ours(), "memmon")));
        assert_eq!(theirs.status.code(), Some(255), "{arguments:?}");
        assert!(theirs.stderr.is_empty() && !theirs.stdout.is_empty(), "{arguments:?}");
        assert_eq!(ours.status.code(), Some(2), "{arguments:?}");
        assert!(!ours.stderr.is_empty() && ours.stdout.is_empty(), "{arguments:?}");
        record_both("D24", "memmon", &format!("usage error {arguments:?}"), &theirs, &ours);
    }
}

#[test]
fn d24_without_a_server_the_missing_section_is_named() {
    let run = |subject: Subject| subject.args(["-a", "5MB"]).output(Duration::from_secs(10));
    let theirs = run(Subject::theirs("memmon"));
    assert!(String::from_utf8_lossy(&theirs.stderr).contains("KeyError: 'SUPERVISOR_SERVER_URL'"));
    let ours = run(Subject::ours(ours(), "memmon"));
    let message = String::from_utf8_lossy(&ours.stderr).into_owned();
    assert!(message.contains("[unix_http_server] or [inet_http_server]"), "{message}");
    assert_eq!((ours.status.code(), ours.stdout.len()), (Some(1), 0));
    record_both("D24", "memmon", "no http server", &theirs, &ours);
}

#[test]
fn d25_other_text_than_ascii_says_what_it_is() {
    let (_ballast, cafe) = twenty_megabytes("café");
    let arguments = [&["-a", "5MB"], &MAIL[..]].concat();
    deviates("D25", &one_tick("a name with an accent", &arguments, &[cafe]), |theirs, ours| {
        assert!(
            theirs.mails[0].starts_with("To: bob@example.com\nSubject: memmon: process café:café")
        );
        let encoded = "To: bob@example.com\nSubject: =?utf-8?";
        assert!(ours.mails[0].starts_with(encoded), "{}", ours.mails[0]);
        assert!(ours.mails[0].contains("\nContent-Type: text/plain; charset=utf-8\n"));
        assert_eq!(theirs.log, ours.log);
    });
}

#[test]
fn d26_lengths_in_bytes_are_understood() {
    let fake = FakeSupervisor::unix();
    let frames = [
        Frame::new("REMOTE_COMMUNICATION", &"é".repeat(100)).len_in_bytes(),
        Frame::new("TICK_60", "when:1"),
    ];
    // Python's memmon waits for the characters that never come, and takes them from the next event.
    let mut theirs =
        Subject::theirs("memmon").args(["-a", "5MB"]).server_url(&fake.server_url()).spawn();
    theirs.send(&frames[0]);
    theirs.write(b"ver:3.0 server:s serial:1 pool:p poolserial:1 eventname:TICK_60 len:6\nwhen:1");
    theirs.close_stdin();
    theirs.wait_exit(Duration::from_secs(10));
    assert!(fake.calls().is_empty(), "the tick was lost");
    let mut ours =
        Subject::ours(ours(), "memmon").args(["-a", "5MB"]).server_url(&fake.server_url()).spawn();
    for frame in &frames {
        ours.send(frame);
        assert_eq!(ours.wait_result(), "OK");
    }
    fake.wait_for_call("getAllProcessInfo");
    record("D26", "memmon", "len in bytes");
}

#[test]
fn d27_an_event_that_comes_twice_is_handled_once() {
    let transcript = Transcript::new("memmon", "the same serial twice")
        .args(["-a", "5MB"])
        .send(Frame::new("TICK_60", "when:1").serial(77))
        .send(Frame::new("TICK_60", "when:1").serial(77));
    deviates("D27", &transcript, |theirs, ours| {
        assert_eq!(theirs.calls, ["getAllProcessInfo()", "getAllProcessInfo()"]);
        assert_eq!(ours.calls, ["getAllProcessInfo()"]);
        assert_eq!(theirs.protocol, ours.protocol);
    });
}

#[test]
fn d28_ticks_from_before_the_restart_do_not_restart_again() {
    let (first, second) = (Ballast::new(10).spawn(), Ballast::new(10).spawn());
    // A memmon in the middle of a restart, waiting for the process to stop.
    let stopping = |subject: Subject| {
        let fake = FakeSupervisor::unix();
        fake.add(FakeProcess::running("foo", first.pid()).next_pid(second.pid()));
        fake.once("stopProcess", Answer::Hold);
        let mut listener = subject.args(["-a", "5MB"]).server_url(&fake.server_url()).spawn();
        listener.event("TICK_5", "when:1");
        fake.wait_for_call("stopProcess");
        (listener, fake)
    };
    let stops = |fake: &FakeSupervisor| {
        fake.calls().iter().filter(|call| call.starts_with("stopProcess")).count()
    };
    // Theirs gets the tick that supervisord had to keep as soon as it is ready.
    let (mut theirs, fake) = stopping(Subject::theirs("memmon"));
    fake.release();
    theirs.event("TICK_5", "when:2");
    theirs.wait_result();
    assert_eq!(stops(&fake), 2);
    // Ours takes it at once.
    let (mut ours, fake) = stopping(Subject::ours(ours(), "memmon"));
    ours.event("TICK_5", "when:2");
    ours.wait_result();
    fake.release();
    fake.wait_for_call("startProcess");
    ours.wait_idle();
    assert_eq!(stops(&fake), 1);
    record("D28", "memmon", "ticks behind a slow stop");
}

/// What is not answered supervisord sends again, and what is answered it forgets.
#[test]
fn d29_an_event_is_answered_when_it_is_in_the_queue() {
    let killed_in_a_check = |subject: Subject| {
        let fake = FakeSupervisor::unix();
        fake.on("getAllProcessInfo", Answer::Hold);
        let mut listener = subject.args(["-a", "5MB"]).server_url(&fake.server_url()).spawn();
        listener.event("TICK_60", "when:1");
        fake.wait_for_call("getAllProcessInfo");
        listener
    };
    let mut theirs = killed_in_a_check(Subject::theirs("memmon"));
    let mut ours = killed_in_a_check(Subject::ours(ours(), "memmon"));
    assert_eq!(ours.wait_result(), "OK");
    for listener in [&mut theirs, &mut ours] {
        listener.signal(Signal::SIGKILL);
        listener.wait_exit(SOON);
    }
    assert_eq!((theirs.results().len(), ours.results().len()), (0, 1));
    record("D29", "memmon", "kill -9 in the middle of a check");
}
