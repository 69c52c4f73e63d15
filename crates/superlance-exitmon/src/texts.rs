//! The words for what ends supervisord. Pure.

use superlance_core::options::quantity::ordinal;
use superlance_core::options::units::duration_text;
use superlance_core::protocol::event::ProcessState;
use superlance_core::protocol::state::State;
use superlance_crash::postmortem::Ending;
use superlance_crash::trigger::Trigger;

use crate::rule::{Cause, Role, namespec};

/// What is known of an end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct How {
    pub(crate) ending: Option<Ending>,
    /// Other words for it, such as supervisord's reason why a process could not be started.
    pub(crate) words: Option<String>,
}

impl How {
    fn text(&self) -> Option<String> {
        let ending = self.ending.as_ref().map(Ending::to_string);
        match (&self.words, ending) {
            (Some(words), Some(ending)) => Some(format!("{words}; {ending}")),
            (words, ending) => words.clone().or(ending),
        }
    }
}

/// Whether a process failed, for the status that is handed on.
pub(crate) fn has_failed(cause: &Cause) -> bool {
    match cause {
        Cause::One { trigger, .. } => {
            matches!(trigger, Trigger::Exited | Trigger::Fatal | Trigger::Unknown)
        }
        Cause::TooOften { .. } => true,
        Cause::All { failed, .. } => failed.is_some(),
    }
}

/// What happened: `web:web is FATAL (can't find command 'x')`. Of each process there is a `How`.
pub(crate) fn sentence(cause: &Cause, hows: &[How]) -> String {
    let how = || hows.first().and_then(How::text);
    let how_in_brackets = || how().map(|how| format!(" ({how})")).unwrap_or_default();
    match cause {
        Cause::One { change, trigger, role } => {
            let kind = if *role == Role::Listener { "the event listener " } else { "" };
            format!("{kind}{}{}", one(change, *trigger, *role), how_in_brackets())
        }
        Cause::TooOften { change, count, budget } => {
            let how = how().map(|how| format!("{how}; ")).unwrap_or_default();
            let within = duration_text(budget.within);
            format!(
                "{} exited unexpectedly for the {} time in {within} ({how}--max-exits {}/{within})",
                namespec(change),
                ordinal(*count),
                budget.times
            )
        }
        Cause::All { processes, failed } => {
            let which = match processes.as_slice() {
                [one] => format!("{} has ended", one.namespec()),
                all => format!("all {} processes have ended", all.len()),
            };
            let states = processes.iter().map(|seen| seen.state).zip(hows);
            let first = failed.as_ref().filter(|_| processes.len() > 1);
            let first = first.map(|seen| format!("; {} failed first", seen.namespec()));
            format!("{which} ({}{})", endings(states), first.unwrap_or_default())
        }
    }
}

fn one(change: &ProcessState, trigger: Trigger, role: Role) -> String {
    let what = match trigger {
        Trigger::Exited => "exited unexpectedly",
        Trigger::Expected => "exited as expected",
        Trigger::Stopped => "was stopped",
        Trigger::Unknown if role == Role::Listener => {
            "gets no more events, since it did not keep to the protocol"
        }
        other => return format!("{} is {}", namespec(change), other.state().name()),
    };
    format!("{} {what}", namespec(change))
}

/// `exit status 0, 0, terminated by SIGKILL`.
fn endings<'a>(all: impl Iterator<Item = (State, &'a How)>) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut after_status = false;
    for (state, how) in all {
        let status = match (state, &how.ending) {
            (State::Exited, Some(Ending::Status(status))) => Some(status),
            _ => None,
        };
        texts.push(match (status, state) {
            (Some(status), _) if after_status => status.to_string(),
            (_, State::Exited) => how.text().unwrap_or_else(|| "EXITED".to_owned()),
            (_, state) => state.name().to_owned(),
        });
        after_status = status.is_some();
    }
    texts.join(", ")
}

/// The beginning of a subject.
pub(crate) fn headline(cause: &Cause) -> String {
    match cause {
        Cause::One { change, trigger, role } => one(change, *trigger, *role),
        Cause::TooOften { change, .. } => format!("{} exited too often", namespec(change)),
        Cause::All { .. } => "all processes have ended".to_owned(),
    }
}
