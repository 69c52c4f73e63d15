//! The server of `-H`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::options::url::without_password;

/// An SMTP server: `host`, `host:port`, `address`, `[v6 address]:port`; port 25 unless given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name or address, the latter without brackets.
    pub host: String,
    pub port: u16,
}

/// The port when none is given.
const PORT: u16 = 25;

/// A text that names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an SMTP server: expected host, host:port or [IPv6 address]:port")]
pub struct BadServer(String);

impl FromStr for Server {
    type Err = BadServer;

    fn from_str(text: &str) -> Result<Self, BadServer> {
        Self::parse(text, PORT).ok_or_else(|| BadServer(without_password(text)))
    }
}

impl Server {
    /// The server that `text` names, with `port` unless it names one.
    pub(super) fn parse(text: &str, port: u16) -> Option<Self> {
        let default = port;
        let trimmed = text.trim();
        let (host, port) = match trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or("x"))),
            // A bare IPv6 address has colons and no port, as in Python's smtplib.
            None if trimmed.parse::<Ipv6Addr>().is_ok() => (trimmed, None),
            None => match trimmed.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (trimmed, None),
            },
        };
        let port = port.map_or(Ok(default), str::parse);
        let bad_name = |c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c);
        match port {
            Ok(port) if !host.is_empty() && !host.contains(bad_name) => {
                Some(Self { host: host.to_owned(), port })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        for (text, host, port) in [
            ("localhost", "localhost", 25),
            ("mail.example.com:587", "mail.example.com", 587),
            ("127.0.0.1:2525", "127.0.0.1", 2525),
            ("::1", "::1", 25),
            ("[::1]", "::1", 25),
            ("[fe80::1%eth0]:587", "fe80::1%eth0", 587),
        ] {
            let server = Server { host: host.to_owned(), port };
            assert_eq!(text.parse(), Ok(server.clone()), "{text}");
            assert_eq!(server.to_string().parse(), Ok(server), "{text}");
        }
    }

    #[test]
    fn what_is_no_server_says_what_was_expected() {
        for bad in ["", "host:", "host:smtp", "host:65536", "[::1", "[::1]25", "smtp://host", "a b"]
        {
            let error = bad.parse::<Server>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{bad:?} is not an SMTP server: expected")),
                "{error}"
            );
        }
        let error = "smtp://u:secret@host".parse::<Server>().unwrap_err().to_string();
        assert!(error.starts_with("\"smtp://u:***@host\" is not"), "{error}");
    }
}
