//! What memmon does otherwise than the original, on purpose: each test shows both. The numbers are
//! the headings of docs/compatibility.md.

use std::time::Duration;

use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, Frame, ListenerState, Outcome, RunningBallast,
    Scratch, Subject, Transcript, Until, Who, deviates, record,
};

use crate::ours;

const RESTART: [&str; 4] = [
    "getAllProcessInfo()",
    "getProcessInfo(foo:foo)",
    "stopProcess(foo:foo)",
    "startProcess(foo:foo)",
];

const MAIL: [&str; 4] = ["-m", "bob@example.com", "-s", "{mailbox}"];

/// A process of about twenty megabytes.
fn twenty_megabytes(namespec: &str) -> (RunningBallast, FakeProcess) {
    let ballast = Ballast::new(10).spawn();
    let process = FakeProcess::running(namespec, ballast.pid());
    (ballast, process)
}

fn memmon(title: &str, arguments: &[&str], processes: &[FakeProcess]) -> Transcript {
    Transcript::new("memmon", title)
        .args(arguments.iter().copied())
        .processes(processes.iter().cloned())
}

fn one_tick(title: &str, arguments: &[&str], processes: &[FakeProcess]) -> Transcript {
    memmon(title, arguments, processes).event("TICK_60", "when:1201063880")
}

#[track_caller]
fn check(number: &str, transcript: &Transcript, judge: impl FnOnce(&Outcome, &Outcome)) {
    deviates(transcript, ours(), number, |theirs, ours| {
        judge(theirs, ours);
        assert!(ours.alive && !ours.unknown, "{ours:#?}");
        assert_eq!(ours.exit, Some(0), "{ours:#?}");
    });
}

#[track_caller]
fn assert_died(outcome: &Outcome, of: &str) {
    assert!(!outcome.alive && outcome.log.contains(of), "{outcome:#?}");
}

#[test]
fn d1_a_program_may_be_named_with_its_group() {
    let (_ballast, foo) = twenty_megabytes("g:foo");
    let transcript = one_tick("-p group:name", &["-p", "g:foo=5MB"], &[foo]);
    check("D1", &transcript, |theirs, ours| {
        assert_died(theirs, "KeyError: 'foo'");
        assert_eq!(ours.calls[2..], ["stopProcess(g:foo)", "startProcess(g:foo)"]);
        assert!(ours.log.ends_with("RSS of g:foo is [RSS]\nRestarting g:foo\n"), "{}", ours.log);
    });
}

#[test]
fn d2_a_name_is_the_one_of_n() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let subject = |outcome: &Outcome| outcome.mails[0].lines().nth(1).unwrap().to_owned();
    for (arguments, expected_theirs, expected_ours) in [
        (&["-n", "x", "-p", "foo=5MB"][..], "memmon [foo]", "memmon [x]"),
        (&["-p", "foo=5MB", "-g", "bar=5MB"], "memmon [bar]", "memmon"),
    ] {
        let transcript =
            one_tick("the name in the subject", &[arguments, &MAIL].concat(), &[foo.clone()]);
        check("D2", &transcript, |theirs, ours| {
            let rest = ": process foo:foo restarted";
            assert_eq!(subject(theirs), format!("Subject: {expected_theirs}{rest}"));
            assert_eq!(subject(ours), format!("Subject: {expected_ours}{rest}"));
        });
    }
}

#[test]
fn d3_a_process_over_several_limits_is_restarted_once() {
    let (ballast, foo) = twenty_megabytes("foo");
    let foo = foo.next_pid(ballast.pid());
    let arguments = [&["-p", "foo=5MB", "-g", "foo=5MB", "-a", "5MB"], &MAIL[..]].concat();
    check("D3", &one_tick("over three limits", &arguments, &[foo]), |theirs, ours| {
        let stops = |outcome: &Outcome| {
            outcome.calls.iter().filter(|call| call.starts_with("stopProcess")).count()
        };
        assert_eq!((stops(theirs), theirs.mails.len()), (2, 2));
        assert_eq!((stops(ours), ours.mails.len()), (1, 1));
    });
}

