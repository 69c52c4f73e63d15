//! The processes of `-p` and `-a`: whether one of them runs, and their restart.

use std::time::Instant;

use superlance_core::listener::Ctx;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::in_flight::InFlight;
use superlance_core::listener::restart::{NotStarted, Record, Restarts, Settled, StopError};
use superlance_core::listener::selection::{IdleSelectors, describe, idle};
use superlance_core::options::selector::{Names, Selector};
use superlance_core::spool::journal::Journal;
use superlance_core::supervisor::{ProcessInfo, RpcError, State};
use superlance_core::system::python;

use crate::gcore::Gcore;
use crate::report::{Failure, Report};

/// The processes, and what is done with them.
#[derive(Debug)]
pub(crate) struct Processes {
    programs: Vec<Selector>,
    any: bool,
    gcore: Option<Gcore>,
    /// `group:name` of httpok itself, which it never restarts.
    own_namespec: Option<String>,
    /// With what is known of the failure.
    restarts: Restarts<Failure>,
    blindness: Blindness,
    idle_selectors: IdleSelectors,
}

impl Processes {
    pub(crate) fn new(
        programs: Vec<Selector>,
        any: bool,
        gcore: Option<Gcore>,
        own_namespec: Option<String>,
        blindness: Blindness,
    ) -> Self {
        let (restarts, idle_selectors) =
            (Restarts::new(own_namespec.clone()), IdleSelectors::default());
        Self { programs, any, gcore, own_namespec, restarts, blindness, idle_selectors }
    }

    /// As the command line says it.
    pub(crate) fn describe(&self) -> String {
        match (self.any, describe("-p", &self.programs)) {
            (true, _) => "-a, all running processes".to_owned(),
            (false, none) if none.is_empty() => "no process".to_owned(),
            (false, options) => options,
        }
    }

    /// Keeps what is owed a start in this journal.
    pub(crate) fn keep(&mut self, journal: (Journal, Vec<Record>), in_flight: &InFlight) {
        self.restarts.keep(journal, in_flight);
    }

    /// Asks supervisord again if it did not answer the last time.
    pub(crate) fn look_again(&mut self, ctx: &mut Ctx<'_>) {
        if self.blindness.is_away() {
            self.something_runs(ctx);
        }
    }

    /// Whether one of them runs. When supervisord does not say, nothing could be restarted either.
    pub(crate) fn something_runs(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match ctx.supervisor.all() {
            Ok(all) => {
                self.blindness.succeeded(ctx);
                self.idle_selectors.report(idle("-p", &self.programs, &all), ctx.log);
                all.iter().any(|info| info.state == State::Running && self.include(info, &all))
            }
            Err(error) => {
                self.blindness.unanswered(&error, ctx);
                false
            }
        }
    }

    fn include(&self, info: &ProcessInfo, all: &[ProcessInfo]) -> bool {
        let is_self = self.own_namespec.as_ref().is_some_and(|own| *own == info.namespec());
        !is_self && (self.any || self.programs.iter().any(|program| means(program, info, all)))
    }

    /// Restarts them, and tells about it. `message` says why.
    pub(crate) fn act(&mut self, failure: Failure, message: String, ctx: &mut Ctx<'_>) {
        let mut report = Report::new(ctx.log);
        report.write(message);
        let all = match ctx.supervisor.all() {
            Ok(all) => all,
            Err(error) => {
                report.write(format!("Exception retrieving process info {error}, not acting"));
                return self.blindness.not_acting(&error, ctx);
            }
        };
        self.blindness.succeeded(ctx);
        if self.any {
            report.write("Restarting all running processes".to_owned());
        } else {
            let programs: Vec<_> = self.programs.iter().map(Selector::as_str).collect();
            let programs = python::repr_list(&programs);
            report.write(format!("Restarting selected processes {programs}"));
        }
        let included: Vec<_> = all.iter().filter(|info| self.include(info, &all)).collect();
        for info in &included {
            if ctx.is_ending() {
                report.write_about(info, not_restarted(&info.short_name()));
            } else {
                self.restart(info, &failure, &mut report, ctx);
            }
        }
        let unknown = |program: &&Selector| !all.iter().any(|info| program.matches(names(info)));
        let unknown: Vec<_> = self.programs.iter().filter(unknown).map(Selector::as_str).collect();
        if !unknown.is_empty() {
            let unknown = python::repr_list(&unknown);
            report.write(format!("Programs not restarted because they did not exist: {unknown}"));
        }
        if report.is_shutdown() {
            return;
        }
        let alert = report.alert(&failure, ctx.now());
        ctx.raise(match included.as_slice() {
            [info] => alert.about(&info.group, &info.name, None),
            _ => alert,
        });
    }

