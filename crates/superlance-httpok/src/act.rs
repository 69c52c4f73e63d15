//! Actions on the processes of a check that fails.

mod words;

use std::time::Instant;

use serde::Serialize;
use superlance_action::action::{Action, Intervention};
use superlance_action::before;
use superlance_action::instance::Instance;
use superlance_action::report::action_log::{ActionLog, Outcome};
use superlance_core::listener::Ctx;
use superlance_core::listener::restart::{NotStarted, Restarts, Settled, StopError};
use superlance_core::supervisor::{ProcessInfo, RpcError, State};
use superlance_probe::outcome::Class;

use self::words::Words;
use crate::gcore::Gcore;
use crate::report::{Failure, Report};

/// Acts, and says what it does in a [`Report`].
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) action: Action,
    /// Whether failures are those of one instance (`--each`), so that a newer one is not acted on.
    pub(crate) each: bool,
    /// The states in which processes are started (`--start`).
    pub(crate) start: Vec<State>,
    pub(crate) gcore: Option<Gcore>,
    /// The command of `--before`.
    pub(crate) before: Option<String>,
    /// Whether nothing is done (`--dry-run`).
    pub(crate) dry_run: bool,
    pub(crate) restarts: Restarts<Owed>,
    pub(crate) actions: ActionLog<Cause>,
}

/// What there is to tell when a process runs again that was stopped and could not be started at once.
#[derive(Debug, Clone)]
pub(crate) struct Owed {
    failure: Failure,
    process: Instance,
}

/// The reason for an action, in the status file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cause {
    action: String,
    url: Option<String>,
    /// The class of the failure.
    class: Option<&'static str>,
}

impl Actor {
    /// Does something about a process that was seen in this state, if it still is in it: the ones before it
    /// may have taken minutes.
    pub(crate) fn act(
        &mut self,
        seen: &ProcessInfo,
        failure: &Failure,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let (action, outcome) = match seen.state {
            State::Running => (self.action.to_string(), self.intervene(seen, failure, report, ctx)),
            _ => ("start".to_owned(), self.start(seen, failure, report, ctx)),
        };
        self.note(&seen.into(), action, failure, outcome, ctx);
    }

    /// Takes note that enough was done about a process.
    pub(crate) fn left_alone(&mut self, process: &Instance, failure: &Failure, ctx: &Ctx<'_>) {
        self.note(process, self.action.to_string(), failure, Outcome::LeftAlone, ctx);
    }

    /// The counts of a process begin.
    pub(crate) fn expect(&mut self, process: &ProcessInfo) {
        let ProcessInfo { group, name, .. } = process;
        self.actions.expect(group, name, &self.action.to_string());
        if !self.start.is_empty() {
            self.actions.expect(group, name, "start");
        }
    }

    fn note(
        &mut self,
        process: &Instance,
        action: String,
        failure: &Failure,
        outcome: Outcome,
        ctx: &Ctx<'_>,
    ) {
        let (url, class) = (failure.url.clone(), failure.class.map(Class::name));
        let cause = Cause { action: action.clone(), url, class };
        self.actions.note(process, &action, cause, outcome, ctx.now());
    }

