//! Triggers: the changes of state that cause an alert (`--on`), and the words for them. Pure.

use std::str::FromStr;

use clap::Args;

use superlance_core::listener::Interest;
use superlance_core::protocol::event::ProcessState;
use superlance_core::protocol::frame::Frame;

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

    /// The trigger of a change of state.
    #[must_use]
    pub fn of(change: &ProcessState) -> Option<Self> {
        let occasions = Self::ALL.into_iter().filter(|trigger| trigger.state() == change.state);
        let mut fitting = occasions.filter(|trigger| match trigger {
            Self::Exited => change.is_unexpected_exit(),
            Self::Expected => !change.is_unexpected_exit(),
            _ => true,
        });
        fitting.next()
    }

    /// Whether a process has to recover from it.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::Expected | Self::Running | Self::Starting | Self::Stopping)
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::Expected => "expected",
            Self::Fatal => "fatal",
            Self::Backoff => "backoff",
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Unknown => "unknown",
        }
    }

    /// The state that the process is in: `EXITED` of `PROCESS_STATE_EXITED`.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Exited | Self::Expected => "EXITED",
            Self::Fatal => "FATAL",
            Self::Backoff => "BACKOFF",
            Self::Stopped => "STOPPED",
            Self::Running => "RUNNING",
            Self::Starting => "STARTING",
            Self::Stopping => "STOPPING",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether the process has ended, so that there may be a post-mortem.
    #[must_use]
    pub fn is_end(self) -> bool {
        use Trigger::{Backoff, Exited, Expected, Fatal, Stopped};
        matches!(self, Exited | Expected | Fatal | Backoff | Stopped)
    }

    /// The words in a subject: `foo …`.
    #[must_use]
    pub fn headline(self) -> &'static str {
        match self {
            Self::Exited => "crashed",
            Self::Expected => "exited",
            Self::Fatal => "failed to start too many times",
            Self::Backoff => "failed to start",
            Self::Stopped => "stopped",
            Self::Running => "is running",
            Self::Starting => "is starting",
            Self::Stopping => "is stopping",
            Self::Unknown => "is in an unknown state",
        }
    }

    /// The words in a text: `Process foo in group grp …`.
    #[must_use]
    pub fn sentence(self, change: &ProcessState) -> String {
        let what = match self {
            Self::Exited => return format!("exited unexpectedly (pid {})", change.pid_text()),
            Self::Expected => "exited as expected",
            other => other.headline(),
        };
        // Before its start a process has the pid 0.
        let pid = change.pid.as_ref().filter(|pid| *pid != "0").map(|pid| format!(" (pid {pid})"));
        let tries = change.tries.as_ref().map(|tries| format!(" (try {tries})"));
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
        Trigger::of(change).filter(|trigger| self.0.contains(trigger))
    }

    /// The events that these are told by.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        let event = |trigger: &Trigger| format!("PROCESS_STATE_{}", trigger.state());
        let mut events: Vec<_> = self.0.iter().map(event).collect();
        events.dedup();
        events
    }

    /// Whether a listener with these triggers needs the event.
    #[must_use]
    pub fn interest(&self, frame: &Frame) -> Interest {
        let state = frame.name.strip_prefix("PROCESS_STATE_");
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
        assert_eq!(of("EXITED", false), Some(Trigger::Exited));
        assert_eq!(of("EXITED", true), None);
        assert_eq!(of("FATAL", false), Some(Trigger::Fatal));
        assert_eq!(of("RUNNING", false), None);
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
        assert_eq!(Trigger::of(&change("NEW", false)), None);
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
        let mut state = change("BACKOFF", false);
        state.tries = Some("2".to_owned());
        assert_eq!(Trigger::Backoff.sentence(&state), "failed to start (try 2)");
        state = change("STOPPED", false);
        state.pid = Some("0".to_owned());
        assert_eq!(Trigger::Stopped.sentence(&state), "stopped");
        state.pid = Some("7".to_owned());
        assert_eq!(Trigger::Stopped.sentence(&state), "stopped (pid 7)");
        state = change("EXITED", false);
        assert_eq!(Trigger::Exited.sentence(&state), "exited unexpectedly (pid 58597)");
        assert_eq!(Trigger::Expected.sentence(&state), "exited as expected (pid 58597)");
    }
}
