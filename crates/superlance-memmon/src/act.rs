//! Actions: restarts and signals, and the alerts about them.

pub(crate) mod alerts;
pub(crate) mod case;

use std::time::{Duration, Instant};

use serde::Serialize;
use superlance_action::action::{Action, Intervention};
use superlance_action::before;
use superlance_action::decide::rules::Budget;
use superlance_action::report::action_log::{ActionLog, Outcome};
use superlance_core::listener::Ctx;
use superlance_core::listener::restart::{NotStarted, Restarts, Settled, StopError};
use superlance_core::options::quantity::size;
use superlance_core::options::units::duration_text;
use superlance_core::supervisor::{ProcessInfo, RpcError, State};

use crate::act::alerts::{AlertWriter, recovery_key};
use crate::act::case::Case;
use crate::decide::measured::Measured;

/// The reason for an action, in the status file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cause {
    pub(crate) bytes: u64,
    /// The limit that was exceeded.
    pub(crate) limit: u64,
}

/// Carries out interventions.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) writer: AlertWriter,
    /// The command of `--before`.
    pub(crate) before: Option<String>,
    /// Whether nothing is done (`--dry-run`).
    pub(crate) dry_run: bool,
    pub(crate) restarts: Restarts<Case>,
    pub(crate) actions: ActionLog<Cause>,
}

impl Actor {
    /// Does something about a process that is over a limit.
    pub(crate) fn act(&mut self, mut case: Case, ctx: &mut Ctx<'_>) {
        self.log_growth(&case, ctx);
        let outcome = match self.writer.action {
            action if self.dry_run => {
                case.log(ctx).line(action.doing(&case.namespec(), true));
                Outcome::Dry
            }
            Action::Alert => {
                self.run_before(&mut case, ctx);
                case.log(ctx).line(Action::Alert.doing(&case.namespec(), false));
                self.tell(&case, ctx);
                Outcome::Done
            }
            Action::Intervene(intervention) => match self.intervene(intervention, &mut case, ctx) {
                Ok(()) => {
                    self.tell(&case, ctx);
                    Outcome::Done
                }
                Err(outcome) => outcome,
            },
        };
        self.note(&case, outcome, ctx);
    }

    /// What was reported about a process that is below its limits is over.
    pub(crate) fn resolve(&self, process: &Measured, ctx: &mut Ctx<'_>) {
        let key = recovery_key(process);
        if process.limits.iter().any(|limit| process.bytes > *limit)
            || !ctx.alerts.is_unresolved(&key)
        {
            return;
        }
        let (namespec, pid) = (process.namespec(), process.instance.pid);
        let label = self.writer.metric.label();
        let limit = process.limits.iter().min();
        let limit = limit.map(|limit| format!(", below its limit of {}", size(*limit)));
        let (uses, limit) = (size(process.bytes), limit.unwrap_or_default());
        let text = format!("Process {namespec} (pid {pid}) uses {uses} {label}{limit}.");
        ctx.alerts.resolve(&key, &text);
    }

    /// Says that enough was done about a process.
    pub(crate) fn give_up(
        &mut self,
        case: Case,
        budget: Option<Budget>,
        rest: Duration,
        ctx: &mut Ctx<'_>,
    ) {
        self.log_growth(&case, ctx);
        case.log(ctx).line(format_args!(
            "{} is left alone for {}: enough was done about it (--max-restarts)",
            case.namespec(),
            duration_text(rest)
        ));
        if !self.dry_run {
            let alert = self.writer.left_alone(&case, budget, rest, ctx.now());
            ctx.raise(alert);
        }
        self.note(&case, Outcome::LeftAlone, ctx);
    }

    /// The counts of a process that is watched begin.
    pub(crate) fn expect(&mut self, group: &str, name: &str) {
        self.actions.expect(group, name, &self.writer.action.to_string());
    }

    fn note(&mut self, case: &Case, outcome: Outcome, ctx: &Ctx<'_>) {
        let cause = Cause { bytes: case.process.bytes, limit: case.excess.limit() };
        let action = self.writer.action.to_string();
        self.actions.note(&case.process.instance, &action, cause, outcome, ctx.now());
    }

