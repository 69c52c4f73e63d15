//! What a program waits for. Pure.

use superlance_core::protocol::state::State;

/// The states that may be waited for.
pub const STATES: [State; 6] =
    [State::Starting, State::Running, State::Backoff, State::Stopping, State::Exited, State::Fatal];

/// A condition: all these processes have reached one of these states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is waited for, as it is written: `name`, `group:name` or `group:*`.
    pub target: String,
    /// Empty where none of those that are written is one.
    pub states: Vec<State>,
    /// `group:name` of each process.
    pub processes: Vec<String>,
    /// The programs that these are of, as places in the graph.
    pub parents: Vec<usize>,
}

impl Condition {
    /// As it is written, without the state that is the default.
    #[must_use]
    pub fn text(&self) -> String {
        match self.states.as_slice() {
            [State::Running] => self.target.clone(),
            states => format!("{}:{}", self.target, names(states, ",").to_lowercase()),
        }
    }
}

/// Names of states, such as `EXITED or FATAL`.
pub(crate) fn names(states: &[State], between: &str) -> String {
    states.iter().map(|state| state.name()).collect::<Vec<_>>().join(between)
}
