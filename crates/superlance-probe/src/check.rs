//! A check of one service: a URL or a command, with all that is said about it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use superlance_core::options::url::{Target, decode, without_password};
use superlance_core::system::command::first_word;
use ureq::http::{HeaderName, Method};

use crate::exec::Exec;
use crate::expectation::Expectation;
use crate::file::Freshness;
use crate::http::{Http, Login, Request};
use crate::outcome::Outcome;
use crate::source::Source;
use crate::tcp::Tcp;
use crate::tls::Tls;

/// What is said about checks of all kinds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time for the headers of an answer and again for its body, or for all of another check.
    pub limit: Duration,
    /// Time for headers and body together.
    pub whole: Option<Duration>,
    pub expectation: Arc<Expectation>,
    pub tls: Arc<Tls>,
    pub method: Method,
    pub socket: Option<PathBuf>,
    pub headers: Vec<(HeaderName, Source)>,
    pub login: Option<Login>,
    pub data: Option<Source>,
    pub follow: u8,
    pub say: Vec<u8>,
    pub expect: Vec<u8>,
    pub max_age: Option<Duration>,
}

impl Settings {
    /// A GET request or a connection within `limit`, without any verification.
    #[must_use]
    pub fn new(limit: Duration, tls: Arc<Tls>) -> Self {
        Self {
            limit,
            whole: None,
            expectation: Arc::default(),
            tls,
            method: Method::GET,
            socket: None,
            headers: Vec::new(),
            login: None,
            data: None,
            follow: 0,
            say: Vec::new(),
            expect: Vec::new(),
            max_age: None,
        }
    }
}

/// A check that can be made again and again.
#[derive(Debug, Clone)]
pub struct Check {
    way: Way,
    /// The URL or command for messages.
    shown: String,
}

#[derive(Debug, Clone)]
enum Way {
    Http(Box<Http>),
    Tcp(Tcp),
    File(Freshness),
    Exec(Exec),
}

/// The kind of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
    Tcp,
    File,
}

impl Scheme {
    /// The scheme of a URL.
    ///
    /// # Errors
    /// When it has none, or another one.
    pub fn of(url: &str) -> Result<Self, String> {
        let scheme = url.trim().split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http") => Ok(Self::Http),
            Some("https") => Ok(Self::Https),
            Some("tcp") => Ok(Self::Tcp),
            Some("file") => Ok(Self::File),
            Some("") | None => Err(format!(
                "{:?} has no scheme; expected http:// or https:// (or tcp://, file://) before it",
                without_password(url)
            )),
            Some(_) => Err(format!(
                "{:?} has a scheme other than http, https, tcp and file",
                without_password(url)
            )),
        }
    }
}

impl Check {
    /// A check of a URL.
    ///
    /// # Errors
    /// When it is none. The error says what was expected, and shows no password.
    pub fn of_url(url: &str, settings: &Settings) -> Result<Self, String> {
        // A line continuation copied with `\` leaves a blank before the URL.
        let url = url.trim();
        let (way, shown) = match Scheme::of(url)? {
            Scheme::Http | Scheme::Https => {
                let target = Target::parse(url)?;
                let shown = target.shown.clone();
                (Way::Http(Box::new(http(target, settings))), shown)
            }
            Scheme::Tcp => (Way::Tcp(tcp(url, settings)?), url.to_owned()),
            Scheme::File => (Way::File(file(url, settings)?), url.to_owned()),
        };
        Ok(Self { way, shown })
    }

    /// A check by a command, whose environment has these variables.
    #[must_use]
    pub fn of_command(
        command: String,
        variables: Vec<(&'static str, String)>,
        settings: &Settings,
    ) -> Self {
        let (shown, limit) = (first_word(&command), settings.limit);
        Self { way: Way::Exec(Exec { command, variables, limit }), shown }
    }

    /// The URL or command, for messages.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether it runs a command.
    #[must_use]
    pub fn is_command(&self) -> bool {
        matches!(self.way, Way::Exec(_))
    }

    /// Makes it.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let started = Instant::now();
        let without_http = |verdict, note| Outcome {
            verdict,
            took: started.elapsed(),
            status: None,
            certificate_end: None,
            note,
        };
        match &self.way {
            Way::Http(http) => http.check(),
            Way::Tcp(tcp) => without_http(tcp.check(), None),
            Way::Exec(exec) => without_http(exec.check(), None),
            Way::File(file) => {
                let (verdict, note) = file.check();
                without_http(verdict, note)
            }
        }
    }
}

fn http(target: Target, settings: &Settings) -> Http {
    let Settings { method, socket, headers, login, data, follow, .. } = settings.clone();
    Http {
        request: Request { target, method, socket, headers, login, data, follow },
        expectation: Arc::clone(&settings.expectation),
        limit: settings.limit,
        whole: settings.whole,
        tls: Arc::clone(&settings.tls),
    }
}

fn tcp(url: &str, settings: &Settings) -> Result<Tcp, String> {
    let bad = |what: &str| format!("{:?} {what}", without_password(url));
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let target = Target::parse_secret(&format!("http://{rest}")).map_err(|what| bad(&what))?;
    let uri = target.uri;
    if uri.port().is_none() {
        return Err(bad("has no port; expected tcp://HOST:PORT"));
    }
    if target.authorization.is_some() || uri.path_and_query().is_some_and(|path| path != "/") {
        return Err(bad("has more than a host and a port; expected tcp://HOST:PORT"));
    }
    let (say, expect, limit) = (settings.say.clone(), settings.expect.clone(), settings.limit);
    Ok(Tcp { uri, shown: url.to_owned(), say, expect, limit })
}

fn file(url: &str, settings: &Settings) -> Result<Freshness, String> {
    let (_, path) = url.split_once("://").unwrap_or_default();
    if !path.starts_with('/') {
        return Err(format!("{url:?} has no path from the root; expected file:///PATH"));
    }
    let max_age = settings.max_age.ok_or("file:// needs --max-age")?;
    let path = OsString::from_vec(decode(path)).into();
    Ok(Freshness { path, shown: url.to_owned(), max_age })
}
