//! [`Supervisor`] over XML-RPC, as supervisord's `[unix_http_server]` and `[inet_http_server]` serve it.

mod answer;
pub mod config_info;
mod control;
mod failure;
mod logs;
mod process_list;

use std::io::{self, Read};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::{Agent, Timeout};
use xmlrpc::{Request, Value};

use self::answer::{
    ALL_PROCESSES, all_configured, details, integer, log_tail, parse, parse_plain, process_info,
    processes,
};
#[cfg(any(test, feature = "fuzzing"))]
pub use self::answer::{process_list, process_list_by_tree};
pub use self::failure::Advice;
use self::failure::CallError;
use self::process_list::decode;
use crate::options::url::without_password;
use crate::supervisor::{Channel, Configured, Details, LogEnd, ProcessInfo, RpcError, Supervisor};
use crate::system::secret::Secret;
use crate::system::socket::{Endpoint, EndpointConnector, NoResolver, endpoint};

/// How long an answer may take, and how many bytes it may have.
struct Bounds {
    time: Duration,
    bytes: u64,
}

/// For what supervisord answers at once. A process takes about 1,300 bytes.
const ALL: Bounds = Bounds { time: Duration::from_secs(30), bytes: 64 << 20 };
const ONE: Bounds = Bounds { time: Duration::from_secs(30), bytes: 1 << 20 };

/// For what an alert waits for.
const ALERT: Bounds = Bounds { time: Duration::from_secs(10), bytes: 1 << 20 };

/// For stopping, which takes `stopwaitsecs` (10 by default, and not told by supervisord) and until the
/// kernel has ended the process; one that waits for a dead disk it never ends.
const STOP: Bounds = Bounds { time: Duration::from_secs(5 * 60), bytes: 1 << 20 };

/// For starting, which takes `startsecs`.
const START: Bounds = Bounds { time: Duration::from_secs(60 * 60), bytes: 1 << 20 };

/// Time for a connection to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The buffers of a connection, for what arrives and for a request. ureq keeps both with the connection.
const INPUT_BUFFER: usize = 32 << 10;
const OUTPUT_BUFFER: usize = 8 << 10;

/// A server address that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a server URL such as unix:///run/supervisor.sock or http://localhost:9001")]
pub struct BadServerUrl(String);

/// A connection to supervisord.
pub struct RpcClient {
    agent: Agent,
    endpoint: Endpoint,
    /// As configured but for a password, for messages.
    url: String,
    /// Value of the `Authorization` header.
    authorization: Option<Secret>,
    advice: Advice,
    /// The longest time for any answer, where the bounds of its call allow more.
    patience: Duration,
}

