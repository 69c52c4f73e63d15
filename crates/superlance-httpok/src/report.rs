//! A report: the lines of an alert, which are also logged.

use std::time::SystemTime;

use superlance_core::listener::alert::{Alert, Recovers};
use superlance_core::supervisor::{ProcessInfo, RpcError};
use superlance_core::system::log::Log;
use superlance_probe::outcome::Class;

/// What failed, and so why processes are acted on.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Of what kind the alert about it is, and its subject.
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    /// What recovers with the next good answer: the URL, or with `--each` the process.
    pub(crate) key: String,
    /// The URL, for messages, how it failed, and the HTTP status; unknown where a process does not run.
    pub(crate) url: Option<String>,
    pub(crate) class: Option<Class>,
    pub(crate) status: Option<u16>,
}

impl Failure {
    /// An alert about it. The next good answer is the recovery.
    pub(crate) fn alert(&self, kind: &str, text: String, at: SystemTime) -> Alert {
        let recovers = Recovers::WhenResolved { key: self.key.clone(), at_once: true };
        let alert = Alert::new("httpok", kind, at, self.subject.clone(), text);
        let status = self.status.map(|status| status.to_string());
        let class = self.class.map(|class| class.name().to_owned());
        let measured = [("url", self.url.clone()), ("reason", class), ("status", status)];
        let measured = measured.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let alert = measured.fold(alert, |alert, (name, value)| alert.measuring(name, value));
        alert.recovers(recovers)
    }
}

/// The report of one check that failed.
pub(crate) struct Report<'a> {
    lines: Vec<String>,
    /// What was done to a process, as in `--action`.
    action: Option<String>,
    /// Title and text of what commands of `--before` printed.
    outputs: Vec<(String, String)>,
    /// Whether supervisord refused since it shuts down.
    shutdown: bool,
    log: &'a Log,
}

impl<'a> Report<'a> {
    pub(crate) fn new(log: &'a Log) -> Self {
        Self { lines: Vec::new(), action: None, outputs: Vec::new(), shutdown: false, log }
    }

    /// Adds a line, and logs it.
    pub(crate) fn write(&mut self, line: String) {
        self.log.line(&line);
        self.lines.push(line);
    }

    /// Adds a line about a process, and logs it.
    pub(crate) fn write_about(&mut self, process: &ProcessInfo, line: String) {
        self.log(process, &line);
        self.lines.push(line);
    }

    /// Adds what a command of `--before` printed, and logs it.
    pub(crate) fn attach(&mut self, process: &ProcessInfo, (title, output): (String, String)) {
        self.log(process, &format!("{title}:\n{}", output.trim_end_matches('\n')));
        self.outputs.push((title, output));
    }

    fn log(&self, process: &ProcessInfo, line: &str) {
        let ProcessInfo { group, name, pid, .. } = process;
        self.log.about(group, name, Some(*pid)).line(line);
    }

    /// Says what was done to a process: `action` in the words of the command line, and what to say.
    pub(crate) fn done(&mut self, process: &ProcessInfo, action: &str, what: &str) {
        // A restart is more than a start.
        self.action = self.action.take().filter(|done| done != "start").or(Some(action.to_owned()));
        self.write_about(process, format!("{} {what}", process.short_name()));
    }

    /// Says that a process could not be restarted, stopped or started.
    pub(crate) fn failed(&mut self, what: &str, process: &ProcessInfo, error: &RpcError) {
        self.shutdown |= error.is_shutdown();
        let name = process.short_name();
        self.write_about(process, format!("Failed to {what} process {name}: {error}"));
    }

    /// Whether the failure is that supervisord ends everything, which is no news.
    pub(crate) fn is_shutdown(&self) -> bool {
        self.shutdown
    }

    /// The text of all lines.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The alert with all lines. It names an action only where something was done.
    pub(crate) fn alert(&self, failure: &Failure, at: SystemTime) -> Alert {
        let kind = match self.action.as_deref() {
            Some("stop") => "stopped",
            Some(signal) if signal.starts_with("signal:") => "signalled",
            _ => failure.kind,
        };
        let mut alert = failure.alert(kind, self.text(), at);
        alert.action.clone_from(&self.action);
        let outputs = self.outputs.iter();
        outputs.fold(alert, |alert, (title, output)| alert.attach(title, output))
    }

    #[cfg(test)]
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }
}
