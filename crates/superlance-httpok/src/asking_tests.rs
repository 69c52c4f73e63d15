//! Command lines, and what they ask of a server.

use clap::FromArgMatches;
use superlance_core::supervisor::{ProcessInfo, State};
use superlance_probe::outcome::{Class, Outcome, Verdict};
use superlance_testing::{Certificate, HttpAnswer, HttpRequest, HttpServer, Scratch};

use super::*;
use crate::options::command;

/// What is asked for with these arguments, the URL last.
#[track_caller]
fn asked(arguments: &[&str]) -> Result<Plan, StartError> {
    let arguments = ["httpok", "-t", "2"].iter().chain(arguments);
    let matches = command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    plan(&options, &|_, given| match given {
        "env:TOKEN" => Ok("hunter2".into()),
        _ => Err(StartError::Environment("no such environment variable".to_owned())),
    })
}

/// What comes of checking.
#[track_caller]
fn check(arguments: &[&str]) -> Outcome {
    let [round] = &*asked(arguments).unwrap().check(&[]) else { panic!("one round") };
    let [probed] = round.as_slice() else { panic!("one check: {round:?}") };
    probed.outcome.clone()
}

fn process(name: &str, pid: u32) -> ProcessInfo {
    let (name, group) = (name.to_owned(), "web".to_owned());
    ProcessInfo {
        name,
        group,
        pid,
        state: State::Running,
        start: 0,
        stop: 0,
        exit_status: 0,
        now: 0,
    }
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

#[test]
fn each_process_is_asked_at_its_own_place() {
    let scratch = Scratch::new();
    let server = |name: &str| HttpServer::builder().unix(scratch.join(name)).start();
    let servers = [server("web_07.sock"), server("web_08.sock")];
    let socket = format!("{}/{{name}}.sock", scratch.path().display());
    let arguments = ["--each", "--unix-socket", &socket, "--header", "X-Process: {group}-{pid}"];
    let plan = asked(&[&arguments[..], &["http://h/{num}/{num+8000}?{num:3}"]].concat()).unwrap();
    let (web_07, web_08, web_09) =
        (process("web_07", 1), process("web_08", 2), process("web_09", 3));
    let rounds = plan.check(&[&web_07, &web_08, &web_09, &process("web", 4)]);
    let urls: Vec<_> = rounds.iter().flatten().map(|probed| probed.url.as_str()).collect();
    let shown = "http://h/{num}/{num+8000}?{num:3}";
    assert_eq!(
        urls,
        ["http://h/07/8007?007", "http://h/08/8008?008", "http://h/09/8009?009", shown]
    );
    let outcomes: Vec<_> = rounds.iter().flatten().map(|probed| &probed.outcome).collect();
    assert_eq!([class(outcomes[0]), class(outcomes[1])], [None, None]);
    assert_eq!(class(outcomes[2]), Some(Class::Connect));
    let trouble = format!(
        "cannot check {shown}: web:web has no digits at the end of its name, which {{num}} stands for"
    );
    assert_eq!(outcomes[3].verdict, Verdict::Trouble(trouble));
    for (server, path, process) in
        [(&servers[0], "/07/8007?007", "web-1"), (&servers[1], "/08/8008?008", "web-2")]
    {
        let request = &server.requests()[0];
        assert_eq!((&*request.path, request.header("x-process")), (path, Some(process)));
    }
}

#[test]
fn a_command_knows_its_process() {
    let command = "test {name} = \"a'b 7\" && test $SUPERLANCE_GROUP:$SUPERLANCE_PID = web:7";
    let plan = asked(&["--each", "--exec", command]).unwrap();
    let rounds = plan.check(&[&process("a'b 7", 7), &process("other", 7)]);
    let classes: Vec<_> = rounds.iter().flatten().map(|probed| class(&probed.outcome)).collect();
    assert_eq!(classes, [None, Some(Class::Status)]);
}

#[test]
fn placeholders_that_cannot_be_are_errors_at_the_start() {
    for (arguments, expected) in [
        (&["--each", "http://h:{nmu+1}/"][..], "has {nmu+1}, which is none of {name}"),
        (&["--each", "http://h:{num+70000}/"], "has a port that is not between 1 and 65535"),
        (&["--each", "--header", "X: {x}", "http://h/"], "has {x}, which is none of"),
        (&["--each", "--unix-socket", "/{x}", "http://h/"], "has {x}, which is none of"),
    ] {
        let Err(StartError::Usage(text)) = asked(arguments) else { panic!("{arguments:?}") };
        assert!(text.contains(expected), "{text}");
    }
    // Without --each they are what they are.
    assert!(asked(&["--header", "X: {x}", "http://h/{x}"]).is_ok());
}

/// With 200 checks that take 100 milliseconds each: 13 rounds of 16.
#[test]
fn checks_run_side_by_side() {
    let server = answering(HttpAnswer::status(200).delay(std::time::Duration::from_millis(100)));
    let plan = asked(&["--each", &format!("{}/{{num}}", server.url())]).unwrap();
    let processes: Vec<_> = (0..200).map(|number| process(&format!("web_{number}"), 7)).collect();
    let started = std::time::Instant::now();
    let rounds = plan.check(&processes.iter().collect::<Vec<_>>());
    let took = started.elapsed();
    assert!(rounds.iter().flatten().all(|probed| probed.outcome.verdict == Verdict::Good));
    assert!(took.as_secs() < 10, "{took:?}");
    for (process, round) in processes.iter().zip(&rounds) {
        let number = process.name.trim_start_matches("web_");
        assert_eq!(round[0].url, format!("{}/{number}", server.url()));
    }
}
