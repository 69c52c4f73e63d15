//! What the batch tools do otherwise because all listeners here do: protocol, command line, and the
//! length of short messages.

use superlance_testing::{Frame, ListenerState, Subject, Who, record, record_both};

use super::{BATCHES, END, Events, batch, exit, fatal};
use crate::ours;
use crate::verdict::{assert_died, deviates};

/// The event that the tool is there for.
fn trouble(tool: &str, namespec: &str) -> Frame {
    match tool {
        "fatalmailbatch" => Frame::new("PROCESS_STATE_FATAL", &fatal(namespec)),
        _ => Frame::new("PROCESS_STATE_EXITED", &exit(namespec)),
    }
}

#[test]
fn d20_the_end_of_events_is_the_end() {
    for tool in BATCHES {
        deviates("D20", &batch(tool, "the end of stdin", &[]).tick(), |theirs, ours| {
            assert_eq!(theirs.exit, Some(1));
            assert!(theirs.afterwards.log.contains("KeyError: 'len'"));
            assert_eq!(ours.afterwards.log, "");
        });
    }
}

#[test]
fn d21_any_identifier_will_do() {
    for (tool, identifier) in BATCHES.into_iter().zip(["my host", "a:b", "web 1: x serial:7"]) {
        let transcript = batch(tool, "an identifier with blanks or colons", &[])
            .send(trouble(tool, "foo").server(identifier))
            .tick();
        deviates("D21", &transcript, |theirs, ours| {
            assert_died(theirs, "ValueError");
            assert_eq!(ours.received.len(), 1);
        });
    }
}

#[test]
fn d22_short_messages_are_short() {
    let names = ["one", "two", "three", "four", "five"];
    let crashes = names.iter().fold(batch("crashsms", "five crashes", &[]), |sms, name| {
        sms.crash(&format!("the-group-of:number-{name}"))
    });
    deviates("D22", &crashes.tick(), |theirs, ours| {
        let text = &ours.received[0].body;
        assert_eq!(theirs.received[0].body.lines().count(), 5);
        assert!(text.lines().count() == 2 && text.trim_end().ends_with("\n+4 more"), "{text}");
        for name in names {
            assert!(ours.log.contains(&format!("[the-group-of:number-{name}](")), "{}", ours.log);
        }
    });
    let name = "n".repeat(200);
    deviates("D22", &batch("crashsms", "a long name", &[]).crash(&name).tick(), |theirs, ours| {
        assert!(theirs.received[0].body.len() > 400);
        let text = ours.received[0].body.trim_end();
        assert!(text.len() == 160 && text.ends_with("nnn..."), "{text}");
    });
}

#[test]
fn d23_a_stray_argument_is_named() {
    for tool in BATCHES {
        let transcript = batch(tool, "stray arguments", &["stray", "-s", "Down!", "word"]);
        deviates("D23", &transcript.trouble("foo").tick(), |theirs, ours| {
            assert_eq!(theirs.received, ours.received);
            assert_eq!(ours.received[0].subject.as_deref(), Some("Down!"));
            let ignored = "ignored, since no option takes the first of them: stray word";
            assert_eq!(ours.log, format!("{tool}: {ignored}\n{}", theirs.log));
        });
    }
}

#[test]
fn d23_intervals_that_cannot_be_are_errors() {
    for (interval, mails) in [("-1", 1), ("nan", 0), ("inf", 0)] {
        let arguments = ["-i", interval];
        let transcript = batch("crashmailbatch", "an impossible interval", &arguments);
        let theirs = transcript.crash("foo").tick().tick().run(&Who::Theirs);
        assert_eq!(theirs.received.len(), mails, "{interval}");
        let arguments = ["-t", "a@b", "-f", "c@d", "-i", interval];
        let ours = Subject::ours(ours(), "crashmailbatch").args(arguments).output(END);
        assert_eq!(ours.status.code(), Some(2));
        let title = format!("an interval of {interval}");
        record_both("D23", "crashmailbatch", &title, &theirs, &ours);
    }
}

