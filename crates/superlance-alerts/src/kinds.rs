//! The kinds of alerts: how bad each is, and whether it lasts. Pure.

use superlance_core::listener::alert::Alert;
use superlance_core::listener::blindness::BLIND;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    /// The word that Alertmanager's users and PagerDuty know.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What happens is over at once, or lasts until it recovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Once,
    Lasts,
}

use Severity::{Critical, Info, Warning};
use Span::{Lasts, Once};

/// The kinds. An unknown one is a warning, and over at once.
const KINDS: [(&str, Severity, Span); 34] = [
    ("all-failing", Critical, Lasts),
    ("backoff", Warning, Once),
    ("bad-body", Warning, Lasts),
    ("bad-status", Warning, Lasts),
    (BLIND, Critical, Lasts),
    ("blocked", Critical, Lasts),
    ("certificate", Warning, Lasts),
    ("digest", Warning, Once),
    ("events-lost", Warning, Once),
    ("exited", Warning, Once),
    ("expected", Info, Once),
    ("failed-to-signal", Critical, Lasts),
    ("failed-to-start", Critical, Lasts),
    ("failed-to-stop", Critical, Lasts),
    ("failing", Warning, Lasts),
    ("fatal", Critical, Lasts),
    ("left-alone", Critical, Lasts),
    ("misconfigured", Warning, Lasts),
    ("not-running", Critical, Lasts),
    ("over", Warning, Lasts),
    ("restarted", Warning, Once),
    ("running", Info, Once),
    ("shutting-down", Critical, Once),
    ("signalled", Warning, Once),
    ("slow", Warning, Lasts),
    ("started-again", Warning, Once),
    ("starting", Info, Once),
    ("stopped", Warning, Once),
    ("stopping", Info, Once),
    ("test", Info, Once),
    ("trouble", Critical, Lasts),
    ("unknown", Critical, Lasts),
    ("waiting", Warning, Lasts),
    ("would-shut-down", Warning, Once),
];

/// How bad what an alert tells is.
pub(crate) fn severity(alert: &Alert) -> Severity {
    of(&alert.kind).map_or(Warning, |(_, severity, _)| *severity)
}

/// Whether it lasts until it recovers.
pub(crate) fn lasts(alert: &Alert) -> bool {
    alert.trouble().is_some() && of(&alert.kind).is_some_and(|(_, _, span)| *span == Lasts)
}

fn of(kind: &str) -> Option<&'static (&'static str, Severity, Span)> {
    KINDS.iter().find(|(name, ..)| *name == kind)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::SystemTime;

    use superlance_core::listener::alert::Recovers;

    use super::*;

    /// The words of the manual page between two of its lines.
    fn manual(from: &str, to: &str) -> BTreeSet<&'static str> {
        let page = include_str!("../../../man/superlance-alerts.7");
        let after = page.split_once(from).unwrap().1;
        let lines = after.split_once(to).unwrap().0.lines();
        let words =
            lines.filter_map(|line| line.strip_prefix(".Li ")).flat_map(|line| line.split(' '));
        words.filter(|word| word.starts_with(char::is_alphabetic)).collect()
    }

    fn kinds(chosen: impl Fn(Severity, Span) -> bool) -> BTreeSet<&'static str> {
        let kinds = KINDS.iter().filter(|(_, severity, span)| chosen(*severity, *span));
        kinds.map(|(name, ..)| *name).collect()
    }

    #[test]
    fn the_manual_page_has_each_kind_and_says_what_lasts_and_what_is_critical() {
        let mut all = manual(".Ss Kinds of alerts", ".Sh ENVIRONMENT");
        all.insert("test");
        // Services are told what is over, not that something recovered.
        all.remove("recovered");
        assert_eq!(kinds(|_, _| true), all);
        assert_eq!(kinds(|_, span| span == Lasts), manual("these are the kinds", "holds nothing"));
        assert_eq!(kinds(|severity, _| severity == Critical), manual(".Li critical", ".Li info"));
        let info = manual(".Li info", "for all other kinds");
        assert_eq!(kinds(|severity, _| severity == Info), &info - &BTreeSet::from(["warning"]));
    }

    #[test]
    fn what_nobody_will_say_to_be_over_does_not_last() {
        let text = String::new;
        let alert = Alert::new("x", "blind", SystemTime::UNIX_EPOCH, text(), text());
        assert!(!lasts(&alert));
        assert!(lasts(&alert.recovers(Recovers::WhenResolved { key: text(), at_once: true })));
    }
}
