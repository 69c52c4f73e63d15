//! Requests to a server that does what it is told.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

use superlance_core::options::url::Target;
use superlance_testing::{Certificate, HttpAnswer, HttpRequest, HttpServer, Scratch};

use super::*;
use crate::expectation::Rule;
use crate::source::Source;
use crate::tls::TlsOptions;

/// A request to this URL, with a limit of one second.
fn to(url: &str) -> Http {
    Http {
        request: Request::get(Target::parse(url).unwrap()),
        expectation: Arc::default(),
        limit: Duration::from_secs(1),
        whole: None,
        tls: tls(TlsOptions::default()),
    }
}

fn tls(options: TlsOptions) -> Arc<Tls> {
    Arc::new(Tls::new(options).unwrap())
}

/// The same, looking for a text.
fn looking(text: &str, url: &str) -> Http {
    let (statuses, rules) = (Vec::new(), vec![Rule::Contains(OsString::from(text))]);
    Http { expectation: Arc::new(Expectation { statuses, rules }), ..to(url) }
}

/// The same, and this status is good.
fn expecting(status: u16, url: &str) -> Http {
    let (statuses, rules) = (vec![status..=status], Vec::new());
    Http { expectation: Arc::new(Expectation { statuses, rules }), ..to(url) }
}

/// What comes of asking, where nothing keeps from it.
#[track_caller]
fn get(http: &Http) -> Result<Answer, NoAnswer> {
    http.get(&Notes::default()).unwrap()
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
    let body = Judgement { wrong: (!found).then(String::new), note: None };
    Ok(Answer { status, reason: reason.to_owned(), refused: None, body })
}

fn failed(class: Class, why: &str) -> Result<Answer, NoAnswer> {
    Err(NoAnswer { class, why: why.to_owned(), refused: false, is_ours: false })
}

/// What comes of asking a server that gives this answer, looking for `x-y`.
#[track_caller]
fn check(sent: &'static str, expected: Result<Answer, NoAnswer>) {
    let server = answering(HttpAnswer::raw(sent));
    assert_eq!(get(&looking("x-y", &url(&server))), expected, "{sent}");
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
    assert_eq!(get(&Http { limit: LONG, ..looking("aend", &url) }), answer(200, "OK", true));
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
        let outcome = get(&to(&url(&answering(HttpAnswer::raw(garbage)))));
        let class = outcome.as_ref().map_err(|error| error.class);
        assert_eq!(class, Err(Class::Connect), "{garbage}: {outcome:?}");
    }
}

