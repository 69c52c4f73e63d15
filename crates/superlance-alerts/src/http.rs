//! Requests by HTTP: a client, and what the log may say of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::system::io_error;
use superlance_core::system::order;
use superlance_core::system::trust::trusted_certificates;
use ureq::http::Uri;
use ureq::http::header::{HeaderName, HeaderValue};
use ureq::tls::{Certificate, TlsConfig};
use ureq::{Agent, Error, Timeout};

/// The part of the time for the host's name and the connection: until then, nothing was sent.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A client for this URI, which `option` names, that has this time for a request: from the look-up of
/// the host's name to the end of the answer.
pub(crate) fn agent(
    option: &str,
    uri: &Uri,
    limit: Duration,
    environment: &Environment,
) -> Result<Agent, StartError> {
    let mut tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if uri.scheme_str() == Some("https") {
        let needed = format!("{option} with https");
        let trusted = trusted_certificates(&needed).map_err(StartError::Environment)?;
        let trusted = trusted.iter().map(|der| Certificate::from_der(der).to_owned());
        tls = tls.root_certs(trusted.into());
    }
    let config = Agent::config_builder()
        .tls_config(tls.build())
        .proxy(environment.proxy_for(uri.host().unwrap_or_default()))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(limit))
        .timeout_resolve(Some(CONNECT_LIMIT))
        .timeout_connect(Some(CONNECT_LIMIT))
        .max_idle_connections(0)
        .user_agent("superlance");
    Ok(config.build().new_agent())
}

/// Scheme, host and port, for the log: without user and password.
pub(crate) fn shown(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}")
}

/// The parts of the URL after the host and the values of headers, the longest first. Parts of less
/// than five characters are too short for a secret.
pub(crate) fn secrets(uri: &Uri, headers: &[(HeaderName, HeaderValue)]) -> Vec<String> {
    let path = uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
    let headers = headers.iter().filter_map(|(_, value)| value.to_str().ok());
    let words = headers.clone().flat_map(str::split_whitespace);
    let parts = path.split(['/', '?', '&', '=']).chain([path]).chain(headers).chain(words);
    let mut secrets: Vec<_> = parts.filter(|part| part.len() >= 5).map(str::to_owned).collect();
    order::sort_by_key(&mut secrets, |secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// The text without secrets, for the log.
pub(crate) fn mask(text: &str, secrets: &[String]) -> String {
    let mask = |text: String, secret: &String| text.replace(secret, "***");
    secrets.iter().fold(text.to_owned(), mask)
}

/// Why a request had no answer, within this time.
pub(crate) fn explain(error: &Error, limit: Duration) -> String {
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed without an answer".to_owned()
        }
        Error::Io(error) => io_error::explain(error),
        Error::Rustls(error) => io_error::explain_tls(error),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            format!("no connection within {} seconds", CONNECT_LIMIT.as_secs())
        }
        Error::Timeout(_) => format!("no answer within {} seconds", limit.as_secs()),
        error => error.to_string(),
    }
}