#[test]
fn d4_a_fault_on_the_stop_ends_nothing() {
    let (_first, foo) = twenty_megabytes("foo");
    let (_second, zoo) = twenty_megabytes("zoo");
    let transcript = memmon("stop refused", &[&["-a", "5MB"], &MAIL[..]].concat(), &[foo, zoo])
        .act(|fake| fake.once("stopProcess(foo:foo)", Answer::fault(70, "NOT_RUNNING: foo:foo")))
        .event("TICK_60", "when:1");
    check("D4", &transcript, |theirs, ours| {
        let fault = "<Fault 70: 'NOT_RUNNING: foo:foo'>";
        assert_died(theirs, fault);
        let mail = |subject: &str, text: &str| {
            format!("To: bob@example.com\nSubject: memmon: {subject}\n\n{text}: {fault}")
        };
        assert_eq!(
            theirs.mails,
            [mail(
                "failed to stop process foo:foo, exiting",
                "Failed to stop process foo:foo (RSS [RSS]), exiting"
            )]
        );
        assert_eq!(
            ours.mails[0],
            mail("failed to stop process foo:foo", "Failed to stop process foo:foo (RSS [RSS])")
        );
        assert!(
            ours.log.contains("Restarting foo:foo\nFailed to stop process foo:foo (RSS [RSS]): ")
        );
        assert_eq!(theirs.calls.len(), 3);
        assert_eq!(ours.calls.last().unwrap(), "startProcess(zoo:zoo)");
    });
}

#[test]
fn d4_a_start_that_failed_is_made_good() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = memmon("start refused", &[&["-a", "5MB"], &MAIL[..]].concat(), &[foo])
        .act(|fake| fake.once("startProcess", Answer::fault(20, "NO_FILE: /usr/bin/foo")))
        .event("TICK_60", "when:1");
    // Ours starts it a second later, on its own, so the runs end differently.
    let theirs = transcript.run(&Who::Theirs);
    assert_died(&theirs, "<Fault 20: 'NO_FILE: /usr/bin/foo'>");
    assert_eq!(theirs.calls, RESTART);
    let ours = transcript.until(Until::Mails(2)).run(&Who::Ours(ours().to_owned()));
    assert_eq!(ours.calls[..4], RESTART);
    assert_eq!(ours.calls.last().unwrap(), "startProcess(foo:foo)");
    assert_eq!(
        ours.mails[0],
        "To: bob@example.com\nSubject: memmon: failed to start process foo:foo\n\n\
         Failed to start process foo:foo after stopping it: <Fault 20: 'NO_FILE: /usr/bin/foo'>"
    );
    assert!(
        ours.mails[1]
            .starts_with("To: bob@example.com\nSubject: memmon: process foo:foo restarted\n")
    );
    assert!(ours.log.ends_with("foo:foo was started again\n"), "{}", ours.log);
    record("D4", "memmon", "start refused");
}

#[test]
fn d4_an_unreachable_supervisord_is_waited_for() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = Transcript::new("memmon", "three ticks without RPC")
        .args(["-a", "5MB"])
        .processes([foo])
        .act(FakeSupervisor::stop)
        .event("TICK_60", "when:1")
        .event("TICK_60", "when:2")
        .event("TICK_60", "when:3")
        .act(FakeSupervisor::start)
        .event("TICK_60", "when:4");
    check("D4", &transcript, |theirs, ours| {
        assert_died(theirs, "FileNotFoundError");
        assert_eq!(ours.calls, RESTART);
        let complaint =
            "Cannot check: cannot talk to supervisord at [SERVER]: No such file or directory";
        assert_eq!(ours.log.matches(complaint).count(), 1, "{}", ours.log);
        assert!(ours.log.contains("supervisord answers again\nRSS of foo:foo"), "{}", ours.log);
    });
}

#[test]
fn d4_a_wrong_password_is_one_clear_line() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = Transcript::new("memmon", "wrong password")
        .args(["-a", "5MB"])
        .env("SUPERVISOR_USERNAME", "user")
        .env("SUPERVISOR_PASSWORD", "wrong")
        .processes([foo])
        .act(|fake| fake.require_login("user", "right"))
        .event("TICK_60", "when:1")
        .event("TICK_60", "when:2");
    check("D4", &transcript, |theirs, ours| {
        assert_died(theirs, "401 Unauthorized");
        let advice = "set SUPERVISOR_USERNAME and SUPERVISOR_PASSWORD in the environment= line";
        assert_eq!(ours.log.matches(advice).count(), 1, "{}", ours.log);
    });
}

#[test]
fn d5_it_never_restarts_itself() {
    let (_ballast, itself) = twenty_megabytes("memmon");
    for arguments in [&["-a", "5MB"][..], &["-p", "memmon=5MB"], &["-g", "memmon=5MB"]] {
        let transcript = one_tick("itself", arguments, &[itself.clone()]);
        check("D5", &transcript, |theirs, ours| {
            assert!(theirs.calls.contains(&"stopProcess(memmon:memmon)".to_owned()));
            assert_eq!(ours.calls, ["getAllProcessInfo()"]);
        });
    }
}

