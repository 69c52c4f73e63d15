//! The processes of `-p` and `-a`: those that supervisord has, and whether one of them runs.

use std::time::Instant;

use superlance_action::decide::is_down;
use superlance_action::instance::Instance;
use superlance_action::uptime::Uptimes;
use superlance_core::listener::Ctx;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::selection::{IdleSelectors, describe, idle};
use superlance_core::options::selector::Selector;
use superlance_core::supervisor::{ProcessInfo, RpcError, State};
use superlance_core::system::python;

/// The processes that the command line selects.
#[derive(Debug)]
pub(crate) struct Processes {
    programs: Vec<Selector>,
    any: bool,
    /// `group:name` of httpok itself, which it never restarts.
    own_namespec: Option<String>,
    pub(crate) blindness: Blindness,
    idle_selectors: IdleSelectors,
    uptimes: Uptimes,
}

/// The processes that supervisord has at a moment.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) all: Vec<ProcessInfo>,
    /// Those that are selected, in supervisord's order.
    pub(crate) selected: Vec<(ProcessInfo, Instance)>,
}

impl Processes {
    pub(crate) fn new(
        programs: Vec<Selector>,
        any: bool,
        own_namespec: Option<String>,
        blindness: Blindness,
    ) -> Self {
        let idle_selectors = IdleSelectors::default();
        let uptimes = Uptimes::default();
        Self { programs, any, own_namespec, blindness, idle_selectors, uptimes }
    }

    /// As the command line says it.
    pub(crate) fn describe(&self) -> String {
        match (self.any, describe("-p", &self.programs)) {
            (true, _) => "-a, all running processes".to_owned(),
            (false, none) if none.is_empty() => "no process".to_owned(),
            (false, options) => options,
        }
    }

    /// What recovers when too many of them had failed at once.
    pub(crate) fn key(&self) -> String {
        format!("the processes of {}", self.describe())
    }

    /// As the original says it.
    pub(crate) fn quote(&self) -> String {
        if self.any {
            return "all running processes".to_owned();
        }
        let programs: Vec<_> = self.programs.iter().map(Selector::as_str).collect();
        format!("selected processes {}", python::repr_list(&programs))
    }

    /// The selectors that mean no process, as the original says them; `None` if there are none.
    pub(crate) fn unknown(&self, all: &[ProcessInfo]) -> Option<String> {
        let unknown = |program: &&Selector| !all.iter().any(|info| program.matches(info.names()));
        let unknown: Vec<_> = self.programs.iter().filter(unknown).map(Selector::as_str).collect();
        (!unknown.is_empty()).then(|| python::repr_list(&unknown))
    }

    /// Asks supervisord again if it did not answer the last time.
    pub(crate) fn look_again(&mut self, ctx: &mut Ctx<'_>) {
        if self.blindness.is_away() {
            let _ = self.look(ctx);
        }
    }

    /// Asks supervisord for them before a check. When it does not answer, nothing could be restarted
    /// either.
    pub(crate) fn look(&mut self, ctx: &mut Ctx<'_>) -> Result<Listed, RpcError> {
        let listed = self.list(ctx).inspect_err(|error| self.blindness.unanswered(error, ctx))?;
        self.idle_selectors.report(idle("-p", &self.programs, &listed.all), ctx.log);
        Ok(listed)
    }

    /// Asks supervisord for them.
    pub(crate) fn list(&mut self, ctx: &mut Ctx<'_>) -> Result<Listed, RpcError> {
        let all = ctx.supervisor.all()?;
        self.blindness.succeeded(ctx);
        let now = ctx.arrived.instant + ctx.arrived.instant.elapsed();
        let selected = self.select(&all, now);
        Ok(Listed { all, selected })
    }

    fn select(&mut self, all: &[ProcessInfo], now: Instant) -> Vec<(ProcessInfo, Instance)> {
        let included: Vec<_> = all.iter().filter(|info| self.include(info, all)).collect();
        let running: Vec<_> = included.iter().copied().filter(|info| info.pid != 0).collect();
        self.uptimes.note(&running, now);
        let uptime = |info: &ProcessInfo| self.uptimes.of(info, now);
        included.into_iter().map(|info| (info.clone(), Instance::new(info, uptime(info)))).collect()
    }

    fn include(&self, info: &ProcessInfo, all: &[ProcessInfo]) -> bool {
        let is_self = self.own_namespec.as_ref().is_some_and(|own| info.has_namespec(own));
        !is_self && (self.any || self.programs.iter().any(|program| means(program, info, all)))
    }
}

impl Listed {
    /// Group and name of those of all that do not run, and should: among them those that are owed a start.
    pub(crate) fn down(&self, owed: &[String]) -> Vec<(String, String)> {
        let is_down = |info: &&ProcessInfo| is_down(info.state) || owed.contains(&info.namespec());
        let down = self.all.iter().filter(is_down);
        down.map(|info| (info.group.clone(), info.name.clone())).collect()
    }

    /// Those of the selected that run.
    pub(crate) fn running(&self) -> impl Iterator<Item = &ProcessInfo> {
        let infos = self.selected.iter().map(|(info, _)| info);
        infos.filter(|info| info.state == State::Running)
    }
}

/// Whether `program` means the process. What is the very name of one of `all` is not a pattern.
fn means(program: &Selector, info: &ProcessInfo, all: &[ProcessInfo]) -> bool {
    program.names(info.names())
        || program.matches(info.names()) && !all.iter().any(|other| program.names(other.names()))
}
