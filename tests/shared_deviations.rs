//! The deviations that all listeners share, shown with ours and the original, for each listener of a
//! table. The numbers are the headings of docs/compatibility.md.

use std::thread;

use superlance_testing::{
    Answer, FakeProcess, FakeSupervisor, Frame, HttpAnswer, HttpServer, ListenerState, Outcome,
    SOON, SmtpServer, Subject, Transcript, Who, record, record_both, wait_until,
};

use crate::crash::{ADDRESSES, END, exit, fatal};
use crate::httpok::compared_log;
use crate::ours;
use crate::verdict::{MAIL, assert_died, deviates};

/// A listener, and an event that it is there for.
struct Listener {
    name: &'static str,
    /// `{name}` is the process.
    args: &'static [&'static str],
    /// What must be last; `{http}` is a server that is ill.
    url: Option<&'static str>,
    /// The options whose texts get into the headers of its mails.
    headers: &'static [&'static str],
    mails: By,
    event: (&'static str, fn(&str) -> String),
    /// How often it has handled such an event.
    done: fn(&Outcome) -> usize,
    /// Arguments that no option takes with what stands behind them, and those of them that are ignored.
    stray: Option<(&'static [&'static str], &'static str)>,
    /// Wrong command lines, and the exit status of the original.
    wrong: &'static [(&'static [&'static str], i32)],
    /// What the original says where supervisord has no HTTP server, and its exit status.
    no_server: (&'static str, i32),
    needs_server: bool,
}

/// How a listener mails: by a command, at once, with this subject about `foo`; or by SMTP, at a tick.
#[derive(Clone, Copy)]
enum By {
    Command(&'static str),
    Smtp,
}

const URL: &str = "http://127.0.0.1:1/";
const MUST: &str = "must be run as a supervisor event listener\n";

const MEMMON: Listener = Listener {
    name: "memmon",
    args: &["-a", "5MB"],
    url: None,
    headers: &["-n", "-m"],
    mails: By::Command("memmon: process foo:foo restarted"),
    event: ("TICK_60", tick),
    done: |outcome| outcome.calls.iter().filter(|call| *call == "getAllProcessInfo()").count(),
    stray: Some((&["bar=2MB", "-a", "9GB"], "bar=2MB and 2 more")),
    wrong: &[
        (&[], 255),
        (&["-p", "foo"], 255),
        (&["-a", "abc"], 255),
        (&["--nonsense"], 255),
        (&["-u", "x"], 255),
    ],
    no_server: ("KeyError: 'SUPERVISOR_SERVER_URL'", 1),
    needs_server: true,
};

const HTTPOK: Listener = Listener {
    name: "httpok",
    args: &["-p", "{name}", "-n", "{name}"],
    url: Some("{http}/"),
    headers: &["-n", "-m"],
    mails: By::Command("httpok [foo]: [HTTP]/: bad status returned"),
    done: |outcome| outcome.requests.len(),
    // More than the URL is a wrong command line.
    stray: None,
    wrong: &[
        (&[], 255),
        (&[URL, URL], 255),
        (&[URL, "-a"], 255),
        (&["--nonsense", URL], 255),
        (&["-p"], 255),
        (&["--co", "200", URL], 255),
        (&["-t", "x", URL], 1),
        (&["-c", "x", URL], 1),
        (&["localhost:80/"], 1),
        (&["ftp://localhost/"], 1),
    ],
    no_server: (MUST, 0),
    ..MEMMON
};

const CRASHMAIL: Listener = Listener {
    name: "crashmail",
    args: &[],
    url: None,
    headers: &["-o", "-m"],
    mails: By::Command(" foo crashed at "),
    event: ("PROCESS_STATE_EXITED", exit),
    done: |outcome| outcome.mails.len(),
    // The original's usage ends with a URL that it does not take.
    stray: Some((&["http://localhost/", "-o", "x"], "http://localhost… and 2 more")),
    wrong: &[(&["--nonsense"], 255), (&["-x"], 255), (&["-m"], 255), (&["--any=1"], 255)],
    no_server: (MUST, 0),
    needs_server: false,
};

const CRASHMAILBATCH: Listener = Listener {
    name: "crashmailbatch",
    headers: &["-s", "-t", "-f"],
    mails: By::Smtp,
    done: |outcome| outcome.received.iter().map(|mail| mail.body.trim().lines().count()).sum(),
    // What stands behind them counts.
    stray: Some((&["stray", "-s", "Down!", "word"], "stray and 1 more")),
    wrong: &[
        (&[], 1),
        (&["-t", "a@b"], 1),
        (&["-f", "c@d"], 1),
        (&["-t", "a@b", "-f", "c@d", "-i", "soon"], 2),
        (&["-t", "a@b", "-f", "c@d", "--nonsense"], 2),
        (&["-t", "a@b", "-f", "c@d", "--s=x"], 2),
        (&["-t", "a@b", "-f", "c@d", "--t=x"], 2),
        (&["-t", "a@b", "-f", "c@d", "--tls=x"], 2),
        (&["-t", "a@b", "-f", "c@d", "-e", "TICK_soon"], 1),
        (&["-t", "a@b", "-f", "c@d", "-e", "soon"], 1),
    ],
    no_server: ("Must run as a supervisor event listener\n", 1),
    ..CRASHMAIL
};

const LISTENERS: &[Listener] = &[
    MEMMON,
    HTTPOK,
    CRASHMAIL,
    CRASHMAILBATCH,
    Listener {
        name: "fatalmailbatch",
        event: ("PROCESS_STATE_FATAL", fatal),
        wrong: &[(&["-t", "a@b"], 1), (&["--nonsense"], 2)],
        ..CRASHMAILBATCH
    },
    Listener {
        name: "crashsms",
        wrong: &[(&[], 1), (&["-t", "a@b", "-f", "c@d", "-i", "soon"], 2)],
        ..CRASHMAILBATCH
    },
];

fn tick(_: &str) -> String {
    "when:1201063880".to_owned()
}

impl Listener {
    /// Its arguments: for its mails, its own with the process in its place, `more`, and the URL.
    fn arguments(&self, more: &[&str], name: &str) -> Vec<String> {
        let mails = match self.mails {
            By::Command(_) => &MAIL[..],
            By::Smtp => &ADDRESSES,
        };
        let all = mails.iter().chain(self.args).chain(more).chain(&self.url);
        all.map(|argument| argument.replace("{name}", name)).collect()
    }

    /// With a process, a web server that is ill, and a mail server.
    fn about(&self, name: &str, title: &str, more: &[&str]) -> Transcript {
        Transcript::new(self.name, title)
            .args(self.arguments(more, name))
            .processes([running(name)])
            .http(HttpServer::builder().usually(HttpAnswer::status(500)))
            .smtp(SmtpServer::builder())
    }

    fn transcript(&self, title: &str, more: &[&str]) -> Transcript {
        self.about("foo", title, more)
    }

    fn frame(&self, name: &str) -> Frame {
        Frame::new(self.event.0, &(self.event.1)(name))
    }

    /// Sends this, and then what makes it mail.
    fn send(&self, transcript: Transcript, frames: &[Frame]) -> Transcript {
        let sent = frames.iter().cloned().fold(transcript, Transcript::send);
        match self.mails {
            By::Command(_) => sent,
            By::Smtp => sent.event("TICK_60", "when:1201063880"),
        }
    }

    /// The same with servers of the test's.
    fn subject(
        &self,
        who: &Who,
        more: &[&str],
        fake: &FakeSupervisor,
        http: &HttpServer,
    ) -> Subject {
        let arguments = self.arguments(more, "foo").into_iter();
        let arguments = arguments.map(|argument| argument.replace("{http}", &http.url()));
        Subject::new(who, self.name).args(arguments).server_url(&fake.server_url())
    }

    fn run(&self, who: &Who, arguments: &[&str]) -> std::process::Output {
        let subject = Subject::new(who, self.name).server_url("unix:///nonexistent");
        subject.args(arguments.iter().copied()).output(END)
    }
}

/// A process that is over the limit, as these tests themselves are.
fn running(name: &str) -> FakeProcess {
    FakeProcess::running(name, std::process::id()).next_pid(std::process::id())
}

fn us() -> Who {
    Who::Ours(ours().to_owned())
}

/// Where mails do not matter.
const QUIET: [&str; 2] = ["-s", "cat >/dev/null"];

/// The listeners that mail by a command, with the subject of a mail about `foo`.
fn by_command() -> impl Iterator<Item = (&'static Listener, &'static str)> {
    LISTENERS.iter().filter_map(|listener| match listener.mails {
        By::Command(subject) => Some((listener, subject)),
        By::Smtp => None,
    })
}

#[test]
fn all_listeners_of_the_original_are_here() {
    let mut names: Vec<_> = LISTENERS.iter().map(|listener| listener.name).collect();
    // superlance for Python has none.
    names.extend(["dependent-startup", "exitmon"]);
    names.sort_unstable();
    assert_eq!(names, superlance_testing::listeners(ours()));
}

#[test]
fn d15_a_mail_command_cannot_touch_the_protocol() {
    for (listener, _) in by_command() {
        let arguments = ["-s", "{mailbox}; echo queued; echo as 7 >&2"];
        let transcript = listener.transcript("a mail command that prints", &arguments);
        deviates("D15", &transcript.send(listener.frame("foo")), |theirs, ours| {
            assert!(theirs.unknown && theirs.protocol.contains("queued\n"), "{theirs:#?}");
            assert_eq!(ours.protocol, "READY\nRESULT 2\nOKREADY\n");
            assert!(ours.log.contains("queued\nas 7\n") && ours.mails.len() == 1, "{ours:#?}");
        });
    }
}

#[test]
fn d15_a_mail_command_that_fails_is_reported_with_the_mail() {
    for (listener, subject) in by_command() {
        let transcript = listener.transcript("a command that fails", &["-s", "cat >&2; exit 75"]);
        deviates("D15", &transcript.send(listener.frame("foo")), |theirs, ours| {
            assert!(theirs.alive && !theirs.log.contains("75"), "{theirs:#?}");
            let report = format!(
                "Mail not sent with \"cat …\": the command failed with exit status 75. \
                 The mail was:\n\nTo: bob@example.com\nSubject: {subject}"
            );
            assert!(ours.log.contains(&report) && !ours.log.contains("Mailed:"), "{}", ours.log);
        });
    }
}

#[test]
fn d15_a_mail_command_that_hangs_holds_up_nothing() {
    let hangs = |(listener, subject): (&'static Listener, &str)| {
        let http = HttpServer::builder().usually(HttpAnswer::status(500)).start();
        let started = |who: &Who| {
            let fake = FakeSupervisor::unix();
            fake.add(running("foo"));
            let hang = ["-s", "cat >&2; exec sleep 1000"];
            let mut running = listener.subject(who, &hang, &fake, &http).spawn();
            running.send(&listener.frame("foo"));
            running.wait_for_log("To: bob@example.com");
            (running, fake)
        };
        let (mut theirs, _fake) = started(&Who::Theirs);
        let (mut ours, fake) = started(&us());
        let handled = |log: &str| {
            let calls = fake.calls().iter().filter(|call| *call == "getAllProcessInfo()").count();
            calls.max(http.requests().len().saturating_sub(1)).max(log.matches(", mailing").count())
        };
        // A tick that comes before the restart is over is dropped.
        wait_until("the next event", SOON, || {
            ours.send(&listener.frame("foo"));
            ours.wait_result();
            handled(&ours.stderr()) >= 2
        });
        assert_eq!(theirs.state(), ListenerState::Busy);
        // The end does not wait for it either, and says what is lost.
        ours.close_stdin();
        assert_eq!(ours.wait_exit(END).code(), Some(0));
        let lost = format!("Mail not sent in time:\n\nTo: bob@example.com\nSubject: {subject}");
        let lost = lost.replace("[HTTP]", &http.url());
        assert!(ours.stderr().contains(&lost), "{}", ours.stderr());
    };
    thread::scope(|scope| by_command().for_each(|row| drop(scope.spawn(move || hangs(row)))));
    by_command().for_each(|(listener, _)| record("D15", listener.name, "a command that hangs"));
}

#[test]
fn d15_a_mail_command_need_not_read() {
    for (listener, _) in by_command() {
        // More than a pipe holds, so that writing it fails when the command has gone.
        let (text, command) = ("x".repeat(100_000), "exec <&-; {mailbox} </dev/null");
        let arguments = ["-s", command, listener.headers[0], &text];
        let transcript = listener.transcript("a command that does not read", &arguments);
        deviates("D15", &transcript.send(listener.frame("foo")), |theirs, ours| {
            assert_died(theirs, "BrokenPipeError");
            assert!(ours.mails == [""] && !ours.log.contains("not sent"), "{ours:#?}");
        });
    }
}

#[test]
fn d20_the_end_of_events_is_the_end() {
    for listener in LISTENERS {
        let transcript = listener.transcript("the end of stdin", &[]);
        let transcript = listener.send(transcript, &[listener.frame("foo")]);
        deviates("D20", &transcript, |theirs, ours| {
            assert_eq!(theirs.exit, Some(1));
            assert!(theirs.afterwards.log.contains("KeyError: 'len'"));
            assert_eq!(ours.afterwards.log, "");
        });
    }
}

#[test]
fn d21_any_identifier_will_do() {
    for listener in LISTENERS {
        for identifier in ["my host", "a:b", "web 1: x serial:7"] {
            let transcript = listener.transcript("an identifier with blanks or colons", &[]);
            let frame = listener.frame("foo").server(identifier);
            deviates("D21", &listener.send(transcript, &[frame]), |theirs, ours| {
                assert_died(theirs, "ValueError");
                assert_eq!((listener.done)(ours), 1, "{ours:#?}");
            });
        }
    }
}

#[test]
fn d23_a_stray_argument_is_named() {
    for listener in LISTENERS {
        let Some((arguments, ignored)) = listener.stray else { continue };
        let transcript =
            listener.transcript("stray arguments", &[]).args(arguments.iter().copied());
        let transcript = listener.send(transcript, &[listener.frame("foo")]);
        deviates("D23", &transcript, |theirs, ours| {
            assert_eq!((&theirs.calls, &theirs.mails), (&ours.calls, &ours.mails));
            assert_eq!(theirs.received, ours.received);
            let warning = "ignored, since no option takes the first of them:";
            let expected = format!("{}: {warning} {ignored}\n{}", listener.name, theirs.log);
            assert_eq!(ours.log.trim_end(), expected.trim_end());
        });
    }
}

#[test]
fn d24_usage_errors_leave_the_protocol_alone() {
    for listener in LISTENERS {
        for (arguments, code) in listener.wrong {
            let theirs = listener.run(&Who::Theirs, arguments);
            let ours = listener.run(&us(), arguments);
            assert_eq!(theirs.status.code(), Some(*code), "{arguments:?}");
            // Usage goes to standard output, and tracebacks and what optparse says do not.
            assert_ne!(theirs.stdout.is_empty(), theirs.stderr.is_empty(), "{arguments:?}");
            assert!(*code != 255 || theirs.stderr.is_empty(), "{arguments:?}");
            assert_eq!(ours.status.code(), Some(2), "{arguments:?}");
            assert!(!ours.stderr.is_empty() && ours.stdout.is_empty(), "{arguments:?}");
            let title = format!("usage error {arguments:?}");
            record_both("D24", listener.name, &title, &theirs, &ours);
        }
    }
}

#[test]
fn d24_an_http_server_is_named_where_it_is_missing_and_needed() {
    for listener in LISTENERS {
        let (said, code) = listener.no_server;
        let transcript = listener.transcript("no http server", &[]).no_server();
        let transcript = listener.send(transcript, &[listener.frame("foo")]);
        let theirs = transcript.run(&Who::Theirs);
        assert_died(&theirs, said);
        assert_eq!(theirs.exit, Some(code), "{theirs:#?}");
        let ours = transcript.run(&us());
        if listener.needs_server {
            assert_died(&ours, "[unix_http_server] or [inet_http_server]");
            assert_eq!((ours.exit, &*ours.protocol), (Some(1), ""));
        } else {
            assert_eq!((ours.exit, (listener.done)(&ours)), (Some(0), 1), "{ours:#?}");
        }
        record_both("D24", listener.name, "no http server", &theirs, &ours);
    }
}

#[test]
fn d25_other_text_than_ascii_says_what_it_is() {
    for (listener, _) in by_command() {
        let transcript = listener.about("café", "a name with an accent", &[]);
        deviates("D25", &transcript.send(listener.frame("café")), |theirs, ours| {
            let subject = theirs.mails[0].lines().nth(1).unwrap();
            assert!(subject.starts_with("Subject: ") && subject.contains("café"), "{theirs:#?}");
            assert!(!theirs.mails[0].contains("charset"), "{theirs:#?}");
            let encoded = "To: bob@example.com\nSubject: =?utf-8?";
            assert!(ours.mails[0].starts_with(encoded), "{}", ours.mails[0]);
            assert!(ours.mails[0].contains("\nContent-Type: text/plain; charset=utf-8\n"));
            // People read the log, so it stays as it was.
            assert_eq!(compared_log(&theirs.log), compared_log(&ours.log));
        });
    }
}

#[test]
fn d25_no_value_adds_a_header() {
    let evil = "x\nBcc: everyone <bob@example.com>";
    for listener in LISTENERS {
        let options: Vec<_> = listener.headers.iter().flat_map(|option| [*option, evil]).collect();
        let transcript = listener.transcript("line ends in options", &options);
        deviates("D25", &listener.send(transcript, &[listener.frame("foo")]), |theirs, ours| {
            let count = |mail: &String| mail.matches("\nBcc:").count();
            assert!(theirs.received.is_empty(), "{theirs:#?}");
            assert!(theirs.mails.iter().all(|mail| count(mail) == 2), "{theirs:#?}");
            let received = ours.received.iter().map(|mail| &mail.message);
            let mails: Vec<_> = ours.mails.iter().chain(received).collect();
            assert!(mails.len() == 1 && count(mails[0]) == 0, "{ours:#?}");
        });
    }
}

#[test]
fn d26_lengths_in_bytes_are_understood() {
    let other = Frame::new("REMOTE_COMMUNICATION", &"é".repeat(100)).len_in_bytes();
    let understands = |listener: &Listener| {
        let frames = [other.clone(), listener.frame("café").len_in_bytes()];
        let transcript = listener.about("café", "len in bytes", &[]);
        let ours = listener.send(transcript, &frames).run(&us());
        assert_eq!((listener.done)(&ours), 1, "{ours:#?}");
        let received = ours.received.iter().map(|mail| &mail.body);
        assert!(received.chain([&ours.log]).any(|text| text.contains("café")), "{ours:#?}");
        // The original waits for the characters that never come, and takes them from the next event.
        let (fake, http) = (FakeSupervisor::unix(), HttpServer::new());
        let mut theirs = listener.subject(&Who::Theirs, &QUIET, &fake, &http).spawn();
        theirs.send(&other);
        theirs.wait_idle();
        assert_eq!((theirs.state(), theirs.stderr().as_str()), (ListenerState::Busy, ""));
    };
    // At once, since ours waits, too, to see whether more characters come.
    thread::scope(|scope| {
        for listener in LISTENERS {
            scope.spawn(|| understands(listener));
        }
    });
    LISTENERS.iter().for_each(|listener| record("D26", listener.name, "len in bytes"));
}

#[test]
fn d27_an_event_that_comes_twice_is_handled_once() {
    for listener in LISTENERS {
        let frame = listener.frame("foo").serial(77);
        let transcript = listener.transcript("the same serial twice", &[]);
        deviates("D27", &listener.send(transcript, &[frame.clone(), frame]), |theirs, ours| {
            assert_eq!(((listener.done)(theirs), (listener.done)(ours)), (2, 1));
            assert_eq!(theirs.protocol, ours.protocol);
        });
    }
}

#[test]
fn d28_ticks_from_before_the_restart_do_not_restart_again() {
    for listener in [&MEMMON, &HTTPOK] {
        let http = HttpServer::builder().usually(HttpAnswer::status(500)).start();
        // In the middle of a restart, waiting for the process to stop.
        let stopping = |who: &Who| {
            let fake = FakeSupervisor::unix();
            fake.add(running("foo"));
            fake.once("stopProcess", Answer::Hold);
            let mut running = listener.subject(who, &QUIET, &fake, &http).spawn();
            running.event("TICK_5", "when:1");
            fake.wait_for_call("stopProcess");
            (running, fake)
        };
        let stops = |fake: &FakeSupervisor| {
            fake.calls().iter().filter(|call| call.starts_with("stopProcess")).count()
        };
        // Theirs gets the tick that supervisord had to keep as soon as it is ready.
        let (mut theirs, fake) = stopping(&Who::Theirs);
        assert_eq!(theirs.state(), ListenerState::Busy);
        fake.release();
        theirs.event("TICK_5", "when:2");
        theirs.wait_result();
        assert_eq!(stops(&fake), 2);
        // Ours takes it at once.
        let (mut ours, fake) = stopping(&us());
        ours.event("TICK_5", "when:2");
        ours.wait_result();
        fake.release();
        fake.wait_for_call("startProcess");
        ours.wait_idle();
        assert_eq!(stops(&fake), 1);
        record("D28", listener.name, "ticks behind a slow stop");
    }
}
