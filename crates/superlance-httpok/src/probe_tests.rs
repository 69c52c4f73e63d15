//! Probes against a server that does what it is told.

use std::net::TcpListener;
use std::thread;

use clap::FromArgMatches;

use super::*;
use crate::options;
use crate::server::{Connection, Server};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// A probe as these arguments describe it.
fn probe(arguments: &[&str]) -> Probe {
    let arguments = ["httpok", "-t", "1"].iter().chain(arguments);
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    Probe::new(options.target().unwrap(), &options).unwrap()
}

fn url(server: &Server) -> String {
    format!("http://{}/", server.address)
}

fn answer(status: u16, reason: &str, found: bool) -> Outcome {
    Ok(Answer { status, reason: reason.to_owned(), found })
}

fn failed(why: &str) -> Outcome {
    Err(NoAnswer::Failed(why.to_owned()))
}

/// What comes of asking a server that gives this answer, looking for `x-y`.
#[track_caller]
fn check(sent: &'static str, expected: Outcome) {
    let server = Server::answering(sent);
    assert_eq!(probe(&["-b", "x-y", &url(&server)]).get(), expected, "{sent}");
}

#[test]
fn status_and_reason_are_the_servers() {
    check("HTTP/1.1 500 Internal Server Error\r\n\r\n", answer(500, "Internal Server Error", true));
    check("HTTP/1.1 503  So  tired \r\n\r\n", answer(503, "So  tired", true));
    check("HTTP/1.0 404 Nix da\r\n\r\nx", answer(404, "Nix da", true));
    check("HTTP/1.1 500\r\n\r\n", answer(500, "", true));
    check("HTTP/1.1 204 No Content\r\n\r\n", answer(204, "No Content", true));
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 B\r\n\r\n", answer(503, "B", true));
}

#[test]
fn a_body_is_searched_whatever_way_it_is_sent() {
    check("HTTP/1.0 200 OK\r\n\r\nax-yb", answer(200, "OK", true));
    check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx-yz", answer(200, "OK", true));
    check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nax-y", answer(200, "OK", false));
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2\r\n-y\r\n0\r\n\r\n";
    check(chunked, answer(200, "OK", true));
    // In the head only: that is no match.
    check("HTTP/1.1 200 x-y\r\nX: x-y\r\nContent-Length: 2\r\n\r\nhi", answer(200, "x-y", false));
}

#[test]
fn a_large_body_is_read_to_its_end() {
    let server = Server::new(|connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20000003\r\n\r\n");
        for _ in 0..2000 {
            let _ = connection.write_all(&[b'a'; 10_000]);
        }
        let _ = connection.write_all(b"end");
    });
    let url = url(&server);
    assert_eq!(probe(&["-t", "30", "-b", "aend", &url]).get(), answer(200, "OK", true));
}

#[test]
fn a_redirect_is_an_answer() {
    let sent = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    check(sent, answer(302, "Found", true));
}

#[test]
fn what_is_no_answer_says_why() {
    check("", failed("Remote end closed connection without response"));
    check("HTTP/1.1 200 OK\r\nContent-", failed("Remote end closed connection without response"));
    let cut = failed("Remote end closed connection in the middle of the body");
    check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx-y", cut.clone());
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx-y", cut);
    for garbage in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"] {
        let outcome = probe(&[&url(&Server::answering(garbage))]).get();
        assert!(matches!(outcome, Err(NoAnswer::Failed(_))), "{garbage}: {outcome:?}");
    }
}

/// Sends `text` again and again, `pause` apart, until the other side has had enough.
fn drip(connection: &mut dyn Connection, text: &str, pause: u64) {
    while connection.write_all(text.as_bytes()).is_ok() {
        thread::sleep(Duration::from_millis(pause));
    }
}

/// With a limit of one second for headers and body each, `script` leads to a timeout after so many
/// milliseconds, with TLS and without.
#[track_caller]
fn times_out(script: fn(&mut dyn Connection), milliseconds: u64) {
    let (plain, secure) = (Server::new(script), Server::with_tls(script));
    let secure = format!("https://localhost:{}/", secure.address.port());
    thread::scope(|scope| {
        for url in [url(&plain), secure] {
            scope.spawn(move || {
                let started = Instant::now();
                assert_eq!(probe(&[&url]).get(), failed("timed out"), "{url}");
                let took = started.elapsed();
                let least = Duration::from_millis(milliseconds - 100);
                assert!(took > least && took < least + BUSY, "{took:?} for {url}");
            });
        }
    });
}

/// What a busy machine may add to a time limit.
const BUSY: Duration = Duration::from_secs(3);

const SILENCE: fn(&mut dyn Connection) = |connection| drop(connection.read_to_end(&mut Vec::new()));

#[test]
fn headers_that_do_not_come_in_time() {
    times_out(SILENCE, 1000);
    times_out(
        |connection| {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nX: ");
            drip(connection, "x", 50);
        },
        1000,
    );
}

