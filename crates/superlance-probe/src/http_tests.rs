//! Requests to a server that does what it is told.

use std::net::TcpListener;
use std::thread;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use superlance_testing::{Certificate as Maker, HttpAnswer, HttpServer};

use super::*;

/// A request to this URL, with a limit of one second.
fn to(url: &str) -> Request {
    Request {
        target: Target::parse(url).unwrap(),
        limit: Duration::from_secs(1),
        expected: vec![200],
        body: OsString::new(),
        verify: false,
    }
}

/// The same, looking for a text.
fn looking(text: &str, url: &str) -> Request {
    Request { body: text.into(), ..to(url) }
}

fn get(request: Request) -> Result<Answer, NoAnswer> {
    Http::new(request).unwrap().get()
}

fn url(server: &HttpServer) -> String {
    format!("{}/", server.url())
}

fn answering(answer: HttpAnswer) -> HttpServer {
    HttpServer::builder().usually(answer).start()
}

/// A server that is well.
fn well() -> HttpServer {
    answering(HttpAnswer::status(200).body("hi"))
}

fn answer(status: u16, reason: &str, found: bool) -> Result<Answer, NoAnswer> {
    Ok(Answer { status, reason: reason.to_owned(), found })
}

fn failed(class: Class, why: &str) -> Result<Answer, NoAnswer> {
    Err(NoAnswer { class, why: why.to_owned(), refused: false })
}

/// What comes of asking a server that gives this answer, looking for `x-y`.
#[track_caller]
fn check(sent: &'static str, expected: Result<Answer, NoAnswer>) {
    let server = answering(HttpAnswer::raw(sent));
    assert_eq!(get(looking("x-y", &url(&server))), expected, "{sent}");
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
    let mut body = vec![b'a'; 20_000_000];
    body.extend(b"end");
    let server = answering(HttpAnswer::status(200).body(body));
    let url = url(&server);
    assert_eq!(get(Request { limit: LONG, ..looking("aend", &url) }), answer(200, "OK", true));
}

#[test]
fn a_redirect_is_an_answer() {
    let sent = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    check(sent, answer(302, "Found", true));
}

#[test]
fn what_is_no_answer_says_why() {
    check("", failed(Class::Connect, "Remote end closed connection without response"));
    check(
        "HTTP/1.1 200 OK\r\nContent-",
        failed(Class::Connect, "Remote end closed connection without response"),
    );
    let cut = failed(Class::Connect, "Remote end closed connection in the middle of the body");
    check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx-y", cut.clone());
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx-y", cut);
    for garbage in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"] {
        let outcome = get(to(&url(&answering(HttpAnswer::raw(garbage)))));
        let class = outcome.as_ref().map_err(|error| error.class);
        assert_eq!(class, Err(Class::Connect), "{garbage}: {outcome:?}");
    }
}

/// With a limit of one second for headers and body each, `answer` leads to a timeout after so many
/// milliseconds, with TLS and without.
#[track_caller]
fn times_out(answer: HttpAnswer, milliseconds: u64) {
    let plain = answering(answer.clone());
    let secure = HttpServer::builder().tls(&Maker::signed()).usually(answer).start();
    thread::scope(|scope| {
        for url in [url(&plain), secure.url_of("localhost")] {
            scope.spawn(move || {
                let started = Instant::now();
                assert_eq!(get(to(&url)), failed(Class::Timeout, "timed out"), "{url}");
                let took = started.elapsed();
                let least = Duration::from_millis(milliseconds - 100);
                assert!(took > least && took < least + BUSY, "{took:?} for {url}");
            });
        }
    });
}

/// What a busy machine may add to a time limit.
const BUSY: Duration = Duration::from_secs(3);

/// Between bytes that come in time, each by itself.
const SHORT: Duration = Duration::from_millis(50);

/// Longer than any limit here.
const LONG: Duration = Duration::from_secs(60);

/// A body of many bytes, which comes byte by byte.
fn dripping(status: u16, pause: Duration) -> HttpAnswer {
    HttpAnswer::status(status).body([b'x'; 1000]).drip_body(pause)
}

#[test]
fn headers_that_do_not_come_in_time() {
    times_out(HttpAnswer::never(), 1000);
    times_out(HttpAnswer::status(200).drip_head(SHORT), 1000);
}

#[test]
fn a_body_that_does_not_come_in_time() {
    times_out(dripping(200, LONG), 1000);
    times_out(dripping(200, SHORT).delay(Duration::from_millis(800)), 1800);
    times_out(HttpAnswer::flood(), 1000);
}

#[test]
fn a_server_that_speaks_no_tls_in_time() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", server.local_addr().unwrap());
    let started = Instant::now();
    assert_eq!(get(to(&url)), failed(Class::Timeout, "timed out"));
    assert!(started.elapsed() < BUSY);
}

