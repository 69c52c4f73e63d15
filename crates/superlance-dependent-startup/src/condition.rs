//! What a program waits for. Pure.

use superlance_core::protocol::state::State;

/// The word that is no state of supervisord: the process runs, and its check finds it well.
pub(crate) const HEALTHY: &str = "healthy";

/// The states that may be waited for.
pub const STATES: [State; 6] =
    [State::Starting, State::Running, State::Backoff, State::Stopping, State::Exited, State::Fatal];

/// A condition: all these processes have reached one of these states, or are healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is waited for, as it is written: `name`, `group:name` or `group:*`.
    pub target: String,
    /// Empty where none of those that are written is one.
    pub states: Vec<State>,
    /// Whether it suffices that they are healthy.
    pub healthy: bool,
    /// `group:name` of each process.
    pub processes: Vec<String>,
    /// The programs that these are of, as places in the graph.
    pub parents: Vec<usize>,
}

impl Condition {
    /// As it is written, without the state that is the default.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.states.as_slice(), self.healthy) {
            ([State::Running], false) => self.target.clone(),
            _ => format!("{}:{}", self.target, self.wanted(",").to_lowercase()),
        }
    }

    /// Whether the processes must be alive for it.
    #[must_use]
    pub fn is_about_life(&self) -> bool {
        let is_life = |state: &State| matches!(state, State::Starting | State::Running);
        self.states.iter().all(is_life) && (self.healthy || !self.states.is_empty())
    }

    /// The names of what is wanted, such as `EXITED or FATAL`.
    #[must_use]
    pub fn wanted(&self, between: &str) -> String {
        let states = self.states.iter().map(|state| state.name().to_owned());
        let healthy = self.healthy.then(|| HEALTHY.to_uppercase());
        states.chain(healthy).collect::<Vec<_>>().join(between)
    }
}
