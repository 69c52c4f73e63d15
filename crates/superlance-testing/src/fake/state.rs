//! The state of the fake supervisord, and its RPC methods.

use super::answer::{Answer, matches};
use super::log::{read_file, tail_file};
use super::process::{FakeProcess, ProcessState};
use crate::wire::xml::{Call, Value, fault, response};

/// Beyond every limit for process IDs of Linux, and still one to `ps`: no process has it.
const FIRST_FREE_PID: u32 = 5_000_000;

#[derive(Debug)]
pub(super) struct State {
    pub(super) processes: Vec<FakeProcess>,
    pub(super) calls: Vec<String>,
    /// For which calls, what, and how many times yet.
    pub(super) scripts: Vec<(String, Answer, usize)>,
    pub(super) login: Option<(String, String)>,
    pub(super) refused: usize,
    pub(super) released: u64,
    pub(super) statecode: i64,
    /// Its own log.
    pub(super) log: Vec<u8>,
    started: u32,
}

/// Why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Fault(i64, String),
    /// An exception that is not caught: HTTP 500.
    Exception,
}

impl From<(i64, String)> for Refusal {
    fn from((code, text): (i64, String)) -> Refusal {
        Refusal::Fault(code, text)
    }
}

impl Default for State {
    fn default() -> State {
        State {
            processes: Vec::new(),
            calls: Vec::new(),
            scripts: Vec::new(),
            login: None,
            refused: 0,
            released: 0,
            statecode: 1,
            log: Vec::new(),
            started: 0,
        }
    }
}

impl State {
    pub(super) fn put(&mut self, process: FakeProcess) {
        self.processes
            .retain(|other| (&other.group, &other.name) != (&process.group, &process.name));
        self.processes.push(process);
        // The order of getAllProcessInfo.
        self.processes.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    }

    pub(super) fn find(&self, namespec: &str) -> Option<&FakeProcess> {
        self.processes.iter().find(|process| process.is(namespec))
    }

    /// Notes a call, and says how the test wants it answered.
    pub(super) fn record(&mut self, call: &Call) -> Option<Answer> {
        let call = call.to_string();
        let script = self.scripts.iter().rposition(|(pattern, ..)| matches(pattern, &call));
        self.calls.push(call);
        let (_, answer, times) = self.scripts.get_mut(script?)?;
        let answer = answer.clone();
        *times = times.saturating_sub(1);
        if *times == 0 {
            self.scripts.remove(script?);
        }
        Some(answer)
    }

    /// Does what supervisord does, and returns the status and the document that it sends.
    pub(super) fn perform(&mut self, call: &Call) -> (u16, String) {
        match self.result(call) {
            Ok(value) => (200, response(&value.to_string())),
            Err(Refusal::Fault(code, text)) => (200, fault(code, &text)),
            Err(Refusal::Exception) => (500, "<html>Internal Server Error</html>".to_owned()),
        }
    }

    fn result(&mut self, call: &Call) -> Result<Value, Refusal> {
        let arg = |index: usize| call.args.get(index).map_or("", String::as_str);
        let number = |index: usize| arg(index).parse::<i64>().map_err(|_| Refusal::Exception);
        match call.method.as_str() {
            "supervisor.getAllProcessInfo" => {
                Ok(Value::Array(self.processes.iter().map(FakeProcess::info).collect()))
            }
            "supervisor.getProcessInfo" => Ok(self.named(arg(0))?.info()),
            "supervisor.stopProcess" => Ok(self.stop(arg(0))?),
            "supervisor.startProcess" => Ok(self.start(arg(0))?),
            "supervisor.signalProcess" => Ok(self.signal(arg(0))?),
            // The processes are children of the test.
            "supervisor.getPID" => Ok(Value::Int(i64::from(std::process::id()))),
            "supervisor.getState" => Ok(self.supervisor_state()),
            "supervisor.readLog" => read_file(&self.log, number(0)?, number(1)?),
            "supervisor.tailProcessStdoutLog" => {
                tail_file(&self.named(arg(0))?.stdout, number(1)?, number(2)?)
            }
            "supervisor.tailProcessStderrLog" => {
                tail_file(&self.named(arg(0))?.stderr, number(1)?, number(2)?)
            }
            _ => Err((1, "UNKNOWN_METHOD".to_owned()).into()),
        }
    }

    fn named(&mut self, name: &str) -> Result<&mut FakeProcess, (i64, String)> {
        let found = self.processes.iter_mut().find(|process| process.is(name));
        found.ok_or_else(|| (10, format!("BAD_NAME: {name}")))
    }

    fn stop(&mut self, name: &str) -> Result<Value, (i64, String)> {
        let process = self.named(name)?;
        if !process.state.is_running() {
            return Err((70, format!("NOT_RUNNING: {name}")));
        }
        process.state = ProcessState::Stopped;
        process.pid = 0;
        process.stop = process.now();
        Ok(Value::Bool(true))
    }

    fn start(&mut self, name: &str) -> Result<Value, (i64, String)> {
        self.started += 1;
        let free_pid = FIRST_FREE_PID + self.started;
        let process = self.named(name)?;
        if process.state.is_running() {
            return Err((60, format!("ALREADY_STARTED: {name}")));
        }
        process.state = ProcessState::Running;
        process.started += 1;
        process.pid = process.next_pid.take().unwrap_or(free_pid);
        process.start = process.now();
        Ok(Value::Bool(true))
    }

    /// The call is on record; what the signal does to a process is up to the test.
    fn signal(&mut self, name: &str) -> Result<Value, (i64, String)> {
        let process = self.named(name)?;
        if process.pid == 0 {
            return Err((70, format!("NOT_RUNNING: {name}")));
        }
        process.signalled += 1;
        Ok(Value::Bool(true))
    }

    fn supervisor_state(&self) -> Value {
        let name = match self.statecode {
            2 => "FATAL",
            1 => "RUNNING",
            0 => "RESTARTING",
            _ => "SHUTDOWN",
        };
        Value::Struct(vec![
            ("statecode", Value::Int(self.statecode)),
            ("statename", Value::Text(name.to_owned())),
        ])
    }
}
