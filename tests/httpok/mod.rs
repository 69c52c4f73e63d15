//! httpok beside the original, and under a real supervisord.

mod checks_under_supervisord;
mod deviations;
mod options;
mod policy_under_supervisord;
mod transcripts;
mod under_supervisord;

use superlance_testing::{FakeProcess, HttpAnswer, HttpServer, Outcome, Transcript, same};

use crate::ours;
use crate::verdict::MAIL;

/// A process that runs, as far as supervisord knows.
fn running(namespec: &str) -> FakeProcess {
    FakeProcess::running(namespec, 77)
}

/// An httpok with these arguments, the URL last, that sees `processes`.
///
/// Ours asks supervisord when it needs to, and theirs at each tick (D33), and leaves out the group
/// that has the name of its only process; ours ends its last line (D32). None of that is compared.
fn httpok(title: &str, arguments: &[&str], processes: &[FakeProcess]) -> Transcript {
    Transcript::new("httpok", title)
        .args(arguments.iter().copied())
        .processes(processes.iter().cloned())
        .http(HttpServer::builder())
        .compare_calls(compared_call)
        .compare_logs(compared_log)
}

/// The same, and it gets this answer at its only tick.
fn one_tick(
    title: &str,
    arguments: &[&str],
    processes: &[FakeProcess],
    answer: HttpAnswer,
) -> Transcript {
    httpok(title, arguments, processes)
        .http(HttpServer::builder().usually(answer))
        .event("TICK_60", "when:1201063880")
}

/// An httpok that restarts `foo` and mails, with these arguments, the URL among them.
fn foo(title: &str, arguments: &[&str], answer: HttpAnswer) -> Transcript {
    let arguments = [&MAIL[..], &["-p", "foo"], arguments].concat();
    httpok(title, &arguments, &[running("foo")]).http(HttpServer::builder().usually(answer))
}

/// The answer of a server that is ill.
fn ill() -> HttpAnswer {
    HttpAnswer::status(500)
}

/// With these arguments and processes both do the same when the server is ill, and mail it.
#[track_caller]
fn check(title: &str, arguments: &[&str], processes: &[FakeProcess]) {
    let arguments = [&MAIL[..], arguments, &["{http}/"]].concat();
    same(&one_tick(title, &arguments, processes, ill()), ours());
}

/// Not a question, and with the group.
fn compared_call(call: &str) -> Option<String> {
    let (method, rest) = call.split_once('(')?;
    let name = rest.strip_suffix(')')?;
    let full = if name.contains(':') { name.to_owned() } else { format!("{name}:{name}") };
    (!method.starts_with("get")).then(|| format!("{method}({full})"))
}

/// Without the reason for a restart, which ours logs and theirs only mails: it stays where a mail is
/// repeated in the log, after the blank line that follows the subject.
pub(crate) fn compared_log(log: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut rest = log.lines();
    while let Some(line) = rest.next() {
        let mailed = lines.len() >= 2 && lines[lines.len() - 2].starts_with("Subject: ");
        if !mailed && line.starts_with("status contacting ") {
            continue;
        }
        if !mailed && line.starts_with("error contacting ") {
            // A blank line and the error itself.
            rest.nth(1);
            continue;
        }
        lines.push(line);
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The stops and starts among the calls, with the group.
fn acts(outcome: &Outcome) -> Vec<String> {
    outcome.calls.iter().filter_map(|call| compared_call(call)).collect()
}
