//! What crashmailbatch, fatalmailbatch and crashsms keep to the letter: the same events go to
//! Python's and to ours, and mails (but for date and id), log and protocol are the same.

use superlance_testing::{Certificate, Received, SmtpServer, Transcript, Until, Who, record, same};

use super::{BATCHES, Events, batch};
use crate::ours;

/// crashmailbatch with these arguments is as the original about one crash, mailed at the first tick.
#[track_caller]
fn check_one_crash(title: &str, arguments: &[&str]) {
    same(&batch("crashmailbatch", title, arguments).crash("foo").tick(), ours());
}

/// The same with these arguments only.
fn bare(tool: &str, title: &str, arguments: impl IntoIterator<Item = String>) -> Transcript {
    Transcript::new(tool, title).args(arguments).smtp(SmtpServer::builder())
}

fn ticks(mut transcript: Transcript, name: &str, count: usize) -> Transcript {
    for _ in 0..count {
        transcript = transcript.event(name, "when:1201063880");
    }
    transcript
}

#[test]
fn what_waits_is_mailed_when_the_interval_is_over() {
    for tool in BATCHES {
        let transcript = batch(tool, "one mail after the other", &[])
            .tick()
            .trouble("foo")
            .trouble("g:bar")
            .tick()
            .tick()
            .trouble("foo")
            .tick();
        same(&transcript, ours());
    }
}

#[test]
fn other_events_count_for_nothing() {
    let expected = "processname:foo groupname:foo from_state:RUNNING expected:1 pid:7";
    for tool in BATCHES {
        let transcript = batch(tool, "events of all kinds", &[])
            .trouble("foo")
            .event("PROCESS_STATE_EXITED", expected)
            .event("PROCESS_STATE_BACKOFF", "processname:a groupname:a from_state:STARTING tries:1")
            .event("PROCESS_STATE_UNKNOWN", "processname:a groupname:a from_state:STARTING")
            .event("PROCESS_COMMUNICATION_STDOUT", "processname:a groupname:a pid:1\nexpected:0")
            .event("TICK_5", "when:1201063880")
            .event("TICK_3600", "when:1201063880")
            .event("TICK_600", "when:1201063880")
            .event("REMOTE_COMMUNICATION", "type:café\nline")
            .tick();
        same(&transcript, ours());
    }
}

#[test]
fn intervals_are_counted_in_ticks() {
    for (interval, tick, count) in [
        ("2", "TICK_60", 4),
        ("1.5", "TICK_60", 4),
        ("0", "TICK_60", 2),
        // Seven, since six twelfths are not quite a half in floating point.
        ("0.5", "TICK_5", 8),
        (".2", "TICK_5", 6),
        ("60", "TICK_3600", 2),
    ] {
        let title = format!("-i {interval} -e {tick}");
        let transcript = batch("crashmailbatch", &title, &["-i", interval, "-e", tick]);
        let transcript = ticks(transcript.crash("foo"), tick, count - 1).crash("bar");
        same(&ticks(transcript, tick, 1), ours());
    }
}

#[test]
fn numbers_are_read_as_python_reads_them() {
    for interval in [" +1. ", "0_10E-1"] {
        check_one_crash(&format!("-i {interval:?}"), &["-i", interval]);
    }
}

#[test]
fn subjects_are_what_was_asked_for() {
    for subject in ["", "--tls", "Café am Ring", &"long ".repeat(30)] {
        check_one_crash(&format!("-s {subject:?}"), &["-s", subject]);
    }
    for tool in ["crashsms", "fatalmailbatch"] {
        let transcript = batch(tool, "with a subject", &["-s", "Down!"]).trouble("foo").tick();
        same(&transcript, ours());
    }
}

#[test]
fn addresses_are_those_of_people_and_of_machines() {
    for (to, from) in [
        ("a@example.com,b@example.com , c@example.com", "me@example.com"),
        ("root", "supervisor"),
        ("Bob <bob@example.com>", "\"The Supervisor\" <me@example.com>"),
        (" bob@example.com ", "me@example.com (Me)"),
        ("a@example.com, a@example.com", "<me@example.com>"),
    ] {
        check_one_crash(&format!("from {from} to {to}"), &["-t", to, "-f", from]);
    }
}

/// Such texts go in base64, so of the text only what is decoded can be compared: it has times.
#[test]
fn names_are_readable_whatever_their_letters() {
    for tool in BATCHES {
        let transcript = batch(tool, "names that are not ASCII", &["-s", "Café am Ring"])
            .trouble("café")
            .trouble("日本:☃")
            .tick();
        let theirs = transcript.run(&Who::Theirs);
        let ours = transcript.until(Until::Mails(1)).run(&Who::Ours(ours().to_owned()));
        let (mine, other) = (&ours.received[0], &theirs.received[0]);
        let head = |mail: &Received| mail.to_text().split("\n\n").nth(1).unwrap().to_owned();
        assert_eq!(head(mine), head(other));
        assert_eq!((&mine.subject, &mine.body), (&other.subject, &other.body));
        assert_eq!(mine.subject.as_deref(), Some("Café am Ring"));
        assert!(mine.body.contains("café:café") && mine.body.contains("日本:☃"), "{}", mine.body);
        assert_eq!((ours.log, ours.protocol), (theirs.log, theirs.protocol));
        record("same", tool, "names that are not ASCII");
    }
}

