//! `--log-format`, `SUPERLANCE_LOG` and `--quiet`.

use std::process::Output;

use serde_json::{Value, json};
use superlance_testing::{
    Ballast, FakeProcess, FakeSupervisor, HttpAnswer, HttpServer, Mailbox, SOON, Subject, listeners,
};

use crate::crash::exit;
use crate::ours;

const NOWHERE: &str = "unix:///nonexistent";

/// What memmon logs that restarts `foo` at a tick, with process ids as 0.
fn restart(arguments: &[&str], variable: &str) -> String {
    let (fake, ballast) = (FakeSupervisor::unix(), Ballast::new(10).spawn());
    fake.add(FakeProcess::running("foo:foo", ballast.pid()));
    let mut memmon = Subject::ours(ours(), "memmon")
        .args(["-a", "5MB", "--before", "printf 'one\\n\\ntwo'"])
        .args(arguments.iter().copied())
        .env("SUPERLANCE_LOG", variable)
        .server_url(&fake.server_url())
        .spawn();
    memmon.event("TICK_60", "when:1");
    memmon.wait_result();
    fake.wait_for_call("startProcess");
    memmon.close_stdin();
    assert!(memmon.wait_exit(SOON).success());
    // A plain introduction is no part of its `stderr`.
    let introduction = memmon.introduction().lines().map(|line| format!("{line}\n")).collect();
    let log: String = [introduction, memmon.stderr()].concat();
    log.replace(&format!("\"pid\":{},", ballast.pid()), "\"pid\":0,")
}

/// The messages of a plain log of the same.
const MESSAGES: [&str; 5] = [
    "memmon (superlance ",
    "Checking any=5242880",
    "RSS of foo:foo is ",
    "Output of --before for foo:foo:\none\n\ntwo",
    "Restarting foo:foo",
];

fn objects(log: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    log.lines().map(parse).collect()
}

fn messages(log: &str) -> Vec<String> {
    let message = |object: Value| object["message"].as_str().unwrap().to_owned();
    objects(log).into_iter().map(message).collect()
}

#[track_caller]
fn assert_messages(found: &[String], expected: &[&str]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn plain_is_what_it_was() {
    for (arguments, variable) in
        [(&[][..], ""), (&[], "plain"), (&["--log-format", "plain"], "json")]
    {
        let log = restart(arguments, variable);
        let (mut rest, mut found) = (&*log, Vec::new());
        for next in MESSAGES.iter().skip(1) {
            let (message, after) =
                rest.split_at(rest.find(next).unwrap_or_else(|| panic!("{log}")));
            found.push(message.to_owned());
            rest = after;
        }
        found.push(rest.to_owned());
        assert_messages(&found, &MESSAGES);
    }
}

#[test]
fn json_is_an_object_for_each_message() {
    for (arguments, variable) in [(&["--log-format=json"][..], "time"), (&[], "json")] {
        let log = restart(arguments, variable);
        let objects = objects(&log);
        assert_messages(&messages(&log), &MESSAGES);
        for object in &objects {
            let time = object["time"].as_str().unwrap();
            assert!(time.len() == 24 && time.ends_with('Z') && time.contains('T'), "{time}");
            assert_eq!(object["listener"], "memmon:memmon");
            assert_eq!(object["command"], "memmon");
        }
        assert!(objects[..2].iter().all(|object| object.get("process").is_none()), "{log}");
        for object in &objects[2..] {
            let process = (&object["group"], &object["process"], &object["pid"]);
            assert_eq!(process, (&json!("foo"), &json!("foo"), &json!(0)), "{object}");
        }
    }
}

#[test]
fn every_line_has_the_time_and_the_listener() {
    let log = restart(&["--log-format", "time"], "json");
    assert!(log.lines().count() == 8, "{log}");
    for line in log.lines() {
        let (time, rest) = line.split_at(23);
        let is_like = |(c, like): (char, char)| c == like || like == '0' && c.is_ascii_digit();
        let like = "0000-00-00 00:00:00,000".chars();
        assert!(time.chars().zip(like).all(is_like), "{line}");
        assert!(rest.starts_with(" [memmon] "), "{line}");
    }
    let rest: String = log.lines().map(|line| format!("{}\n", &line[33..])).collect();
    assert!(rest.contains(&format!("\n{}\n{}\n", MESSAGES[3], MESSAGES[4])), "{rest}");
}

#[test]
fn a_quiet_log_has_what_happens() {
    let log = restart(&["--quiet", "--log-format=json"], "");
    assert_messages(&messages(&log), &[MESSAGES[0], MESSAGES[3], MESSAGES[4]]);
    let plain = restart(&["--quiet"], "");
    let happened = plain.split_once('\n').map(|(_, happened)| happened.to_owned());
    assert_eq!(happened, Some(format!("{}\n{}\n", MESSAGES[3], MESSAGES[4])));
}

#[test]
fn the_process_of_a_crash_is_named() {
    for (name, arguments) in [
        ("crashmail", &["-p", "other"][..]),
        ("crashmailbatch", &["--notify", "true"]),
        ("crashsms", &["--notify", "true"]),
    ] {
        let mut listener = Subject::ours(ours(), name)
            .args(arguments.iter().copied())
            .env("SUPERLANCE_LOG", "json")
            .spawn();
        listener.event("PROCESS_STATE_EXITED", &exit("grp:foo"));
        listener.wait_result();
        listener.close_stdin();
        assert!(listener.wait_exit(SOON).success());
        let log = listener.stderr();
        let objects = objects(&log);
        let object = objects.iter().find(|object| object.get("process").is_some());
        let object = object.unwrap_or_else(|| panic!("{name}: {log}"));
        let process = (&object["group"], &object["process"], &object["pid"]);
        assert_eq!(process, (&json!("grp"), &json!("foo"), &json!(58597)), "{name}: {object}");
    }
}

#[test]
fn the_process_of_a_mail_is_named_and_the_mail_one_object() {
    let mailbox = Mailbox::new();
    let mut crashmail = Subject::ours(ours(), "crashmail")
        .args(["-m", "bob@example.com", "-s", &mailbox.command(), "--log-format", "json"])
        .spawn();
    crashmail.event("PROCESS_STATE_EXITED", &exit("grp:foo"));
    crashmail.wait_result();
    crashmail.close_stdin();
    assert!(crashmail.wait_exit(SOON).success());
    let log = crashmail.stderr();
    let objects = objects(&log);
    let mailed = |object: &&Value| object["message"].as_str().unwrap().starts_with("Mailed:\n\n");
    let mail = objects.iter().find(mailed).unwrap_or_else(|| panic!("{log}"));
    assert_eq!((&mail["process"], &mail["pid"]), (&json!("foo"), &json!(58597)), "{mail}");
}

#[test]
fn the_process_that_httpok_restarts_is_named() {
    let http = HttpServer::builder().usually(HttpAnswer::status(500)).start();
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("grp:foo", 4711));
    let mut httpok = Subject::ours(ours(), "httpok")
        .args(["-p", "grp:foo", "--log-format=json", &http.url()])
        .server_url(&fake.server_url())
        .spawn();
    httpok.event("TICK_60", "when:1");
    httpok.wait_result();
    fake.wait_for_call("startProcess");
    httpok.close_stdin();
    assert!(httpok.wait_exit(SOON).success());
    let objects = objects(&httpok.stderr());
    for (message, is_about) in [
        ("Restarting selected processes", false),
        ("grp:foo is in RUNNING state, restarting", true),
        ("grp:foo restarted", true),
    ] {
        let said = |object: &&Value| object["message"].as_str().unwrap().starts_with(message);
        let object = objects.iter().find(said).unwrap_or_else(|| panic!("{objects:?}"));
        assert_eq!(object.get("process"), is_about.then(|| json!("foo")).as_ref(), "{object}");
    }
}