#[test]
fn d24_usage_errors_leave_the_protocol_alone() {
    let complete = ["-t", "a@b", "-f", "c@d"];
    for (number, (arguments, code)) in [
        (&[][..], 1),
        (&["-t", "a@b"], 1),
        (&["-f", "c@d"], 1),
        (&[&complete[..], &["-i", "soon"]].concat(), 2),
        (&[&complete[..], &["--nonsense"]].concat(), 2),
        (&[&complete[..], &["--s=x"]].concat(), 2),
        (&[&complete[..], &["--t=x"]].concat(), 2),
        (&[&complete[..], &["--tls=x"]].concat(), 2),
        (&[&complete[..], &["-e", "TICK_soon"]].concat(), 1),
        (&[&complete[..], &["-e", "soon"]].concat(), 1),
    ]
    .into_iter()
    .enumerate()
    {
        let tool = BATCHES[number % BATCHES.len()];
        let run = |subject: Subject| {
            let subject = subject.args(arguments.iter().copied());
            subject.server_url("unix:///nonexistent").output(END)
        };
        let (theirs, ours) = (run(Subject::theirs(tool)), run(Subject::ours(ours(), tool)));
        assert_eq!(theirs.status.code(), Some(code), "{arguments:?}");
        assert_eq!(ours.status.code(), Some(2), "{arguments:?}");
        assert!(!ours.stderr.is_empty() && ours.stdout.is_empty(), "{arguments:?}");
        record_both("D24", tool, &format!("usage error {arguments:?}"), &theirs, &ours);
    }
}

#[test]
fn d24_no_http_server_is_needed() {
    for tool in BATCHES {
        let transcript = batch(tool, "no http server", &[]).no_server();
        deviates("D24", &transcript.trouble("foo").tick(), |theirs, ours| {
            assert_died(theirs, "Must run as a supervisor event listener\n");
            assert_eq!((theirs.exit, ours.received.len()), (Some(1), 1));
        });
    }
}

#[test]
fn d26_lengths_may_be_in_bytes() {
    let event = trouble("crashmailbatch", "café").len_in_bytes();
    let transcript = batch("crashmailbatch", "len in bytes", &[]).send(event.clone()).tick();
    let arguments = ["-t", "a@b", "-f", "c@d"];
    let theirs = Subject::theirs("crashmailbatch").args(arguments);
    let mut theirs = theirs.server_url("unix:///nonexistent").spawn();
    theirs.send(&event);
    theirs.wait_idle();
    assert_eq!((theirs.state(), theirs.stderr().as_str()), (ListenerState::Busy, ""));
    let ours = transcript.run(&Who::Ours(ours().to_owned()));
    assert!(ours.received[0].body.contains("Process café:café (pid"), "{ours:#?}");
    record("D26", "crashmailbatch", "len in bytes");
}

#[test]
fn d27_an_event_that_comes_twice_counts_once() {
    for tool in BATCHES {
        let event = trouble(tool, "foo").serial(77);
        let transcript = batch(tool, "the same serial twice", &[]);
        let transcript = transcript.send(event.clone()).send(event).tick();
        deviates("D27", &transcript, |theirs, ours| {
            assert_eq!(theirs.received[0].body.lines().count(), 2);
            assert_eq!(ours.received[0].body.lines().count(), 1);
            assert_eq!(theirs.protocol, ours.protocol);
        });
    }
}

#[test]
fn no_value_adds_a_header() {
    let evil = "x\nBcc: everyone <bob@example.com>";
    let arguments = ["-s", evil, "-t", evil, "-f", evil];
    let transcript = batch("crashmailbatch", "line ends in options", &arguments);
    deviates("D25", &transcript.crash("foo").tick(), |theirs, ours| {
        assert!(theirs.received.is_empty(), "{theirs:#?}");
        let message = &ours.received[0].message;
        assert!(!message.contains("\nBcc:") && message.contains("foo:foo"), "{message}");
    });
}