#[test]
fn times_are_those_of_the_zone() {
    for (tool, zone) in BATCHES.into_iter().zip(["Europe/Berlin", ":Asia/Kolkata", "XYZ-3"]) {
        let transcript = batch(tool, &format!("TZ={zone}"), &[]).env("TZ", zone);
        same(&transcript.trouble("foo").tick(), ours());
    }
}

#[test]
fn of_values_given_again_the_last_counts() {
    let arguments = [
        "-s",
        "first",
        "--subject=second",
        "-t",
        "first@example.com",
        "--toEmail",
        "x@example.com",
        "-f",
        "first@example.com",
        "--fromEmail=y@example.com",
        "-i",
        "9",
        "--interval=1",
        "-e",
        "TICK_5",
        "--tickEvent",
        "TICK_60",
        "-H",
        "first",
        "--smtpHost={smtp}",
    ];
    check_one_crash("every option twice", &arguments);
}

/// Every option of the batch tools, with a server that wants all of them, and such that a mail goes
/// out at the third tick.
#[track_caller]
fn check_all_options(tool: &str, title: &str, certificate: &Certificate, arguments: &[String]) {
    let server = SmtpServer::builder().starttls_required(certificate).login("bob", "a b=c");
    let transcript = bare(tool, title, arguments.iter().cloned())
        .smtp(server)
        .may_add("would not pass")
        .trouble("foo");
    same(&ticks(transcript, "TICK_5", 3), ours());
}

const ALL: [(&str, &str, &str); 8] = [
    ("-i", "interval", "0.2"),
    ("-t", "toEmail", "alice@example.com"),
    ("-f", "fromEmail", "me@example.com"),
    ("-s", "subject", "Down!"),
    ("-H", "smtpHost", "{smtp}"),
    ("-e", "tickEvent", "TICK_5"),
    ("-u", "userName", "bob"),
    ("-p", "password", "a b=c"),
];

#[test]
fn short_options_may_have_their_value_attached() {
    let certificate = Certificate::signed();
    let tls = || ["--tls".to_owned()].into_iter();
    for tool in BATCHES {
        let apart: Vec<_> = ALL.iter().flat_map(|(short, _, value)| [*short, *value]).collect();
        let apart: Vec<_> = apart.into_iter().map(str::to_owned).chain(tls()).collect();
        let joined = ALL.iter().map(|(short, _, value)| format!("{short}{value}"));
        let joined: Vec<_> = joined.chain(tls()).collect();
        check_all_options(tool, "short options, attached", &certificate, &joined);
        if tool == "crashmailbatch" {
            check_all_options(tool, "short options", &certificate, &apart);
        }
    }
}

/// As long as they mean one option only, of the original's. In one run all options are cut to the
/// same length, or as far as they are clear. The parser is the same one in all tools.
#[test]
fn beginnings_of_long_options_are_enough() {
    let certificate = Certificate::signed();
    for length in 1.."fromEmail".len() {
        let cut =
            |option: &'static str, clear: usize| option.get(..length.max(clear)).unwrap_or(option);
        let clear = |option| match option {
            "subject" | "smtpHost" | "toEmail" | "tickEvent" | "tls" => 2,
            _ => 1,
        };
        let given = ALL.iter().enumerate().flat_map(|(number, (_, long, value))| {
            let option = format!("--{}", cut(long, clear(*long)));
            match (number + length) % 2 {
                0 => vec![format!("{option}={value}")],
                _ => vec![option, (*value).to_owned()],
            }
        });
        let tls = format!("--{}", cut("tls", clear("tls")));
        let arguments: Vec<_> = given.chain([tls]).collect();
        let title = arguments.join(" ");
        check_all_options("crashmailbatch", &title, &certificate, &arguments);
        if length == 1 {
            check_all_options("fatalmailbatch", &title, &certificate, &arguments);
            check_all_options("crashsms", &title, &certificate, &arguments);
        }
    }
}

#[test]
fn a_login_needs_no_encryption() {
    let server = || SmtpServer::builder().login("bob", "secret");
    for (title, server) in [
        ("login with PLAIN or LOGIN", server()),
        ("login with PLAIN", server().without("LOGIN")),
        ("login with LOGIN", server().without("PLAIN")),
    ] {
        let arguments = ["-u", "bob", "-p", "secret"];
        let transcript = batch("crashmailbatch", title, &arguments).smtp(server);
        same(&transcript.crash("foo").tick(), ours());
    }
}

#[test]
fn half_a_login_is_none() {
    for arguments in [["-u", "bob", "-p", ""], ["-u", "", "-p", "secret"]] {
        check_one_crash(&arguments.join(" "), &arguments);
    }
    check_one_crash("an end of options", &["--"]);
}
