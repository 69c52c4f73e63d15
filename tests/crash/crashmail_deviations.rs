//! What crashmail does otherwise than the original, on purpose: each test shows both. The numbers are
//! the headings of docs/compatibility.md.

use superlance_testing::{Frame, ListenerState, Subject, Who, record, record_both, wait_until};

use super::{END, Events, crashmail, exit};
use crate::ours;
use crate::verdict::{MAIL, assert_died, deviates};

const TEXT: &str = "Process foo in group foo exited unexpectedly (pid [PID]) from state RUNNING";

#[test]
fn d7_p_selects() {
    for arguments in [&["-p", "bar"][..], &["--program=bar:foo"], &["-p", "bar:*", "-p", "fo"]] {
        let arguments = [&MAIL, arguments].concat();
        let transcript = crashmail(&arguments[4..].join(" "), &arguments).crash("foo");
        deviates("D7", &transcript, |theirs, ours| {
            assert_eq!((theirs.mails.len(), ours.mails.len()), (1, 0));
            assert_eq!(ours.log, format!("not mailed, since no -p selects it: {TEXT}\n"));
        });
    }
}

#[test]
fn d8_without_an_address_nothing_is_mailed() {
    let transcript = crashmail("without -m", &["-s", "{mailbox}"]).crash("foo");
    deviates("D8", &transcript, |theirs, ours| {
        assert!(theirs.mails[0].starts_with("To: None\n"), "{}", theirs.mails[0]);
        let warning = "crashmail: -m is not given, so nothing is mailed\n";
        let crash = format!("not mailed, since -m is not given: {TEXT}\n");
        assert_eq!(ours.log, format!("{warning}{crash}"));
        assert!(ours.mails.is_empty());
    });
}

#[test]
fn d15_a_mail_command_cannot_touch_the_protocol() {
    let command = "{mailbox}; echo queued; echo as 7 >&2";
    let transcript = crashmail("a command that prints", &["-m", "bob", "-s", command]);
    deviates("D15", &transcript.crash("foo"), |theirs, ours| {
        assert!(theirs.unknown && theirs.protocol.contains("queued\n"), "{theirs:#?}");
        assert_eq!(ours.protocol, "READY\nRESULT 2\nOKREADY\n");
        assert!(ours.log.contains("mailing\nqueued\nas 7\nMailed:\n\n"), "{}", ours.log);
        assert_eq!(ours.mails.len(), 1);
    });
}

#[test]
fn d15_a_mail_command_that_fails_is_reported_with_the_mail() {
    let transcript = crashmail("a command that fails", &["-m", "bob", "-s", "cat >&2; exit 75"]);
    deviates("D15", &transcript.crash("foo"), |theirs, ours| {
        assert!(theirs.log.contains("Mailed:") && !theirs.log.contains("75"), "{}", theirs.log);
        let mail = format!("To: bob\nSubject:  foo crashed at [TIME]\n\n{TEXT}");
        let report = format!(
            "unexpected exit, mailing\n{mail}Mail not sent with \"cat >&2; exit 75\": the command \
             failed with exit status 75. The mail was:\n\n{mail}\n"
        );
        assert_eq!(ours.log, report);
    });
}

#[test]
fn d15_a_mail_command_that_hangs_holds_up_nothing() {
    let crashed = |subject: Subject| {
        let arguments = ["-m", "bob", "-s", "exec sleep 1000"];
        let mut listener = subject.args(arguments).server_url("unix:///nonexistent").spawn();
        listener.event("PROCESS_STATE_EXITED", &exit("foo"));
        listener.wait_for_log("unexpected exit, mailing");
        listener
    };
    let mut theirs = crashed(Subject::theirs("crashmail"));
    let mut ours = crashed(Subject::ours(ours(), "crashmail"));
    ours.event("PROCESS_STATE_EXITED", &exit("bar"));
    let two = |log: String| log.matches("unexpected exit, mailing").count() == 2;
    wait_until("the second crash", END, || two(ours.stderr()));
    assert_eq!(theirs.state(), ListenerState::Busy);
    // The end does not wait for it either, and says what is lost.
    ours.close_stdin();
    assert_eq!(ours.wait_exit(END).code(), Some(0));
    for name in ["foo", "bar"] {
        let lost = format!("Mail not sent in time:\n\nTo: bob\nSubject:  {name} crashed at ");
        assert!(ours.stderr().contains(&lost), "{}", ours.stderr());
    }
    record("D15", "crashmail", "a command that hangs");
}

#[test]
fn d15_a_mail_command_need_not_read() {
    // More than a pipe holds, so that writing it fails when the command has gone.
    let header = "x".repeat(100_000);
    let arguments = ["-m", "bob", "-o", &header, "-s", "exec <&-; echo > {scratch}/done"];
    let transcript = crashmail("a command that does not read", &arguments);
    deviates("D15", &transcript.crash("foo").crash("bar"), |theirs, ours| {
        assert_died(theirs, "BrokenPipeError");
        assert_eq!(ours.log.matches("Mailed:").count(), 2);
    });
}

#[test]
fn d20_the_end_of_events_is_the_end() {
    deviates("D20", &crashmail("the end of stdin", &MAIL).crash("foo"), |theirs, ours| {
        assert_eq!(theirs.exit, Some(1));
        assert!(theirs.afterwards.log.contains("KeyError: 'len'"));
        assert_eq!(ours.afterwards.log, "");
    });
}

