//! The states that processes are in and that they have reached. Pure.

use std::collections::HashMap;

use superlance_core::protocol::state::State;
use superlance_core::supervisor::ProcessInfo;

use crate::condition::{Condition, STATES};

/// What is known of all processes, by `group:name`.
#[derive(Debug, Default)]
pub struct States {
    seen: HashMap<String, Seen>,
    /// supervisord's clock at the last look.
    time: i64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    /// `None` for one that an event named, and that was not yet seen.
    now: Option<State>,
    /// Whether it was never started.
    is_new: bool,
    /// When it was started.
    start: i64,
    /// Whether the last check of this instance found it well.
    is_well: bool,
    reached: Reached,
}

/// A set of states that may be waited for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Reached(u8);

impl Reached {
    fn of(states: &[State]) -> Self {
        let places = states.iter().filter_map(|state| STATES.iter().position(|one| one == state));
        Self(places.fold(0, |set, place| set | 1 << place))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, state: State) -> bool {
        self.0 & Self::of(&[state]).0 != 0
    }
}

/// What a process in this state has been through; supervisord has no other way there.
fn implied(state: State) -> Reached {
    Reached::of(match state {
        State::Starting | State::Stopped | State::Unknown => &[State::Starting],
        State::Running => &[State::Starting, State::Running],
        State::Backoff => &[State::Starting, State::Backoff],
        State::Stopping => &[State::Starting, State::Stopping],
        State::Exited => &[State::Starting, State::Running, State::Exited],
        State::Fatal => &[State::Starting, State::Backoff, State::Fatal],
    })
}

/// The states that may be waited for in which a process in this state is, or which it has gone
/// through to be in it.
fn present(state: State) -> Reached {
    match state {
        State::Stopped | State::Unknown => Reached(0),
        State::Backoff | State::Stopping | State::Fatal => Reached::of(&[state]),
        State::Starting | State::Running | State::Exited => implied(state),
    }
}

impl States {
    /// An event said that a process has come into this state.
    pub fn hear(&mut self, namespec: &str, state: State) {
        let seen = self.seen.entry(namespec.to_owned()).or_default();
        seen.reached = seen.reached.and(implied(state));
    }

    /// supervisord said how all processes are. One that was never started, since it is new or was
    /// removed and added again, has reached nothing.
    pub fn look(&mut self, all: &[ProcessInfo]) {
        let before = std::mem::take(&mut self.seen);
        self.time = all.iter().map(|info| info.now).max().unwrap_or_default();
        for info in all {
            let namespec = info.namespec();
            let is_new = info.state == State::Stopped && info.start == 0;
            let known = before.get(&namespec).copied().unwrap_or_default();
            let reached = if is_new { Reached(0) } else { known.reached.and(implied(info.state)) };
            let is_well = known.is_well && known.start == info.start;
            let (now, start) = (Some(info.state), info.start);
            self.seen.insert(namespec, Seen { now, is_new, start, is_well, reached });
        }
    }

    /// A check found this process well, or not.
    pub fn examine(&mut self, namespec: &str, is_well: bool) {
        if let Some(seen) = self.seen.get_mut(namespec) {
            seen.is_well = is_well;
        }
    }

    /// Whether a process runs, and its last check found it well.
    #[must_use]
    pub fn is_healthy(&self, namespec: &str) -> bool {
        let seen = self.seen.get(namespec);
        seen.is_some_and(|seen| seen.is_well && seen.now == Some(State::Running))
    }

    /// The state of a process; `None` for one that supervisord does not know.
    #[must_use]
    pub fn now(&self, namespec: &str) -> Option<State> {
        self.seen.get(namespec)?.now
    }

    /// Whether a process was never started.
    #[must_use]
    pub fn is_new(&self, namespec: &str) -> bool {
        self.seen.get(namespec).is_some_and(|seen| seen.is_new)
    }

    /// Whether a process is or was in this state.
    #[must_use]
    pub fn has_reached(&self, namespec: &str, state: State) -> bool {
        self.seen.get(namespec).is_some_and(|seen| seen.reached.has(state))
    }

    /// Whether all processes of a condition have reached one and the same of its states, or are healthy.
    #[must_use]
    pub fn fulfil(&self, condition: &Condition) -> bool {
        self.met(condition, |one, state| self.has_reached(one, state))
    }

    /// The same, as they are now.
    #[must_use]
    pub fn fulfil_now(&self, condition: &Condition) -> bool {
        self.met(condition, |one, state| self.now(one).is_some_and(|now| present(now).has(state)))
    }

