//! supervisord as listeners see it: processes, calls and refusals.

pub mod deaf;
pub mod none;
pub mod rpc;

use std::fmt;

use crate::options::selector::Names;
pub use crate::protocol::state::State;
use crate::system::python;

/// The part of `getProcessInfo` that listeners read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    pub name: String,
    pub group: String,
    /// The process id; 0 when it does not run.
    pub pid: u32,
    pub state: State,
    /// The time of its last start, in seconds since 1970; 0 for never.
    pub start: i64,
    /// The time of its last end, in seconds since 1970; 0 for never.
    pub stop: i64,
    /// The exit status of its last end; -1 where a signal ended it, 0 where it failed to start.
    pub exit_status: i64,
    /// supervisord's clock, in seconds since 1970.
    pub now: i64,
}

impl ProcessInfo {
    /// `group:name`, the only name that is unambiguous (compare [`short_name`](Self::short_name)).
    #[must_use]
    pub fn namespec(&self) -> String {
        format!("{}:{}", self.group, self.name)
    }

    /// Whether this `group:name` is its.
    #[must_use]
    pub fn has_namespec(&self, namespec: &str) -> bool {
        namespec.split_once(':') == Some((&self.group, &self.name))
    }

    /// The name as `supervisorctl status` prints it: `name` where the group is called the same.
    #[must_use]
    pub fn short_name(&self) -> String {
        if self.group == self.name { self.name.clone() } else { self.namespec() }
    }

    /// As selectors see it.
    #[must_use]
    pub fn names(&self) -> Names<'_> {
        Names { group: &self.group, process: &self.name }
    }

    /// How many seconds the process has been up, by supervisord's clock; 0 when that was set back before
    /// its start.
    #[must_use]
    pub fn uptime(&self) -> i64 {
        self.now.saturating_sub(self.start).max(0)
    }
}

/// The part of `getProcessInfo` that only a question about one process needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    pub info: ProcessInfo,
    /// Why the process could not be started, in supervisord's words; empty when it could.
    pub spawn_error: String,
    /// The file of its standard output; empty for none.
    pub stdout_log: String,
    /// The file of its standard error; empty for none, or when it goes where standard output goes.
    pub stderr_log: String,
}

impl Details {
    /// The file of one of its outputs; empty for none.
    #[must_use]
    pub fn log(&self, channel: Channel) -> &str {
        match channel {
            Channel::Stdout => &self.stdout_log,
            Channel::Stderr => &self.stderr_log,
        }
    }
}

/// The part of the configuration of a process (`getAllConfigInfo`) that listeners read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    pub group: String,
    pub name: String,
    /// The priority of its group: those with a higher one are stopped first.
    pub group_priority: i64,
    /// The same within the group.
    pub priority: i64,
    /// The exit statuses that supervisord expects.
    pub exit_codes: Vec<i64>,
}

/// One of the outputs of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Channel {
    Stdout,
    Stderr,
}

impl Channel {
    /// The usual name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The end of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// The text, control characters included.
    pub text: String,
    /// Whether the log has more before it.
    pub cut: bool,
}

impl LogEnd {
    /// The lines, without the first if its beginning is cut; `None` if that is the only one.
    #[must_use]
    pub fn whole_lines(&self) -> Option<&str> {
        if !self.cut {
            return Some(&self.text);
        }
        self.text.split_once('\n').map(|(_, whole)| whole).filter(|whole| !whole.is_empty())
    }
}

/// A refusal by supervisord.
///
/// Its text is that of Python's `xmlrpc.client.Fault`, since it is part of old log lines and mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// One of supervisor's `Faults`.
    pub code: i32,
    /// The text, such as `SPAWN_ERROR: foo`.
    pub text: String,
}

impl Fault {
    /// No such method: the `[rpcinterface:supervisor]` section is missing.
    pub const UNKNOWN_METHOD: i32 = 1;
    /// supervisord is shutting down.
    pub const SHUTDOWN_STATE: i32 = 6;
    /// No such process or group.
    pub const BAD_NAME: i32 = 10;
    /// There is no such file: supervisord does not log into one.
    pub const NO_FILE: i32 = 20;
    /// The process does not run.
    pub const NOT_RUNNING: i32 = 70;
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Fault {}: {}>", self.code, python::repr(&self.text))
    }
}

