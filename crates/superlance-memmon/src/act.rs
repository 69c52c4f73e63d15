//! Does what was decided, and tells people.

use std::time::{Duration, Instant};

use superlance_core::listener::Ctx;
use superlance_core::restart::Restarts;
use superlance_core::supervisor::{ProcessInfo, State};
use superlance_core::units::duration_text;

use crate::action::Action;
use crate::alerts::{AlertWriter, Case};
use crate::before;
use crate::decide::Budget;
use crate::deeds::{Deeds, Outcome};

/// Does things.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) writer: AlertWriter,
    /// The command of `--before`.
    pub(crate) before: Option<String>,
    pub(crate) budget: Option<Budget>,
    /// Whether nothing is touched.
    pub(crate) dry_run: bool,
    pub(crate) restarts: Restarts<Case>,
    pub(crate) deeds: Deeds,
}

impl Actor {
    /// Does something about a process that is over a limit.
    pub(crate) fn act(&mut self, mut case: Case, ctx: &mut Ctx<'_>) {
        self.log_growth(&case, ctx);
        let outcome = match self.dry_run {
            true => {
                ctx.log.line(format_args!("Would {}", self.intention(&case)));
                Outcome::Dry
            }
            false => self.carry_out(&mut case, ctx),
        };
        self.deeds.note(&case, outcome, ctx.now());
    }

    /// Says that enough was done about a process.
    pub(crate) fn give_up(&mut self, case: Case, rest: Duration, ctx: &mut Ctx<'_>) {
        self.log_growth(&case, ctx);
        ctx.log.line(format_args!(
            "{} is left alone for {}: enough was done about it (--max-restarts)",
            case.namespec(),
            duration_text(rest)
        ));
        if !self.dry_run {
            let alert = self.writer.left_alone(&case, self.budget, rest, ctx.now());
            ctx.alerts.raise(alert);
        }
        self.deeds.note(&case, Outcome::LeftAlone, ctx.now());
    }

