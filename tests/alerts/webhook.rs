//! `--webhook`: what is sent, what answers mean, and that secrets stay secrets.

use std::io::Read;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use superlance_testing::{
    Certificate, HttpAnswer, HttpServer, Listener, SOON, Scratch, wait_until,
};

use super::{complaint, crash, crashmail, end, json, text};

const KEPT: &str = "; alerts are kept, and tried again\n";

#[test]
fn an_alert_is_posted_as_json() {
    let server = HttpServer::new();
    let url = format!("{}/hooks/T0K3N?x=1", server.url());
    let mut listener = crashmail(["--webhook", &url, "--hostname"]).spawn();
    crash(&mut listener, "foo");
    let request = server.wait_for(1).remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks/T0K3N?x=1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("user-agent"), Some("superlance"));
    let body = json(&server, 0);
    for (name, value) in [
        ("listener", "crashmail"),
        ("kind", "exited"),
        ("event", "PROCESS_STATE_EXITED"),
        ("group", "g"),
        ("process", "foo"),
    ] {
        assert_eq!(body[name], value);
    }
    let (host, subject) = (body["host"].as_str().unwrap(), body["subject"].as_str().unwrap());
    assert!(subject.starts_with(&format!("{host}: foo crashed at ")), "{subject}");
    assert_eq!(
        (&body["pid"], body["text"].as_str().unwrap()),
        (&58597.into(), format!("{subject}\n{}", text("foo")).as_str())
    );
    let log = end(listener);
    let said = format!("unexpected exit, telling\nSent to webhook {}: {subject}\n", server.url());
    assert_eq!(log, said);
}