#[test]
fn d6_no_ps_is_needed() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = one_tick("an empty PATH", &["-a", "5MB"], &[foo]).env("PATH", "/nonexistent");
    check("D6", &transcript, |theirs, ours| {
        assert!(theirs.log.contains("ps: not found") && theirs.calls.len() == 1, "{theirs:#?}");
        assert_eq!(ours.calls, RESTART);
    });
}

/// Where there is no /proc, a missing or useless ps is said, and once.
#[test]
fn d6_a_useless_ps_is_an_error_in_the_log() {
    let folder = Scratch::new();
    folder.script("ps", "#!/bin/sh\necho 'ps: unrecognized option: p' >&2; exit 1\n");
    let useless = folder.path().to_str().unwrap();
    for (path, said) in [
        ("/nonexistent", "cannot run ps, which tells memory here: No such file or directory"),
        (useless, "how much memory processes use: ps: unrecognized option: p\n"),
    ] {
        let (_ballast, foo) = twenty_megabytes("foo");
        let transcript = one_tick("ps", &["-a", "5MB", "--through-ps"], &[foo])
            .event("TICK_60", "when:2")
            .env("PATH", path);
        let ours = transcript.run(&Who::Ours(ours().to_owned()));
        assert!(ours.alive && ours.log.matches(said).count() == 1, "{}", ours.log);
        record("D6", "memmon", "a missing or useless ps");
    }
}

#[test]
fn through_ps_all_is_as_through_proc() {
    let family = Ballast::new(5).children(1, 60).spawn();
    let family = FakeProcess::running("foo", family.pid());
    for (arguments, restarts) in
        [(&["-a", "50MB"][..], false), (&["-c", "-a", "50MB"], true), (&["-a", "5MB"], true)]
    {
        let arguments = [arguments, &["--through-ps"]].concat();
        let transcript = one_tick("through ps", &arguments, &[family.clone()]);
        let ours = transcript.run(&Who::Ours(ours().to_owned()));
        assert_eq!(ours.calls.len() == 4, restarts, "{arguments:?}: {}", ours.log);
    }
}

#[test]
fn d15_a_mail_command_cannot_touch_the_protocol() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = one_tick(
        "a mail command that prints",
        &["-a", "5MB", "-m", "bob", "-s", "{mailbox}; echo queued; echo as 7 >&2"],
        &[foo],
    );
    check("D15", &transcript, |theirs, ours| {
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
    check("D15", &transcript, |theirs, ours| {
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
    ours.event("TICK_60", "when:2");
    fake.wait_for_calls("getAllProcessInfo", 2);
    assert_eq!(theirs.state(), ListenerState::Busy);
    record("D15", "memmon", "a mail command that hangs");
}

#[test]
fn d20_the_end_of_events_is_the_end() {
    let transcript = one_tick("the end of stdin", &["-a", "5MB"], &[]);
    check("D20", &transcript, |theirs, ours| {
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
        check("D21", &transcript, |theirs, ours| {
            assert_died(theirs, "ValueError");
            assert_eq!(ours.calls, ["getAllProcessInfo()"]);
        });
    }
}

#[test]
fn d23_a_stray_argument_is_named() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let arguments = ["-p", "foo=5GB", "bar=2MB", "-a", "5MB"];
    check("D23", &one_tick("stray arguments", &arguments, &[foo]), |theirs, ours| {
        let checking = "Checking programs foo=5368709120\nRSS of foo:foo is [RSS]\n";
        assert_eq!(theirs.log, checking);
        let warning = "memmon: ignored, since no option stands before it: bar=2MB -a 5MB\n";
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
    record("D23", "memmon", "a negative size");
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
        record("D24", "memmon", &format!("usage error {arguments:?}"));
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
    record("D24", "memmon", "no http server");
}

#[test]
fn d25_other_text_than_ascii_says_what_it_is() {
    let (_ballast, cafe) = twenty_megabytes("café");
    let arguments = [&["-a", "5MB"], &MAIL[..]].concat();
    check("D25", &one_tick("a name with an accent", &arguments, &[cafe]), |theirs, ours| {
        assert!(
            theirs.mails[0].starts_with("To: bob@example.com\nSubject: memmon: process café:café")
        );
        let encoded = "To: bob@example.com\nSubject: =?utf-8?B?";
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
    check("D27", &transcript, |theirs, ours| {
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