impl RpcClient {
    /// A client for `url`, which connects when it is first used. An empty `username` means none.
    ///
    /// # Errors
    /// When `url` is neither `unix://PATH` nor `http://HOST[:PORT]`.
    pub fn new(url: &str, username: &str, password: &Secret) -> Result<Self, BadServerUrl> {
        let endpoint = endpoint(url).ok_or_else(|| BadServerUrl(without_password(url)))?;
        // supervisord answers 40 ms later on a TCP connection that is kept: it writes an answer in
        // pieces, and the kernel waits between them.
        let keep = if matches!(endpoint, Endpoint::Unix(_)) { 1 } else { 0 };
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(keep)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("superlance/", env!("CARGO_PKG_VERSION")))
            .build();
        let credentials = STANDARD.encode(format!("{username}:{}", password.expose()));
        Ok(Self {
            agent: Agent::with_parts(config, EndpointConnector(endpoint.clone()), NoResolver),
            endpoint,
            url: without_password(url),
            authorization: (!username.is_empty()).then(|| format!("Basic {credentials}").into()),
            advice: Advice::LISTENER,
            patience: Duration::MAX,
        })
    }

    /// A client for a program that is no listener.
    #[must_use]
    pub fn advising(self, advice: Advice) -> Self {
        Self { advice, ..self }
    }

    /// A client that waits no longer than this for any answer.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The address of supervisord for messages: without user name and password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether supervisord can be on this machine, by its address alone.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.endpoint.is_here()
    }

    /// supervisord's own process id; `None` where it cannot be on this machine.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub fn own_pid(&mut self) -> Result<Option<u32>, RpcError> {
        self.is_here().then(|| self.pid()).transpose()
    }

    /// The answer to a call that changes nothing: quick, and made once more when the connection breaks.
    fn ask(&self, request: &Request<'_>, bounds: &Bounds) -> Result<Vec<u8>, CallError> {
        self.ask_and_read(request, bounds, whole)
    }

    /// The same, with the answer as `read` understands it while it arrives.
    fn ask_and_read<T>(
        &self,
        request: &Request<'_>,
        bounds: &Bounds,
        read: impl Fn(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, CallError> {
        match self.exchange(request, bounds, &read) {
            Err(CallError::Http(ureq::Error::Io(_))) => self.exchange(request, bounds, &read),
            outcome => outcome,
        }
    }

    /// One process, as `read` understands the answer.
    fn ask_for_process<T>(
        &self,
        namespec: &str,
        bounds: &Bounds,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, RpcError> {
        let request = Request::new("supervisor.getProcessInfo").arg(namespec);
        self.ask(&request, bounds)
            .and_then(|answer| {
                read(&parse_plain(&request, answer)?)
                    .ok_or_else(|| CallError::Answer("expected a process".to_owned()))
            })
            .map_err(|error| self.explain(error))
    }

    /// A call that changes something: never repeated.
    fn tell(&self, request: &Request<'_>, bounds: &Bounds) -> Result<(), RpcError> {
        self.exchange(request, bounds, whole)
            .and_then(|answer| match parse_plain(request, answer)? {
                Value::Bool(true) => Ok(()),
                _ => Err(CallError::Answer("expected true".to_owned())),
            })
            .map_err(|error| self.explain(error))
    }

    fn exchange<T>(
        &self,
        request: &Request<'_>,
        bounds: &Bounds,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, CallError> {
        let time = bounds.time.min(self.patience);
        self.post(request, time, bounds.bytes, read).map_err(|error| match error {
            CallError::Http(ureq::Error::Timeout(Timeout::Global)) => CallError::Late(time),
            error => error,
        })
    }

    fn post<T>(
        &self,
        request: &Request<'_>,
        time: Duration,
        bytes: u64,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, CallError> {
        let mut body = Vec::new();
        request.write_as_xml(&mut body).map_err(|error| CallError::Http(error.into()))?;
        let mut post = self.agent.post("http://localhost/RPC2").header("Content-Type", "text/xml");
        if let Some(authorization) = &self.authorization {
            post = post.header("Authorization", authorization.expose());
        }
        let mut response = post.config().timeout_global(Some(time)).build().send(&body)?;
        let status = response.status();
        if status != 200 {
            return Err(CallError::Status(status.as_u16()));
        }
        let mut body = response.body_mut().with_config().limit(bytes).reader();
        Ok(read(&mut body).map_err(ureq::Error::from)?)
    }

    /// Describes the failure and, where known, the remedy.
    fn explain(&self, error: CallError) -> RpcError {
        error.explain(&self.url, self.advice)
    }
}

/// An answer as it is.
fn whole(body: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    body.read_to_end(&mut answer)?;
    Ok(answer)
}

impl Supervisor for RpcClient {
    fn all(&mut self) -> Result<Vec<ProcessInfo>, RpcError> {
        self.ask_and_read(&Request::new(ALL_PROCESSES), &ALL, decode)
            .and_then(processes)
            .map_err(|error| self.explain(error))
    }

    fn info(&mut self, namespec: &str) -> Result<ProcessInfo, RpcError> {
        self.ask_for_process(namespec, &ONE, process_info)
    }

    fn details(&mut self, namespec: &str) -> Result<Details, RpcError> {
        self.ask_for_process(namespec, &ALERT, details)
    }

    fn configured(&mut self) -> Result<Vec<Configured>, RpcError> {
        let request = Request::new("supervisor.getAllConfigInfo");
        self.ask(&request, &ALL)
            .and_then(|answer| {
                all_configured(&parse_plain(&request, answer)?)
                    .ok_or_else(|| CallError::Answer("expected a list of programs".to_owned()))
            })
            .map_err(|error| self.explain(error))
    }

    fn pid(&mut self) -> Result<u32, RpcError> {
        let request = Request::new("supervisor.getPID");
        self.ask(&request, &ALERT)
            .and_then(|answer| {
                let pid = integer(&parse(&request, answer)?).and_then(|pid| pid.try_into().ok());
                pid.ok_or_else(|| CallError::Answer("expected a process id".to_owned()))
            })
            .map_err(|error| self.explain(error))
    }

    fn tail(&mut self, namespec: &str, channel: Channel, bytes: u32) -> Result<LogEnd, RpcError> {
        let method = match channel {
            Channel::Stdout => "supervisor.tailProcessStdoutLog",
            Channel::Stderr => "supervisor.tailProcessStderrLog",
        };
        let answer = self
            .ask_for_log(bytes, |length| Request::new(method).arg(namespec).arg(0).arg(length))?;
        log_tail(&answer).ok_or_else(|| {
            self.explain(CallError::Answer("expected a log, its size and a flag".to_owned()))
        })
    }

    fn own_log(&mut self, bytes: u32) -> Result<LogEnd, RpcError> {
        let answer = self.ask_for_log(bytes, |length| {
            Request::new("supervisor.readLog").arg(length.saturating_neg()).arg(0)
        })?;
        let text = answer.as_str().map(control::show_control_characters);
        let text =
            text.ok_or_else(|| self.explain(CallError::Answer("expected a log".to_owned())))?;
        // The answer does not say it; a log of exactly this length needlessly loses a line.
        let cut = text.len() + 3 >= bytes as usize;
        Ok(LogEnd { text, cut })
    }

    fn stop(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.tell(&Request::new("supervisor.stopProcess").arg(namespec), &STOP)
    }

    fn begin_stop(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.tell(&Request::new("supervisor.stopProcess").arg(namespec).arg(false), &ONE)
    }

    fn start(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.tell(&Request::new("supervisor.startProcess").arg(namespec), &START)
    }

    fn begin_start(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.tell(&Request::new("supervisor.startProcess").arg(namespec).arg(false), &ONE)
    }

    fn signal(&mut self, namespec: &str, signal: &str) -> Result<(), RpcError> {
        self.tell(&Request::new("supervisor.signalProcess").arg(namespec).arg(signal), &ONE)
    }

    fn shut_down(&mut self) -> Result<(), RpcError> {
        self.tell(&Request::new("supervisor.shutdown"), &ONE)
    }
}

#[cfg(test)]
#[path = "rpc_tests.rs"]
mod tests;
