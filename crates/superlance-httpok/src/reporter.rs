//! The report in the status and metrics files: the checks of a tick, or the end of httpok.

use serde::Serialize;
use superlance_action::report::Files;
use superlance_action::report::action_log::{ActionLog, ActionRecord};
use superlance_action::report::prometheus::Text;
use superlance_core::listener::Ctx;
use superlance_core::supervisor::ProcessInfo;
use superlance_core::system::clock::unix_seconds;
use superlance_probe::outcome::Verdict;

use crate::act::Cause;
use crate::memory::Memory;
use crate::plan::Probed;
use crate::target::Target;

/// The files, and what they say at every tick alike.
#[derive(Debug)]
pub(crate) struct Reporter {
    pub(crate) listener: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) action: String,
    pub(crate) dry_run: bool,
    pub(crate) files: Files,
}

/// How things were at a tick. As JSON it is the file of `--status-file`, and so an interface: fields are
/// added, not changed. Times are in seconds since 1970.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// `group:name` of the httpok that writes this.
    listener: Option<&'a str>,
    /// What `-n` says.
    name: Option<&'a str>,
    time: u64,
    /// Why nothing could be checked, or supervisord not be asked.
    trouble: Option<&'a str>,
    action: &'a str,
    dry_run: bool,
    checks: Vec<Check<'a>>,
    /// The newest first.
    actions: Vec<&'a ActionRecord<Cause>>,
}

/// A check of a URL or with a command.
#[derive(Debug, Serialize)]
struct Check<'a> {
    /// Without user, password and query.
    url: String,
    /// The process that it is about, with `--each`.
    group: Option<&'a str>,
    process: Option<&'a str>,
    pid: Option<u32>,
    /// Unknown where it could not be made.
    success: Option<bool>,
    /// The class of the failure.
    class: Option<&'static str>,
    /// Why it could not be made.
    trouble: Option<&'a str>,
    /// The HTTP status.
    status: Option<u16>,
    seconds: f64,
    /// Failures in a row.
    failures: u32,
    /// When the certificate expires.
    certificate_expiry: Option<u64>,
}

impl Reporter {
    /// Writes the files.
    pub(crate) fn write(
        &mut self,
        targets: &[Target<'_>],
        trouble: Option<&str>,
        (memory, actions): (&Memory, &ActionLog<Cause>),
        ctx: &Ctx<'_>,
    ) {
        if !self.files.are_wanted() {
            return;
        }
        let checks = targets.iter().flat_map(|target| {
            let round = target.round.iter();
            round.map(|probed| Check::new(target, probed, memory))
        });
        let report = Report {
            listener: self.listener.as_deref(),
            name: self.name.as_deref(),
            time: unix_seconds(ctx.now()),
            trouble,
            action: &self.action,
            dry_run: self.dry_run,
            checks: checks.collect(),
            actions: actions.recent().collect(),
        };
        self.files.write(&report, || report.metrics(actions), ctx.log);
    }
}

impl<'a> Check<'a> {
    fn new(target: &Target<'a>, probed: &'a Probed, memory: &Memory) -> Self {
        let own = target.own();
        let outcome = &probed.outcome;
        let certificate_end = outcome.certificate_end.map(unix_seconds);
        Self {
            url: public(&probed.url),
            group: own.map(|info| &*info.group),
            process: own.map(|info| &*info.name),
            pid: own.map(|info: &ProcessInfo| info.pid),
            success: match outcome.verdict {
                Verdict::Good => Some(true),
                Verdict::Failed(_) => Some(false),
                Verdict::Trouble(_) => None,
            },
            class: probed.failed().map(|failed| failed.class.name()),
            trouble: probed.trouble(),
            status: outcome.status,
            seconds: outcome.took.as_secs_f64(),
            failures: memory.failures(&target.key(), &probed.url),
            certificate_expiry: certificate_end,
        }
    }

    fn labels<'b>(&'b self, httpok: &'b str) -> Vec<(&'b str, &'b str)> {
        let own = [("group", self.group), ("name", self.process)];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
        [("httpok", httpok), ("url", &*self.url)].into_iter().chain(own).collect()
    }
}

/// A URL without what may be secret in it: user, password, query.
fn public(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

impl Report<'_> {
    /// As metrics. Every series names the httpok it comes from, since several may write files for one
    /// collector.
    fn metrics(&self, actions: &ActionLog<Cause>) -> String {
        let mut text = Text::new("superlance_httpok_");
        let httpok = self.listener.unwrap_or("httpok");
        let own = [("httpok", httpok)];
        let is_known = |check: &Check<'_>| check.success.is_some();
        let up =
            self.trouble.is_none() && (self.checks.is_empty() || self.checks.iter().any(is_known));
        text.family("up", "gauge", "Whether the last checks could be made, and supervisord asked.");
        text.sample("up", &own, u8::from(up));
        text.family("last_check_timestamp_seconds", "gauge", "When httpok checked last.");
        text.sample("last_check_timestamp_seconds", &own, self.time);
        let families: [Family; 5] = [
            ("check_success", "Whether the check succeeded.", |check| {
                check.success.map(|success| u8::from(success).to_string())
            }),
            ("check_duration_seconds", "How long the check took.", |check| {
                Some(check.seconds.to_string())
            }),
            ("check_http_status", "The HTTP status of the answer.", |check| {
                check.status.map(|status| status.to_string())
            }),
            ("check_failures", "Failures of the check in a row.", |check| {
                Some(check.failures.to_string())
            }),
            (
                "certificate_expiry_timestamp_seconds",
                "When the certificate of the server expires.",
                |check| check.certificate_expiry.map(|end| end.to_string()),
            ),
        ];
        for (name, help, value) in families {
            text.family(name, "gauge", help);
            for check in &self.checks {
                if let Some(value) = value(check) {
                    text.sample(name, &check.labels(httpok), value);
                }
            }
        }
        actions.add_to(&mut text, "httpok", httpok);
        text.finish()
    }
}

/// A name, what it is, and its value for a check.
type Family = (&'static str, &'static str, fn(&Check<'_>) -> Option<String>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_public() {
        for (url, expected) in [
            ("http://h:80/a/b?token=x#y", "http://h:80/a/b"),
            ("https://u:p@h", "https://h"),
            ("http://h?a=b/c", "http://h"),
            ("tcp://u@h:1/", "tcp://h:1/"),
            ("check-db", "check-db"),
        ] {
            assert_eq!(public(url), expected);
        }
    }
}
