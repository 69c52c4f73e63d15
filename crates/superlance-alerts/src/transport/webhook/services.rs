//! The JSON for services that keep an alert until it is over: Alertmanager and PagerDuty. Pure.
//!
//! Alertmanager knows an alert by its labels, PagerDuty by its `dedup_key`; so neither may contain
//! what changes while it lasts, such as a pid.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::SecondsFormat;
use serde_json::{Value, json};
use superlance_core::listener::alert::{Alert, Phase, process_key};
use superlance_core::system::hash::fnv1a;
use superlance_core::system::order;

use super::parts::{fields, rfc3339, shorten, with};
use crate::firing::REPEAT;
use crate::kinds::{lasts, severity};
use superlance_core::options::label::Label;

/// The characters of a text that lasting alerts still have when they are told again.
const TEXT: usize = 2000;

/// The longest `dedup_key`.
const MAX_KEY: usize = 255;

/// What a service needs to know beside the alert.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) labels: Vec<Label>,
    /// PagerDuty's `routing_key`.
    pub(super) key: Option<String>,
    /// When what is over at once ends.
    pub(super) interval: Duration,
}

impl Service {
    /// One alert only, since an answer of 400 does not say which of several were refused.
    ///
    /// Its end is in the future unless it is over: Alertmanager says 200 to an alert that it does not
    /// know and whose end is past, and notifies no receiver. What lasts ends by itself soon after the listener
    /// that repeats it is dead.
    pub(super) fn alertmanager(&self, alert: &Alert, now: SystemTime) -> Value {
        let end = match alert.phase {
            Phase::Over => now,
            _ if lasts(alert) => now + REPEAT * 4,
            _ => now + self.interval,
        };
        let time = |time| rfc3339(time, SecondsFormat::Millis);
        json!([{
            "labels": self.labels(alert),
            "annotations": {"summary": alert.title(), "description": text(alert)},
            "startsAt": time(alert.at.min(now)),
            "endsAt": time(end),
        }])
    }

    fn labels(&self, alert: &Alert) -> BTreeMap<String, String> {
        let (group, process) = process(alert);
        let labels = [
            ("alertname", format!("Superlance{}", camel(&alert.kind))),
            ("listener", alert.listener.clone()),
            ("kind", alert.kind.clone()),
            ("severity", severity(alert).name().to_owned()),
            ("instance", alert.host.clone()),
            ("group", group),
            ("process", process),
            ("about", about(alert).unwrap_or_default()),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value)).into_iter();
        let given = self.labels.iter().map(|label| (label.name.clone(), label.value.clone()));
        // Alertmanager refuses a label without a value, such as that of a process where there is none.
        order::gather(labels.filter(|(_, value)| !value.is_empty()).chain(given))
    }

    pub(super) fn pagerduty(&self, alert: &Alert) -> Value {
        let event = json!({
            "routing_key": self.key,
            "dedup_key": self.dedup_key(alert),
            "event_action": if alert.phase.is_end() { "resolve" } else { "trigger" },
        });
        if alert.phase.is_end() {
            return event;
        }
        let labels = self.labels.iter();
        let labels = order::gather(labels.map(|label| (label.name.clone(), json!(label.value))));
        let mut payload = json!({
            "summary": shorten(alert.title(), 1000, |_| 1),
            "source": alert.host,
            "severity": severity(alert).name(),
            "timestamp": rfc3339(alert.at, SecondsFormat::Millis),
            "component": component(alert),
            "group": alert.process.as_ref().map(|process| &process.group),
            "class": alert.kind,
            "custom_details":
                with(fields(alert), [("text", json!(text(alert))), ("labels", Value::Object(labels))]),
        });
        retain_known(&mut payload);
        with_payload(event, payload)
    }

    /// `host/listener/process/what/kind`, and the labels, which tell several supervisords of a machine
    /// apart. One that is too long ends in its hash.
    fn dedup_key(&self, alert: &Alert) -> String {
        let (group, process) = process(alert);
        let process = format!("{group}:{process}");
        let Alert { host, listener, kind, .. } = alert;
        let parts = [
            host.clone(),
            listener.clone(),
            process,
            about(alert).unwrap_or_default(),
            kind.clone(),
        ];
        let labels = self.labels.iter().map(|label| format!("{}={}", label.name, label.value));
        let key = parts.into_iter().chain(labels).collect::<Vec<_>>().join("/");
        if key.chars().count() <= MAX_KEY {
            return key;
        }
        let hash = format!("{:016x}", fnv1a(key.bytes()));
        key.chars().take(MAX_KEY - hash.len()).chain(hash.chars()).collect()
    }
}

/// What an alert is about, where it is not just a process: a URL, or the checks of a listener.
fn about(alert: &Alert) -> Option<String> {
    let process = alert.process.as_ref();
    let process = process.map(|process| process_key(&process.group, &process.name));
    alert.trouble().filter(|trouble| process.as_ref() != Some(trouble))
}

fn process(alert: &Alert) -> (String, String) {
    let process = alert.process.as_ref();
    process.map(|process| (process.group.clone(), process.name.clone())).unwrap_or_default()
}

fn component(alert: &Alert) -> Option<String> {
    let process = alert.process.as_ref();
    process.map(|process| format!("{}:{}", process.group, process.name)).or_else(|| about(alert))
}

fn text(alert: &Alert) -> String {
    shorten(&alert.whole_text(), TEXT, |_| 1)
}

/// `failed-to-start` as `FailedToStart`.
fn camel(kind: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    kind.split('-').map(word).collect()
}

fn retain_known(payload: &mut Value) {
    if let Value::Object(fields) = payload {
        fields.retain(|_, value| !value.is_null());
    }
}

fn with_payload(mut event: Value, payload: Value) -> Value {
    if let Value::Object(fields) = &mut event {
        fields.insert("payload".to_owned(), payload);
    }
    event
}

#[cfg(test)]
#[path = "services_tests.rs"]
mod tests;
