//! What httpok does otherwise because all listeners here do: mails, protocol, command line.

use std::time::Duration;

use superlance_testing::{
    Answer, FakeSupervisor, Frame, HttpAnswer, HttpServer, ListenerState, Outcome, Subject,
    Transcript, Who, record, record_both,
};

use super::{acts, compared_log, foo, httpok, ill, one_tick, running};
use crate::ours;
use crate::verdict::{MAIL, assert_died, deviates};

const SOON: Duration = Duration::from_secs(10);

/// `foo`, restarted at a tick.
fn restart(title: &str, arguments: &[&str]) -> Transcript {
    foo(title, &[arguments, &["{http}/"]].concat(), ill()).event("TICK_60", "when:1")
}

#[test]
fn d15_a_mail_command_cannot_touch_the_protocol() {
    let command = "{mailbox}; echo queued; echo as 7 >&2";
    deviates("D15", &restart("a mail command that prints", &["-s", command]), |theirs, ours| {
        assert!(theirs.unknown && theirs.protocol.contains("queued\n"), "{theirs:#?}");
        assert_eq!(ours.protocol, "READY\nRESULT 2\nOKREADY\n");
        assert!(ours.log.contains("queued\nas 7\n") && ours.mails.len() == 1, "{}", ours.log);
    });
}

#[test]
fn d15_a_mail_command_that_fails_is_reported_with_the_mail() {
    let transcript = restart("a mail command that fails", &["-s", "cat >&2; exit 75"]);
    deviates("D15", &transcript, |theirs, ours| {
        assert!(theirs.log.contains("Mailed:") && !theirs.log.contains("75"), "{theirs:#?}");
        let report = "Mail not sent with \"cat >&2; exit 75\": the command failed with exit status 75. \
                      The mail was:\n\nTo: bob@example.com\nSubject: httpok: [HTTP]/: bad status \
                      returned\n\nstatus contacting";
        assert!(ours.log.contains(report) && !ours.log.contains("Mailed:"), "{}", ours.log);
    });
}

#[test]
fn d15_a_gcore_that_reads_cannot_touch_the_protocol() {
    // It asks a question, as debuggers do, and gets no answer.
    let gcore = "f() { echo 'Really?'; read answer || answer=nothing; echo \"$answer\"; }; f";
    let http = HttpServer::builder().usually(ill()).start();
    let arguments = ["-a", "-g", gcore, "-d", "/tmp", &format!("{}/", http.url())];
    let started = |subject: Subject| {
        let fake = FakeSupervisor::unix();
        fake.add(running("foo"));
        let mut listener = subject.args(arguments).server_url(&fake.server_url()).spawn();
        listener.event("TICK_60", "when:1");
        (listener, fake)
    };
    let (mut theirs, _fake) = started(Subject::theirs("httpok"));
    theirs.wait_for_log("Restarting all running processes");
    // The next event becomes the answer.
    theirs.write(b"ver:3.0 eventname:TICK_60 len:0\n");
    theirs.wait_for_log("Really?\nver:3.0 eventname:TICK_60");
    let (mut ours, fake) = started(Subject::ours(ours(), "httpok"));
    ours.event("TICK_60", "when:2");
    fake.wait_for_call("startProcess");
    assert!(ours.wait_for_log("foo restarted").contains("Really?\nnothing\n"));
    assert_eq!(ours.wait_result(), "OK");
    record("D15", "httpok", "a gcore that reads");
}

#[test]
fn d15_a_gcore_that_fails_is_reported() {
    let arguments = ["-d", "{scratch}/none", "-g", "echo x; echo y >&2; exit 3 #"];
    deviates("D15", &restart("a gcore that fails", &arguments), |theirs, ours| {
        assert!(theirs.log.contains("gcore output for foo:\n\n x\n\nfoo is in"), "{theirs:#?}");
        let report = "Core directory [SCRATCH]/none does not exist or cannot be written to\n\
                      gcore output for foo:\n\n x\n\n\
                      gcore for foo: the command failed with exit status 3\nfoo is in RUNNING state";
        assert!(ours.log.contains(report) && ours.mails[0].contains(report), "{}", ours.log);
        assert_eq!(acts(theirs), acts(ours));
    });
}

