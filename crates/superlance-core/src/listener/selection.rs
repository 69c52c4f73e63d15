//! The processes that options select, and options that select none.

use std::mem;

use crate::listener::Ctx;
use crate::options::selector::{Names, Selector};
use crate::supervisor::ProcessInfo;
use crate::system::log::{Log, LogOnce};

/// The processes that an option such as `-p` selects: all, where it is not given.
#[derive(Debug)]
pub struct Selection {
    option: &'static str,
    selectors: Vec<Selector>,
    /// Whether supervisord was asked for its processes.
    asked: bool,
    idle: IdleSelectors,
}

impl Selection {
    /// The processes that `selectors`, each given with `option`, select.
    #[must_use]
    pub fn new(option: &'static str, selectors: Vec<Selector>) -> Self {
        Self { option, selectors, asked: false, idle: IdleSelectors::default() }
    }

    /// Whether it has this process.
    #[must_use]
    pub fn contains(&self, process: Names<'_>) -> bool {
        self.selectors.is_empty() || self.selectors.iter().any(|given| given.matches(process))
    }

    /// As it is written on the command line: `-p foo, -p bar`.
    #[must_use]
    pub fn describe(&self) -> String {
        match describe(self.option, &self.selectors).as_str() {
            "" => "every process".to_owned(),
            options => options.to_owned(),
        }
    }

    /// Something happened to a process that is not selected, which may be a slip of the pen: the
    /// selectors are named that match nothing supervisord has. It is asked once, answer or not: an answer
    /// may take half a minute, for which events wait.
    pub fn name_idle(&mut self, ctx: &mut Ctx<'_>) {
        if mem::replace(&mut self.asked, true) {
            return;
        }
        if let Ok(all) = ctx.supervisor.all() {
            self.idle.report(idle(self.option, &self.selectors, &all), ctx.log);
        }
    }
}

/// Names options that select no process that supervisord has, once until they change.
#[derive(Debug, Default)]
pub struct IdleSelectors(LogOnce);

impl IdleSelectors {
    /// These options, such as `-p foo`, select none.
    pub fn report(&mut self, idle: Vec<String>, log: &Log) {
        if !idle.is_empty() {
            let idle = idle.join(", ");
            let message = format!(
                "No process of supervisord matches {idle}: compare with supervisorctl status (SL301)"
            );
            self.0.report(log, message);
        } else if self.0.clear() {
            log.line("Every option matches a process now");
        }
    }
}

/// The selectors that match none of these processes, as they are written on the command line.
#[must_use]
pub fn idle(option: &str, selectors: &[Selector], all: &[ProcessInfo]) -> Vec<String> {
    let matches = |selector: &Selector| all.iter().any(|info| selector.matches(info.names()));
    let idle = selectors.iter().filter(|selector| !matches(selector));
    idle.map(|selector| format!("{option} {}", selector.as_str())).collect()
}

/// Selectors as they are written on the command line.
#[must_use]
pub fn describe(option: &str, selectors: &[Selector]) -> String {
    let option = |selector: &Selector| format!("{option} {}", selector.as_str());
    selectors.iter().map(option).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::RpcError;
    use crate::testing::{ScriptedSupervisor, World};

    fn selection(selectors: &[&str]) -> Selection {
        let selectors = selectors.iter().map(|text| text.parse().unwrap()).collect();
        Selection::new("-p", selectors)
    }

    #[test]
    fn without_selectors_everything_is_selected() {
        let foo = Names { group: "g", process: "foo" };
        assert!(selection(&[]).contains(foo) && selection(&["x", "g:*"]).contains(foo));
        assert!(!selection(&["fooo"]).contains(foo));
        assert_eq!(selection(&[]).describe(), "every process");
        assert_eq!(selection(&["x", "g:*"]).describe(), "-p x, -p g:*");
    }

    #[test]
    fn selectors_that_match_nothing_are_named_once_where_supervisord_answers() {
        let mut world = World::new(ScriptedSupervisor::at(1000).with("g:foo", 7));
        let mut selection = selection(&["fooo", "foo", "bar*"]);
        for _ in 0..3 {
            world.with_ctx(|ctx| selection.name_idle(ctx));
        }
        let said = "No process of supervisord matches -p fooo, -p bar*: compare with \
                    supervisorctl status (SL301)\n";
        assert_eq!((world.log().as_str(), world.supervisor.calls.len()), (said, 1));
    }

    #[test]
    fn a_supervisord_that_does_not_answer_is_not_asked_again() {
        let mut world = World::new(ScriptedSupervisor::at(1000));
        let mut selection = selection(&["foo"]);
        world.supervisor.fail("all", RpcError::NoAnswer("within 30 seconds".to_owned()));
        for _ in 0..3 {
            world.with_ctx(|ctx| selection.name_idle(ctx));
        }
        assert_eq!((world.log().as_str(), world.supervisor.calls.len()), ("", 1));
    }
}
