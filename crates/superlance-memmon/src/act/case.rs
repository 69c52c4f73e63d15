//! A process that is over a limit, with the fields of its alert.

use superlance_core::listener::Ctx;
use superlance_core::system::log::About;

use crate::decide::measured::{Excess, Measured};
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

    /// The log, for messages about the process.
    pub(crate) fn log<'a>(&'a self, ctx: &'a Ctx<'_>) -> About<'a> {
        self.process.instance.log(ctx)
    }
}