#[test]
fn d20_the_end_of_events_is_the_end() {
    deviates("D20", &httpok("the end of stdin", &["{http}/"], &[]), |theirs, ours| {
        assert!(theirs.exit == Some(1) && theirs.afterwards.log.contains("KeyError: 'len'"));
        assert_eq!(ours.afterwards.log, "");
    });
}

#[test]
fn d21_any_identifier_will_do() {
    for identifier in ["my host", "a:b", "web 1: x serial:7"] {
        let transcript = httpok("an identifier with blanks or colons", &["{http}/"], &[])
            .send(Frame::new("TICK_60", "when:1").server(identifier));
        deviates("D21", &transcript, |theirs, ours| {
            assert_died(theirs, "ValueError");
            assert_eq!(ours.requests, ["GET /"]);
        });
    }
}

/// With a limit below one the original asks nothing, and takes that for a failure.
#[test]
fn d23_no_time_and_less_are_errors() {
    for limit in ["0", "-5"] {
        let transcript = restart(&format!("-t {limit}"), &["-t", limit]);
        let theirs = transcript.run(&Who::Theirs);
        assert!(theirs.requests.is_empty() && acts(&theirs).len() == 2, "{theirs:#?}");
        let ours = Subject::ours(ours(), "httpok").args(["-t", limit, "http://h/"]).output(SOON);
        assert_eq!((ours.status.code(), ours.stdout.len()), (Some(2), 0));
        record_both("D23", "httpok", &format!("-t {limit}"), &theirs, &ours);
    }
}

#[test]
fn d24_usage_errors_leave_the_protocol_alone() {
    let url = "http://127.0.0.1:1/";
    for (arguments, code) in [
        (&[][..], 255),
        (&[url, url], 255),
        (&[url, "-a"], 255),
        (&["--nonsense", url], 255),
        (&["-p"], 255),
        (&["--co", "200", url], 255),
        (&["-t", "x", url], 1),
        (&["-c", "x", url], 1),
        (&["localhost:80/"], 1),
        (&["ftp://localhost/"], 1),
    ] {
        let run = |subject: Subject| {
            let subject = subject.server_url("unix:///nonexistent");
            subject.args(arguments.iter().copied()).output(SOON)
        };
        let (theirs, ours) = (run(Subject::theirs("httpok")), run(Subject::ours(ours(), "httpok")));
        assert_eq!(theirs.status.code(), Some(code), "{arguments:?}");
        assert_eq!(theirs.stdout.is_empty(), code == 1, "{arguments:?}");
        assert_eq!(ours.status.code(), Some(2), "{arguments:?}");
        assert!(!ours.stderr.is_empty() && ours.stdout.is_empty(), "{arguments:?}");
        record_both("D24", "httpok", &format!("usage error {arguments:?}"), &theirs, &ours);
    }
}

#[test]
fn d24_without_a_server_the_missing_section_is_named() {
    let run = |subject: Subject| subject.args(["-a", "http://127.0.0.1:1/"]).output(SOON);
    let theirs = run(Subject::theirs("httpok"));
    assert_eq!(theirs.status.code(), Some(0));
    assert_eq!(theirs.stderr, b"httpok must be run as a supervisor event listener\n");
    let ours = run(Subject::ours(ours(), "httpok"));
    let message = String::from_utf8_lossy(&ours.stderr).into_owned();
    assert!(message.contains("[unix_http_server] or [inet_http_server]"), "{message}");
    assert_eq!((ours.status.code(), ours.stdout.len()), (Some(1), 0));
    record_both("D24", "httpok", "no http server", &theirs, &ours);
}

