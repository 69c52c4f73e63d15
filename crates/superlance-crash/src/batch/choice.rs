//! The choice of processes and changes of state: options that the original does not have.

use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches as _};

use super::Tool;
use crate::postmortem::TailOptions;
use crate::trigger::{OnOptions, StateFilter};
use superlance_core::listener::selection::Selection;
use superlance_core::options::selector::{Names, Selector};
use superlance_core::protocol::event::ProcessState;

/// The processes that a batch tool mails about.
#[derive(Debug, Clone, Args)]
struct ProgramOptions {
    /// Mail about this process; NAME is name, group:name, group:*, a pattern such as web*, or ~REGEX
    /// (repeatable) [default: every process]
    #[arg(long = "program", value_name = "NAME")]
    programs: Vec<Selector>,
}

/// The processes and changes of state that a batch tool mails about.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) on: StateFilter,
    pub(super) tail: TailOptions,
    pub(super) programs: Selection,
}

impl Choice {
    /// Adds the options to the command line.
    pub(super) fn augment(command: Command, tool: &Tool) -> Command {
        let command = ProgramOptions::augment_args(command);
        let command = if tool.on { OnOptions::augment_args(command) } else { command };
        if tool.tail { TailOptions::augment_args(command) } else { command }
    }

    pub(super) fn from_matches(matches: &ArgMatches, tool: &Tool) -> Result<Self, Error> {
        let programs = ProgramOptions::from_arg_matches(matches)?.programs;
        Ok(Self {
            programs: Selection::new("--program", programs),
            on: match tool.on {
                true => OnOptions::from_arg_matches(matches)?.on,
                false => tool.trigger.into(),
            },
            tail: match tool.tail {
                true => TailOptions::from_arg_matches(matches)?,
                false => TailOptions::default(),
            },
        })
    }

    pub(super) fn selects(&self, change: &ProcessState) -> bool {
        self.programs.contains(Names { group: &change.group, process: &change.process })
    }
}
