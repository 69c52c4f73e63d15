//! The server of `--smtp-url`: `smtps://user@mail.example.com`.

use super::{Server, Settings, Tls};
use crate::options::url::{Parts, decode};
use crate::options::usage::StartError;
use crate::system::secret::Secret;

/// The default ports of SMTP, and of SMTP over TLS.
const PORTS: [u16; 2] = [25, 465];

const EXPECTED: &str = "expected smtp://host, smtps://host or smtp://host?tls=required, with user@ \
                        before the host if the server asks who mails, and :port behind it";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    server: Server,
    user: Option<String>,
    tls: Option<Tls>,
}

impl SmtpUrl {
    /// Parses `text`. Errors do not repeat it, since it may contain a password and errors are
    /// logged.
    pub fn parse(text: &str) -> Result<Self, StartError> {
        let bad = |what: &str| StartError::Usage(format!("--smtp-url {what}: {EXPECTED}"));
        let Parts { scheme, user_info: user, host, path } = Parts::of(text);
        if scheme.is_empty() {
            return Err(bad("is no URL"));
        }
        let query = match path.trim_start_matches('/') {
            "" => "",
            rest => rest.strip_prefix('?').ok_or_else(|| bad("has a path"))?,
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err(StartError::Usage(
                "--smtp-url has a password in it, where other users of this machine can see it: \
                 expected it in the environment variable SUPERLANCE_SMTP_PASSWORD or in the file \
                 of --smtp-password-file"
                    .to_owned(),
            ));
        }
        let [plain, encrypted] = PORTS;
        let (port, tls) = match (scheme, query) {
            ("smtp", "") => (plain, None),
            ("smtp", "tls=required") => (plain, Some(Tls::Verified)),
            ("smtp", "tls=off") => (plain, Some(Tls::Off)),
            ("smtps", "") => (encrypted, Some(Tls::Implicit)),
            ("smtp" | "smtps", _) => return Err(bad("has an unknown parameter")),
            _ => return Err(bad("has an unknown scheme")),
        };
        let server = Server::parse(host, port).ok_or_else(|| bad("has no host, or a bad port"))?;
        let user = user.map(decode).map(|user| String::from_utf8_lossy(&user).into_owned());
        Ok(Self { server, user: user.filter(|user| !user.is_empty()), tls })
    }

    /// The settings for the server. A password goes over encrypted connections only, unless the URL
    /// allows another or the server is this machine.
    pub fn settings(self, password: Option<Secret>) -> Result<Settings, StartError> {
        let Self { server, user, tls } = self;
        let credentials = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, _) => None,
            (Some(_), None) => {
                return Err(StartError::Usage(
                    "--smtp-url has a user and there is no password: expected it in the \
                     environment variable SUPERLANCE_SMTP_PASSWORD or in the file of \
                     --smtp-password-file"
                        .to_owned(),
                ));
            }
        };
        let local = ["localhost", "127.0.0.1", "::1"].contains(&server.host.as_str());
        if credentials.is_some() && tls.is_none() && !local {
            return Err(StartError::Usage(
                "--smtp-url would send the password over the network for everyone to read: \
                 expected smtps://, or ?tls=required at its end (or ?tls=off, if that is meant)"
                    .to_owned(),
            ));
        }
        Ok(Settings { server, credentials, tls: tls.unwrap_or(Tls::Off) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Result<(String, Option<String>, Tls), String> {
        let settings = SmtpUrl::parse(url).and_then(|url| url.settings(Some("pw".into())));
        let Settings { server, credentials, tls } = settings.map_err(StartError::text)?;
        Ok((server.to_string(), credentials.map(|(user, _)| user), tls))
    }

    #[test]
    fn urls() {
        for (url, server, user, tls) in [
            ("smtp://localhost", "localhost:25", None, Tls::Off),
            (
                "smtp://mail.example.com:587/?tls=required",
                "mail.example.com:587",
                None,
                Tls::Verified,
            ),
            ("smtps://me@mail.example.com", "mail.example.com:465", Some("me"), Tls::Implicit),
            (
                "smtps://me%40example.com@[::1]:4650",
                "[::1]:4650",
                Some("me@example.com"),
                Tls::Implicit,
            ),
            ("smtp://a@b@127.0.0.1:2525", "127.0.0.1:2525", Some("a@b"), Tls::Off),
            ("smtp://me@mail.example.com?tls=off", "mail.example.com:25", Some("me"), Tls::Off),
        ] {
            let expected = (server.to_owned(), user.map(str::to_owned), tls);
            assert_eq!(settings(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_url() {
        for (url, expected) in [
            ("mail.example.com", "is no URL"),
            ("http://mail.example.com", "unknown scheme"),
            ("smtp://", "has no host"),
            ("smtp://host:x", "a bad port"),
            ("smtp://host?tls=maybe", "unknown parameter"),
            ("smtps://host?tls=required", "unknown parameter"),
            ("smtp://me:secret@host", "SUPERLANCE_SMTP_PASSWORD"),
            ("smtp://me@host", "?tls=required"),
        ] {
            let error = settings(url).unwrap_err();
            assert!(error.contains(expected) && error.contains("expected"), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let url = SmtpUrl::parse("smtps://me@host").unwrap();
        let Err(StartError::Usage(error)) = url.settings(None) else { panic!() };
        assert!(error.contains("--smtp-password-file"), "{error}");
    }
}
