//! The last actions one by one, and the number of each outcome. Pure.

use std::collections::VecDeque;
use std::time::SystemTime;

use litemap::LiteMap;
use serde::Serialize;
use superlance_core::system::clock::unix_seconds;

use crate::instance::Instance;
use crate::report::prometheus::Text;

/// Actions that are remembered one by one.
const RECENT: usize = 50;

/// What came of an attempt to do something about a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not, for this reason.
    Failed(String),
    /// The process ends or has ended by itself.
    Gone,
    /// Nothing is ever done (`--dry-run`).
    Dry,
    /// Enough was done about this process.
    LeftAlone,
}

/// The words for all outcomes.
const WORDS: [&str; 5] = ["done", "failed", "gone", "dry-run", "left-alone"];

impl Outcome {
    /// Why it failed, if it did.
    fn reason(self) -> Option<String> {
        match self {
            Self::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// A word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Gone => "gone",
            Self::Dry => "dry-run",
            Self::LeftAlone => "left-alone",
        }
    }
}

/// An attempt to do something about a process. As JSON it is a part of the status file.
#[derive(Debug, Clone, Serialize)]
pub struct ActionRecord<W> {
    /// Seconds since 1970.
    pub time: u64,
    pub group: String,
    pub name: String,
    pub pid: u32,
    /// Why something was to be done.
    #[serde(flatten)]
    pub why: W,
    /// `done`, `failed`, `gone`, `dry-run` or `left-alone`.
    pub outcome: &'static str,
    /// Why it failed.
    pub reason: Option<String>,
}

/// How often something came of attempts: by group, name, action and outcome.
pub type Counts = LiteMap<(String, String, String, &'static str), u64>;

/// The log of actions, which are taken for the reasons `W`.
#[derive(Debug)]
pub struct ActionLog<W> {
    recent: VecDeque<ActionRecord<W>>,
    counts: Counts,
}

impl<W> Default for ActionLog<W> {
    fn default() -> Self {
        Self { recent: VecDeque::new(), counts: Counts::new() }
    }
}

impl<W> ActionLog<W> {
    /// Takes note of an attempt at `action`, such as `restart`.
    pub fn note(
        &mut self,
        process: &Instance,
        action: &str,
        why: W,
        outcome: Outcome,
        at: SystemTime,
    ) {
        let (group, name) = (process.group.clone(), process.name.clone());
        let key = (group.clone(), name.clone(), action.to_owned(), outcome.word());
        *self.counts.entry(key).or_default() += 1;
        self.recent.truncate(RECENT - 1);
        self.recent.push_front(ActionRecord {
            time: unix_seconds(at),
            group,
            name,
            pid: process.pid,
            why,
            outcome: outcome.word(),
            reason: outcome.reason(),
        });
    }

    /// The last ones, the newest first.
    pub fn recent(&self) -> impl Iterator<Item = &ActionRecord<W>> {
        self.recent.iter()
    }

    /// The counts of a process begin at 0: a counter that appears with 1 shows no increase.
    pub fn expect(&mut self, group: &str, name: &str, action: &str) {
        for word in WORDS {
            let key = (group.to_owned(), name.to_owned(), action.to_owned(), word);
            self.counts.entry(key).or_default();
        }
    }

    /// Adds the counts to the metrics of `listener`, such as `memmon`, whose name is `own`.
    pub fn add_to(&self, text: &mut Text, listener: &str, own: &str) {
        let help = "Times that a process was acted on or was to be, by what came of it.";
        text.family("actions_total", "counter", help);
        for ((group, name, action, outcome), count) in &self.counts {
            let labels = [
                (listener, own),
                ("group", group),
                ("name", name),
                ("action", action),
                ("outcome", outcome),
            ];
            text.sample("actions_total", &labels, count);
        }
    }
}
