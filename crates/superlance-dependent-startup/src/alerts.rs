//! The alerts. Pure.

use std::time::SystemTime;

use superlance_core::listener::alert::{Alert, Recovers};

use crate::NAME;
use crate::decide::{Decision, Waiting};
use crate::graph::Graph;
use crate::program::{Program, names};
use crate::texts;

/// The key of a wait, which is over when the program is started.
pub(crate) fn key(label: &str) -> String {
    format!("start of {label}")
}

/// The key of a refusal, which is over when the process is started.
pub(crate) fn refusal(namespec: &str) -> String {
    format!("refused start of {namespec}")
}

/// The key of processes that supervisord does not have.
pub(crate) const UNKNOWN: &str = "unknown processes";

/// The keys of what may have been told and is not over.
pub(crate) fn lasting<'a>(
    decision: &Decision<'_>,
    refused: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let waiting = decision.waiting.iter().map(|waiting| key(&waiting.program.label()));
    let unknown = (!decision.unknown.is_empty()).then(|| UNKNOWN.to_owned());
    waiting.chain(refused.map(refusal)).chain(unknown).collect()
}

/// The configuration has processes that supervisord does not have.
pub(crate) fn unknown(sentence: &str, what: &str, now: SystemTime) -> Alert {
    let subject = format!("{NAME}: supervisord does not have all processes of the configuration");
    let text = format!("{sentence}. They are not started.\n\nTo have them started, {what}.");
    let recovers = Recovers::WhenResolved { key: UNKNOWN.to_owned(), at_once: true };
    Alert::new(NAME, "misconfigured", now, subject, text).recovers(recovers)
}

/// The keys of a program are wrong.
pub(crate) fn misconfigured(
    at: usize,
    program: &Program,
    sentence: &str,
    graph: &Graph,
    now: SystemTime,
) -> Alert {
    let faults = texts::faults(program).into_iter().map(|fault| format!("{fault}."));
    let lines = faults.chain(Some(texts::behind(at, graph)).filter(|it| !it.is_empty()));
    let text = format!("{sentence}.\n\n{}", lines.collect::<Vec<_>>().join("\n"));
    let subject = format!("{NAME}: {} is misconfigured", program.label());
    about(program, Alert::new(NAME, "misconfigured", now, subject, text))
}

/// supervisord refuses to start a process.
pub(crate) fn refused(namespec: &str, error: &str, now: SystemTime) -> Alert {
    let subject = format!("{NAME}: {namespec} cannot be started");
    let text = format!("{error}.\n\nIt is tried again until it starts.");
    let (group, process) = names(namespec);
    let recovers = Recovers::WhenResolved { key: refusal(namespec), at_once: true };
    let alert = Alert::new(NAME, "misconfigured", now, subject, text);
    alert.about(group, process, None).recovers(recovers)
}

/// A program waits: for what has failed (`blocked`), or for long (`waiting`).
pub(crate) fn waits(
    kind: &str,
    waiting: &Waiting<'_>,
    sentence: &str,
    graph: &Graph,
    now: SystemTime,
) -> Alert {
    let text = format!("{sentence}.\n\n{}", texts::behind(waiting.at, graph));
    let subject = format!("{NAME}: {sentence}");
    let recovers = Recovers::WhenResolved { key: key(&waiting.program.label()), at_once: true };
    let alert = Alert::new(NAME, kind, now, subject, text.trim_end().to_owned());
    about(waiting.program, alert).recovers(recovers)
}

/// Names the process, or the first of several.
fn about(program: &Program, alert: Alert) -> Alert {
    match program.processes.first() {
        Some(process) => {
            let (group, name) = names(process);
            alert.about(group, name, None)
        }
        None => alert,
    }
}
