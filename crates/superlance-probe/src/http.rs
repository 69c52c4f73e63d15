//! A GET request, and the answer to it.

mod deadline;

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use superlance_core::options::url::Target;
use superlance_core::system::io_error;
use superlance_core::system::trust::trusted_certificates;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, RustlsConnector, TcpConnector};
use ureq::{Agent, Body, Error};

use crate::outcome::{Answer, Class, NoAnswer, Outcome, judge};
use crate::search::Search;

use deadline::DeadlineConnector;
pub(crate) use deadline::StatusLine;

/// A request, and what is expected of the answer.
#[derive(Debug)]
pub struct Request {
    pub target: Target,
    /// Time for the headers, and again for the body.
    pub limit: Duration,
    /// The statuses that are good.
    pub expected: Vec<u16>,
    /// The text that must be in the body, empty for none.
    pub body: OsString,
    /// Whether the certificate must be valid.
    pub verify: bool,
}

/// A request that can be made again and again, each time over a new connection.
#[derive(Debug)]
pub struct Http {
    request: Request,
    tls: TlsConfig,
}

impl Http {
    /// With `verify`, the certificates that this system trusts are read here, once.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(request: Request) -> Result<Self, String> {
        let verify = request.verify && request.target.uri.scheme_str() == Some("https");
        let roots = if verify { Some(trusted_certificates("--tls-verify")?) } else { None };
        Ok(Self { request, tls: tls_config(roots) })
    }

    /// Makes the request.
    #[must_use]
    pub fn check(&self) -> Outcome {
        let started = Instant::now();
        let answer = self.get();
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let Request { target, expected, .. } = &self.request;
        let verdict = judge(answer, expected, &target.shown);
        Outcome { verdict, took: started.elapsed(), status, certificate_end: None }
    }

    fn get(&self) -> Result<Answer, NoAnswer> {
        let status_line = StatusLine::default();
        let mut response =
            self.send(&status_line).map_err(|error| explain(error, "without response"))?;
        let status = response.status().as_u16();
        let reason = status_line.reason();
        // A body cannot make a bad status good.
        let found = !self.request.expected.contains(&status)
            || self
                .read(response.body_mut())
                .map_err(|error| explain(Error::from(error), "in the middle of the body"))?;
        Ok(Answer { status, reason, found })
    }

    /// Sends the request and reads the headers of the answer.
    fn send(&self, status_line: &StatusLine) -> Result<ureq::http::Response<Body>, Error> {
        let limit = Some(self.request.limit);
        let config = Agent::config_builder()
            .tls_config(self.tls.clone())
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(limit)
            .timeout_connect(limit)
            .timeout_send_request(limit)
            .timeout_recv_response(limit)
            .timeout_recv_body(limit)
            .user_agent("httpok")
            .accept("")
            .accept_encoding("identity")
            .build();
        let connector = DeadlineConnector {
            inner: TcpConnector::default().chain(RustlsConnector::default()),
            deadline: Instant::now() + self.request.limit,
            status_line: status_line.clone(),
        };
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        let mut request = agent.get(&self.request.target.uri);
        if let Some(authorization) = &self.request.target.authorization {
            request = request.header("Authorization", authorization.expose());
        }
        request.call()
    }

    /// Reads the body to its end and returns whether the text is in it. The time limit also ends a body
    /// without end.
    fn read(&self, body: &mut Body) -> io::Result<bool> {
        let deadline = Instant::now() + self.request.limit;
        let mut reader = body.with_config().limit(u64::MAX).reader();
        let mut search = Search::new(self.request.body.as_bytes());
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(search.found()),
                amount => search.feed(buffer.get(..amount).unwrap_or_default()),
            }
            if Instant::now() > deadline {
                return Err(Error::Timeout(ureq::Timeout::RecvBody).into_io());
            }
        }
    }
}

/// TLS that accepts what these certificates vouch for, or anything.
fn tls_config(roots: Option<Vec<Certificate<'static>>>) -> TlsConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    match roots {
        Some(roots) => config.root_certs(RootCerts::Specific(Arc::new(roots))).build(),
        None => config.disable_verification(true).build(),
    }
}

/// An error in words: the original's where it has some. `when` says how far things had come.
fn explain(error: Error, when: &str) -> NoAnswer {
    let mut refused = false;
    let class = class(&error);
    let why = match error {
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("Remote end closed connection {when}")
        }
        Error::Io(error) => {
            refused = error.kind() == io::ErrorKind::ConnectionRefused;
            os_error(&error)
        }
        Error::Rustls(error) => io_error::explain_tls(&error),
        Error::Timeout(_) => "timed out".to_owned(),
        error => error.to_string(),
    };
    NoAnswer { class, why, refused }
}

fn class(error: &Error) -> Class {
    match error {
        Error::Timeout(_) => Class::Timeout,
        Error::Tls(_) | Error::Rustls(_) => Class::Tls,
        Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            Class::Tls
        }
        _ => Class::Connect,
    }
}

/// An error of the system as Python writes it; other errors in words of their own.
fn os_error(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else {
        let text = io_error::explain(error);
        return text.trim_start_matches("failed to lookup address information: ").to_owned();
    };
    let text = error.to_string();
    let words = text.split(" (os error ").next().unwrap_or_default();
    format!("[Errno {number}] {words}")
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