#[test]
fn d25_other_text_than_ascii_says_what_it_is() {
    let arguments = [&MAIL[..], &["-p", "café", "-n", "ö", "{http}/"]].concat();
    let transcript = one_tick("names with accents", &arguments, &[running("café")], ill());
    deviates("D25", &transcript, |theirs, ours| {
        let plain = "To: bob@example.com\nSubject: httpok [ö]: [HTTP]/: bad status returned\n\n";
        assert!(theirs.mails[0].starts_with(plain), "{}", theirs.mails[0]);
        assert!(ours.mails[0].starts_with("To: bob@example.com\nSubject: =?utf-8?"));
        assert!(ours.mails[0].contains("\nContent-Type: text/plain; charset=utf-8\n"));
        assert_eq!(compared_log(&theirs.log), compared_log(&ours.log));
    });
}

#[test]
fn d27_an_event_that_comes_twice_is_handled_once() {
    let transcript = httpok("the same serial twice", &["{http}/"], &[])
        .send(Frame::new("TICK_60", "when:1").serial(77))
        .send(Frame::new("TICK_60", "when:1").serial(77));
    deviates("D27", &transcript, |theirs, ours| {
        assert_eq!((theirs.requests.len(), ours.requests.len()), (2, 1));
        assert_eq!(theirs.protocol, ours.protocol);
    });
}

#[test]
fn d28_ticks_from_before_the_restart_do_not_restart_again() {
    let http = HttpServer::builder().usually(ill()).start();
    let arguments = ["-a".to_owned(), format!("{}/", http.url())];
    // An httpok in the middle of a restart, waiting for the process to stop.
    let stopping = |subject: Subject| {
        let fake = FakeSupervisor::unix();
        fake.add(running("foo"));
        fake.once("stopProcess", Answer::Hold);
        let mut listener = subject.args(arguments.clone()).server_url(&fake.server_url()).spawn();
        listener.event("TICK_5", "when:1");
        fake.wait_for_call("stopProcess");
        (listener, fake)
    };
    let stops = |fake: &FakeSupervisor| {
        fake.calls().iter().filter(|call| call.starts_with("stopProcess")).count()
    };
    // Theirs gets the tick that supervisord had to keep as soon as it is ready.
    let (mut theirs, fake) = stopping(Subject::theirs("httpok"));
    assert_eq!(theirs.state(), ListenerState::Busy);
    fake.release();
    theirs.event("TICK_5", "when:2");
    theirs.wait_result();
    assert_eq!(stops(&fake), 2);
    // Ours takes it at once.
    let (mut ours, fake) = stopping(Subject::ours(ours(), "httpok"));
    ours.event("TICK_5", "when:2");
    ours.wait_result();
    fake.release();
    fake.wait_for_call("startProcess");
    ours.wait_idle();
    assert_eq!(stops(&fake), 1);
    record("D28", "httpok", "ticks behind a slow stop");
}

#[test]
fn d32_every_message_ends_its_line() {
    let transcript = restart("two reports", &[]).event("TICK_60", "when:2");
    deviates("D32", &transcript, |theirs, ours| {
        let end = |outcome: &Outcome| outcome.log.matches("foo restarted\n").count();
        assert!(theirs.log.contains("foo restartedRestarting selected") && end(theirs) == 2);
        assert!(ours.log.contains("foo restarted\nstatus contacting [HTTP]/: 500"));
        assert_eq!(end(ours), 4, "{}", ours.log);
    });
}

/// What a name of elsewhere says to a terminal is not passed on to whoever reads the log.
#[test]
fn d32_control_characters_do_not_reach_the_log() {
    let evil = HttpAnswer::status(500).reason("Sick\u{1b}[2J");
    let transcript = foo("a reason with an escape", &["{http}/"], evil);
    deviates("D32", &transcript.event("TICK_60", "when:1"), |theirs, ours| {
        assert!(theirs.log.contains("Sick\u{1b}[2J"), "{}", theirs.log);
        assert!(!ours.log.contains('\u{1b}'), "{}", ours.log);
    });
}