/// A listener that warns of something and ends, since nothing is on its stdin.
fn warns(name: &str, arguments: &[&str], variable: &str) -> Output {
    let needed = match name {
        "memmon" => &["-p", "=1KB", "-a", "5MB"][..],
        "httpok" => &["-E", "http://127.0.0.1:1/"],
        "crashmail" | "exitmon" => &[],
        "dependent-startup" => &["-c", "/nonexistent"],
        _ => &["-t", "a", "-f", "b", "-H", ""],
    };
    let subject = Subject::ours(ours(), name).server_url(NOWHERE).env("SUPERLANCE_LOG", variable);
    subject.args([arguments, needed].concat()).output(SOON)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_listener_has_the_options() {
    for name in listeners(ours()) {
        // exitmon looks at once, unless the end of its input comes first.
        let is_look = |line: &str| line.starts_with("Cannot check: ");
        let plain = stderr(&warns(&name, &[], ""));
        let plain: String = plain.split_inclusive('\n').filter(|line| !is_look(line)).collect();
        assert!(plain.starts_with(&format!("{name}: ")), "{plain}");
        let json = stderr(&warns(&name, &["--log-format", "json", "--quiet"], ""));
        let introduction = format!("{name} (superlance ");
        let said = messages(&json).into_iter();
        let said = said.filter(|said| !said.starts_with(&introduction) && !is_look(said));
        let said: String = said.map(|message| format!("{message}\n")).collect();
        assert_eq!(said, plain);
        assert_eq!(objects(&json)[0]["command"], *name);
    }
}

#[test]
fn a_format_that_is_none_is_said_once_and_the_log_is_plain() {
    let plain = stderr(&warns("httpok", &[], ""));
    let expected =
        "httpok: SUPERLANCE_LOG is \"xml\", so the log is plain: expected plain, time or json\n";
    let output = warns("httpok", &[], "xml");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), format!("{expected}{plain}")));
    // The option beats it.
    assert_eq!(stderr(&warns("httpok", &["--log-format=plain"], "xml")), plain);
    let output = warns("httpok", &["--log-format=xml"], "");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("'--log-format <FORMAT>'") && said.contains("plain, time, json"),
        "{said}"
    );
}

#[test]
fn what_is_wrong_with_a_command_line_is_plain() {
    for arguments in [&["-t", "soon"][..], &["--nonsense"], &["--log-format", "json", "http://b/"]]
    {
        let output = warns("httpok", arguments, "json");
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("httpok: error: "), "{said}");
    }
}
