//! What is checked at a tick: URLs or a command, for all processes together or for each.

use std::time::Duration;

use superlance_core::supervisor::{ProcessInfo, State};
use superlance_probe::check::{Check, Settings};
use superlance_probe::outcome::{Outcome, Verdict};
use superlance_probe::side_by_side::side_by_side;
use superlance_probe::template::{Subject, Template};

/// What is checked.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) questions: Vec<Question>,
    pub(crate) socket: Option<Template>,
    /// Whether each process is checked by itself, so that headers have placeholders, too.
    pub(crate) each: bool,
    /// Whether one URL that is well suffices.
    pub(crate) any: bool,
}

/// A URL or a command, with placeholders where each process is checked by itself.
#[derive(Debug)]
pub(crate) struct Question {
    /// For messages, without a password.
    pub(crate) shown: String,
    pub(crate) template: Template,
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

    /// What is wrong with a URL, if something is. With `--each` it is that of an example.
    pub(crate) fn verify(&self) -> Result<(), String> {
        let (name, group) = ("name_0".to_owned(), "group".to_owned());
        let state = State::Running;
        let example =
            ProcessInfo { name, group, pid: 1, state, start: 0, stop: 0, exit_status: 0, now: 0 };
        self.questions
            .iter()
            .try_for_each(|question| self.prepare(question, Some(&example)).map(drop))
    }

    /// Makes all checks side by side: with `--each` a round of them for each of these processes, and
    /// otherwise one round.
    pub(crate) fn check(&self, processes: &[&ProcessInfo]) -> Vec<Vec<Probed>> {
        let questions = self.questions.len();
        let rounds = if self.each { processes.len() } else { 1 };
        let probed = side_by_side(rounds * questions, |number| {
            let process = processes.get(number / questions).filter(|_| self.each);
            self.questions
                .get(number % questions)
                .map(|question| self.ask(question, process.copied()))
        });
        let mut probed = probed.into_iter().flatten();
        (0..rounds).map(|_| probed.by_ref().take(questions).collect()).collect()
    }

    fn ask(&self, question: &Question, process: Option<&ProcessInfo>) -> Probed {
        match self.prepare(question, process) {
            Ok(check) => Probed { url: check.shown().to_owned(), outcome: check.run() },
            Err(why) => {
                let url = question.shown.clone();
                let outcome = impossible(format!("cannot check {url}: {why}"));
                Probed { url, outcome }
            }
        }
    }

    fn prepare(&self, question: &Question, process: Option<&ProcessInfo>) -> Result<Check, String> {
        let subject = process.map_or(Subject { group: "", name: "", pid: 0 }, subject);
        let text = question.template.expand(subject)?;
        if question.is_command {
            let variables = process.map(variables).unwrap_or_default();
            return Ok(Check::of_command(text, variables, &self.settings));
        }
        let mut settings = self.settings.clone();
        if let Some(socket) = &self.socket {
            settings.socket = Some(socket.expand(subject)?.into());
        }
        if self.each {
            for (_, value) in &mut settings.headers {
                *value = value.expand(subject)?;
            }
        }
        Check::of_url(&text, &settings)
    }
}

fn subject(info: &ProcessInfo) -> Subject<'_> {
    Subject { group: &info.group, name: &info.name, pid: info.pid }
}

/// What a command is told of a process.
fn variables(info: &ProcessInfo) -> Vec<(&'static str, String)> {
    vec![
        ("SUPERLANCE_GROUP", info.group.clone()),
        ("SUPERLANCE_PROCESS", info.name.clone()),
        ("SUPERLANCE_PID", info.pid.to_string()),
    ]
}

fn impossible(why: String) -> Outcome {
    let verdict = Verdict::Trouble(why);
    Outcome { verdict, took: Duration::ZERO, status: None, certificate_end: None, note: None }
}
