//! Triggers: the changes of state that cause an alert (`--on`), and the words for them. Pure.

use std::str::FromStr;

use clap::Args;

use superlance_core::listener::Interest;
use superlance_core::protocol::event::ProcessState;
use superlance_core::protocol::frame::Frame;
use superlance_core::protocol::state::State;

/// A change of state that may be worth a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// An unexpected exit.
    Exited,
    /// An expected exit.
    Expected,
    /// supervisord has given up starting the process.
    Fatal,
    /// An attempt to start the process failed.
    Backoff,
    /// The process was stopped.
    Stopped,
    /// The process has stayed up for its `startsecs`.
    Running,
    /// The process is being started.
    Starting,
    /// The process is being stopped.
    Stopping,
    /// supervisord could not stop the process.
    Unknown,
}

impl Trigger {
    const ALL: [Self; 9] = [
        Self::Exited,
        Self::Expected,
        Self::Fatal,
        Self::Backoff,
        Self::Stopped,
        Self::Running,
        Self::Starting,
        Self::Stopping,
        Self::Unknown,
    ];

    /// The name on the command line, the state, the words for a subject, and whether it is an end and
    /// whether it is trouble.
    fn row(self) -> (&'static str, State, &'static str, bool, bool) {
        match self {
            Self::Exited => ("exited", State::Exited, "crashed", true, true),
            Self::Expected => ("expected", State::Exited, "exited", true, false),
            Self::Fatal => ("fatal", State::Fatal, "failed to start too many times", true, true),
            Self::Backoff => ("backoff", State::Backoff, "failed to start", true, true),
            Self::Stopped => ("stopped", State::Stopped, "stopped", true, true),
            Self::Running => ("running", State::Running, "is running", false, false),
            Self::Starting => ("starting", State::Starting, "is starting", false, false),
            Self::Stopping => ("stopping", State::Stopping, "is stopping", false, false),
            Self::Unknown => ("unknown", State::Unknown, "is in an unknown state", false, true),
        }
    }

    /// The trigger of a change of state.
    #[must_use]
    pub fn of(change: &ProcessState) -> Option<Self> {
        let is_crash = change.is_unexpected_exit();
        Self::ALL.into_iter().find(|trigger| {
            trigger.state() == change.state && (*trigger != Self::Exited || is_crash)
        })
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The state that the process is in.
    #[must_use]
    pub fn state(self) -> State {
        self.row().1
    }

    /// The words in a subject: `foo …`.
    #[must_use]
    pub fn headline(self) -> &'static str {
        self.row().2
    }

    /// Whether the process has ended, so that there may be a post-mortem.
    #[must_use]
    pub fn is_end(self) -> bool {
        self.row().3
    }

    /// Whether a process has to recover from it.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        self.row().4
    }

    /// The words in a text: `Process foo in group grp …`.
    #[must_use]
    pub fn sentence(self, change: &ProcessState) -> String {
        let what = match self {
            Self::Exited => return format!("exited unexpectedly (pid {})", change.pid_text()),
            Self::Expected => "exited as expected",
            other => other.headline(),
        };
        let pid = change.pid.map(|pid| format!(" (pid {pid})"));
        let tries = change.tries.map(|tries| format!(" (try {tries})"));
        let tries = tries.filter(|_| self == Self::Backoff);
        format!("{what}{}", pid.or(tries).unwrap_or_default())
    }
}

/// A set of triggers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFilter(Vec<Trigger>);

/// A name of no trigger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected states separated by commas, of {}; not {word:?}", names())]
pub struct UnknownTrigger {
    word: String,
}

fn names() -> String {
    Trigger::ALL.map(Trigger::name).join(", ")
}

impl FromStr for StateFilter {
    type Err = UnknownTrigger;