/// The reason why a call had no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// supervisord answered, and refused.
    #[error("{0}")]
    Fault(Fault),
    /// The request did not get through, so nothing happened: why, and where known what to do.
    #[error("{0}")]
    Unreachable(String),
    /// No usable answer came: the call may have been carried out.
    #[error("{0}")]
    NoAnswer(String),
}

impl RpcError {
    /// Whether supervisord refuses because it shuts down or restarts. Then it refuses every call.
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        self.fault_code() == Some(Fault::SHUTDOWN_STATE)
    }

    /// The fault's number, if supervisord refused.
    #[must_use]
    pub fn fault_code(&self) -> Option<i32> {
        match self {
            Self::Fault(fault) => Some(fault.code),
            Self::Unreachable(_) | Self::NoAnswer(_) => None,
        }
    }
}

/// The calls to supervisord. Processes are named by `group:name`.
pub trait Supervisor: Send {
    /// All processes, listeners included (`getAllProcessInfo`).
    ///
    /// # Errors
    /// When there is no usable answer.
    fn all(&mut self) -> Result<Vec<ProcessInfo>, RpcError>;

    /// One process (`getProcessInfo`).
    ///
    /// # Errors
    /// When there is no usable answer; the fault `BAD_NAME` when there is no such process.
    fn info(&mut self, namespec: &str) -> Result<ProcessInfo, RpcError>;

    /// One process, and what only this question is answered with (`getProcessInfo`).
    ///
    /// # Errors
    /// As [`info`](Supervisor::info).
    fn details(&mut self, namespec: &str) -> Result<Details, RpcError>;

    /// How all processes are configured (`getAllConfigInfo`).
    ///
    /// # Errors
    /// When there is no usable answer.
    fn configured(&mut self) -> Result<Vec<Configured>, RpcError>;

    /// The process id of supervisord itself (`getPID`).
    ///
    /// # Errors
    /// When there is no usable answer.
    fn pid(&mut self) -> Result<u32, RpcError>;

    /// About the last `bytes` of an output of a process (`tailProcessStdoutLog`,
    /// `tailProcessStderrLog`); empty where supervisord keeps no log of it. supervisord waits for
    /// ever if the process has replaced its log by a FIFO.
    ///
    /// # Errors
    /// When there is no usable answer; supervisord has none for a log that is not UTF-8.
    fn tail(&mut self, namespec: &str, channel: Channel, bytes: u32) -> Result<LogEnd, RpcError>;

    /// About the last `bytes` of supervisord's own log (`readLog`).
    ///
    /// # Errors
    /// When there is no usable answer; a fault where supervisord does not log into a file.
    fn own_log(&mut self, bytes: u32) -> Result<LogEnd, RpcError>;

    /// Stops a process and waits until it has stopped (`stopProcess`), for minutes if need be.
    ///
    /// # Errors
    /// When there is no usable answer, which does not mean that nothing was stopped.
    fn stop(&mut self, namespec: &str) -> Result<(), RpcError>;

    /// Begins to stop a process (`stopProcess`), and does not wait for that.
    ///
    /// # Errors
    /// When there is no usable answer, which does not mean that nothing is stopped.
    fn begin_stop(&mut self, namespec: &str) -> Result<(), RpcError>;

    /// Starts a process and waits until it counts as running (`startProcess`).
    ///
    /// # Errors
    /// When there is no usable answer, which does not mean that nothing was started.
    fn start(&mut self, namespec: &str) -> Result<(), RpcError>;

    /// Begins to start a process (`startProcess`), and does not wait for that.
    ///
    /// # Errors
    /// When there is no usable answer, which does not mean that nothing is started.
    fn begin_start(&mut self, namespec: &str) -> Result<(), RpcError>;

    /// Sends a signal to a process, by name or number (`signalProcess`, supervisor 3.2 and later).
    ///
    /// # Errors
    /// When there is no usable answer, which does not mean that nothing was sent.
    fn signal(&mut self, namespec: &str, signal: &str) -> Result<(), RpcError>;

    /// Lets supervisord stop all processes and end (`shutdown`); does not wait for that.
    ///
    /// # Errors
    /// When there is no usable answer, which does not mean that it does not end.
    fn shut_down(&mut self) -> Result<(), RpcError>;
}