#[test]
fn secrets_come_from_the_environment_and_from_files_and_go_to_no_log() {
    let (server, folder) = (HttpServer::new(), Scratch::new());
    let url = server.url_of("user:pa55@localhost");
    std::fs::write(folder.join("url"), format!("{url}/hooks/T0K3N\n")).unwrap();
    let file = format!("file:{}", folder.join("url").display());
    let arguments = [
        "--webhook",
        &file,
        "--webhook-header",
        "X-Token: env:TOKEN",
        "--webhook-header=X-Plain: 1",
    ];
    let mut listener = crashmail(arguments).env("TOKEN", "H34D3R").spawn();
    // One that is refused with an answer that has the secrets in it, one that is kept, and one
    // without an answer.
    let said = "no such webhook: T0K3N of /hooks/T0K3N, with H34D3R";
    server.then(HttpAnswer::status(404).body(said));
    server.then(HttpAnswer::status(500).body(said));
    server.then(HttpAnswer::close());
    crash(&mut listener, "foo");
    crash(&mut listener, "bar");
    let requests = server.wait_for(4);
    assert_eq!(requests[0].path, "/hooks/T0K3N");
    assert_eq!(requests[0].header("authorization"), Some("Basic dXNlcjpwYTU1"));
    assert_eq!(
        (requests[0].header("x-token"), requests[0].header("x-plain")),
        (Some("H34D3R"), Some("1"))
    );
    listener.wait_for_log("Sent to webhook ");
    let log = end(listener);
    assert!(
        log.contains(": HTTP status 404 (no such webhook: *** of ***, with ***). The alert was:\n\nfoo crashed"),
        "{log}"
    );
    for secret in ["T0K3N", "H34D3R", "pa55"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_service_that_fails_for_a_while_is_said_once_and_gets_everything() {
    let server = HttpServer::builder().usually(HttpAnswer::status(500)).start();
    let mut listener = crashmail(["--webhook", &server.url()]).spawn();
    for name in ["one", "two", "three"] {
        crash(&mut listener, name);
    }
    server.wait_for(3);
    server.usually(HttpAnswer::status(200));
    listener.wait_for_log(" works again\n");
    let log = end(listener);
    assert_eq!(log.matches(&format!(": HTTP status 500{KEPT}")).count(), 1, "{log}");
    assert_eq!(log.matches("Sent to webhook ").count(), 3, "{log}");
}

#[test]
fn a_service_that_asks_for_a_pause_gets_it() {
    let busy = HttpAnswer::status(429).header("Retry-After", "3");
    let server = HttpServer::builder().then(busy).start();
    let mut listener = crashmail(["--webhook", &server.url()]).spawn();
    let started = Instant::now();
    crash(&mut listener, "foo");
    server.wait_for(1);
    crash(&mut listener, "bar");
    server.wait_for(3);
    // Without it, both would have been sent after a second.
    assert!(started.elapsed() >= Duration::from_secs(3));
    assert!(json(&server, 1)["process"] == "foo" && json(&server, 2)["process"] == "bar");
    end(listener);
}

#[test]
fn what_is_refused_for_good_is_in_the_log_and_not_sent_again() {
    let elsewhere = HttpServer::new();
    for answer in
        [HttpAnswer::status(400).body("invalid_payload"), HttpAnswer::redirect(&elsewhere.url())]
    {
        let server = HttpServer::builder().then(answer).start();
        let mut listener = crashmail(["--webhook", &server.url()]).spawn();
        crash(&mut listener, "foo");
        listener.wait_for_log(". The alert was:\n\nfoo crashed at ");
        let log = end(listener);
        assert!(log.contains(&text("foo")) && !log.contains(KEPT), "{log}");
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn a_service_that_hangs_delays_no_event_and_is_left_at_the_end() {
    let server = HttpServer::builder().usually(HttpAnswer::never()).start();
    let mut listener = crashmail(["--webhook", &server.url()]).spawn();
    crash(&mut listener, "foo");
    server.wait_for(1);
    crash(&mut listener, "bar");
    assert_eq!(listener.wait_result(), "OK");
    let log = end(listener);
    assert_eq!(log.matches("Not sent in time to webhook http://127.0.0.1:").count(), 2, "{log}");
    assert!(log.contains(&text("foo")) && log.contains(&text("bar")), "{log}");
}

#[test]
fn certificates_are_verified() {
    let certificate = Certificate::signed();
    let server = HttpServer::builder().tls(&certificate).start();
    let url = server.url_of("localhost");
    let (right, wrong) = (certificate.authority(), Certificate::signed());
    let subject = |authority: &std::path::Path| {
        crashmail(["--webhook", &url]).env("SSL_CERT_FILE", &authority.display().to_string())
    };
    let mut listener = subject(&right).spawn();
    crash(&mut listener, "foo");
    listener.wait_for_log("Sent to webhook https://localhost:");
    end(listener);
    let mut listener = subject(&wrong.authority()).spawn();
    crash(&mut listener, "foo");
    listener.wait_for_log(KEPT);
    assert!(end(listener).contains("ertificate"));
    assert_eq!(server.requests().len(), 1);
    // No authorities at all: that is said at the start.
    let message = complaint(&crashmail(["--webhook", &url]), 1);
    assert!(message.contains("install ca-certificates, or set SSL_CERT_FILE"), "{message}");
}

#[test]
fn a_proxy_is_asked_where_one_is_set() {
    let proxy = HttpServer::new();
    let listener = crashmail(["--webhook", "http://hooks.example.com/x"]);
    let mut listener = listener.env("HTTP_PROXY", &proxy.url()).spawn();
    crash(&mut listener, "foo");
    let request = proxy.wait_for(1).remove(0);
    assert!(
        request.method == "CONNECT" || request.path.contains("hooks.example.com"),
        "{request:?}"
    );
    listener.signal(nix::sys::signal::Signal::SIGTERM);
    listener.wait_exit(super::END);
    // What is on this machine is not elsewhere.
    let server = HttpServer::new();
    let listener = crashmail(["--webhook", &server.url()]).env("ALL_PROXY", &proxy.url());
    let mut listener = listener.spawn();
    crash(&mut listener, "foo");
    server.wait_for(1);
    end(listener);
}

#[test]
fn a_proxy_may_speak_socks_and_is_not_asked_for_hosts_of_no_proxy() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("socks5h://{}", proxy.local_addr().unwrap());
    let subject = crashmail(["--webhook", "http://hooks.example.invalid/x"]);
    let subject = subject.env("ALL_PROXY", &url);
    let mut listener = subject.spawn();
    crash(&mut listener, "foo");
    let mut stream = None;
    wait_until("the proxy to be asked", SOON, || {
        stream = proxy.accept().ok();
        stream.is_some()
    });
    let (mut stream, _) = stream.unwrap();
    stream.set_nonblocking(false).unwrap();
    let mut version = [0];
    stream.read_exact(&mut version).unwrap();
    assert_eq!(version, [5]);
    drop(stream);
    end(listener);
    // Without it, there is no such host.
    let mut listener = subject.env("NO_PROXY", "localhost, example.invalid").spawn();
    crash(&mut listener, "foo");
    let log = listener.wait_for_log(KEPT);
    assert!(log.contains("failed to lookup address information"), "{log}");
    end(listener);
}

/// Lets the listener have this much memory, as the system counts addresses.
fn limit_memory(listener: &Listener, bytes: &str) {
    let (pid, bytes) = (listener.pid().to_string(), format!("--as={bytes}:"));
    let status = Command::new("prlimit").args(["--pid", &pid, &bytes]).status().unwrap();
    assert!(status.success());
}

#[test]
fn an_alert_that_finds_no_thread_is_delivered_when_there_is_one() {
    let server = HttpServer::new();
    let mut listener = crashmail(["--webhook", &server.url()]).spawn();
    listener.wait_idle();
    let status = std::fs::read_to_string(format!("/proc/{}/status", listener.pid())).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let size: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
    // A thread wants two megabytes for its stack.
    limit_memory(&listener, &((size + 1500) * 1024).to_string());
    crash(&mut listener, "foo");
    let log = listener.wait_for_log("; alerts wait for it\n");
    assert!(log.contains("no further process or thread"), "{log}");
    limit_memory(&listener, "unlimited");
    server.wait_for(1);
    listener.wait_for_log(" works again\n");
    end(listener);
}

#[test]
fn several_webhooks_each_have_their_own_format_and_headers() {
    let servers = [HttpServer::new(), HttpServer::new()];
    let urls = servers.each_ref().map(HttpServer::url);
    let arguments = [
        "--webhook",
        &urls[0],
        "--webhook-format",
        "discord",
        "--webhook-header",
        "X-Token: first",
        "--webhook",
        &urls[1],
    ];
    let mut listener = crashmail(arguments).spawn();
    crash(&mut listener, "foo");
    let first = servers[0].wait_for(1).remove(0);
    let second = servers[1].wait_for(1).remove(0);
    assert_eq!((first.header("x-token"), second.header("x-token")), (Some("first"), None));
    assert!(
        json(&servers[0], 0)["content"].is_string() && json(&servers[1], 0)["text"].is_string()
    );
    end(listener);
}

#[test]
fn what_makes_no_sense_says_what_was_expected_and_no_secret() {
    for (arguments, code, expected) in [
        (&["--webhook", "hooks.example.com/T0K3N"][..], 2, "has no scheme; expected http://"),
        (&["--webhook", "ftp://h/T0K3N"], 2, "scheme other than http and https"),
        (
            &["--webhook", "http://h/T0K3N", "--webhook-format", "teletext"],
            2,
            "expected one of text, json",
        ),
        (&["--webhook-format", "slack"], 2, "expected its URL"),
        (&["--webhook", "http://h/", "--webhook-header", "T0K3N"], 2, "expected 'NAME: VALUE'"),
        (&["--webhook", "https://api.telegram.org/botT0K3N/sendMessage"], 2, "chat_id=CHAT"),
        (&["--webhook", "env:NO_SUCH"], 1, "--webhook env:NO_SUCH: no such environment variable"),
        (&["--webhook", "file:/no/such"], 1, "--webhook file:/no/such: No such file"),
    ] {
        let complaint = complaint(&crashmail(arguments.iter().copied()), code);
        assert!(complaint.contains(expected), "{arguments:?}: {complaint}");
        assert!(!complaint.contains("T0K3N"), "{complaint}");
    }
}
