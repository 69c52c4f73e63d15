//! The request to the URL, and its answer.

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

use crate::options::Options;
use crate::search::Search;
use crate::verdict::{Answer, NoAnswer, Outcome};
use crate::watch::{DeadlineConnector, StatusLine};

/// A GET request that can be made again and again, each time over a new connection.
#[derive(Debug)]
pub(crate) struct Probe {
    target: Target,
    /// Time for the headers, and again for the body.
    limit: Duration,
    /// The text that is looked for, empty for none.
    body: OsString,
    /// The statuses with which a body is of interest.
    expected: Vec<u16>,
    tls: TlsConfig,
}

impl Probe {
    /// A probe of `target`.
    ///
    /// With `--tls-verify`, the certificates that this system trusts are read here, once; the error
    /// says that there are none.
    pub(crate) fn new(target: Target, options: &Options) -> Result<Self, String> {
        let verify = options.tls_verify && target.uri.scheme_str() == Some("https");
        let roots = if verify { Some(trusted_certificates("--tls-verify")?) } else { None };
        Ok(Self {
            target,
            limit: options.timeout,
            body: options.body.clone().unwrap_or_default(),
            expected: options.expected(),
            tls: tls_config(roots),
        })
    }

    /// Makes the request.
    pub(crate) fn get(&self) -> Outcome {
        let status_line = StatusLine::default();
        let mut response =
            self.request(&status_line).map_err(|error| explain(error, "without response"))?;
        let status = response.status().as_u16();
        let reason = status_line.reason();
        // A body cannot make a bad status good.
        let found = !self.expected.contains(&status)
            || self
                .read(response.body_mut())
                .map_err(|error| explain(Error::from(error), "in the middle of the body"))?;
        Ok(Answer { status, reason, found })
    }

    /// Sends the request and reads the headers of the answer.
    fn request(&self, status_line: &StatusLine) -> Result<ureq::http::Response<Body>, Error> {
        let limit = Some(self.limit);
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
            deadline: Instant::now() + self.limit,
            status_line: status_line.clone(),
        };
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        let mut request = agent.get(&self.target.uri);
        if let Some(authorization) = &self.target.authorization {
            request = request.header("Authorization", authorization.expose());
        }
        request.call()
    }

    /// Reads the body to its end and returns whether the text is in it. The time limit also ends a body
    /// without end.
    fn read(&self, body: &mut Body) -> io::Result<bool> {
        let deadline = Instant::now() + self.limit;
        let mut reader = body.with_config().limit(u64::MAX).reader();
        let mut search = Search::new(self.body.as_bytes());
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
    NoAnswer::Failed(match error {
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return NoAnswer::Refused(os_error(&error));
        }
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("Remote end closed connection {when}")
        }
        Error::Io(error) => os_error(&error),
        Error::Rustls(error) => io_error::explain_tls(&error),
        Error::Timeout(_) => "timed out".to_owned(),
        error => error.to_string(),
    })
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
#[path = "probe_tests.rs"]
mod tests;
