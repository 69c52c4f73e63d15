//! What httpok does at a tick.

use std::time::{Duration, Instant};

use superlance_core::event::Event;
use superlance_core::listener::{Ctx, Interest, Listener};
use superlance_core::log::{Complaint, Log};
use superlance_core::mail::Mail;
use superlance_core::python;
use superlance_core::restart::Restarts;
use superlance_core::selector::{Names, Selector};
use superlance_core::supervisor::{ProcessInfo, RpcError, State};

use crate::gcore::Gcore;
use crate::options::Options;
use crate::verdict::{NoAnswer, Outcome, Verdict, describe, verdict};

/// Pause before a refused connection is tried again.
const PAUSE: Duration = Duration::from_secs(10);

/// The listener.
pub(crate) struct HttpOk {
    check: Box<dyn FnMut() -> Outcome + Send>,
    /// The URL for messages.
    url: String,
    expected: Vec<u16>,
    /// How often a refused connection is tried again.
    retries: u64,
    /// Whether to check when nothing that is watched runs.
    eager: bool,
    programs: Vec<Selector>,
    any: bool,
    gcore: Option<Gcore>,
    email: Option<String>,
    name: Option<String>,
    /// `group:name` of httpok itself, which it never restarts.
    own_namespec: Option<String>,
    /// A check that was refused and goes on later.
    refused: Option<Refused>,
    /// With the subject of the mail about the failure.
    restarts: Restarts<String>,
    rpc_trouble: Complaint,
}

/// A refused connection.
#[derive(Debug, Clone, Copy)]
struct Refused {
    again: Instant,
    retries_left: u64,
}

/// The lines of a mail, which are also logged.
struct Report<'a> {
    lines: Vec<String>,
    log: &'a Log,
}

impl Report<'_> {
    fn write(&mut self, line: String) {
        self.log.line(&line);
        self.lines.push(line);
    }
}

impl HttpOk {
    pub(crate) fn new(
        options: Options,
        url: String,
        own_namespec: Option<String>,
        check: impl FnMut() -> Outcome + Send + 'static,
    ) -> Self {
        Self {
            check: Box::new(check),
            url,
            expected: options.expected(),
            retries: options.timeout.as_secs().saturating_sub(1) / PAUSE.as_secs(),
            eager: !options.not_eager,
            programs: options.programs,
            any: options.any,
            gcore: Gcore::new(options.gcore, options.coredir),
            email: options.email,
            name: options.name,
            own_namespec,
            refused: None,
            restarts: Restarts::default(),
            rpc_trouble: Complaint::default(),
        }
    }

    fn tick(&mut self, ctx: &mut Ctx<'_>) {
        if self.eager || self.something_runs(ctx) {
            self.check(self.retries, ctx);
        }
    }

    /// Whether a process that is watched runs. When supervisord does not say, nothing could be
    /// restarted either.
    fn something_runs(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match ctx.supervisor.all() {
            Ok(all) => {
                if self.rpc_trouble.clear() {
                    ctx.log.line("supervisord answers again");
                }
                all.iter().any(|info| info.state == State::Running && self.watches(info))
            }
            Err(error) => {
                self.rpc_trouble.say(ctx.log, format!("Cannot check: {error}"));
                false
            }
        }
    }

    fn watches(&self, info: &ProcessInfo) -> bool {
        let is_self = self.own_namespec.as_ref().is_some_and(|own| *own == info.namespec());
        !is_self && (self.any || self.programs.iter().any(|program| program.matches(names(info))))
    }

    fn check(&mut self, retries_left: u64, ctx: &mut Ctx<'_>) {
        self.refused = None;
        let outcome = (self.check)();
        if let (Err(NoAnswer::Refused(_)), 1..) = (&outcome, retries_left) {
            let (again, retries_left) = (Instant::now() + PAUSE, retries_left - 1);
            self.refused = Some(Refused { again, retries_left });
            return;
        }
        let what = match verdict(&outcome, &self.expected) {
            Verdict::Good => return,
            Verdict::BadStatus => "bad status returned",
            Verdict::BadBody => "bad body returned",
        };
        let subject = match &self.name {
            Some(name) => format!("httpok [{name}]: {}: {what}", self.url),
            None => format!("httpok: {}: {what}", self.url),
        };
        self.act(subject, describe(&outcome, &self.url), ctx);
    }

