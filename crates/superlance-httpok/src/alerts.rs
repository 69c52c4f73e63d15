//! The alerts of httpok besides the report of a failure.

use std::time::{Duration, SystemTime};

use superlance_action::decide::rules::{Budget, MaxUnavailable};
use superlance_core::listener::alert::{Alert, Recovers};
use superlance_core::options::units::duration_text;
use superlance_core::supervisor::ProcessInfo;
use superlance_core::system::clock::asctime_and_zone;
use superlance_probe::outcome::Class;

use crate::report::Failure;
use crate::round::Culprit;
use crate::target::Target;

/// Writes alerts.
#[derive(Debug)]
pub(crate) struct AlertWriter {
    /// The name of this httpok, for subjects.
    pub(crate) name: Option<String>,
}

impl AlertWriter {
    /// What failed about a target.
    pub(crate) fn failure(&self, target: &Target<'_>, culprit: &Culprit<'_>) -> Failure {
        let url = culprit.url;
        let (kind, what) = match culprit.failed.class {
            Class::Body => ("bad-body", "bad body"),
            Class::Slow => ("slow", "slow answer"),
            _ => ("bad-status", "bad status"),
        };
        Failure {
            kind,
            subject: self.subject(&format!("{url}: {what} returned")),
            key: target.recovery_key(url),
            url: Some(url.to_owned()),
            class: Some(culprit.failed.class),
            status: culprit.status,
        }
    }

    /// That a process does not run, of which there should be something to check.
    pub(crate) fn not_running(&self, target: &Target<'_>, process: &ProcessInfo) -> Failure {
        let (namespec, state) = (process.namespec(), process.state.name());
        Failure {
            kind: "not-running",
            subject: self.subject(&format!("process {namespec} is in {state} state")),
            key: target.recovery_key(&namespec),
            url: None,
            class: None,
            status: None,
        }
    }

    /// That enough was done about a process.
    pub(crate) fn left_alone(
        &self,
        process: &ProcessInfo,
        failure: &Failure,
        (done, budget, rest): (&str, Option<Budget>, Duration),
        why: &str,
        at: SystemTime,
    ) -> Alert {
        let (namespec, time) = (process.namespec(), asctime_and_zone(at));
        let often = budget.map_or_else(String::new, |budget| budget.to_string());
        let text = format!(
            "httpok left the process named {namespec} alone at {time}: it was {done} {often}, and is \
             not {done} again for {}.\n\n{why}",
            duration_text(rest)
        );
        let subject = self.subject(&format!("process {namespec} left alone"));
        let alert = Failure { subject, ..failure.clone() }.alert("left-alone", text, at);
        alert.about(&process.group, &process.name, Some(process.pid))
    }

    /// That so many processes would be unavailable at once.
    pub(crate) fn all_failing(&self, key: &str, text: String, at: SystemTime) -> Alert {
        let what = text.split(": ").next().unwrap_or_default();
        let alert = Alert::new("httpok", "all-failing", at, self.subject(what), text.clone());
        alert.recovers(Recovers::WhenResolved { key: key.to_owned(), at_once: true })
    }

    /// That a target cannot be checked.
    pub(crate) fn trouble(
        &self,
        target: &Target<'_>,
        url: &str,
        why: &str,
        at: SystemTime,
    ) -> Alert {
        let key = target.recovery_key(url);
        let subject = self.subject(&format!("{url}: cannot be checked"));
        let text = why.to_owned();
        let alert = Alert::new("httpok", "trouble", at, subject, text).measuring("url", url);
        alert.recovers(Recovers::WhenResolved { key, at_once: true })
    }

    /// That a certificate expires soon.
    pub(crate) fn certificate(&self, url: &str, text: String, at: SystemTime) -> Alert {
        let subject = self.subject(&format!("{url}: certificate expires soon"));
        let alert = Alert::new("httpok", "certificate", at, subject, text).measuring("url", url);
        alert.recovers(Recovers::WhenResolved { key: certificate_key(url), at_once: true })
    }

    fn subject(&self, what: &str) -> String {
        match &self.name {
            Some(name) => format!("httpok [{name}]: {what}"),
            None => format!("httpok: {what}"),
        }
    }
}

const CERTIFICATE: &str = "certificate of ";

/// What recovers with another certificate.
pub(crate) fn certificate_key(url: &str) -> String {
    format!("{CERTIFICATE}{url}")
}

pub(crate) fn is_certificate(key: &str) -> bool {
    key.starts_with(CERTIFICATE)
}

/// That nothing is done, as so many processes would be unavailable.
pub(crate) fn guarded(
    unavailable: usize,
    selected: usize,
    limit: Option<MaxUnavailable>,
) -> String {
    let limit = limit.map_or_else(String::new, |limit| limit.to_string());
    format!(
        "{unavailable} of {selected} processes fail at once or do not run: nothing is done, since the \
         cause may be outside of them (--max-unavailable {limit})"
    )
}