#[test]
fn a_body_with_a_bad_status_is_not_waited_for() {
    let server = answering(dripping(500, LONG).reason("Oops"));
    assert_eq!(get(to(&url(&server))), answer(500, "Oops", true));
    let outcome = get(Request { expected: vec![500], ..to(&url(&server)) });
    assert_eq!(
        outcome,
        failed(Class::Timeout, "timed out"),
        "an expected status needs its whole body"
    );
}

#[test]
fn the_request_is_that_of_the_original_and_each_has_its_own_connection() {
    let server = well();
    let plain = Http::new(to(&format!("{}a?b=%20c#d", url(&server)))).unwrap();
    assert_eq!(plain.get(), answer(200, "OK", true));
    assert_eq!(plain.get(), answer(200, "OK", true));
    let host = format!("127.0.0.1:{}", server.port());
    assert_eq!(get(to(&format!("http://u:p%40@{host}"))), answer(200, "OK", true));
    let requests = server.requests();
    assert_eq!((&*requests[0].method, &*requests[0].path), ("GET", "/a?b=%20c"));
    let mut headers: Vec<_> =
        requests[0].headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    headers.sort_unstable();
    let expected = [("accept-encoding", "identity"), ("host", &host), ("user-agent", "httpok")];
    assert_eq!(headers, expected);
    assert_eq!(requests[1].headers, requests[0].headers);
    assert_eq!(requests[2].header("authorization"), Some("Basic dTpwQA=="));
    let connections: Vec<_> = requests.iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 3]);
}

#[test]
fn a_refused_connection_is_told_apart_and_may_be_tried_again() {
    let mut server = well();
    server.stop();
    let http = Http::new(to(&url(&server))).unwrap();
    let why = "[Errno 111] Connection refused".to_owned();
    assert_eq!(http.get(), Err(NoAnswer { class: Class::Connect, why, refused: true }));
    server.start();
    assert_eq!(http.get(), answer(200, "OK", true));
}

#[test]
fn names_are_looked_up_and_all_their_addresses_tried() {
    // `localhost` is ::1 and 127.0.0.1 on most systems, and no server listens on the former.
    let server = well();
    assert_eq!(get(to(&server.url_of("localhost"))), answer(200, "OK", true));
    let outcome = get(Request { limit: LONG, ..to("http://no-such-host.invalid/") });
    assert_eq!(outcome.unwrap_err().class, Class::Connect);
}

#[test]
fn ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let server = HttpServer::builder().ipv6().start();
    assert_eq!(get(to(&url(&server))), answer(200, "OK", true));
    assert!(server.requests()[0].header("host").unwrap().starts_with("[::1]:"));
}

const UNKNOWN: &str = "its certificate is not issued by an authority that this system trusts";

/// The answer to a request that only believes these authorities.
fn verified(url: &str, roots: Vec<Certificate<'static>>) -> Result<Answer, NoAnswer> {
    Http { request: to(url), tls: tls_config(Some(roots)) }.get()
}

#[test]
fn a_certificate_is_looked_at_only_if_so_asked() {
    let certificate = Maker::signed();
    let server = HttpServer::builder().tls(&certificate);
    let server = server.usually(HttpAnswer::status(200).body("hi")).start();
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(get(looking("hi", &server.url_of(host))), answer(200, "OK", true));
    }
    let url = server.url_of("localhost");
    let authority = CertificateDer::from_pem_file(certificate.authority()).unwrap();
    let authority = vec![Certificate::from_der(&authority).to_owned()];
    assert_eq!(verified(&url, authority), answer(200, "OK", true));
    assert_eq!(verified(&url, vec![]), failed(Class::Tls, UNKNOWN));
    let elsewhere = Maker::for_elsewhere();
    let authority = CertificateDer::from_pem_file(elsewhere.authority()).unwrap();
    let authority = vec![Certificate::from_der(&authority).to_owned()];
    let server = HttpServer::builder().tls(&elsewhere).start();
    let NoAnswer { class, why, .. } = verified(&server.url(), authority).unwrap_err();
    assert_eq!(class, Class::Tls);
    assert!(why.starts_with("its certificate is not for 127.0.0.1 but for "), "{why}");
}

#[test]
fn tls_verify_asks_for_what_this_system_trusts() {
    let server = HttpServer::builder().tls(&Maker::signed()).start();
    let url = server.url_of("localhost");
    match Http::new(Request { verify: true, ..to(&url) }) {
        Ok(http) => assert_eq!(http.get(), failed(Class::Tls, UNKNOWN)),
        // A system without ca-certificates.
        Err(why) => assert!(why.starts_with("--tls-verify needs the certificates"), "{why}"),
    }
}

#[test]
fn errors_of_the_system_are_written_as_python_writes_them() {
    let lookup = "failed to lookup address information: Name or service not known";
    for (error, expected) in [
        (io::Error::from_raw_os_error(104), "[Errno 104] Connection reset by peer"),
        (io::Error::other(lookup), "Name or service not known"),
    ] {
        assert_eq!(explain(Error::Io(error), "").why, expected);
    }
}