    /// Restarts a process if it still runs: the ones before it may have taken minutes.
    fn restart(
        &mut self,
        seen: &ProcessInfo,
        failure: &Failure,
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
            Ok(_) => {
                let text = format!("{name} not in RUNNING state, NOT restarting");
                return report.write_about(seen, text);
            }
            Err(error) => {
                return report.failed("restart", seen, &error);
            }
        };
        for line in self.gcore.iter().flat_map(|gcore| gcore.dump(&info)) {
            report.write_about(&info, line);
        }
        report.write_about(&info, format!("{name} is in RUNNING state, restarting"));
        match self.restarts.stop(&info, failure.clone(), ctx) {
            Ok(()) => {}
            Err(StopError::Ending) => return report.write_about(&info, not_restarted(&name)),
            Err(StopError::Stopped(error)) => return report.failed("stop", &info, &error),
            Err(StopError::Rpc(error)) => {
                report.failed("stop", &info, &error);
                // A process that ended by itself is started, as in the original. Where no answer
                // came, `restarts` finds out what became of the process.
                if error.is_shutdown() || !matches!(error, RpcError::Fault(_)) {
                    return;
                }
            }
        }
        match self.restarts.start(&info.namespec(), ctx) {
            Ok(()) => report.restarted(&info),
            Err(NotStarted::Rpc(error)) => report.failed("start", &info, &error),
            Err(all_stop) => {
                report.write_about(&info, format!("{name} is not started again: {all_stop}"));
            }
        }
    }

    /// When [`retry`](Self::retry) should be called next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.restarts.deadline()
    }

    /// The listener is about to end.
    pub(crate) fn hurry(&mut self) {
        self.restarts.hurry();
    }

    /// Tries again to start what was stopped and could not be started.
    pub(crate) fn retry(&mut self, ctx: &mut Ctx<'_>) {
        for Settled { namespec, note: failure, outcome } in self.restarts.retry(ctx) {
            let (group, name) = namespec.split_once(':').unwrap_or((&namespec, &namespec));
            let now = ctx.now();
            let alert = match outcome {
                Ok(()) => {
                    let text = format!("{namespec} was started again");
                    failure.alert("started-again", text, now).action("restart")
                }
                Err(error) => {
                    let text = format!("{namespec} is not started again: {error}");
                    failure.alert("failed-to-start", text, now)
                }
            };
            ctx.raise(alert.about(group, name, None));
        }
    }
}

/// A process that is stopped now might not be started in time.
fn not_restarted(name: &str) -> String {
    format!("{name} NOT restarted, since httpok was told to end")
}

/// Whether `program` means the process. What is the very name of one of `all` is not a pattern.
fn means(program: &Selector, info: &ProcessInfo, all: &[ProcessInfo]) -> bool {
    program.names(names(info))
        || program.matches(names(info)) && !all.iter().any(|other| program.names(names(other)))
}

fn names(info: &ProcessInfo) -> Names<'_> {
    Names { group: &info.group, process: &info.name }
}

#[cfg(test)]
mod tests {
    use superlance_core::system::log::Log;
    use superlance_core::testing::{ScriptedSupervisor, World};

    use super::*;

    #[test]
    fn a_process_that_changed_meanwhile_is_looked_at_again() {
        let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
        let seen = world.supervisor.process("foo:foo").unwrap().clone();
        let mut processes =
            Processes::new(Vec::new(), true, None, None, Blindness::new("httpok", None, true));
        world.supervisor.process("foo:foo").unwrap().state = State::Exited;
        let log = Log::new(std::io::sink());
        let mut report = Report::new(&log);
        let failure = Failure { kind: "x", subject: String::new(), url: String::new() };
        world.with_ctx(|ctx| processes.restart(&seen, &failure, &mut report, ctx));
        world.supervisor.processes.clear();
        world.with_ctx(|ctx| processes.restart(&seen, &failure, &mut report, ctx));
        assert_eq!(report.lines()[0], "foo not in RUNNING state, NOT restarting");
        let gone = "Failed to restart process foo: <Fault 10: 'BAD_NAME: foo:foo'>";
        assert_eq!(report.lines()[1], gone);
        assert_eq!(world.supervisor.calls, ["info(foo:foo)", "info(foo:foo)"]);
    }

    /// `restart` is where httpok is while gcore or a slow answer of supervisord takes its time.
    #[test]
    fn a_process_is_not_stopped_when_httpok_was_told_to_end_meanwhile() {
        let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
        world.ending = true.into();
        let seen = world.supervisor.process("foo:foo").unwrap().clone();
        let mut processes =
            Processes::new(Vec::new(), true, None, None, Blindness::new("httpok", None, true));
        let log = Log::new(std::io::sink());
        let mut report = Report::new(&log);
        let failure = Failure { kind: "x", subject: String::new(), url: String::new() };
        world.with_ctx(|ctx| processes.restart(&seen, &failure, &mut report, ctx));
        assert_eq!(world.supervisor.calls, ["info(foo:foo)"]);
        assert_eq!(report.lines()[1], "foo NOT restarted, since httpok was told to end");
    }

    /// supervisord refuses the start, and then everything is stopped, httpok included.
    #[test]
    fn a_process_that_stays_stopped_with_all_others_is_told() {
        let supervisor = ScriptedSupervisor::at(1000).with("foo:foo", 7).with("own:own", 8);
        let mut world = World::new(supervisor.with("db:db", 9));
        let own = Some("own:own".to_owned());
        let programs = vec!["foo".parse().unwrap()];
        let blindness = Blindness::new("httpok", None, true);
        let mut processes = Processes::new(programs, false, None, own, blindness);
        world.supervisor.refuse("start", 20, "NO_FILE: /x");
        let failure = Failure { kind: "x", subject: String::new(), url: String::new() };
        world.with_ctx(|ctx| processes.act(failure, String::new(), ctx));
        world.ending = true.into();
        for name in ["own:own", "db:db"] {
            world.supervisor.process(name).unwrap().state = State::Stopping;
        }
        processes.hurry();
        world.with_ctx(|ctx| processes.retry(ctx));
        let alert = &world.alerts[1];
        let text = "foo:foo is not started again: all processes are being stopped; \
                    start it with: supervisorctl start foo:foo";
        assert_eq!((alert.kind.as_str(), alert.text.as_str()), ("failed-to-start", text));
    }
}