    /// When [`retry`](Self::retry) should be called next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.restarts.deadline()
    }

    /// Tries again to start what is owed a start.
    pub(crate) fn retry(&mut self, ctx: &mut Ctx<'_>) {
        for Settled { note: case, outcome, .. } in self.restarts.retry(ctx) {
            let outcome = match outcome {
                Ok(()) => {
                    self.tell(&case, ctx);
                    Outcome::Done
                }
                Err(error) => self.not_started(&error, &case, ctx),
            };
            self.note(&case, outcome, ctx);
        }
    }

    fn log_growth(&self, case: &Case, ctx: &Ctx<'_>) {
        if let Some(growth) = &case.growth {
            let label = self.writer.metric.label();
            case.log(ctx).line(format_args!("{label} of {} {}", case.namespec(), growth.line()));
        }
    }

    fn intervene(
        &mut self,
        intervention: Intervention,
        case: &mut Case,
        ctx: &mut Ctx<'_>,
    ) -> Result<(), Outcome> {
        let mut info = self.look_again(intervention, case, ctx)?;
        if self.run_before(case, ctx) {
            // That took its time.
            info = self.look_again(intervention, case, ctx)?;
        }
        let namespec = case.namespec();
        if ctx.is_ending() {
            return Err(nothing_done(case, ctx));
        }
        // By now, and by no clock that can be set.
        let waited = ctx.arrived.instant.elapsed().as_secs();
        let uptime = &mut case.process.instance.uptime;
        *uptime = uptime.saturating_add_unsigned(waited);
        case.log(ctx).line(Action::Intervene(intervention).doing(&namespec, false));
        match intervention {
            Intervention::Restart => {
                let stopped = match self.restarts.stop(&info, case.clone(), ctx) {
                    Ok(()) => Ok(()),
                    Err(StopError::Ending) => return Err(nothing_done(case, ctx)),
                    Err(StopError::Stopped(error) | StopError::Rpc(error)) => Err(error),
                };
                self.insist("stop", stopped, case, ctx)?;
                let started = self.restarts.start(&namespec, ctx);
                started.map_err(|error| self.not_started(&error, case, ctx))
            }
            Intervention::Stop => {
                let stopped = ctx.supervisor.stop(&namespec);
                self.insist("stop", stopped, case, ctx)
            }
            Intervention::Signal(signal) => {
                let sent = ctx.supervisor.signal(&namespec, signal.as_str());
                self.insist("signal", sent, case, ctx)
            }
        }
    }

    /// Runs the command of `--before`, and keeps what it printed; `false` if there is none.
    fn run_before(&self, case: &mut Case, ctx: &Ctx<'_>) -> bool {
        let Some(command) = &self.before else { return false };
        let why = [
            ("SUPERLANCE_BYTES", case.process.bytes.to_string()),
            ("SUPERLANCE_LIMIT", case.excess.limit().to_string()),
            ("SUPERLANCE_METRIC", self.writer.metric.name().to_owned()),
        ];
        let (title, output) = before::run(command, &case.process.instance, why, ctx.in_flight);
        case.log(ctx).line(format_args!("{title}:\n{}", output.trim_end_matches('\n')));
        case.output = Some((title, output));
        true
    }

    /// Whether it is still the process that was measured, and is not being stopped.
    fn look_again(
        &self,
        intervention: Intervention,
        case: &Case,
        ctx: &mut Ctx<'_>,
    ) -> Result<ProcessInfo, Outcome> {
        let namespec = case.namespec();
        match ctx.supervisor.info(&namespec) {
            Ok(info) if case.process.instance.is(&info) && info.state != State::Stopping => {
                Ok(info)
            }
            Ok(_) => {
                case.log(ctx).line(format_args!("{namespec} ends or has ended without memmon"));
                Err(Outcome::Gone)
            }
            Err(error) => {
                case.log(ctx).line(self.failure(intervention.verb(), case, &error));
                Err(Outcome::Failed(error.to_string()))
            }
        }
    }

    /// Tells people that a process was stopped and not started.
    fn not_started(&self, error: &NotStarted, case: &Case, ctx: &mut Ctx<'_>) -> Outcome {
        let start = "Failed to start process";
        let text = format!("{start} {} after stopping it: {error}", case.namespec());
        self.report("start", text, error.is_shutdown(), case, ctx);
        Outcome::Failed(error.to_string())
    }

    /// Tells people if supervisord did not do what was asked for.
    fn insist(
        &self,
        what: &str,
        outcome: Result<(), RpcError>,
        case: &Case,
        ctx: &mut Ctx<'_>,
    ) -> Result<(), Outcome> {
        outcome.map_err(|error| {
            let text = self.failure(what, case, &error);
            self.report(what, text, error.is_shutdown(), case, ctx);
            Outcome::Failed(error.to_string())
        })
    }

    fn failure(&self, what: &str, case: &Case, error: &RpcError) -> String {
        let (label, bytes) = (self.writer.metric.label(), case.process.bytes);
        format!("Failed to {what} process {} ({label} {bytes}): {error}", case.namespec())
    }

    /// Tells people what went wrong, and the log. Where supervisord ends everything it is no news.
    fn report(&self, what: &str, text: String, is_shutdown: bool, case: &Case, ctx: &mut Ctx<'_>) {
        case.log(ctx).line(&text);
        if is_shutdown {
            return;
        }
        let alert = self.writer.failed(what, text, case, ctx.now());
        ctx.raise(alert);
    }

    /// Tells people what was done.
    fn tell(&self, case: &Case, ctx: &mut Ctx<'_>) {
        if let Some(alert) = self.writer.done(case, ctx.now()) {
            ctx.raise(alert);
        }
    }
}

/// A process that is stopped now might not be started in time.
fn nothing_done(case: &Case, ctx: &Ctx<'_>) -> Outcome {
    let why = "memmon was told to end";
    case.log(ctx).line(format_args!("Nothing is done about {}: {why}", case.namespec()));
    Outcome::Failed(why.to_owned())
}