/// With a limit of one second for headers and body each, `answer` leads to a timeout after so many
/// milliseconds, with TLS and without.
#[track_caller]
fn times_out(answer: HttpAnswer, milliseconds: u64) {
    let plain = answering(answer.clone());
    let secure = HttpServer::builder().tls(&Certificate::signed()).usually(answer).start();
    thread::scope(|scope| {
        for url in [url(&plain), secure.url_of("localhost")] {
            scope.spawn(move || {
                let started = Instant::now();
                assert_eq!(get(&to(&url)), failed(Class::Timeout, "timed out"), "{url}");
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
fn headers_and_body_may_have_one_limit() {
    for answer in [HttpAnswer::never(), dripping(200, LONG), HttpAnswer::flood()] {
        let (server, started) = (answering(answer), Instant::now());
        let whole = Some(Duration::from_millis(300));
        let http = Http { limit: LONG, whole, ..to(&url(&server)) };
        assert_eq!(get(&http), failed(Class::Timeout, "timed out"));
        assert!(started.elapsed() < BUSY);
    }
}

#[test]
fn a_server_that_speaks_no_tls_in_time() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", server.local_addr().unwrap());
    let started = Instant::now();
    assert_eq!(get(&to(&url)), failed(Class::Timeout, "timed out"));
    assert!(started.elapsed() < BUSY);
}

#[test]
fn a_body_with_a_bad_status_is_not_waited_for() {
    let server = answering(dripping(500, LONG).reason("Oops"));
    assert_eq!(get(&to(&url(&server))), answer(500, "Oops", true));
    let outcome = get(&expecting(500, &url(&server)));
    assert_eq!(
        outcome,
        failed(Class::Timeout, "timed out"),
        "an expected status needs its whole body"
    );
}

#[test]
fn the_request_is_that_of_the_original_and_each_has_its_own_connection() {
    let server = well();
    let plain = to(&format!("{}a?b=%20c#d", url(&server)));
    assert_eq!(get(&plain), answer(200, "OK", true));
    assert_eq!(get(&plain), answer(200, "OK", true));
    let host = format!("127.0.0.1:{}", server.port());
    assert_eq!(get(&to(&format!("http://u:p%40@{host}"))), answer(200, "OK", true));
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
    let http = to(&url(&server));
    let why = "[Errno 111] Connection refused".to_owned();
    assert_eq!(
        get(&http),
        Err(NoAnswer { class: Class::Connect, why, refused: true, is_ours: false })
    );
    server.start();
    assert_eq!(get(&http), answer(200, "OK", true));
}

#[test]
fn names_are_looked_up_and_all_their_addresses_tried() {
    // `localhost` is ::1 and 127.0.0.1 on most systems, and no server listens on the former.
    let server = well();
    assert_eq!(get(&to(&server.url_of("localhost"))), answer(200, "OK", true));
    let outcome = get(&Http { limit: LONG, ..to("http://no-such-host.invalid/") });
    assert_eq!(outcome.unwrap_err().class, Class::Connect);
}

#[test]
fn ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let server = HttpServer::builder().ipv6().start();
    assert_eq!(get(&to(&url(&server))), answer(200, "OK", true));
    assert!(server.requests()[0].header("host").unwrap().starts_with("[::1]:"));
}

const UNKNOWN: &str = "its certificate is not issued by an authority that is trusted";

/// The same, with TLS as these options say.
fn secure(url: &str, options: TlsOptions) -> Http {
    Http { tls: tls(options), ..to(url) }
}

fn trusting(certificate: &Certificate) -> TlsOptions {
    TlsOptions { authorities: Some(certificate.authority()), ..TlsOptions::default() }
}

#[test]
fn a_certificate_is_looked_at_only_if_so_asked() {
    let certificate = Certificate::signed();
    let server = HttpServer::builder().tls(&certificate);
    let server = server.usually(HttpAnswer::status(200).body("hi")).start();
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(get(&looking("hi", &server.url_of(host))), answer(200, "OK", true));
    }
    let url = server.url_of("localhost");
    assert_eq!(get(&secure(&url, trusting(&certificate))), answer(200, "OK", true));
    let other = Certificate::self_signed();
    assert_eq!(get(&secure(&url, trusting(&other))), failed(Class::Tls, UNKNOWN));
    for (certificate, start) in [
        (Certificate::for_elsewhere(), "its certificate is not for 127.0.0.1 but for "),
        (Certificate::expired(), "its certificate expired on 2000-01-01"),
    ] {
        let server = HttpServer::builder().tls(&certificate).start();
        let NoAnswer { class, why, .. } =
            get(&secure(&server.url(), trusting(&certificate))).unwrap_err();
        assert!(class == Class::Tls && why.starts_with(start), "{why}");
    }
}

#[test]
fn tls_verify_asks_for_what_this_system_trusts() {
    let server = HttpServer::builder().tls(&Certificate::signed()).start();
    match Tls::new(TlsOptions { verify: true, ..TlsOptions::default() }) {
        Ok(tls) => {
            let http = Http { tls: Arc::new(tls), ..to(&server.url_of("localhost")) };
            assert_eq!(get(&http), failed(Class::Tls, UNKNOWN));
        }
        // A system without ca-certificates.
        Err(why) => assert!(why.starts_with("--tls-verify needs the certificates"), "{why}"),
    }
}

#[test]
fn another_name_is_asked_for_and_must_be_the_certificates() {
    let certificate = Certificate::for_elsewhere();
    let server = HttpServer::builder().tls(&certificate).start();
    let server_name = Some("elsewhere.example".try_into().unwrap());
    let options = TlsOptions { server_name, ..trusting(&certificate) };
    assert_eq!(get(&secure(&server.url(), options)), answer(200, "OK", true));
    assert_eq!(server.server_names(), ["elsewhere.example"]);
}

#[test]
fn a_server_may_ask_for_a_certificate() {
    let ours = Certificate::signed();
    let certificate = Certificate::signed().asking_for(&ours);
    let server = HttpServer::builder().tls(&certificate).start();
    let url = server.url_of("localhost");
    let with = |certificate: &Certificate| TlsOptions {
        certificate: Some(certificate.certificate()),
        key: Some(certificate.key()),
        ..TlsOptions::default()
    };
    assert_eq!(get(&secure(&url, with(&ours))), answer(200, "OK", true));
    let other = Certificate::signed();
    for options in [TlsOptions::default(), with(&other)] {
        let NoAnswer { class, why, .. } = get(&secure(&url, options)).unwrap_err();
        assert!(class == Class::Tls && why.starts_with("it ended TLS with the alert "), "{why}");
    }
}

/// Without any verification.
#[test]
fn when_the_certificate_expires() {
    let certificate = Certificate::expired();
    let server = HttpServer::builder().tls(&certificate).start();
    let outcome = to(&server.url()).check();
    let year_2000 = Duration::from_secs(946_684_800);
    assert_eq!(outcome.verdict, Verdict::Good);
    assert_eq!(outcome.certificate_end, Some(std::time::UNIX_EPOCH + year_2000));
    assert_eq!(to(&url(&well())).check().certificate_end, None);
}

#[test]
fn a_file_that_cannot_be_read_is_trouble_until_it_can() {
    let (scratch, certificate) = (Scratch::new(), Certificate::signed());
    let server = HttpServer::builder().tls(&certificate).start();
    let file = scratch.join("ca.pem");
    let options = TlsOptions { authorities: Some(file.clone()), ..TlsOptions::default() };
    let http = secure(&server.url(), options);
    let trouble = |why: &str| {
        Verdict::Trouble(format!(
            "cannot check {}: --ca-file {}: {why}",
            server.url(),
            file.display()
        ))
    };
    assert_eq!(http.check().verdict, trouble("No such file or directory (os error 2)"));
    scratch.write("ca.pem", "nothing");
    assert_eq!(http.check().verdict, trouble("there is no certificate in PEM in it"));
    scratch.write("ca.pem", std::fs::read(certificate.authority()).unwrap());
    assert_eq!(http.check().verdict, Verdict::Good);
    let cut = "-----BEGIN CERTIFICATE-----\n!\n";
    scratch.write("ca.pem", cut);
    let Verdict::Trouble(why) = http.check().verdict else { panic!("it was read") };
    assert!(why.contains("expected a certificate in PEM"), "{why}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn our_own_certificate_and_key_belong_together() {
    let (ours, other) = (Certificate::signed(), Certificate::signed());
    let with_key =
        |key| TlsOptions { certificate: Some(ours.certificate()), key, ..TlsOptions::default() };
    for (key, expected) in [
        (Some(other.key()), "it is not the key of the certificate of --client-cert"),
        (None, "there is no private key in PEM in it"),
        (Some(PathBuf::from("/no/key")), "--client-key /no/key: No such file"),
    ] {
        let Verdict::Trouble(why) = secure("https://localhost:1/", with_key(key)).check().verdict
        else {
            panic!("{expected}")
        };
        assert!(why.contains(expected), "{why}");
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

#[test]
fn what_the_checker_lacks_is_trouble_and_no_failure() {
    let verdict = |number| {
        let error = io::Error::from_raw_os_error(number);
        to("http://h/").unanswered(explain(Error::Io(error), ""))
    };
    let (emfile, eagain) = (24, 11);
    let Verdict::Trouble(why) = verdict(emfile) else { panic!("it is a failure") };
    assert_eq!(why, "cannot check http://h/: [Errno 24] Too many open files");
    assert!(matches!(verdict(eagain), Verdict::Failed(_)));
}

/// The request that a server gets of this one.
fn sent(request: impl FnOnce(&str) -> Request) -> HttpRequest {
    let server = well();
    let http = Http { request: request(&url(&server)), ..to("http://h/") };
    assert_eq!(get(&http), answer(200, "OK", true));
    server.requests().remove(0)
}

fn plain(url: &str) -> Request {
    Request::get(Target::parse(url).unwrap())
}

fn literal(text: &str) -> Source {
    Source::Literal(text.to_owned())
}

#[test]
fn methods_and_data() {
    let request = sent(|url| Request { method: Method::HEAD, ..plain(url) });
    assert_eq!(&*request.method, "HEAD");
    let propfind = Method::from_bytes(b"PROPFIND").unwrap();
    let request = sent(|url| Request { method: propfind, ..plain(url) });
    assert_eq!(&*request.method, "PROPFIND");
    let request = sent(|url| Request { method: Method::POST, ..plain(url) });
    assert_eq!((&*request.method, request.header("content-length")), ("POST", Some("0")));
    for method in [Method::POST, Method::GET] {
        let data = Some(literal("a=b"));
        let request = sent(|url| Request { method, data, ..plain(url) });
        assert_eq!((&*request.body, request.header("content-length")), ("a=b", Some("3")));
    }
}

#[test]
fn headers_are_added_replaced_and_left_out() {
    let header = |name: &'static str, value: &str| (HeaderName::from_static(name), literal(value));
    let headers = vec![
        header("x-a", "1"),
        header("x-a", "2"),
        header("host", "example.com"),
        header("user-agent", ""),
        header("accept-encoding", "gzip"),
    ];
    let request = sent(|url| Request { headers, ..plain(url) });
    let mut sent: Vec<_> = request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    sent.sort_unstable();
    let expected =
        [("accept-encoding", "gzip"), ("host", "example.com"), ("x-a", "1"), ("x-a", "2")];
    assert_eq!(sent, expected);
}

#[test]
fn secrets_are_read_at_each_check() {
    let (scratch, server) = (Scratch::new(), well());
    let file = scratch.join("token");
    let login = Some(Login::Bearer(Source::File(file.clone())));
    let http = Http { request: Request { login, ..plain(&url(&server)) }, ..to("http://h/") };
    let why = format!("--bearer file:{}: No such file or directory (os error 2)", file.display());
    let why = format!("cannot check {}: {why}", url(&server));
    assert_eq!(http.check().verdict, Verdict::Trouble(why));
    for token in ["one", "two"] {
        scratch.write("token", token);
        assert_eq!(http.check().verdict, Verdict::Good);
    }
    let tokens: Vec<_> =
        server.requests().iter().map(|r| r.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(tokens, ["Bearer one", "Bearer two"]);
    scratch.write("token", "hunter\u{1}2");
    let Verdict::Trouble(why) = http.check().verdict else { panic!("it was sent") };
    assert!(
        why.contains("the header authorization has characters") && !why.contains("hunter"),
        "{why}"
    );
    let basic = Some(Login::Basic(Source::Environment("u:p@".into())));
    let request = sent(|url| Request { login: basic, ..plain(url) });
    assert_eq!(request.header("authorization"), Some("Basic dTpwQA=="));
}

#[test]
fn over_a_unix_socket_the_url_gives_host_and_path() {
    let scratch = Scratch::new();
    let socket = scratch.join("web.sock");
    let request =
        Request { socket: Some(socket.clone()), ..plain("http://nowhere.invalid/health") };
    let http = Http { request, ..to("http://h/") };
    let refused = NoAnswer {
        class: Class::Connect,
        why: "[Errno 2] No such file or directory".to_owned(),
        refused: true,
        is_ours: false,
    };
    assert_eq!(get(&http), Err(refused));
    let server = HttpServer::builder().unix(socket).start();
    assert_eq!(get(&http), answer(200, "OK", true));
    let request = &server.requests()[0];
    assert_eq!((&*request.path, request.header("host")), ("/health", Some("nowhere.invalid")));
}

#[test]
fn redirects_are_followed_within_the_server() {
    let (certificate, scratch) = (Certificate::signed(), Scratch::new());
    let server = HttpServer::builder().tls(&certificate);
    let server = server.then(HttpAnswer::redirect("/b")).then(HttpAnswer::redirect("c?d"));
    let server = server.usually(HttpAnswer::status(200).body("hi")).start();
    let login = Some(Login::Bearer(Source::File(scratch.write("token", "secret"))));
    let request = Request { follow: 2, login, ..plain(&format!("{}/a", server.url())) };
    let http = Http { request, ..looking("hi", &server.url()) };
    assert_eq!(get(&http), answer(200, "OK", true));
    let seen: Vec<_> = server
        .requests()
        .into_iter()
        .map(|r| (r.path.clone(), r.header("authorization").is_some()))
        .collect();
    let expected = ["/a", "/b", "/c?d"].map(|path| (path.to_owned(), true));
    assert_eq!(seen, expected);
    server.usually(HttpAnswer::redirect("/a"));
    let Verdict::Failed(Failed { class, text, .. }) = http.check().verdict else {
        panic!("it ends")
    };
    assert_eq!(class, Class::Status);
    let url = format!("{}/a", server.url());
    assert_eq!(text, format!("status contacting {url}: 302 Found, and --follow 2 ends there"));
    server.usually(HttpAnswer::redirect("http://127.0.0.2:1/?secret"));
    let Verdict::Failed(Failed { text, .. }) = http.check().verdict else {
        panic!("it leads away")
    };
    assert!(text.ends_with(": 302 Found, and leads elsewhere, to http://127.0.0.2:1"), "{text}");
}

#[test]
fn all_redirects_have_one_time_limit() {
    let server = answering(HttpAnswer::redirect("/").delay(Duration::from_millis(400)));
    let request = Request { follow: 100, ..plain(&url(&server)) };
    let started = Instant::now();
    assert_eq!(get(&Http { request, ..to("http://h/") }), failed(Class::Timeout, "timed out"));
    assert!(started.elapsed() < Duration::from_secs(1) + BUSY);
}
