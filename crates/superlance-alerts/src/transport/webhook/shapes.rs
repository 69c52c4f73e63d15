//! The JSON that each service expects. Pure.
//!
//! The limits come from the services' documentation. A text that is too long loses its middle: its
//! beginning says what happened, and the end of a log says why.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use superlance_core::listener::alert::Alert;

use super::Format;
use super::parts::{fields, shorten, time, with};
use super::services::Service;

/// The JSON about an alert, including the fields of the URL.
pub(super) fn body(
    format: Format,
    alert: &Alert,
    url_fields: &Map<String, Value>,
    service: &Service,
    now: SystemTime,
) -> Value {
    let (subject, text) = (alert.title(), alert.whole_text());
    match format {
        Format::Text => {
            // The limit of the smallest of them.
            let text = shorten(&format!("{subject}\n{text}"), 4000, char::len_utf16);
            with(fields(alert), [("text", json!(text))])
        }
        Format::Json => {
            let attachments = alert.attachments.iter();
            let attachments = attachments.map(|a| json!({"title": a.title, "text": a.text}));
            let attachments = ("attachments", attachments.collect());
            with(fields(alert), [("text", json!(alert.text)), attachments])
        }
        Format::Slack => slack(alert, subject, &text),
        Format::Discord => {
            let subject = shorten(subject, 250, char::len_utf16).replace('*', "\\*");
            let text = shorten(&code(&text), 1600, char::len_utf16);
            json!({
                "content": format!("**{subject}**\n```\n{text}\n```"),
                "allowed_mentions": {"parse": []},
            })
        }
        Format::Teams => teams(alert, subject, &text),
        Format::Telegram => {
            let text = shorten(&format!("{subject}\n\n{text}"), 4096, char::len_utf16);
            let no_preview = json!({"is_disabled": true});
            with(url_fields.clone(), [("text", json!(text)), ("link_preview_options", no_preview)])
        }
        Format::Ntfy => {
            let title = shorten(subject, 250, char::len_utf8);
            // A longer text would become a file.
            let message = shorten(&text, 4000, char::len_utf8);
            let tags = ("tags", json!(["warning"]));
            with(url_fields.clone(), [("title", json!(title)), ("message", json!(message)), tags])
        }
        Format::GoogleChat => {
            let text = format!("*{subject}*\n```\n{}\n```", code(&text));
            json!({"text": shorten(&text, 4000, char::len_utf8)})
        }
        Format::Alertmanager => service.alertmanager(alert, now),
        Format::PagerDuty => service.pagerduty(alert),
    }
}

fn slack(alert: &Alert, subject: &str, text: &str) -> Value {
    let fit = |text: &str, limit| escape(&shorten(text, limit, escaped_width));
    let facts: Vec<_> = facts(alert).into_iter().map(|(_, value)| value).collect();
    let (text, facts) = (fit(&code(text), 2900), fit(&facts.join(" · "), 500));
    let title = shorten(subject, 150, char::len_utf16);
    json!({
        "text": fit(subject, 500),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title}},
            {"type": "section", "text": {"type": "mrkdwn", "text": format!("```{text}```")}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": facts}]},
        ],
    })
}

fn teams(alert: &Alert, subject: &str, text: &str) -> Value {
    let fact = |(name, value)| json!({"title": name, "value": value});
    let facts: Vec<_> = facts(alert).into_iter().map(fact).collect();
    let title = shorten(subject, 500, char::len_utf8);
    // A single line end is no line break in Markdown.
    let text = shorten(text, 10_000, char::len_utf8).replace('\n', "\n\n");
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.2",
                "body": [
                    {"type": "TextBlock", "text": title, "weight": "Bolder", "size": "Medium",
                     "wrap": true},
                    {"type": "TextBlock", "text": text, "wrap": true},
                    {"type": "FactSet", "facts": facts},
                ],
            },
        }],
    })
}

/// The fields of an alert that its text need not say, for people.
fn facts(alert: &Alert) -> Vec<(&'static str, String)> {
    let process = alert.process.as_ref();
    let facts = [
        ("Host", Some(alert.host.clone())),
        ("Process", process.map(|process| format!("{}:{}", process.group, process.name))),
        ("Listener", Some(alert.listener.clone())),
        ("Time", Some(time(alert))),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Escapes text for Slack, so that nothing in it is a link or a mention.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn escaped_width(c: char) -> usize {
    match c {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        c => c.len_utf16(),
    }
}

/// Escapes the end of a code block.
fn code(text: &str) -> String {
    text.replace("```", "'''")
}

#[cfg(test)]
#[path = "shapes_tests.rs"]
mod tests;