#[test]
fn a_body_that_does_not_come_in_time() {
    times_out(
        |connection| {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
            SILENCE(connection);
        },
        1000,
    );
    times_out(
        |connection| {
            thread::sleep(Duration::from_millis(800));
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            drip(connection, "x", 50);
        },
        1800,
    );
    times_out(
        |connection| {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            drip(connection, &"x".repeat(1 << 16), 0);
        },
        1000,
    );
}

#[test]
fn a_server_that_speaks_no_tls_in_time() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", server.local_addr().unwrap());
    let started = Instant::now();
    assert_eq!(probe(&[&url]).get(), failed("timed out"));
    assert!(started.elapsed() < BUSY);
}

#[test]
fn a_body_with_a_bad_status_is_not_waited_for() {
    let server = Server::new(|connection| {
        let _ = connection.write_all(b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\nx");
        SILENCE(connection);
    });
    assert_eq!(probe(&[&url(&server)]).get(), answer(500, "Oops", true));
    let outcome = probe(&["-c", "500", &url(&server)]).get();
    assert_eq!(outcome, failed("timed out"), "an expected status needs its whole body");
}

#[test]
fn the_request_is_that_of_the_original_and_each_has_its_own_connection() {
    let server = Server::answering(OK);
    let plain = probe(&[&format!("{}a?b=%20c#d", url(&server))]);
    assert_eq!(plain.get(), answer(200, "OK", true));
    assert_eq!(plain.get(), answer(200, "OK", true));
    let user = probe(&[&format!("http://u:p%40@{}", server.address)]);
    assert_eq!(user.get(), answer(200, "OK", true));
    let requests = server.requests();
    let mut lines: Vec<_> = requests[0].trim_end().split("\r\n").collect();
    lines.sort_unstable();
    let host = format!("host: {}", server.address);
    let expected =
        ["GET /a?b=%20c HTTP/1.1", "accept-encoding: identity", &host, "user-agent: httpok"];
    assert_eq!(lines, expected);
    assert_eq!((&requests[1], requests.len()), (&requests[0], 3));
    assert!(requests[2].contains("authorization: Basic dTpwQA==\r\n"), "{}", requests[2]);
}

#[test]
fn a_refused_connection_is_told_apart_and_may_be_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let probe = probe(&[&format!("http://{address}/")]);
    let refused = NoAnswer::Refused("Connection refused (os error 111)".to_owned());
    assert_eq!(probe.get(), Err(refused));
    let listener = TcpListener::bind(address).unwrap();
    let _server =
        Server::on(listener, None, |connection| drop(connection.write_all(OK.as_bytes())));
    assert_eq!(probe.get(), answer(200, "OK", true));
}

#[test]
fn names_are_looked_up_and_all_their_addresses_tried() {
    // `localhost` is ::1 and 127.0.0.1 on most systems, and nobody listens on the former.
    let server = Server::answering(OK);
    let url = format!("http://localhost:{}/", server.address.port());
    assert_eq!(probe(&[&url]).get(), answer(200, "OK", true));
    let outcome = probe(&["-t", "20", "http://no-such-host.invalid/"]).get();
    assert!(matches!(outcome, Err(NoAnswer::Failed(_))), "{outcome:?}");
}

#[test]
fn ipv6() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        return;
    };
    let server = Server::on(listener, None, |connection| drop(connection.write_all(OK.as_bytes())));
    assert_eq!(probe(&[&url(&server)]).get(), answer(200, "OK", true));
    assert!(server.requests()[0].contains("host: [::1]:"));
}

#[test]
fn a_certificate_is_looked_at_only_if_so_asked() {
    let server = Server::with_tls(|connection| drop(connection.write_all(OK.as_bytes())));
    let url = |host| format!("https://{host}:{}/", server.address.port());
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(probe(&["-b", "hi", &url(host)]).get(), answer(200, "OK", true));
    }
    let get = |host, roots| {
        let mut probe = probe(&[&url(host)]);
        probe.tls = tls_config(Some(roots));
        probe.get()
    };
    let signer = || vec![Certificate::from_der(server.signer.as_ref().unwrap()).to_owned()];
    assert_eq!(get("localhost", signer()), answer(200, "OK", true));
    assert_eq!(get("localhost", vec![]), failed("invalid peer certificate: UnknownIssuer"));
    let Err(NoAnswer::Failed(why)) = get("127.0.0.1", signer()) else { panic!("not refused") };
    assert!(why.contains("certificate not valid for name \"127.0.0.1\""), "{why}");
}

#[test]
fn tls_verify_asks_for_what_this_system_trusts() {
    let server = Server::with_tls(|connection| drop(connection.write_all(OK.as_bytes())));
    let url = format!("https://localhost:{}/", server.address.port());
    let arguments = ["httpok", "--tls-verify", &url];
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    match Probe::new(options.target().unwrap(), &options) {
        Ok(probe) => assert_eq!(probe.get(), failed("invalid peer certificate: UnknownIssuer")),
        // A system without ca-certificates.
        Err(why) => assert!(why.starts_with("--tls-verify needs the certificates"), "{why}"),
    }
}
