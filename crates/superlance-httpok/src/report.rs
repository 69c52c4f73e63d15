//! A report: the lines of an alert, which are also logged.

use std::time::SystemTime;

use superlance_core::listener::alert::{Alert, Recovers};
use superlance_core::supervisor::{ProcessInfo, RpcError};
use superlance_core::system::log::Log;

/// Why processes are restarted.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Of what kind it is, such as `bad-status`.
    pub(crate) kind: &'static str,
    /// The subject of the alert about it.
    pub(crate) subject: String,
    /// The URL, for messages.
    pub(crate) url: String,
}

impl Failure {
    /// An alert about it. The next good answer is the recovery.
    pub(crate) fn alert(&self, kind: &str, text: String, at: SystemTime) -> Alert {
        let recovers = Recovers::WhenResolved { key: self.url.clone(), at_once: true };
        let alert = Alert::new("httpok", kind, at, self.subject.clone(), text);
        alert.measuring("url", &self.url).recovers(recovers)
    }
}

/// The report of one check that failed.
pub(crate) struct Report<'a> {
    lines: Vec<String>,
    /// Whether a process was restarted.
    restarted: bool,
    /// Whether supervisord refused since it shuts down.
    shutdown: bool,
    log: &'a Log,
}

impl<'a> Report<'a> {
    pub(crate) fn new(log: &'a Log) -> Self {
        Self { lines: Vec::new(), restarted: false, shutdown: false, log }
    }

    /// Adds a line, and logs it.
    pub(crate) fn write(&mut self, line: String) {
        self.log.line(&line);
        self.lines.push(line);
    }

    /// Adds a line about a process, and logs it.
    pub(crate) fn write_about(&mut self, process: &ProcessInfo, line: String) {
        let ProcessInfo { group, name, pid, .. } = process;
        self.log.about(group, name, Some(*pid)).line(&line);
        self.lines.push(line);
    }

    /// Says that a process was restarted.
    pub(crate) fn restarted(&mut self, process: &ProcessInfo) {
        self.restarted = true;
        self.write_about(process, format!("{} restarted", process.short_name()));
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

    /// The alert with all lines. It names an action only where something was restarted.
    pub(crate) fn alert(&self, failure: &Failure, at: SystemTime) -> Alert {
        let alert = failure.alert(failure.kind, self.lines.join("\n"), at);
        if self.restarted { alert.action("restart") } else { alert }
    }

    #[cfg(test)]
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }
}
