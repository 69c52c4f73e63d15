//! Ours or theirs: the same events go to Python's program and to ours, and what comes out is
//! compared: calls to supervisord, mails, log and protocol.

mod compat;
mod diff;
mod filters;
mod outcome;
mod stage;

use std::fmt::{self, Debug, Formatter};
use std::rc::Rc;

pub use compat::{deviates, record, same};
pub use outcome::{Afterwards, Outcome};

use crate::fake::{FakeProcess, FakeSupervisor};
use crate::frame::Frame;
use crate::subject::Who;
use stage::Stage;

/// What must have happened before the next step, besides the answer to the event and rest.
///
/// Needed only where a program rests and will yet go on: it waits for a timer, or for a server
/// that takes its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// The log contains a text.
    Log(String),
    /// So many calls have been made, from the start.
    Calls(usize),
    /// So many mails have been sent, from the start.
    Mails(usize),
}

/// How the program learns where supervisord is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Unix,
    Inet,
    Absent,
}

#[derive(Clone)]
enum Step {
    Send(Frame, Option<Until>),
    Act(Rc<dyn Fn(&mut FakeSupervisor)>),
}

/// A program, its arguments, the processes it sees, and the events it gets.
///
/// In arguments and environment `{mailbox}` stands for the command of a mailbox, and `{scratch}`
/// for a folder; both are new for each run.
#[derive(Clone, Debug)]
pub struct Transcript {
    program: String,
    title: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    server: Server,
    processes: Vec<FakeProcess>,
    steps: Vec<Step>,
    additions: Vec<String>,
}

impl Transcript {
    /// A run of this program; the title is for the table of all comparisons.
    #[must_use]
    pub fn new(program: &str, title: &str) -> Transcript {
        Transcript {
            program: program.to_owned(),
            title: title.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            server: Server::Unix,
            processes: Vec::new(),
            steps: Vec::new(),
            additions: Vec::new(),
        }
    }

    /// With these arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Transcript {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// With this environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Transcript {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With supervisord at a port instead of a Unix socket.
    #[must_use]
    pub fn inet(mut self) -> Transcript {
        self.server = Server::Inet;
        self
    }

    /// Without `SUPERVISOR_SERVER_URL`, as when no http server is configured.
    #[must_use]
    pub fn no_server(mut self) -> Transcript {
        self.server = Server::Absent;
        self
    }

    /// With these processes in supervisord.
    #[must_use]
    pub fn processes(mut self, processes: impl IntoIterator<Item = FakeProcess>) -> Transcript {
        self.processes.extend(processes);
        self
    }

    /// Then this event is sent.
    #[must_use]
    pub fn event(self, eventname: &str, payload: &str) -> Transcript {
        self.send(Frame::new(eventname, payload))
    }

    /// Then this frame is sent.
    #[must_use]
    pub fn send(mut self, frame: Frame) -> Transcript {
        self.steps.push(Step::Send(frame, None));
        self
    }

    /// And this must have happened before the next step.
    ///
    /// # Panics
    /// When there is no event before.
    #[must_use]
    #[track_caller]
    pub fn until(mut self, until: Until) -> Transcript {
        match self.steps.last_mut() {
            Some(Step::Send(_, wanted)) => *wanted = Some(until),
            _ => panic!("`until` belongs to the event before it: call `event` first"),
        }
        self
    }

    /// Then the fake supervisord is told something; before the first event, it is told before the
    /// program starts.
    #[must_use]
    pub fn act(mut self, act: impl Fn(&mut FakeSupervisor) + 'static) -> Transcript {
        self.steps.push(Step::Act(Rc::new(act)));
        self
    }

    /// Lines of *our* log that contain this text are additions, and not compared.
    #[must_use]
    pub fn may_add(mut self, text: &str) -> Transcript {
        self.additions.push(text.to_owned());
        self
    }

    /// Plays it, and returns what came out.
    #[must_use]
    #[track_caller]
    pub fn run(&self, who: &Who) -> Outcome {
        Stage::new(self, who).play(&mut Vec::new())
    }
}

impl Debug for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Step::Send(frame, until) => f.debug_tuple("Send").field(frame).field(until).finish(),
            Step::Act(_) => f.write_str("Act"),
        }
    }
}
