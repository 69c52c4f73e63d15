//! `--heartbeat`: a request after each tick that was worked through. A service that waits for it
//! alerts when none comes any more, as after the death of the listener or of the machine.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use superlance_core::listener::environment::Environment;
use superlance_core::options::url::Target;
use superlance_core::options::usage::StartError;
use superlance_core::system::io_error;
use superlance_core::system::log::{Log, LogOnce};
use superlance_core::system::secret::Secret;
use ureq::Agent;
use ureq::http::Uri;
use ureq::http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::http::{agent, explain, mask, secrets, shown};
use crate::options::HEADING;

/// Time for a request.
const LIMIT: Duration = Duration::from_secs(10);

/// The time between two requests to one URL: each `TICK_60` has one, although ticks are not exact, and
/// a service that takes five requests a minute takes them all.
const GAP: Duration = Duration::from_secs(50);

/// The options of listeners that get ticks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
pub struct HeartbeatOptions {
    /// URL to request after each tick that was worked through, once in 50 seconds at most; env:NAME and
    /// file:PATH say where it is
    #[arg(long, value_name = "URL")]
    heartbeat: Option<Secret>,

    /// URL to request after a tick that could not be worked through
    #[arg(long, value_name = "URL")]
    heartbeat_fail: Option<Secret>,
}

impl HeartbeatOptions {
    /// Whether one is given.
    #[must_use]
    pub fn are_given(&self) -> bool {
        self.heartbeat.is_some() || self.heartbeat_fail.is_some()
    }

    pub(crate) fn heartbeat(&self, environment: &Environment) -> Result<Heartbeat, StartError> {
        let beat = |option, url: &Option<Secret>| {
            url.as_ref().map(|url| Request::new(option, url, environment)).transpose()
        };
        Ok(Heartbeat {
            pace: Pace::default(),
            success: beat("--heartbeat", &self.heartbeat)?,
            failure: beat("--heartbeat-fail", &self.heartbeat_fail)?,
        })
    }
}

/// The heartbeat of a listener.
#[derive(Default)]
pub(crate) struct Heartbeat {
    pace: Pace,
    success: Option<Arc<Request>>,
    failure: Option<Arc<Request>>,
}

impl Heartbeat {
    /// A tick was worked through, or could not be. Nothing waits for the request.
    pub(crate) fn ticked(&mut self, is_success: bool, log: &Arc<Log>) {
        let request = if is_success { &self.success } else { &self.failure };
        let Some(request) = request else { return };
        if !self.pace.is_due(is_success, Instant::now()) {
            return;
        }
        let (sent, log_of_thread) = (Arc::clone(request), Arc::clone(log));
        // It ends within its limit, so that there is one of a URL at most.
        let thread = thread::Builder::new().name("heartbeat".to_owned());
        if let Err(error) = thread.spawn(move || sent.note(sent.send(), &log_of_thread)) {
            request.note(Err(io_error::explain(&error)), log);
        }
    }
}

/// The times of the last requests. Pure.
#[derive(Debug, Default)]
struct Pace {
    success: Option<Instant>,
    failure: Option<Instant>,
}

impl Pace {
    /// Whether to send a request now. The first failure after a success does not wait.
    fn is_due(&mut self, is_success: bool, now: Instant) -> bool {
        let is_news = !is_success && self.success > self.failure;
        let last = if is_success { &mut self.success } else { &mut self.failure };
        let is_due = is_news || last.is_none_or(|at| now.saturating_duration_since(at) >= GAP);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

/// A request. Its URL is a secret: knowing it is enough to send.
struct Request {
    agent: Agent,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    secrets: Vec<String>,
    /// Scheme and host, for the log.
    shown: String,
    trouble: Mutex<LogOnce>,
}

impl Request {
    fn new(option: &str, url: &Secret, environment: &Environment) -> Result<Arc<Self>, StartError> {
        let url = environment.secret(option, url.expose())?;
        let bad = |what: String| StartError::Usage(format!("the URL of {option} {what}"));
        let Target { uri, authorization, .. } = Target::parse_secret(url.expose()).map_err(bad)?;
        let authorization = authorization.as_ref().map(Secret::expose);
        let authorization = authorization.and_then(|value| HeaderValue::from_str(value).ok());
        let headers: Vec<_> =
            authorization.map(|value| (AUTHORIZATION, value)).into_iter().collect();
        Ok(Arc::new(Self {
            agent: agent(option, &uri, LIMIT, environment)?,
            secrets: secrets(&uri, &headers),
            shown: shown(&uri),
            headers,
            uri,
            trouble: Mutex::default(),
        }))
    }

    /// Sends it; the error is why that failed.
    fn send(&self) -> Result<(), String> {
        let mut request = self.agent.get(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response =
            request.call().map_err(|error| mask(&explain(&error, LIMIT), &self.secrets))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("HTTP status {}", status.as_u16())),
        }
    }

    /// Logs a trouble once, and its end.
    fn note(&self, outcome: Result<(), String>, log: &Log) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = &self.shown;
        match outcome {
            Ok(()) if trouble.clear() => log.line(format_args!("heartbeat {shown} works again")),
            Ok(()) => {}
            Err(why) => trouble.report(log, format!("heartbeat {shown}: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of these ticks (seconds, whether it was worked through) are told.
    fn told(ticks: &[(u64, bool)]) -> Vec<u64> {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut due = |(second, is_success): &(u64, bool)| {
            pace.is_due(*is_success, start + Duration::from_secs(*second)).then_some(*second)
        };
        ticks.iter().filter_map(&mut due).collect()
    }

    #[test]
    fn each_tick_of_a_minute_is_told_and_of_the_others_one_in_fifty_seconds() {
        assert_eq!(told(&[(0, true), (59, true), (120, true)]), [0, 59, 120]);
        let ticks: Vec<_> = (0..=20).map(|tick| (tick * 5, true)).collect();
        assert_eq!(told(&ticks), [0, 50, 100]);
        let ticks: Vec<_> = (0..=20).map(|tick| (tick * 5, false)).collect();
        assert_eq!(told(&ticks), [0, 50, 100]);
    }

    #[test]
    fn the_first_failure_does_not_wait_and_those_that_come_and_go_do() {
        assert_eq!(told(&[(0, true), (5, false), (10, false), (55, false)]), [0, 5, 55]);
        assert_eq!(told(&[(0, true), (5, false), (10, true), (15, false), (50, true)]), [0, 5, 50]);
    }
}