#[test]
fn d21_any_identifier_will_do() {
    for identifier in ["my host", "a:b"] {
        let event = Frame::new("PROCESS_STATE_EXITED", &exit("foo")).server(identifier);
        let transcript = crashmail("an identifier with blanks or colons", &MAIL).send(event);
        deviates("D21", &transcript, |theirs, ours| {
            assert_died(theirs, "ValueError");
            assert_eq!(ours.mails.len(), 1);
        });
    }
}

#[test]
fn d23_a_stray_argument_is_named() {
    // The original's usage ends with a URL that it does not take.
    let arguments = [&MAIL[..], &["http://localhost/", "-o", "x"]].concat();
    deviates("D23", &crashmail("a URL", &arguments).crash("foo"), |theirs, ours| {
        let named = "crashmail: ignored, since no option takes the first of them: \
                     http://localhost/ -o x\n";
        assert_eq!(ours.log, format!("{named}{}\n", theirs.log));
        assert_eq!(theirs.mails, ours.mails);
    });
}

#[test]
fn d24_usage_errors_leave_the_protocol_alone() {
    for arguments in [&["--nonsense"][..], &["-x"], &["-m"], &["--any=1"]] {
        let run = |subject: Subject| subject.args(arguments.iter().copied()).output(END);
        let theirs = run(Subject::theirs("crashmail"));
        let ours = run(Subject::ours(ours(), "crashmail"));
        assert_eq!(theirs.status.code(), Some(255), "{arguments:?}");
        assert!(theirs.stderr.is_empty() && !theirs.stdout.is_empty(), "{arguments:?}");
        assert_eq!(ours.status.code(), Some(2), "{arguments:?}");
        assert!(!ours.stderr.is_empty() && ours.stdout.is_empty(), "{arguments:?}");
        record_both("D24", "crashmail", &format!("usage error {arguments:?}"), &theirs, &ours);
    }
}

#[test]
fn d24_no_http_server_is_needed() {
    let transcript = crashmail("no http server", &MAIL).no_server().crash("foo");
    deviates("D24", &transcript, |theirs, ours| {
        assert_died(theirs, "crashmail must be run as a supervisor event listener\n");
        assert_eq!((theirs.exit, ours.mails.len()), (Some(0), 1));
    });
}

#[test]
fn d25_other_text_than_ascii_says_what_it_is() {
    let transcript = crashmail("a name with an accent", &MAIL).crash("café");
    deviates("D25", &transcript, |theirs, ours| {
        let start = "To: bob@example.com\nSubject:  café crashed at [TIME]\n\nProcess café in";
        assert!(theirs.mails[0].starts_with(start), "{}", theirs.mails[0]);
        let encoded = "To: bob@example.com\nSubject: =?utf-8?";
        assert!(ours.mails[0].starts_with(encoded), "{}", ours.mails[0]);
        assert!(ours.mails[0].contains("\nContent-Type: text/plain; charset=utf-8\n"));
        // People read the log, so it stays as it was.
        assert_eq!(ours.log, format!("{}\n", theirs.log));
    });
}

#[test]
fn d26_lengths_may_be_in_bytes() {
    let first = Frame::new("PROCESS_STATE_EXITED", &exit("café")).len_in_bytes();
    let transcript = crashmail("len in bytes", &MAIL).send(first.clone());
    // The original waits for characters that come with the next event only.
    let crashed = |subject: Subject| {
        let arguments = ["-m", "bob", "-s", "exit 0"];
        let mut listener = subject.args(arguments).server_url("unix:///nonexistent").spawn();
        listener.send(&first);
        listener
    };
    let mut theirs = crashed(Subject::theirs("crashmail"));
    theirs.wait_idle();
    assert_eq!((theirs.state(), theirs.stderr().as_str()), (ListenerState::Busy, ""));
    let ours = transcript.run(&Who::Ours(ours().to_owned()));
    assert!(ours.log.contains("Process café in group café exited"), "{}", ours.log);
    record("D26", "crashmail", "len in bytes");
}

#[test]
fn d27_an_event_that_comes_twice_is_mailed_about_once() {
    let event = Frame::new("PROCESS_STATE_EXITED", &exit("foo")).serial(77);
    let transcript = crashmail("the same serial twice", &MAIL).send(event.clone()).send(event);
    deviates("D27", &transcript, |theirs, ours| {
        assert_eq!((theirs.mails.len(), ours.mails.len()), (2, 1));
        assert_eq!(theirs.protocol, ours.protocol);
    });
}

#[test]
fn d32_every_message_ends_its_line() {
    let transcript = crashmail("two mails in the log", &MAIL).crash("foo").crash("foo");
    deviates("D32", &transcript, |theirs, ours| {
        let mailed = "Mailed:\n\nTo: bob@example.com\nSubject:  foo crashed at [TIME]\n\n";
        let message = format!("unexpected exit, mailing\n{mailed}{TEXT}");
        assert_eq!(theirs.log, format!("{message}{message}"));
        assert_eq!(ours.log, format!("{message}\n{message}\n"));
        assert_eq!(theirs.mails, ours.mails);
    });
}

#[test]
fn no_value_adds_a_header() {
    let evil = "x\nBcc: everyone@example.com";
    let arguments = ["-o", evil, "-m", evil, "-s", "{mailbox}"];
    deviates("D25", &crashmail("line ends in options", &arguments).crash("foo"), |theirs, ours| {
        assert_eq!(theirs.mails[0].matches("\nBcc:").count(), 2);
        assert!(!ours.mails[0].contains("\nBcc:"), "{}", ours.mails[0]);
        assert_eq!(ours.mails[0].split("\n\n").next().unwrap().lines().count(), 2);
    });
}