    fn intervene(
        &mut self,
        seen: &ProcessInfo,
        failure: &Failure,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Outcome {
        let name = seen.short_name();
        let Action::Intervene(intervention) = self.action else {
            return self.only_tell(seen, failure, report, ctx);
        };
        let what = Words::of(intervention);
        if ctx.is_ending() {
            return not_done(seen, what.undone, report);
        }
        let info = match self.look_again(seen, &what, report, ctx) {
            Ok(info) => info,
            Err(outcome) => return outcome,
        };
        if self.dry_run {
            report.write_about(&info, self.action.doing(&name, true));
            return Outcome::Dry;
        }
        for line in self.gcore.iter().flat_map(|gcore| gcore.dump(&info)) {
            report.write_about(&info, line);
        }
        if self.run_before(&info, failure, report, ctx) {
            // That took its time.
            if let Err(outcome) = self.look_again(seen, &what, report, ctx) {
                return outcome;
            }
        }
        report.write_about(&info, format!("{name} is in RUNNING state, {}", what.doing));
        if intervention == Intervention::Restart {
            return self.restart(&info, failure, report, ctx);
        }
        if ctx.is_ending() {
            return not_done(seen, what.undone, report);
        }
        let outcome = match intervention {
            Intervention::Signal(signal) => {
                ctx.supervisor.signal(&info.namespec(), signal.as_str())
            }
            _ => ctx.supervisor.stop(&info.namespec()),
        };
        match outcome {
            Ok(()) => {
                report.done(&info, &self.action.to_string(), &what.done);
                Outcome::Done
            }
            Err(error) => failed(intervention.verb(), &info, &error, report),
        }
    }

    fn only_tell(
        &self,
        seen: &ProcessInfo,
        failure: &Failure,
        report: &mut Report<'_>,
        ctx: &Ctx<'_>,
    ) -> Outcome {
        if self.dry_run {
            report.write_about(seen, self.action.doing(&seen.short_name(), true));
            return Outcome::Dry;
        }
        self.run_before(seen, failure, report, ctx);
        Outcome::Done
    }

    /// The process as it is now, if it still runs and is the one that was checked.
    fn look_again(
        &self,
        seen: &ProcessInfo,
        what: &Words,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Result<ProcessInfo, Outcome> {
        let name = seen.short_name();
        match ctx.supervisor.info(&seen.namespec()) {
            Ok(info) if info.state != State::Running => {
                let text = format!("{name} not in RUNNING state, NOT {}", what.doing);
                report.write_about(seen, text);
                Err(Outcome::Gone)
            }
            Ok(info) if self.each && !Instance::from(seen).is(&info) => {
                let text = format!("{name} was started anew meanwhile, NOT {}", what.doing);
                report.write_about(seen, text);
                Err(Outcome::Gone)
            }
            Ok(info) => Ok(info),
            Err(error) => Err(failed(what.verb, seen, &error, report)),
        }
    }

    /// Runs the command of `--before`; `false` if there is none.
    fn run_before(
        &self,
        info: &ProcessInfo,
        failure: &Failure,
        report: &mut Report<'_>,
        ctx: &Ctx<'_>,
    ) -> bool {
        let Some(command) = &self.before else { return false };
        let why = [
            ("SUPERLANCE_URL", failure.url.clone()),
            ("SUPERLANCE_STATUS", failure.status.map(|status| status.to_string())),
            ("SUPERLANCE_REASON", failure.class.map(|class| class.name().to_owned())),
        ];
        let why = why.map(|(name, value)| (name, value.unwrap_or_default()));
        report.attach(info, before::run(command, &info.into(), why, ctx.in_flight));
        true
    }

    fn restart(
        &mut self,
        info: &ProcessInfo,
        failure: &Failure,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Outcome {
        let owed = Owed { failure: failure.clone(), process: info.into() };
        match self.restarts.stop(info, owed, ctx) {
            Ok(()) => {}
            Err(StopError::Ending) => return not_done(info, "restarted", report),
            Err(StopError::Stopped(error)) => return failed("stop", info, &error, report),
            Err(StopError::Rpc(error)) => {
                let outcome = failed("stop", info, &error, report);
                // A process that ended by itself is started, as in the original. Where no answer
                // came, `restarts` finds out what became of the process.
                if error.is_shutdown() || !matches!(error, RpcError::Fault(_)) {
                    return outcome;
                }
            }
        }
        match self.restarts.start(&info.namespec(), ctx) {
            Ok(()) => {
                report.done(info, "restart", "restarted");
                Outcome::Done
            }
            Err(NotStarted::Rpc(error)) => failed("start", info, &error, report),
            Err(all_stop) => {
                let name = info.short_name();
                report.write_about(info, format!("{name} is not started again: {all_stop}"));
                Outcome::Failed(all_stop.to_string())
            }
        }
    }

    /// Starts a process that does not run, if it is still in a state of `--start`.
    fn start(
        &mut self,
        seen: &ProcessInfo,
        failure: &Failure,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Outcome {
        let name = seen.short_name();
        if ctx.is_ending() {
            return not_done(seen, "started", report);
        }
        let info = match ctx.supervisor.info(&seen.namespec()) {
            Ok(info) if self.start.contains(&info.state) => info,
            Ok(info) => {
                let state = info.state.name();
                report.write_about(seen, format!("{name} is in {state} state, NOT starting"));
                return Outcome::Gone;
            }
            Err(error) => return failed("start", seen, &error, report),
        };
        if self.dry_run {
            report.write_about(&info, format!("Would start {name}"));
            return Outcome::Dry;
        }
        self.run_before(&info, failure, report, ctx);
        report.write_about(&info, format!("{name} is in {} state, starting", info.state.name()));
        match ctx.supervisor.start(&info.namespec()) {
            Ok(()) => {
                report.done(&info, "start", "started");
                Outcome::Done
            }
            Err(error) => failed("start", &info, &error, report),
        }
    }

    /// When [`retry`](Self::retry) should be called next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.restarts.deadline()
    }

    /// Tries again to start what was stopped and could not be started.
    pub(crate) fn retry(&mut self, ctx: &mut Ctx<'_>) {
        for Settled { namespec, note, outcome } in self.restarts.retry(ctx) {
            let (Owed { failure, process }, now) = (note, ctx.now());
            let (alert, outcome) = match outcome {
                Ok(()) => {
                    let text = format!("{namespec} was started again");
                    let alert = failure.alert("started-again", text, now).action("restart");
                    (alert, Outcome::Done)
                }
                Err(error) => {
                    let text = format!("{namespec} is not started again: {error}");
                    let alert = failure.alert("failed-to-start", text, now);
                    (alert, Outcome::Failed(error.to_string()))
                }
            };
            ctx.raise(alert.about(&process.group, &process.name, None));
            self.note(&process, "restart".to_owned(), &failure, outcome, ctx);
        }
    }

    /// Whether processes are stopped, and stay so.
    pub(crate) fn stops(&self) -> bool {
        self.action == Action::Intervene(Intervention::Stop)
    }

    /// What was done to a process in this state, in a word.
    pub(crate) fn done(&self, state: State) -> &'static str {
        match self.action {
            _ if state != State::Running => "started",
            Action::Intervene(intervention) => Words::of(intervention).undone,
            Action::Alert => "told about",
        }
    }

    /// What is done to a process that runs, in a word.
    pub(crate) fn doing(&self) -> String {
        match self.action {
            Action::Intervene(intervention) => Words::of(intervention).doing,
            Action::Alert => "telling".to_owned(),
        }
    }
}

fn failed(what: &str, process: &ProcessInfo, error: &RpcError, report: &mut Report<'_>) -> Outcome {
    report.failed(what, process, error);
    Outcome::Failed(error.to_string())
}

/// A process that is stopped now might not be started in time.
fn not_done(process: &ProcessInfo, done: &str, report: &mut Report<'_>) -> Outcome {
    let (name, why) = (process.short_name(), "httpok was told to end");
    report.write_about(process, format!("{name} NOT {done}, since {why}"));
    Outcome::Failed(why.to_owned())
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
