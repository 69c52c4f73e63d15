//! The HTTP endpoint that Prometheus scrapes.

use std::net::SocketAddr;
use std::time::Duration;

use oxhttp::Server;
use oxhttp::model::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use oxhttp::model::{Body, Method, Request, Response, StatusCode, Version};

/// How long a client may be silent.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Each has a thread. A Prometheus needs one.
const CONNECTIONS: usize = 8;

/// The format of metrics.
const FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Serves what `metrics` returns at `/metrics`, by threads of its own.
///
/// # Errors
/// When the address is taken, or not of this machine.
pub(crate) fn listen(
    address: SocketAddr,
    metrics: impl Fn() -> String + Send + Sync + 'static,
) -> Result<(), String> {
    Server::new(move |request| answer(request, &metrics))
        .with_global_timeout(TIMEOUT)
        .with_max_concurrent_connections(CONNECTIONS)
        .bind(address)
        .spawn()
        .map(drop)
        .map_err(|error| format!("cannot listen at {address}: {error}"))
}

fn answer<B>(request: &Request<B>, metrics: impl Fn() -> String) -> Response<Body> {
    let (status, format, text) = match request.uri().path() {
        // The header `Allow` says it all: an answer to HEAD has no text.
        _ if request.method() != Method::GET => {
            (StatusCode::METHOD_NOT_ALLOWED, PLAIN, String::new())
        }
        "/metrics" => (StatusCode::OK, FORMAT, metrics()),
        "/" => (StatusCode::OK, PLAIN, "superlance metrics: /metrics\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, PLAIN, "expected /metrics\n".to_owned()),
    };
    let mut response = Response::new(Body::from(text));
    // A connection that is kept would be idle until the next scrape, and oxhttp answers its time limit with
    // a status 500, which Prometheus logs ("Unsolicited response received on idle HTTP channel"). A client
    // closes after an answer of HTTP/1.0.
    *response.version_mut() = Version::HTTP_10;
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, format);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_at_their_path_alone() {
        for (method, path, status, is_metrics) in [
            (Method::GET, "/metrics", 200, true),
            (Method::GET, "/metrics?x=y", 200, true),
            (Method::GET, "/", 200, false),
            (Method::GET, "/metrics/x", 404, false),
            (Method::HEAD, "/metrics", 405, false),
            (Method::POST, "/metrics", 405, false),
        ] {
            let request = Request::builder().method(&method).uri(path).body(()).unwrap();
            let response = answer(&request, || "up 1\n".to_owned());
            assert_eq!(response.status(), status, "{method} {path}");
            let format = response.headers().get(CONTENT_TYPE);
            assert_eq!(format == Some(&FORMAT), is_metrics, "{method} {path}");
            let text = response.into_body().to_string().unwrap();
            assert_eq!(text == "up 1\n", is_metrics, "{text}");
            assert_eq!(text.is_empty(), status == 405, "{text}");
        }
    }
}
