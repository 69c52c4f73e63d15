//! Command lines, and what they ask of a server.

use clap::FromArgMatches;
use superlance_probe::outcome::{Class, Outcome, Verdict};
use superlance_testing::{Certificate, HttpAnswer, HttpRequest, HttpServer, Scratch};

use super::*;
use crate::options::command;

/// What comes of checking with these arguments, the URL last.
#[track_caller]
fn check(arguments: &[&str]) -> Outcome {
    let arguments = ["httpok", "-t", "2"].iter().chain(arguments);
    let matches = command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    let plan = plan(&options, &|_, given| match given {
        "env:TOKEN" => Ok("hunter2".into()),
        _ => Err(StartError::Environment("no such environment variable".to_owned())),
    });
    let mut probed = plan.unwrap().check();
    assert_eq!(probed.len(), 1);
    probed.remove(0).outcome
}

fn answering(answer: HttpAnswer) -> HttpServer {
    HttpServer::builder().usually(answer).start()
}

/// The class of the failure, or that there is none.
#[track_caller]
fn class(outcome: &Outcome) -> Option<Class> {
    match &outcome.verdict {
        Verdict::Good => None,
        Verdict::Failed(failed) => Some(failed.class),
        Verdict::Trouble(why) => panic!("{why}"),
    }
}

#[test]
fn statuses_and_bodies() {
    let server = answering(HttpAnswer::status(203).body(r#"{"status": "ok", "lag": 7}"#));
    let url = server.url();
    for (arguments, expected) in [
        (&["-c", "2xx"][..], None),
        (&["-c", "404", "-c", "200-299"], None),
        (&[], Some(Class::Status)),
        (&["-c", "203", "-b", "ok"], None),
        (&["-c", "203", "--body-regex", "\"lag\": [0-9]}"], None),
        (&["-c", "203", "--body-regex", "OK"], Some(Class::Body)),
        (&["-c", "203", "--body-regex", "ok", "--body-regex", "OK"], Some(Class::Body)),
        (&["-c", "203", "--forbid", "error", "--forbid-regex", "(?i)OOPS"], None),
        (&["-c", "203", "--forbid", "lag"], Some(Class::Body)),
        (&["-c", "203", "--forbid-regex", "la."], Some(Class::Body)),
        (&["-c", "203", "--json", "/status=ok", "--json", "/lag<30"], None),
        (&["-c", "203", "--json", "/lag>30"], Some(Class::Body)),
    ] {
        let outcome = check(&[arguments, &[&url]].concat());
        assert_eq!((class(&outcome), outcome.status), (expected, Some(203)), "{arguments:?}");
    }
}

/// The request that a server gets.
fn sent(arguments: &[&str]) -> HttpRequest {
    let server = answering(HttpAnswer::status(200));
    assert_eq!(class(&check(&[arguments, &[&server.url()]].concat())), None);
    server.requests().remove(0)
}

#[test]
fn requests() {
    let request = sent(&["--method", "HEAD", "--header", "Host: example.com"]);
    assert_eq!((&*request.method, request.header("host")), ("HEAD", Some("example.com")));
    let scratch = Scratch::new();
    let file = format!("file:{}", scratch.write("body", "a\nb\n").display());
    let request = sent(&["--method", "POST", "--data", &file, "--header", "Content-Type:text/x"]);
    assert_eq!((&*request.body, request.header("content-type")), ("a\nb\n", Some("text/x")));
    let request = sent(&["--bearer", "env:TOKEN", "--header", "X-Key: env:TOKEN"]);
    assert_eq!(request.header("authorization"), Some("Bearer hunter2"));
    assert_eq!(request.header("x-key"), Some("hunter2"));
    let file = format!("file:{}", scratch.write("login", "u:p@\n").display());
    assert_eq!(sent(&["--basic", &file]).header("authorization"), Some("Basic dTpwQA=="));
    assert_eq!(sent(&["--header", "User-Agent:"]).header("user-agent"), None);
}

#[test]
fn the_way_to_the_server() {
    let scratch = Scratch::new();
    let socket = scratch.join("web.sock");
    let socket_text = socket.display().to_string();
    let _server = HttpServer::builder().unix(socket).start();
    assert_eq!(class(&check(&["--unix-socket", &socket_text, "http://nowhere.invalid/"])), None);
    let certificate = Certificate::for_elsewhere();
    let (ours, authority) = (Certificate::signed(), certificate.authority().display().to_string());
    let server = HttpServer::builder().tls(&certificate.asking_for(&ours)).start();
    let (file, key) = (ours.certificate().display().to_string(), ours.key().display().to_string());
    let all =
        ["--ca-file", &authority, "--server-name", "elsewhere.example", "--client-cert", &file];
    let outcome = check(&[&all[..], &["--client-key", &key, &server.url()]].concat());
    assert_eq!(class(&outcome), None);
    assert!(outcome.certificate_end.is_some());
    let outcome = check(&["--ca-file", &authority, &server.url()]);
    assert_eq!(class(&outcome), Some(Class::Tls));
}

#[test]
fn redirects() {
    let server = HttpServer::builder().then(HttpAnswer::redirect("/b")).start();
    assert_eq!(class(&check(&["--follow", "1", &server.url()])), None);
    let server = HttpServer::builder().usually(HttpAnswer::redirect("/b")).start();
    assert_eq!(class(&check(&["--follow", "3", &server.url()])), Some(Class::Status));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn other_schemes_and_commands() {
    let server = answering(HttpAnswer::status(200));
    let tcp = format!("tcp://127.0.0.1:{}", server.port());
    assert_eq!(class(&check(&[&tcp])), None);
    let say = r"GET / HTTP/1.0\r\n\r\n";
    assert_eq!(class(&check(&["--say", say, "--expect", r"200 OK\r\n", &tcp])), None);
    assert_eq!(class(&check(&["--say", say, "--expect", "500", &tcp])), Some(Class::Body));
    let scratch = Scratch::new();
    let file = format!("file://{}", scratch.write("a b", "").display()).replace(' ', "%20");
    assert_eq!(class(&check(&["--max-age", "1h", &file])), None);
    assert_eq!(class(&check(&["--max-age", "1h", "file:///no/such"])), Some(Class::Status));
    assert_eq!(class(&check(&["--exec", "exit 0"])), None);
    assert_eq!(class(&check(&["--exec", "exit 1"])), Some(Class::Status));
}

#[test]
fn what_cannot_be_read_at_the_start_is_trouble_and_no_error() {
    for arguments in [
        &["--bearer", "file:/no/token", "http://127.0.0.1:1/"][..],
        &["--ca-file", "/no/ca", "https://127.0.0.1:1/"],
        &["--header", "X: file:/no/value", "http://127.0.0.1:1/"],
        &["--data", "file:/no/data", "http://127.0.0.1:1/"],
    ] {
        let outcome = check(arguments);
        let Verdict::Trouble(why) = outcome.verdict else { panic!("{arguments:?}") };
        assert!(why.starts_with("cannot check http") && why.contains("/no/"), "{why}");
    }
}
