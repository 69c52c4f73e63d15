//! The findings of a post-mortem, in words.

use std::time::SystemTime;

use super::Read;
use crate::postmortem::cause::Ending;
use crate::postmortem::recent::Times;
use crate::postmortem::tail::Tail;
use superlance_core::listener::alert::{Alert, Attachment};
use superlance_core::protocol::event::ProcessState;
use superlance_core::supervisor::Details;
use superlance_core::system::clock::unix_seconds;

/// The findings about the end of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why it ended, and how often it did so lately.
    pub cause: Option<String>,
    /// How it ended, if supervisord's log says it.
    pub ending: Option<Ending>,
    /// The last lines of its logs.
    pub logs: Vec<Attachment>,
    /// The same as names and values.
    pub measured: Vec<(String, String)>,
}

impl Findings {
    pub(super) fn new(
        spawn_error: Option<&str>,
        ending: Option<Ending>,
        times: Times,
        trouble: Option<&str>,
        logs: Vec<Attachment>,
    ) -> Self {
        let how = ending.as_ref().map(|ending| match spawn_error {
            Some(_) => format!("at the last try: {ending}"),
            None => ending.to_string(),
        });
        let unknown = spawn_error.is_none() && how.is_none();
        let unknown = trouble.filter(|_| unknown).map(|trouble| format!("not known: {trouble}"));
        let parts = [spawn_error.map(str::to_owned), how, unknown, times.text()];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let cause = (!parts.is_empty()).then(|| parts.join("; "));
        let measure = |name: &str, value: String| (name.to_owned(), value);
        let mut measured = vec![measure("times_in_last_hour", times.count.to_string())];
        measured.extend(match &ending {
            Some(Ending::Status(status)) => Some(measure("exit_status", status.to_string())),
            Some(Ending::Signal { name, .. }) => Some(measure("signal", name.clone())),
            Some(Ending::Unknown(_)) | None => None,
        });
        measured.extend(spawn_error.map(|error| measure("spawn_error", error.to_owned())));
        Self { cause, ending, logs, measured }
    }

    /// Adds the findings to an alert.
    #[must_use]
    pub fn attach_to(self, mut alert: Alert) -> Alert {
        if let Some(cause) = self.cause {
            alert = alert.attach("Cause", cause);
        }
        alert.attachments.extend(self.logs);
        alert.measured.extend(self.measured);
        alert
    }

    /// Leaves out the logs, and says why.
    pub fn leave_out(&mut self, why: &str) {
        if !self.logs.is_empty() {
            let (title, text) = ("Logs".to_owned(), format!("(left out: {why})"));
            self.logs = vec![Attachment { title, text }];
        }
    }

    /// Lines below a line about the process, set off from it and from the next; empty if there are
    /// no findings.
    #[must_use]
    pub fn block(&self) -> String {
        let mut block = String::new();
        let mut line = |line: &str| {
            block.push_str("\n    ");
            block.push_str(line);
        };
        if let Some(cause) = &self.cause {
            line(&format!("Cause: {cause}"));
        }
        for Attachment { title, text } in &self.logs {
            line(&format!("{title}:"));
            text.lines().for_each(|text| line(format!("| {text}").trim_end()));
        }
        if !block.is_empty() {
            block.push('\n');
        }
        block
    }
}

/// The logs of a process, with titles.
pub(super) fn logs(
    tails: &[Read],
    newer: Newer,
    details: Option<&Details>,
    trouble: Option<&str>,
) -> Vec<Attachment> {
    let mut logs = Vec::new();
    for (channel, tail) in tails {
        let name = channel.name();
        let file = details.map(|details| details.log(*channel));
        let (title, text) = match (tail, file) {
            // The line about the cause has this error already.
            (Err(error), _) if Some(error.as_str()) == trouble => continue,
            (Err(error), _) => (name.to_owned(), format!("(cannot be read: {error})")),
            (Ok(_), Some(file)) if is_device(file) => {
                (name.to_owned(), format!("(goes to {file}, where it cannot be read)"))
            }
            (Ok(tail), Some("")) if tail.lines == 0 => continue,
            (Ok(tail), _) => (title(name, tail, newer), tail.text.clone()),
        };
        let text = if text.is_empty() { "(empty)".to_owned() } else { text };
        logs.push(Attachment { title, text });
    }
    if logs.is_empty() && !tails.is_empty() && details.is_some() {
        let text = "(supervisord keeps none: see stdout_logfile and stderr_logfile)".to_owned();
        logs.push(Attachment { title: "Logs".to_owned(), text });
    }
    logs
}

/// Whether a log is written to a place that cannot be read, such as `/dev/stdout`.
pub(super) fn is_device(path: &str) -> bool {
    path.starts_with("/dev/")
}

/// Whether the last lines of a log may be those of a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newer {
    No,
    Yes,
    NotKnown,
}

impl Newer {
    /// The successor, as supervisord shows it after a change of state that arrived at this time.
    /// Until the next start, the state is the end that was reported.
    pub(super) fn of(
        change: &ProcessState,
        arrived: SystemTime,
        details: Option<&Details>,
    ) -> Self {
        let Some(Details { info, .. }) = details else { return Self::NotKnown };
        let arrived = unix_seconds(arrived);
        let started = u64::try_from(info.start).is_ok_and(|start| start > arrived);
        if started || info.state != change.state { Self::Yes } else { Self::No }
    }
}

fn title(name: &str, tail: &Tail, newer: Newer) -> String {
    let note = match newer {
        Newer::No => "",
        Newer::Yes => " (it was started since, and some may be newer)",
        Newer::NotKnown => " (it may have been started since)",
    };
    match tail.lines {
        0 => name.to_owned(),
        1 => format!("{name}, last line{note}"),
        lines => format!("{name}, last {lines} lines{note}"),
    }
}