    /// Restarts what is to be restarted, and mails about it.
    fn act(&mut self, subject: String, message: String, ctx: &mut Ctx<'_>) {
        let mut report = Report { lines: Vec::new(), log: ctx.log };
        report.write(message);
        let all = match ctx.supervisor.all() {
            Ok(all) => all,
            Err(error) => {
                return report
                    .write(format!("Exception retrieving process info {error}, not acting"));
            }
        };
        if self.any {
            report.write("Restarting all running processes".to_owned());
        } else {
            let programs: Vec<_> = self.programs.iter().map(Selector::as_str).collect();
            let programs = python::repr_list(&programs);
            report.write(format!("Restarting selected processes {programs}"));
        }
        for info in all.iter().filter(|info| self.watches(info)).collect::<Vec<_>>() {
            self.restart(info, &subject, &mut report, ctx);
        }
        let unknown = |program: &&Selector| !all.iter().any(|info| program.matches(names(info)));
        let unknown: Vec<_> = self.programs.iter().filter(unknown).map(Selector::as_str).collect();
        if !unknown.is_empty() {
            let unknown = python::repr_list(&unknown);
            report.write(format!("Programs not restarted because they did not exist: {unknown}"));
        }
        self.mail(subject, report.lines.join("\n"), ctx);
    }

    /// Restarts a process if it still runs: the ones before it may have taken minutes.
    fn restart(
        &mut self,
        seen: &ProcessInfo,
        subject: &str,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let name = seen.short_name();
        let info = match seen.state {
            State::Running => ctx.supervisor.info(&seen.namespec()),
            _ => Ok(seen.clone()),
        };
        let info = match info {
            Ok(info) if info.state == State::Running => info,
            Ok(_) => return report.write(format!("{name} not in RUNNING state, NOT restarting")),
            Err(error) => {
                return report.write(format!("Failed to restart process {name}: {error}"));
            }
        };
        for line in self.gcore.iter().flat_map(|gcore| gcore.dump(&info)) {
            report.write(line);
        }
        report.write(format!("{name} is in RUNNING state, restarting"));
        match self.restarts.stop(&info, subject.to_owned(), ctx) {
            Ok(()) => {}
            Err(error) => {
                report.write(format!("Failed to stop process {name}: {error}"));
                // As the original does: a process that ended by itself is started. Where no answer
                // came at all, `restarts` finds out what became of it.
                if let RpcError::Failed(_) = error {
                    return;
                }
            }
        }
        report.write(match self.restarts.start(&info.namespec(), ctx) {
            Ok(()) => format!("{name} restarted"),
            Err(error) => format!("Failed to start process {name}: {error}"),
        });
    }

    fn mail(&self, subject: String, text: String, ctx: &mut Ctx<'_>) {
        let Some(to) = self.email.clone() else { return };
        let confirm = format!("Mailed:\n\nTo: {to}\nSubject: {subject}\n\n{text}");
        ctx.mailer.send(Mail { to, subject, text }, Some(confirm));
    }
}

fn names(info: &ProcessInfo) -> Names<'_> {
    Names { group: &info.group, process: &info.name }
}

impl Listener for HttpOk {
    fn interest(&self) -> fn(&str) -> Interest {
        |name| {
            if name.starts_with("TICK") { Interest::WhenIdle } else { Interest::Nothing }
        }
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        // While a refused connection waits to be tried again, the last tick's check is not over.
        if let (Event::Tick { .. }, None) = (event, self.refused) {
            self.tick(ctx);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let again = self.refused.map(|refused| refused.again);
        [again, self.restarts.deadline()].into_iter().flatten().min()
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        for (namespec, subject) in self.restarts.retry(ctx) {
            self.mail(subject, format!("{namespec} was started again"), ctx);
        }
        if let Some(Refused { retries_left, .. }) =
            self.refused.filter(|r| r.again <= Instant::now())
        {
            self.check(retries_left, ctx);
        }
    }

    /// A check that is not over is given up; a start that is owed is not.
    fn finish(&mut self, _: &mut Ctx<'_>) {
        self.refused = None;
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
