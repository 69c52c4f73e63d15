//! The HTTP server, used by Python's own client.

use std::time::{Duration, Instant};

use superlance_testing::{Certificate, HttpAnswer, HttpServer, SOON, wait_until};

use crate::python;

const PRELUDE: &str = r#"
import http.client, socket, ssl, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
def connect(timeout=10, host=url.hostname, context=ssl._create_unverified_context()):
    if url.scheme == "https":
        return http.client.HTTPSConnection(host, url.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, url.port, timeout=timeout)
def get(path="/", method="GET", headers={}, connection=None, **options):
    try:
        connection = connection or connect(**options)
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        print(response.status, response.reason, response.getheader("Location", "-"), response.read())
    except ssl.SSLCertVerificationError as e: print("not trusted:", e.verify_message)
    except Exception as e: print(type(e).__name__)
"#;

#[track_caller]
fn client(http: &HttpServer, code: &str) -> String {
    python(&format!("{PRELUDE}{code}"), &[&http.url()], None)
}

#[test]
fn answers_in_order_and_keeps_requests() {
    for http in [HttpServer::new(), HttpServer::builder().ipv6().start()] {
        http.then(HttpAnswer::status(500).reason("Sick").body("oops"));
        http.then(HttpAnswer::redirect("/there"));
        let said = client(&http, "get('/a?b'); get(headers={'X-Is': 'on'}); get(method='HEAD')");
        assert_eq!(said, "500 Sick - b'oops'\n302 Found /there b''\n200 OK - b''\n");
        http.usually(HttpAnswer::status(200).body("fine"));
        let twice = client(&http, "c = connect(); get(connection=c); get(connection=c)");
        assert_eq!(twice, "200 OK - b'fine'\n".repeat(2));
        let requests = http.wait_for(5);
        assert_eq!((&*requests[0].method, &*requests[0].path), ("GET", "/a?b"));
        assert_eq!(requests[1].header("x-is"), Some("on"));
        assert_eq!(requests[2].method, "HEAD");
        assert_eq!(requests.iter().map(|r| r.connection).collect::<Vec<_>>(), [1, 2, 3, 4, 4]);
        wait_until("the last answer to be complete", SOON, || http.is_idle());
    }
}

#[test]
fn misbehaves_as_it_is_told() {
    for certificate in [None, Some(Certificate::self_signed())] {
        let mut builder = HttpServer::builder();
        if let Some(certificate) = &certificate {
            builder = builder.tls(certificate);
        }
        let http = builder
            .then(HttpAnswer::close())
            .then(HttpAnswer::raw("nonsense\r\n\r\n"))
            .then(HttpAnswer::status(200).body("half").header("Content-Length", "8"))
            .then(HttpAnswer::never())
            .then(HttpAnswer::status(200).delay(Duration::from_secs(60)))
            .then(HttpAnswer::status(200).drip_head(Duration::from_millis(200)))
            .start();
        let said = client(&http, "get(); get(); get()\nfor _ in range(3): get(timeout=0.4)");
        let expected = "RemoteDisconnected\nBadStatusLine\nIncompleteRead\n";
        // A timeout for each byte is no timeout for the whole.
        assert_eq!(said, format!("{expected}TimeoutError\nTimeoutError\n200 OK - b''\n"));
        wait_until("all clients to have gone", SOON, || http.is_idle());
    }
}

#[test]
fn drips_the_body_alone() {
    let http = HttpServer::new();
    http.then(HttpAnswer::status(200).body("abc").drip_body(Duration::from_millis(200)));
    let start = Instant::now();
    let said = client(
        &http,
        "c = connect(timeout=5); c.request('GET', '/'); r = c.getresponse()\n\
         import time; t = time.monotonic(); print(r.read(), time.monotonic() - t > 0.4)",
    );
    assert_eq!(said, "b'abc' True\n");
    assert!(start.elapsed() > Duration::from_millis(600));
}

#[test]
fn goes_down_and_comes_back() {
    for builder in [HttpServer::builder(), HttpServer::builder().tls(&Certificate::self_signed())] {
        let mut http = builder.start();
        let url = http.url();
        for _ in 0..2 {
            assert_eq!(client(&http, "get()"), "200 OK - b''\n");
            http.stop();
            assert_eq!(client(&http, "get()"), "ConnectionRefusedError\n");
            http.start();
            assert_eq!(http.url(), url);
        }
    }
}

#[test]
fn does_not_wait_for_its_clients_to_stop() {
    let mut http = HttpServer::builder().usually(HttpAnswer::never()).start();
    let url = http.url();
    let waiting = std::thread::spawn(move || python(&format!("{PRELUDE}get()"), &[&url], None));
    http.wait_for(1);
    assert!(!http.is_idle());
    http.stop();
    assert_eq!(waiting.join().unwrap(), "RemoteDisconnected\n");
}

#[test]
fn only_a_good_certificate_is_trusted() {
    let code = format!("{PRELUDE}get(host='localhost', context=ssl.create_default_context())");
    for (certificate, known, verdict) in [
        (Certificate::signed(), true, "200 OK - b''\n"),
        (Certificate::signed(), false, "not trusted: unable to get local issuer"),
        (Certificate::self_signed(), false, "not trusted: self-signed certificate\n"),
        (Certificate::expired(), true, "not trusted: certificate has expired\n"),
        (Certificate::for_elsewhere(), true, "not trusted: Hostname mismatch"),
    ] {
        let http = HttpServer::builder().tls(&certificate).start();
        let authority = known.then(|| certificate.authority());
        let said = python(&code, &[&http.url()], authority.as_deref());
        assert!(said.starts_with(verdict), "{said}");
        assert_eq!(http.server_names(), ["localhost"]);
        client(&http, "get()");
        assert_eq!(http.server_names(), ["localhost", ""]);
        assert!(http.url_of("localhost").starts_with("https://localhost:"));
    }
}
