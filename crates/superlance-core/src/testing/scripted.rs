//! A supervisord that does at once what it is told, or refuses as ordered.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;

use crate::supervisor::{
    Channel, Configured, Details, Fault, LogEnd, ProcessInfo, RpcError, State, Supervisor,
};

/// A scripted supervisord: it stops and starts at once, or refuses as ordered.
#[derive(Debug, Default)]
pub struct ScriptedSupervisor {
    pub processes: Vec<ProcessInfo>,
    /// The calls, such as `stop(foo:foo)`.
    pub calls: Vec<String>,
    /// Its clock, in seconds since 1970; goes on by one with each change of state.
    pub now: i64,
    /// Why processes could not be started, by `group:name`.
    pub spawn_errors: HashMap<String, String>,
    /// Groups whose priority is not 999.
    pub group_priorities: HashMap<String, i64>,
    /// The outputs of processes, by `group:name`; those without keep none.
    pub logs: HashMap<(String, Channel), String>,
    /// The log files that `details` names.
    pub log_directory: PathBuf,
    /// Its own log, if it is a file.
    pub own_log: Option<String>,
    failures: HashMap<&'static str, VecDeque<RpcError>>,
}

impl ScriptedSupervisor {
    /// A supervisord without processes, whose clock shows `now`.
    #[must_use]
    pub fn at(now: i64) -> Self {
        Self { now, ..Self::default() }
    }

    /// Adds a process: running since ten seconds ago with a pid, or stopped with pid 0.
    #[must_use]
    pub fn with(mut self, namespec: &str, pid: u32) -> Self {
        let (group, name) = namespec.split_once(':').unwrap_or((namespec, namespec));
        self.processes.push(ProcessInfo {
            name: name.to_owned(),
            group: group.to_owned(),
            pid,
            state: if pid == 0 { State::Stopped } else { State::Running },
            start: self.now - 10,
            stop: 0,
            exit_status: 0,
            now: self.now,
        });
        self
    }

    /// Lets the next call of `method` (`all`, `info`, `details`, `configured`, `pid`, `tail`, `own_log`,
    /// `stop`, `begin_stop`, `start`, `begin_start`, `signal` or `shut_down`) end with `error`.
    pub fn fail(&mut self, method: &'static str, error: RpcError) {
        self.failures.entry(method).or_default().push_back(error);
    }

    /// Lets the next call of `method` end with a fault.
    pub fn refuse(&mut self, method: &'static str, code: i32, text: &str) {
        self.fail(method, RpcError::Fault(Fault { code, text: text.to_owned() }));
    }

    /// The process of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn process(&mut self, namespec: &str) -> Result<&mut ProcessInfo, RpcError> {
        let fault = Fault { code: Fault::BAD_NAME, text: format!("BAD_NAME: {namespec}") };
        let mut processes = self.processes.iter_mut();
        processes.find(|info| info.has_namespec(namespec)).ok_or(RpcError::Fault(fault))
    }

    fn call(&mut self, method: &'static str, argument: &str) -> Result<(), RpcError> {
        self.calls.push(format!("{method}({argument})"));
        let failure = self.failures.get_mut(method).and_then(VecDeque::pop_front);
        failure.map_or(Ok(()), Err)
    }

    fn tick(&mut self) -> i64 {
        self.now += 1;
        let now = self.now;
        self.processes.iter_mut().for_each(|info| info.now = now);
        now
    }
}

impl Supervisor for ScriptedSupervisor {
    fn all(&mut self) -> Result<Vec<ProcessInfo>, RpcError> {
        self.call("all", "")?;
        Ok(self.processes.clone())
    }

    fn info(&mut self, namespec: &str) -> Result<ProcessInfo, RpcError> {
        self.call("info", namespec)?;
        self.process(namespec).cloned()
    }

    fn details(&mut self, namespec: &str) -> Result<Details, RpcError> {
        self.call("details", namespec)?;
        let info = self.process(namespec)?.clone();
        let log = |channel: Channel| {
            let kept = self.logs.contains_key(&(namespec.to_owned(), channel));
            let path = self.log_directory.join(format!("{namespec}.{}", channel.name()));
            if kept { path.display().to_string() } else { String::new() }
        };
        Ok(Details {
            info,
            spawn_error: self.spawn_errors.get(namespec).cloned().unwrap_or_default(),
            stdout_log: log(Channel::Stdout),
            stderr_log: log(Channel::Stderr),
        })
    }

    fn configured(&mut self) -> Result<Vec<Configured>, RpcError> {
        self.call("configured", "")?;
        let configured = |info: &ProcessInfo| Configured {
            group: info.group.clone(),
            name: info.name.clone(),
            group_priority: self.group_priorities.get(&info.group).copied().unwrap_or(999),
            priority: 999,
            exit_codes: vec![0],
        };
        Ok(self.processes.iter().map(configured).collect())
    }

    /// The parent of the test.
    fn pid(&mut self) -> Result<u32, RpcError> {
        self.call("pid", "")?;
        Ok(std::os::unix::process::parent_id())
    }

    fn tail(&mut self, namespec: &str, channel: Channel, bytes: u32) -> Result<LogEnd, RpcError> {
        self.call("tail", &format!("{namespec} {}", channel.name()))?;
        self.process(namespec)?;
        let log = self.logs.get(&(namespec.to_owned(), channel));
        Ok(log_end(log.map_or("", String::as_str), bytes))
    }

    fn own_log(&mut self, bytes: u32) -> Result<LogEnd, RpcError> {
        self.call("own_log", "")?;
        let fault = Fault { code: Fault::NO_FILE, text: "NO_FILE: None".to_owned() };
        let log = self.own_log.as_ref().ok_or(RpcError::Fault(fault))?;
        Ok(log_end(log, bytes))
    }

    fn stop(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.call("stop", namespec)?;
        let now = self.tick();
        let process = self.process(namespec)?;
        (process.pid, process.state, process.stop) = (0, State::Stopped, now);
        Ok(())
    }

    /// It has stopped at once.
    fn begin_stop(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.call("begin_stop", namespec)?;
        let now = self.tick();
        let process = self.process(namespec)?;
        (process.pid, process.state, process.stop) = (0, State::Stopped, now);
        Ok(())
    }

    fn start(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.call("start", namespec)?;
        let now = self.tick();
        let process = self.process(namespec)?;
        (process.pid, process.state, process.start) = (4_000_000, State::Running, now);
        Ok(())
    }

    /// It has started at once, and is not yet RUNNING.
    fn begin_start(&mut self, namespec: &str) -> Result<(), RpcError> {
        self.call("begin_start", namespec)?;
        let now = self.tick();
        let process = self.process(namespec)?;
        (process.pid, process.state, process.start) = (4_000_000, State::Starting, now);
        Ok(())
    }

    fn signal(&mut self, namespec: &str, signal: &str) -> Result<(), RpcError> {
        self.call("signal", &format!("{namespec}, {signal}"))?;
        self.process(namespec).map(drop)
    }

    fn shut_down(&mut self) -> Result<(), RpcError> {
        self.call("shut_down", "")
    }
}

/// The last bytes of a log, or one or two less than to begin in the middle of a character.
fn log_end(log: &str, bytes: u32) -> LogEnd {
    let start = log.len().saturating_sub(bytes as usize);
    let start = (start..=log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or_default();
    LogEnd { text: log.get(start..).unwrap_or_default().to_owned(), cut: start > 0 }
}