    fn met(&self, condition: &Condition, has: impl Fn(&str, State) -> bool) -> bool {
        let all = |is: &dyn Fn(&str) -> bool| condition.processes.iter().all(|one| is(one));
        condition.states.iter().any(|state| all(&|one| has(one, *state)))
            || condition.healthy && all(&|one| self.is_healthy(one))
    }

    /// Whether one process was started after another. A start in the future tells of a clock that was
    /// set back.
    #[must_use]
    pub fn is_newer(&self, one: &str, other: &str) -> bool {
        self.start(one) > self.start(other) && self.start(one) <= self.time
    }

    /// When a process was started; 0 for never.
    #[must_use]
    pub fn start(&self, namespec: &str) -> i64 {
        self.seen.get(namespec).map_or(0, |seen| seen.start)
    }

    /// Whether a process that was started is FATAL or was stopped.
    #[must_use]
    pub fn is_down(&self, namespec: &str) -> bool {
        !self.is_new(namespec) && matches!(self.now(namespec), Some(State::Fatal | State::Stopped))
    }

    /// Whether all processes of a condition run.
    #[must_use]
    pub fn run(&self, condition: &Condition) -> bool {
        condition.processes.iter().all(|one| self.now(one) == Some(State::Running))
    }

    /// The processes for which a condition is not fulfilled, each with its state.
    #[must_use]
    pub fn lacking<'a>(&self, condition: &'a Condition) -> Vec<(&'a str, Option<State>)> {
        let has = |namespec: &str| {
            condition.states.iter().any(|state| self.has_reached(namespec, *state))
                || condition.healthy && self.is_healthy(namespec)
        };
        let all = || condition.processes.iter().map(String::as_str);
        let lacking: Vec<_> = all().filter(|namespec| !has(namespec)).collect();
        // Each has reached one of the states, but not the same.
        let lacking = if lacking.is_empty() { all().collect() } else { lacking };
        lacking.into_iter().map(|namespec| (namespec, self.now(namespec))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, state: State, start: i64) -> ProcessInfo {
        let name = name.to_owned();
        ProcessInfo {
            group: name.clone(),
            name,
            pid: 0,
            state,
            start,
            stop: 0,
            exit_status: 0,
            now: 100,
        }
    }

    #[test]
    fn a_state_tells_what_was_before_it() {
        for (state, reached) in [
            (State::Stopped, "STARTING"),
            (State::Starting, "STARTING"),
            (State::Running, "STARTING RUNNING"),
            (State::Backoff, "STARTING BACKOFF"),
            (State::Stopping, "STARTING STOPPING"),
            (State::Exited, "STARTING RUNNING EXITED"),
            (State::Fatal, "STARTING BACKOFF FATAL"),
        ] {
            let mut states = States::default();
            states.look(&[info("a", state, 7)]);
            let has: Vec<_> =
                STATES.iter().filter(|state| states.has_reached("a:a", **state)).collect();
            let has: Vec<_> = has.into_iter().map(|state| state.name()).collect();
            assert_eq!(has.join(" "), reached, "{state:?}");
        }
    }

    #[test]
    fn what_was_reached_is_kept_until_a_process_is_new() {
        let mut states = States::default();
        states.hear("a:a", State::Exited);
        assert!(states.now("a:a").is_none() && states.has_reached("a:a", State::Exited));
        states.look(&[info("a", State::Starting, 7)]);
        assert!(states.has_reached("a:a", State::Exited) && !states.is_new("a:a"));
        states.look(&[info("a", State::Stopped, 0)]);
        assert!(!states.has_reached("a:a", State::Exited) && states.is_new("a:a"));
        states.look(&[]);
        assert_eq!(states.now("a:a"), None);
    }

    #[test]
    fn all_processes_must_have_reached_the_same_state() {
        let condition = Condition {
            target: "w".to_owned(),
            states: vec![State::Exited, State::Fatal],
            healthy: false,
            processes: vec!["a:a".to_owned(), "b:b".to_owned()],
            parents: vec![0],
        };
        let mut states = States::default();
        for (b, fulfilled, lacking) in [
            (State::Running, false, &["b:b"][..]),
            (State::Fatal, false, &["a:a", "b:b"]),
            (State::Exited, true, &["a:a", "b:b"]),
        ] {
            states.look(&[info("a", State::Exited, 7), info("b", b, 7)]);
            assert_eq!(states.fulfil(&condition), fulfilled, "{b:?}");
            let names: Vec<_> = states.lacking(&condition).iter().map(|(name, _)| *name).collect();
            assert_eq!(names, lacking, "{b:?}");
        }
    }
}
