//! An intervention in words. Pure.

use superlance_action::action::Intervention;

/// An intervention in words.
pub(super) struct Words {
    pub(super) verb: &'static str,
    pub(super) doing: String,
    /// What is said of the process afterwards.
    pub(super) done: String,
    /// What it is not if nothing is done.
    pub(super) undone: &'static str,
}

impl Words {
    pub(super) fn of(intervention: Intervention) -> Self {
        let (doing, done, undone) = match intervention {
            Intervention::Restart => ("restarting".to_owned(), "restarted".to_owned(), "restarted"),
            Intervention::Stop => ("stopping".to_owned(), "stopped".to_owned(), "stopped"),
            Intervention::Signal(signal) => {
                (format!("sending {signal}"), format!("got {signal}"), "signalled")
            }
        };
        Self { verb: intervention.verb(), doing, done, undone }
    }
}
