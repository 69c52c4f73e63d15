//! The options that say what is checked, and how.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use superlance_core::options::regex::{Regex, parse_regex};
use superlance_core::options::units::parse_duration;
use superlance_probe::http::Method;
use superlance_probe::json::JsonRule;
use superlance_probe::tls::ServerName;

/// What is new about checks.
#[derive(Debug, Clone, Args)]
pub(crate) struct CheckOptions {
    /// A further URL, all of which must be well; http, https, tcp://HOST:PORT or file:///PATH
    /// (repeatable)
    #[arg(long = "url", value_name = "URL")]
    pub(crate) further: Vec<String>,

    /// Be content with one URL that is well
    #[arg(long)]
    pub(crate) any_url: bool,

    /// Run a command instead of asking a URL; status 0 means that all is well
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,

    /// Check each process by itself, and act on those alone that fail: URL, --unix-socket, --header
    /// and --exec may have {name}, {group}, {pid}, {num} (the digits at the end of its name), {num:2}
    /// (two of them at least) and {num+8000}
    #[arg(long)]
    pub(crate) each: bool,

    /// Connect to this unix socket instead of the URL's host
    #[arg(long, value_name = "PATH")]
    pub(crate) unix_socket: Option<String>,

    /// Method of the request [default: GET]
    #[arg(long, value_name = "METHOD", value_parser = parse_method)]
    pub(crate) method: Option<Method>,

    /// Header of the request; VALUE may be env:NAME or file:PATH, and an empty one leaves out a
    /// header of httpok's (repeatable)
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,

    /// Body of the request: a text, env:NAME or file:PATH
    #[arg(long, value_name = "TEXT")]
    pub(crate) data: Option<String>,

    /// Token to log in with, as env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", conflicts_with = "basic")]
    pub(crate) bearer: Option<String>,

    /// user:password to log in with, as env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE")]
    pub(crate) basic: Option<String>,

    /// Follow at most N redirects, within the same server [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) follow: Option<u8>,

    /// Regular expression that must match somewhere in the body (repeatable)
    #[arg(long, value_name = "REGEX", value_parser = parse_regex)]
    pub(crate) body_regex: Vec<Regex>,

    /// Text that must not be in the body (repeatable)
    #[arg(long, value_name = "TEXT")]
    pub(crate) forbid: Vec<OsString>,

    /// Regular expression that must not match anywhere in the body (repeatable)
    #[arg(long, value_name = "REGEX", value_parser = parse_regex)]
    pub(crate) forbid_regex: Vec<Regex>,

    /// What must stand in a body of JSON: /POINTER, or that and =VALUE, !=VALUE, or < or > and a
    /// number (repeatable)
    #[arg(long, value_name = "RULE")]
    pub(crate) json: Vec<JsonRule>,

    /// Text to say over tcp:// first, with \r, \n and the like
    #[arg(long, value_name = "TEXT", value_parser = parse_escapes)]
    pub(crate) say: Option<Text>,

    /// Text that the server must say over tcp://
    #[arg(long, value_name = "TEXT", value_parser = parse_escapes)]
    pub(crate) expect: Option<Text>,

    /// Age from which on a file of file:// is a failure
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) max_age: Option<Duration>,

    /// Trust the authorities of this file alone (PEM); implies --tls-verify
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Certificate to show to the server
    #[arg(long, value_name = "PEM")]
    pub(crate) client_cert: Option<PathBuf>,

    /// Key of that certificate [default: the same file]
    #[arg(long, value_name = "PEM", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,

    /// Name to ask for by TLS, and that the certificate must have, instead of the URL's
    #[arg(long, value_name = "NAME", value_parser = parse_server_name)]
    pub(crate) server_name: Option<ServerName<'static>>,

    /// Tell once a day when the certificate of a server expires within N days; never a reason to act
    #[arg(long, value_name = "N")]
    pub(crate) cert_days: Option<u16>,
}

/// Bytes of a text with escapes.
pub(crate) type Text = std::sync::Arc<[u8]>;

fn parse_method(text: &str) -> Result<Method, String> {
    let is_upper = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| is_upper);
    method.ok_or_else(|| "expected a method such as HEAD or POST".to_owned())
}

fn parse_server_name(text: &str) -> Result<ServerName<'static>, String> {
    let name = ServerName::try_from(text.to_owned());
    name.map_err(|_| "expected a name such as www.example.com, or an address".to_owned())
}

/// A text with `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN`.
fn parse_escapes(text: &str) -> Result<Text, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        let (byte, length) = match after.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => match after.get(1..3).map(|digits| u8::from_str_radix(digits, 16)) {
                Some(Ok(byte)) => (byte, 3),
                _ => return Err("expected two digits of base 16 after \\x".to_owned()),
            },
            _ => return Err("expected one of r, n, t, 0, \\ and xNN after a \\".to_owned()),
        };
        bytes.push(byte);
        rest = after.get(length..).unwrap_or_default();
    }
    bytes.extend(rest.as_bytes());
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(&*parse_escapes(r"PING\r\n\x00\\é").unwrap(), "PING\r\n\0\\é".as_bytes());
        for bad in [r"\", r"\q", r"\x", r"\x1", r"\xé", r"\xgg"] {
            assert!(parse_escapes(bad).unwrap_err().starts_with("expected"), "{bad}");
        }
    }

    #[test]
    fn methods() {
        assert_eq!(parse_method("PROPFIND").unwrap().as_str(), "PROPFIND");
        assert!(
            parse_method("get").is_err()
                && parse_method("").is_err()
                && parse_method("A B").is_err()
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[\\\\rx0-9é]{0,9}") {
            let _ = parse_escapes(&text);
        }
    }
}
