//! A request, and the headers and data that are sent.

use std::path::PathBuf;

use superlance_core::options::url::{Target, basic};
use superlance_core::system::secret::Secret;
use ureq::http::header::{ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::source::Source;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    pub target: Target,
    pub method: Method,
    /// The unix socket to connect to instead of the URL's host and port.
    pub socket: Option<PathBuf>,
    /// Further headers, which replace ours; an empty value leaves ours out.
    pub headers: Vec<(HeaderName, Source)>,
    /// A login instead of the URL's.
    pub login: Option<Login>,
    pub data: Option<Source>,
    /// How many redirects are followed.
    pub follow: u8,
}

impl Request {
    /// A GET request of this URL.
    #[must_use]
    pub fn get(target: Target) -> Self {
        let (method, follow) = (Method::GET, 0);
        Self { target, method, socket: None, headers: Vec::new(), login: None, data: None, follow }
    }
}

/// What a request logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// `user:password`.
    Basic(Source),
    /// A token.
    Bearer(Source),
}

/// What is sent, with all secrets read.
pub(crate) struct Parts {
    pub(crate) headers: HeaderMap,
    pub(crate) data: Vec<u8>,
}

impl Request {
    /// Headers and data, with all secrets read.
    pub(crate) fn parts(&self) -> Result<Parts, String> {
        let Self { target, headers: further, login, data, .. } = self;
        let mut headers = HeaderMap::new();
        let own = [(USER_AGENT, "httpok"), (ACCEPT_ENCODING, "identity")];
        headers.extend(own.map(|(name, value)| (name, HeaderValue::from_static(value))));
        let authorization = match login {
            None => target.authorization.clone(),
            Some(Login::Basic(login)) => {
                let login = login.read().map_err(|why| format!("--basic {why}"))?;
                Some(basic(login.expose().as_bytes()))
            }
            Some(Login::Bearer(token)) => {
                let token = token.read().map_err(|why| format!("--bearer {why}"))?;
                Some(format!("Bearer {}", token.expose()).into())
            }
        };
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, secret_value(AUTHORIZATION, &authorization)?);
        }
        further.iter().for_each(|(name, _)| drop(headers.remove(name)));
        for (name, source) in further {
            let value = source.read().map_err(|why| format!("--header {name}: {why}"))?;
            if !value.is_empty() {
                headers.append(name, secret_value(name.clone(), &value)?);
            }
        }
        let data = data.as_ref().map(Source::read_whole).transpose();
        let data = data.map_err(|why| format!("--data {why}"))?.unwrap_or_default();
        Ok(Parts { headers, data })
    }
}

/// A value that is in no error.
fn secret_value(name: HeaderName, secret: &Secret) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
        format!("the value of the header {name} has characters that HTTP does not allow")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
