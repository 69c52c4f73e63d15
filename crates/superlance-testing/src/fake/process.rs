//! A process of the fake supervisord, with the fields of `getProcessInfo` of supervisor 4.3.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::wire::xml::Value;

/// The states of a process, with supervisor's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are supervisor's and explained there")]
pub enum ProcessState {
    Stopped = 0,
    Starting = 10,
    Running = 20,
    Backoff = 30,
    Stopping = 40,
    Exited = 100,
    Fatal = 200,
    Unknown = 1000,
}

impl ProcessState {
    /// Whether supervisord counts it among the running: such a process can be stopped, and not
    /// started.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, ProcessState::Starting | ProcessState::Running | ProcessState::Backoff)
    }
}

/// A fake process. All fields may be set at will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeProcess {
    /// The group.
    pub group: String,
    /// The name within the group.
    pub name: String,
    /// The process ID, 0 if it does not run.
    pub pid: u32,
    /// The state.
    pub state: ProcessState,
    /// When it was started last, in seconds since 1970.
    pub start: i64,
    /// When it was stopped last.
    pub stop: i64,
    /// What time it is for this process; `None` is the real time.
    pub now: Option<i64>,
    /// Why it could not be started.
    pub spawnerr: String,
    /// The exit status.
    pub exitstatus: i64,
    /// The file of its standard output.
    pub stdout_logfile: String,
    /// The file of its standard error.
    pub stderr_logfile: String,
    /// What is in the file of its standard output.
    pub stdout: Vec<u8>,
    /// What is in the file of its standard error.
    pub stderr: Vec<u8>,
    /// The process ID that it gets at its next start; `None` is one that no process has.
    pub next_pid: Option<u32>,
    /// How often `startProcess` has started it.
    pub started: u32,
    /// How often `signalProcess` has sent it a signal.
    pub signalled: u32,
}

impl FakeProcess {
    /// A process that has been running for a day.
    #[must_use]
    pub fn running(namespec: &str, pid: u32) -> FakeProcess {
        let (group, name) = namespec.split_once(':').unwrap_or((namespec, namespec));
        FakeProcess {
            group: group.to_owned(),
            name: name.to_owned(),
            pid,
            state: ProcessState::Running,
            start: real_time() - 24 * 60 * 60,
            stop: 0,
            now: None,
            spawnerr: String::new(),
            exitstatus: 0,
            stdout_logfile: String::new(),
            stderr_logfile: String::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            next_pid: None,
            started: 0,
            signalled: 0,
        }
    }

    /// A process that does not run, for this reason.
    #[must_use]
    pub fn not_running(namespec: &str, state: ProcessState) -> FakeProcess {
        let mut process = FakeProcess::running(namespec, 0);
        process.state = state;
        process.stop = process.start + 60;
        process
    }

    /// Running for exactly so many seconds: time stands still for this process.
    #[must_use]
    pub fn uptime(mut self, seconds: i64) -> FakeProcess {
        self.now = Some(self.start + seconds);
        self
    }

    /// With this process ID after its next start.
    #[must_use]
    pub fn next_pid(mut self, pid: u32) -> FakeProcess {
        self.next_pid = Some(pid);
        self
    }

    /// With these outputs, in files of the fake supervisord.
    #[must_use]
    pub fn logs(mut self, stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> FakeProcess {
        (self.stdout, self.stderr) = (stdout.into(), stderr.into());
        self.stdout_logfile = format!("{}.stdout", self.name);
        self.stderr_logfile = format!("{}.stderr", self.name);
        self
    }

    /// Writes its outputs into files of this folder, unless it has none or they are elsewhere.
    pub(super) fn write_logs(&mut self, folder: &Path) {
        let logs =
            [(&mut self.stdout_logfile, &self.stdout), (&mut self.stderr_logfile, &self.stderr)];
        for (path, text) in logs {
            if !path.is_empty() && Path::new(path).is_relative() {
                let file = folder.join(&*path);
                fs::write(&file, text).expect("the folder is ours");
                *path = file.display().to_string();
            }
        }
    }

    /// Whether it goes by this name.
    pub(super) fn is(&self, namespec: &str) -> bool {
        let (group, name) = namespec.split_once(':').unwrap_or((namespec, namespec));
        self.group == group && self.name == name
    }

    pub(super) fn now(&self) -> i64 {
        self.now.unwrap_or_else(real_time)
    }

    pub(super) fn info(&self) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        // XML-RPC's int has 32 bits; supervisord caps what does not fit.
        let time = |time: i64| Value::Int(time.clamp(i32::MIN.into(), i32::MAX.into()));
        let statename = format!("{:?}", self.state).to_uppercase();
        let description = match self.state {
            ProcessState::Running => format!("pid {}, uptime 0:00:00", self.pid),
            ProcessState::Fatal | ProcessState::Backoff => self.spawnerr.clone(),
            _ => String::new(),
        };
        Value::Struct(vec![
            ("name", text(&self.name)),
            ("group", text(&self.group)),
            ("start", time(self.start)),
            ("stop", time(self.stop)),
            ("now", time(self.now())),
            ("state", Value::Int(self.state as i64)),
            ("statename", text(&statename)),
            ("spawnerr", text(&self.spawnerr)),
            ("exitstatus", Value::Int(self.exitstatus)),
            ("logfile", text(&self.stdout_logfile)),
            ("stdout_logfile", text(&self.stdout_logfile)),
            ("stderr_logfile", text(&self.stderr_logfile)),
            ("pid", Value::Int(self.pid.into())),
            ("description", text(&description)),
        ])
    }
}

fn real_time() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.expect("the clock is past 1970").as_secs();
    i64::try_from(seconds).expect("the clock is not that late")
}
