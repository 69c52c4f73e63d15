//! URLs of the command line, taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::Uri;

use crate::system::log::without_password;
use crate::system::secret::Secret;

/// Where an HTTP request goes.
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
    /// Takes `given` apart.
    ///
    /// # Errors
    /// When it is no URL. The error says what was expected, and shows no password.
    pub fn parse(given: &str) -> Result<Self, String> {
        // What is no URL may have its password anywhere.
        let shown = || without_password(given);
        Self::parse_secret(given).map_err(|what| format!("{:?} {what}", shown()))
    }

    /// As [`parse`](Self::parse), for a URL that is a secret itself.
    ///
    /// # Errors
    /// When it is no URL. The error says only what is wrong with it.
    pub fn parse_secret(given: &str) -> Result<Self, String> {
        let (scheme, rest) = given.split_once("://").unwrap_or(("", given));
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
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
        let path = encode(path.split('#').next().unwrap_or_default());
        let slash = if path.starts_with('/') { "" } else { "/" };
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

/// Replaces what may not stand in a request by `%XX`. What is encoded already remains as it is.
fn encode(path: &str) -> String {
    let keep = |b: u8| b.is_ascii_graphic() && !b"\"<>`".contains(&b);
    let encode = |b: u8| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    path.bytes().map(encode).collect()
}

/// Basic authentication for `user:password` as it stands in a URL.
fn authorization(user_info: &str) -> Secret {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut plain = decode(user);
    plain.push(b':');
    plain.extend(decode(password));
    format!("Basic {}", STANDARD.encode(plain)).into()
}

/// Replaces `%XX` by what it stands for; a `%` that begins nothing stands for itself.
pub fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match code {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