    fn from_str(text: &str) -> Result<Self, UnknownTrigger> {
        let trigger = |word: &str| {
            let word = word.trim();
            let mut all = Trigger::ALL.into_iter();
            all.find(|trigger| trigger.name().eq_ignore_ascii_case(word))
                .ok_or_else(|| UnknownTrigger { word: word.to_owned() })
        };
        text.split(',').map(trigger).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Trigger> for StateFilter {
    fn from(trigger: Trigger) -> Self {
        Self(vec![trigger])
    }
}

impl StateFilter {
    /// The trigger of a change of state, if it is in this set.
    #[must_use]
    pub fn of(&self, change: &ProcessState) -> Option<Trigger> {
        Trigger::of(change).filter(|trigger| self.contains(*trigger))
    }

    /// Whether it has this trigger.
    #[must_use]
    pub fn contains(&self, trigger: Trigger) -> bool {
        self.0.contains(&trigger)
    }

    /// The triggers.
    pub fn iter(&self) -> impl Iterator<Item = Trigger> {
        self.0.iter().copied()
    }

    /// The events that these are told by.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        let event = |trigger: &Trigger| format!("PROCESS_STATE_{}", trigger.state().name());
        let mut events: Vec<_> = self.0.iter().map(event).collect();
        events.dedup();
        events
    }

    /// Whether a listener with these triggers needs the event.
    #[must_use]
    pub fn interest(&self, frame: &Frame) -> Interest {
        let state = frame.name.strip_prefix("PROCESS_STATE_").and_then(State::from_name);
        let possible = |state| self.0.iter().any(|trigger| trigger.state() == state);
        match state.is_some_and(possible) {
            true => Interest::in_change(frame, |change| self.of(change).is_some()),
            false => Interest::Nothing,
        }
    }
}

/// `--on`.
#[derive(Debug, Clone, Args)]
pub struct OnOptions {
    /// States to mail about, separated by commas: exited (unexpectedly), expected (an exit that was),
    /// fatal, backoff, stopped, running, starting, stopping, unknown; the events= line must have them
    #[arg(long, value_name = "STATES", default_value = "exited")]
    pub on: StateFilter,
}

#[cfg(test)]
mod tests {
    use super::*;
    use superlance_core::testing::{change, frame};

    #[test]
    fn states_are_named_in_a_list() {
        let occasions: StateFilter = "exited, FATAL,unknown".parse().unwrap();
        let of = |state, expected| occasions.of(&change(state, expected));
        assert_eq!(of(State::Exited, false), Some(Trigger::Exited));
        assert_eq!(of(State::Exited, true), None);
        assert_eq!(of(State::Fatal, false), Some(Trigger::Fatal));
        assert_eq!(of(State::Running, false), None);
        for (bad, word) in
            [("", ""), ("exited,", ""), ("exited,crashed", "crashed"), ("all", "all")]
        {
            let message = bad.parse::<StateFilter>().unwrap_err().to_string();
            assert!(
                message.starts_with("expected states separated by commas, of exited, expected")
            );
            assert!(message.ends_with(&format!("; not {word:?}")), "{message}");
        }
    }

    #[test]
    fn every_state_is_an_occasion() {
        for trigger in Trigger::ALL {
            let change = change(trigger.state(), trigger == Trigger::Expected);
            assert_eq!(Trigger::of(&change), Some(trigger));
            let all: StateFilter = trigger.name().parse().unwrap();
            assert_eq!(all.of(&change), Some(trigger));
        }
    }

    #[test]
    fn events_of_other_states_are_nothing() {
        let occasions: StateFilter = "expected,running".parse().unwrap();
        let interest = |name: &str, rest: &str| {
            let payload = format!("processname:a groupname:b from_state:X {rest}");
            occasions.interest(&frame(name, &payload))
        };
        assert_eq!(interest("PROCESS_STATE_EXITED", "expected:1 pid:3"), Interest::Every);
        assert_eq!(interest("PROCESS_STATE_EXITED", "expected:0 pid:3"), Interest::Nothing);
        assert_eq!(interest("PROCESS_STATE_RUNNING", "pid:3"), Interest::Every);
        assert_eq!(interest("PROCESS_STATE_FATAL", ""), Interest::Nothing);
        assert_eq!(interest("TICK_60", ""), Interest::Nothing);
        // An event that cannot be read is wanted, so that the log complains of it.
        assert_eq!(occasions.interest(&frame("PROCESS_STATE_RUNNING", "?")), Interest::Every);
        assert_eq!(occasions.interest(&frame("PROCESS_STATE_FATAL", "?")), Interest::Nothing);
    }

    #[test]
    fn sentences_have_what_the_event_has() {
        let mut state = change(State::Backoff, false);
        state.tries = Some(2);
        assert_eq!(Trigger::Backoff.sentence(&state), "failed to start (try 2)");
        state = change(State::Stopped, false);
        assert_eq!(Trigger::Stopped.sentence(&state), "stopped");
        state.pid = Some(7);
        assert_eq!(Trigger::Stopped.sentence(&state), "stopped (pid 7)");
        state = change(State::Exited, false);
        assert_eq!(Trigger::Exited.sentence(&state), "exited unexpectedly (pid 58597)");
        assert_eq!(Trigger::Expected.sentence(&state), "exited as expected (pid 58597)");
    }
}
