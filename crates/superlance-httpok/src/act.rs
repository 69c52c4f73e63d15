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
        let process = Instance::new(seen, seen.uptime());
        self.note(&process, action, failure, outcome, ctx);
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
            Ok(info) if self.each && !is_same(&info, seen) => {
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
        let process = Instance::new(info, info.uptime());
        report.attach(info, before::run(command, &process, why, ctx.in_flight));
        true
    }

    fn restart(
        &mut self,
        info: &ProcessInfo,
        failure: &Failure,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Outcome {
        let process = Instance::new(info, info.uptime());
        let owed = Owed { failure: failure.clone(), process };
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

/// Whether they are the same instance: pids are used again.
fn is_same(info: &ProcessInfo, seen: &ProcessInfo) -> bool {
    (info.pid, info.start) == (seen.pid, seen.start)
}

/// A process that is stopped now might not be started in time.
fn not_done(process: &ProcessInfo, done: &str, report: &mut Report<'_>) -> Outcome {
    let (name, why) = (process.short_name(), "httpok was told to end");
    report.write_about(process, format!("{name} NOT {done}, since {why}"));
    Outcome::Failed(why.to_owned())
}

#[cfg(test)]
mod tests {
    use superlance_core::system::log::Log;
    use superlance_core::testing::{ScriptedSupervisor, World};

    use super::*;

    fn actor() -> Actor {
        Actor {
            action: "restart".parse().unwrap(),
            each: false,
            start: Vec::new(),
            gcore: None,
            before: None,
            dry_run: false,
            restarts: Restarts::new(Some("own:own".to_owned())),
            actions: ActionLog::default(),
        }
    }

    fn failure() -> Failure {
        let (subject, key) = (String::new(), String::new());
        Failure { kind: "x", subject, key, url: None, class: None, status: None }
    }

    #[test]
    fn a_process_that_changed_meanwhile_is_looked_at_again() {
        let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
        let seen = world.supervisor.process("foo:foo").unwrap().clone();
        let (log, mut actor) = (Log::new(std::io::sink()), actor());
        let mut report = Report::new(&log);
        let mut act = |world: &mut World| {
            world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
        };
        world.supervisor.process("foo:foo").unwrap().state = State::Exited;
        act(&mut world);
        world.supervisor.processes.clear();
        act(&mut world);
        let lines = [
            "foo not in RUNNING state, NOT restarting",
            "Failed to restart process foo: <Fault 10: 'BAD_NAME: foo:foo'>",
        ];
        assert_eq!(report.lines(), lines);
        assert_eq!(world.supervisor.calls, ["info(foo:foo)"; 2]);
    }

    /// With `--each` it was another instance that failed; otherwise it is the URL.
    #[test]
    fn a_process_that_was_started_anew_meanwhile_is_another() {
        for (each, line) in [
            (true, "foo was started anew meanwhile, NOT restarting"),
            (false, "foo is in RUNNING state, restarting"),
        ] {
            let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
            let seen = world.supervisor.process("foo:foo").unwrap().clone();
            world.supervisor.process("foo:foo").unwrap().pid = 8;
            let (log, mut actor) = (Log::new(std::io::sink()), Actor { each, ..actor() });
            let mut report = Report::new(&log);
            world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
            assert_eq!(report.lines()[0], line);
        }
    }

    /// Where httpok is while gcore or a slow answer of supervisord takes its time.
    #[test]
    fn a_process_is_not_stopped_when_httpok_was_told_to_end_meanwhile() {
        let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
        world.ending = true.into();
        let seen = world.supervisor.process("foo:foo").unwrap().clone();
        let (log, mut actor) = (Log::new(std::io::sink()), actor());
        let mut report = Report::new(&log);
        world.with_ctx(|ctx| actor.restart(&seen, &failure(), &mut report, ctx));
        for (action, done) in
            [("restart", "restarted"), ("stop", "stopped"), ("signal:HUP", "signalled")]
        {
            actor.action = action.parse().unwrap();
            world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
            let line = format!("foo NOT {done}, since httpok was told to end");
            assert_eq!(report.lines().last(), Some(&line));
        }
        assert!(world.supervisor.calls.is_empty(), "{:?}", world.supervisor.calls);
        assert_eq!(report.lines()[0], "foo NOT restarted, since httpok was told to end");
    }

    /// supervisord refuses the start, and then everything is stopped, httpok included.
    #[test]
    fn a_process_that_stays_stopped_with_all_others_is_told() {
        let supervisor = ScriptedSupervisor::at(1000).with("foo:foo", 7).with("own:own", 8);
        let mut world = World::new(supervisor.with("db:db", 9));
        let seen = world.supervisor.process("foo:foo").unwrap().clone();
        let (log, mut actor) = (Log::new(std::io::sink()), actor());
        let mut report = Report::new(&log);
        world.supervisor.refuse("start", 20, "NO_FILE: /x");
        world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
        world.ending = true.into();
        for name in ["own:own", "db:db"] {
            world.supervisor.process(name).unwrap().state = State::Stopping;
        }
        actor.restarts.hurry();
        world.with_ctx(|ctx| actor.retry(ctx));
        let alert = &world.alerts[0];
        let text = "foo:foo is not started again: all processes are being stopped; \
                    start it with: supervisorctl start foo:foo";
        assert_eq!((alert.kind.as_str(), alert.text.as_str()), ("failed-to-start", text));
    }
}
