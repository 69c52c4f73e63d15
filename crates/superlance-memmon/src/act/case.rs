//! A process that is over a limit, and what an alert tells of it.

use crate::decide::rules::{Excess, Measured};
use crate::report::history::Growth;

/// A process that is over a limit, and what there is to tell of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) process: Measured,
    pub(crate) excess: Excess,
    pub(crate) growth: Option<Growth>,
    /// Title and text of what the command of `--before` printed.
    pub(crate) output: Option<(String, String)>,
}

impl Case {
    pub(crate) fn namespec(&self) -> String {
        self.process.namespec()
    }
}