    /// When [`retry`](Self::retry) should be called next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.restarts.deadline()
    }

    /// Tries again to start what is owed a start.
    pub(crate) fn retry(&mut self, ctx: &mut Ctx<'_>) {
        for (_, case) in self.restarts.retry(ctx) {
            self.tell(&case, ctx);
            self.deeds.note(&case, Outcome::Done, ctx.now());
        }
    }

    fn log_growth(&self, case: &Case, ctx: &Ctx<'_>) {
        if let Some(growth) = &case.growth {
            let label = self.writer.metric.label();
            ctx.log.line(format_args!("{label} of {} {}", case.namespec(), growth.line()));
        }
    }

    /// What would be done.
    fn intention(&self, case: &Case) -> String {
        let namespec = case.namespec();
        match self.writer.action {
            Action::Restart => format!("restart {namespec}"),
            Action::Stop => format!("stop {namespec}"),
            Action::Signal(signal) => format!("send {signal} to {namespec}"),
            Action::Alert => format!("tell about {namespec}"),
        }
    }

    fn carry_out(&mut self, case: &mut Case, ctx: &mut Ctx<'_>) -> Outcome {
        let touches = self.writer.action != Action::Alert;
        let mut seen = None;
        if touches {
            match self.look_again(case, ctx) {
                Ok(info) => seen = Some(info),
                Err(outcome) => return outcome,
            }
        }
        if let Some(command) = &self.before {
            let entry = ctx.unfinished.begin(format!(
                "The command of --before for {} was not done in time, so nothing else was done",
                case.namespec()
            ));
            let (title, output) = before::run(command, case, self.writer.metric);
            drop(entry);
            ctx.log.line(format_args!("{title}:\n{}", output.trim_end_matches('\n')));
            case.output = Some((title, output));
            // That took its time.
            if touches {
                match self.look_again(case, ctx) {
                    Ok(info) => seen = Some(info),
                    Err(outcome) => return outcome,
                }
                // A process that is stopped now might not be started in time.
                if ctx.is_ending() {
                    let why = "memmon was told to end";
                    ctx.log.line(format_args!("Nothing is done about {}: {why}", case.namespec()));
                    return Outcome::Failed(why.to_owned());
                }
            }
        }
        let namespec = case.namespec();
        match (self.writer.action, seen) {
            (Action::Restart, Some(info)) => self.restart(&info, case, ctx),
            (Action::Stop, _) => {
                ctx.log.line(format_args!("Stopping {namespec}"));
                let outcome = ctx.supervisor.stop(&namespec).map_err(|error| error.to_string());
                self.finish("stop", outcome, case, ctx)
            }
            (Action::Signal(signal), _) => {
                ctx.log.line(format_args!("Sending {signal} to {namespec}"));
                let outcome = ctx.supervisor.signal(&namespec, signal.as_str());
                self.finish("signal", outcome.map_err(|error| error.to_string()), case, ctx)
            }
            // A restart without a look before it there is none.
            (Action::Alert, _) | (Action::Restart, None) => {
                ctx.log.line(format_args!("Telling about {namespec}"));
                self.tell(case, ctx);
                Outcome::Done
            }
        }
    }

    /// Whether it is still the process that was measured, and nobody stops it.
    fn look_again(&self, case: &mut Case, ctx: &mut Ctx<'_>) -> Result<ProcessInfo, Outcome> {
        let namespec = case.namespec();
        match ctx.supervisor.info(&namespec) {
            Ok(info) if info.pid == case.process.pid && info.state != State::Stopping => {
                case.process.uptime = info.uptime();
                Ok(info)
            }
            Ok(_) => {
                ctx.log.line(format_args!("{namespec} ends or has ended without memmon"));
                Err(Outcome::Gone)
            }
            Err(error) => {
                let what = match self.writer.action {
                    Action::Stop => "stop",
                    Action::Signal(_) => "signal",
                    Action::Restart | Action::Alert => "restart",
                };
                ctx.log.line(self.failure(what, case, &error.to_string()));
                Err(Outcome::Failed(error.to_string()))
            }
        }
    }

    fn restart(&mut self, info: &ProcessInfo, case: &Case, ctx: &mut Ctx<'_>) -> Outcome {
        let namespec = case.namespec();
        ctx.log.line(format_args!("Restarting {namespec}"));
        if let Err(error) = self.restarts.stop(info, case.clone(), ctx) {
            return self.finish("stop", Err(error.to_string()), case, ctx);
        }
        match self.restarts.start(&namespec, ctx) {
            Ok(()) => {
                self.tell(case, ctx);
                Outcome::Done
            }
            Err(error) => {
                let text = format!("Failed to start process {namespec} after stopping it: {error}");
                self.report("start", text, case, ctx);
                Outcome::Failed(error.to_string())
            }
        }
    }

    fn finish(
        &self,
        what: &str,
        outcome: Result<(), String>,
        case: &Case,
        ctx: &mut Ctx<'_>,
    ) -> Outcome {
        match outcome {
            Ok(()) => {
                self.tell(case, ctx);
                Outcome::Done
            }
            Err(error) => {
                self.report(what, self.failure(what, case, &error), case, ctx);
                Outcome::Failed(error)
            }
        }
    }

    fn failure(&self, what: &str, case: &Case, error: &str) -> String {
        let (label, bytes) = (self.writer.metric.label(), case.process.bytes);
        format!("Failed to {what} process {} ({label} {bytes}): {error}", case.namespec())
    }

    /// Tells people what went wrong, and the log.
    fn report(&self, what: &str, text: String, case: &Case, ctx: &mut Ctx<'_>) {
        ctx.log.line(&text);
        let alert = self.writer.failed(what, text, case, ctx.now());
        ctx.alerts.raise(alert);
    }

    /// Tells people what was done.
    fn tell(&self, case: &Case, ctx: &mut Ctx<'_>) {
        if let Some(alert) = self.writer.done(case, ctx.now()) {
            ctx.alerts.raise(alert);
        }
    }
}
