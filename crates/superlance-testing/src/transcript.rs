//! Ours or theirs: the same events go to Python's program and to ours, and what comes out is
//! compared: calls to supervisord, mails, log and protocol.

mod compat;
mod diff;
mod filters;
mod outcome;
mod sections;
mod stage;
mod step;
mod world;

use std::rc::Rc;

pub use compat::{deviates, record, record_both, same, theirs_is_under_test};
pub use outcome::{Afterwards, Outcome};
pub use sections::Shown;
use step::Step;
pub use step::Until;

use crate::fake::{FakeProcess, FakeSupervisor};
use crate::frame::Frame;
use crate::http::{HttpBuilder, HttpServer};
use crate::smtp::{SmtpBuilder, SmtpServer};
use crate::subject::Who;
use stage::Stage;
use world::World;

/// How the program learns where supervisord is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Unix,
    Inet,
    Absent,
}

/// A program, its arguments, the processes it sees, and the events it gets.
///
/// In arguments and environment `{mailbox}` stands for the command of a mailbox, `{scratch}` for a
/// folder, `{smtp}` for the `host:port` of an [`SmtpServer`], and `{http}` for the URL of an
/// [`HttpServer`] without a path, `{http-port}` for its port; all are new for each run, and the
/// servers there only if asked for.
#[derive(Clone, Debug)]
pub struct Transcript {
    program: String,
    title: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    server: Server,
    processes: Vec<FakeProcess>,
    smtp: Option<SmtpBuilder>,
    http: Option<HttpBuilder>,
    steps: Vec<Step>,
    additions: Vec<String>,
    compared_call: fn(&str) -> Option<String>,
    compared_log: fn(&str) -> String,
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
            smtp: None,
            http: None,
            steps: Vec::new(),
            additions: Vec::new(),
            compared_call: |call| Some(call.to_owned()),
            compared_log: str::to_owned,
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

    /// With an SMTP server of this kind.
    #[must_use]
    pub fn smtp(mut self, builder: SmtpBuilder) -> Transcript {
        self.smtp = Some(builder);
        self
    }

    /// With an HTTP server of this kind.
    #[must_use]
    pub fn http(mut self, builder: HttpBuilder) -> Transcript {
        self.http = Some(builder);
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
    pub fn act(self, act: impl Fn(&mut FakeSupervisor) + 'static) -> Transcript {
        self.act_on(move |world| act(&mut world.fake))
    }

    /// Then the SMTP server is told something, as with [`act`](Transcript::act).
    #[must_use]
    pub fn act_on_smtp(self, act: impl Fn(&mut SmtpServer) + 'static) -> Transcript {
        self.act_on(move |world| act(world.smtp.as_mut().expect("`smtp` was called before")))
    }

    /// Then the HTTP server is told something, as with [`act`](Transcript::act).
    #[must_use]
    pub fn act_on_http(self, act: impl Fn(&mut HttpServer) + 'static) -> Transcript {
        self.act_on(move |world| act(world.http.as_mut().expect("`http` was called before")))
    }

    fn act_on(mut self, act: impl Fn(&mut World) + 'static) -> Transcript {
        self.steps.push(Step::Act(Rc::new(act)));
        self
    }

    /// Lines of *our* log that contain this text are additions, and not compared.
    #[must_use]
    pub fn may_add(mut self, text: &str) -> Transcript {
        self.additions.push(text.to_owned());
        self
    }

    /// Calls of both are compared as what this makes of them, and not at all where it makes nothing.
    #[must_use]
    pub fn compare_calls(mut self, compared: fn(&str) -> Option<String>) -> Transcript {
        self.compared_call = compared;
        self
    }

    /// The logs of both are compared as what this makes of them.
    #[must_use]
    pub fn compare_logs(mut self, compared: fn(&str) -> String) -> Transcript {
        self.compared_log = compared;
        self
    }

    /// Plays it, and returns what came out.
    #[must_use]
    #[track_caller]
    pub fn run(&self, who: &Who) -> Outcome {
        Stage::new(self, who).play(&mut Vec::new())
    }

    fn compared_calls(&self, calls: &[String]) -> Vec<String> {
        calls.iter().filter_map(|call| (self.compared_call)(call)).collect()
    }
}
