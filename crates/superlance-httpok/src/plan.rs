//! What is checked at a tick: URLs or a command.

use std::time::Duration;

use superlance_probe::check::{Check, Settings};
use superlance_probe::outcome::{Outcome, Verdict};
use superlance_probe::side_by_side::side_by_side;

/// What is checked.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) questions: Vec<Question>,
    /// Whether one URL that is well suffices.
    pub(crate) any: bool,
}

/// A URL or a command.
#[derive(Debug)]
pub(crate) struct Question {
    /// For messages, without a password.
    pub(crate) shown: String,
    pub(crate) text: String,
    pub(crate) is_command: bool,
}

/// A URL or a command, and what its check brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probed {
    /// The URL or command, for messages.
    pub(crate) url: String,
    pub(crate) outcome: Outcome,
}

impl Plan {
    /// The URLs or the command, for messages.
    pub(crate) fn describe(&self) -> String {
        let shown: Vec<_> = self.questions.iter().map(|question| &*question.shown).collect();
        shown.join(if self.any { " or " } else { " and " })
    }

    /// What is wrong with a URL, if something is.
    pub(crate) fn verify(&self) -> Result<(), String> {
        self.questions.iter().try_for_each(|question| self.prepare(question).map(drop))
    }

    /// Makes all checks, side by side.
    pub(crate) fn check(&self) -> Vec<Probed> {
        let probed = side_by_side(self.questions.len(), || false, |number| self.ask(number));
        probed.into_iter().flatten().flatten().collect()
    }

    fn ask(&self, number: usize) -> Option<Probed> {
        let question = self.questions.get(number)?;
        let outcome = match self.prepare(question) {
            Ok(check) => check.run(),
            Err(why) => impossible(format!("cannot check {}: {why}", question.shown)),
        };
        Some(Probed { url: question.shown.clone(), outcome })
    }

    fn prepare(&self, question: &Question) -> Result<Check, String> {
        let text = &question.text;
        match question.is_command {
            true => Ok(Check::of_command(text.clone(), Vec::new(), &self.settings)),
            false => Check::of_url(text, &self.settings),
        }
    }
}

fn impossible(why: String) -> Outcome {
    let verdict = Verdict::Trouble(why);
    Outcome { verdict, took: Duration::ZERO, status: None, certificate_end: None, note: None }
}
