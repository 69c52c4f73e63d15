//! URLs of the command line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use ureq::http::Uri;

use crate::system::secret::Secret;

/// The target of an HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL to request: without user info and fragment, in characters that HTTP allows.
    pub uri: Uri,
    /// Value of the `Authorization` header, if the URL has user info.
    pub authorization: Option<Secret>,
    /// The URL for messages: as it was given, but without a password.
    pub shown: String,
}

impl Target {
    /// Parses `given`.
    ///
    /// # Errors
    /// When it is no URL. The error says what was expected, and shows no password.
    pub fn parse(given: &str) -> Result<Self, String> {
        // A text that is no URL may have its password anywhere.
        let shown = || without_password(given);
        Self::parse_secret(given).map_err(|what| format!("{:?} {what}", shown()))
    }

    /// Parses a URL that is a secret itself.
    ///
    /// # Errors
    /// When it is no URL. The error does not repeat it.
    pub fn parse_secret(given: &str) -> Result<Self, String> {
        let Parts { scheme, user_info, host, path } = Parts::of(given);
        let shown = match user_info.and_then(|user_info| user_info.split_once(':')) {
            Some((user, _)) => format!("{scheme}://{user}:***@{host}{path}"),
            None => given.to_owned(),
        };
        let bad = |what: &str| Err(what.to_owned());

        if given.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return bad("contains blanks; a blank in a URL is written %20");
        }
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => "http",
            "https" => "https",
            "" => return bad("has no scheme; expected http:// or https:// before it"),
            _ => return bad("has a scheme other than http and https"),
        };
        if let Err(what) = check_host(host) {
            return bad(what);
        }
        let path = path.split('#').next().unwrap_or_default();
        let path = utf8_percent_encode(path, FORBIDDEN);
        let slash = if path.to_string().starts_with('/') { "" } else { "/" };
        match format!("{scheme}://{}{slash}{path}", host.trim_end_matches(':')).parse() {
            Ok(uri) => Ok(Self { uri, authorization: user_info.map(authorization), shown }),
            Err(error) => bad(&format!("is not a URL: {error}")),
        }
    }
}

/// Whether `host` is `NAME`, `ADDRESS` or `[IPv6 ADDRESS]`, each perhaps with a port.
fn check_host(host: &str) -> Result<(), &'static str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                ("address", port)
            }
            _ => return Err("has no IPv6 address between [ and ]"),
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    if name.is_empty() {
        return Err("has no host");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)) {
        return Err("has a host that is neither a name in ASCII nor an address");
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some("") => Ok(()),
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => match port.parse() {
            Ok(1..=u16::MAX) => Ok(()),
            _ => Err("has a port that is not between 1 and 65535"),
        },
        _ => Err("has a port that is not a number (an IPv6 address is written in brackets: [::1])"),
    }
}

/// Characters that a request must not contain; encoded ones stay as they are.
const FORBIDDEN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');

/// Basic authentication for `user:password` as it stands in a URL.
fn authorization(user_info: &str) -> Secret {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut plain = decode(user);
    plain.push(b':');
    plain.extend(decode(password));
    basic(&plain)
}

/// The `Authorization` header for `user:password`.
#[must_use]
pub fn basic(login: &[u8]) -> Secret {
    format!("Basic {}", STANDARD.encode(login)).into()
}

/// Decodes `%XX`; a `%` without two digits stands for itself.
pub fn decode(text: &str) -> Vec<u8> {
    percent_decode_str(text).collect()
}

/// A URL by its form alone: `SCHEME://USER-INFO@HOST/PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// Empty if there is none.
    pub(crate) scheme: &'a str,
    pub(crate) user_info: Option<&'a str>,
    /// With a port, if there is one.
    pub(crate) host: &'a str,
    /// From the first `/`, `?` or `#` on.
    pub(crate) path: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        Self { scheme, user_info, host, path }
    }
}

/// `text` for the log: without the password, if it is a URL or was meant to be one.
#[must_use]
pub fn without_password(text: &str) -> String {
    let (scheme, rest) = text.split_at(text.find("://").map_or(0, |at| at + "://".len()));
    let login = rest.rsplit_once('@').filter(|_| scheme != "unix://");
    match login.and_then(|(login, host)| Some((login.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}{user}:***@{host}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
