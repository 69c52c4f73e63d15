//! The shapes of JSON that services expect. Pure.
//!
//! The limits are those of the services' own documentation. A text that is too long loses its middle:
//! its beginning says what happened, and the end of a log says why.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use ureq::http::Uri;

use crate::alert::Alert;

/// What a service expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A `text` that is shown, with the fields of the alert beside it: Mattermost, Rocket.Chat.
    Text,
    /// Everything, for programs.
    Json,
    Slack,
    Discord,
    Teams,
    Telegram,
    Ntfy,
    /// It refuses fields that it does not know.
    GoogleChat,
}

/// Names on the command line.
const NAMES: [(&str, Format); 8] = [
    ("text", Format::Text),
    ("json", Format::Json),
    ("slack", Format::Slack),
    ("discord", Format::Discord),
    ("teams", Format::Teams),
    ("telegram", Format::Telegram),
    ("ntfy", Format::Ntfy),
    ("google-chat", Format::GoogleChat),
];

/// The hosts of services, whose URLs need no format. A dot stands for every host below it.
const HOSTS: [(&str, Format); 8] = [
    ("hooks.slack.com", Format::Slack),
    ("discord.com", Format::Discord),
    (".webhook.office.com", Format::Teams),
    (".logic.azure.com", Format::Teams),
    (".api.powerplatform.com", Format::Teams),
    ("api.telegram.org", Format::Telegram),
    ("ntfy.sh", Format::Ntfy),
    ("chat.googleapis.com", Format::GoogleChat),
];

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, format)| *format).ok_or_else(|| {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

impl Format {
    /// What the service at this host expects.
    pub(super) fn of_host(host: &str) -> Self {
        let host = host.to_ascii_lowercase();
        let is = |known: &str| host == known || known.starts_with('.') && host.ends_with(known);
        HOSTS.iter().find(|(known, _)| is(known)).map_or(Self::Text, |(_, format)| *format)
    }

    /// Where to send to, and which fields that takes from the URL: Telegram wants to know the chat and
    /// ntfy the topic in the JSON.
    pub(super) fn aim(self, uri: &Uri) -> Result<(Uri, Map<String, Value>), String> {
        let mut fields = Map::new();
        let path = match self {
            Self::Telegram => {
                fields = parameters(uri.query().unwrap_or_default());
                if !fields.contains_key("chat_id") {
                    return Err("has no chat_id: expected \
                                https://api.telegram.org/botTOKEN/sendMessage?chat_id=CHAT"
                        .to_owned());
                }
                uri.path().to_owned()
            }
            Self::Ntfy => {
                let (root, topic) = uri.path().rsplit_once('/').unwrap_or_default();
                if topic.is_empty() {
                    return Err("has no topic: expected https://ntfy.sh/TOPIC".to_owned());
                }
                fields = parameters(uri.query().unwrap_or_default());
                fields.insert("topic".to_owned(), json!(topic));
                format!("{root}/")
            }
            _ => return Ok((uri.clone(), fields)),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = path.parse().ok();
        let uri = Uri::from_parts(parts).map_err(|error| format!("is not a URL: {error}"))?;
        Ok((uri, fields))
    }

    /// The JSON about an alert.
    pub(super) fn body(self, alert: &Alert, aim: &Map<String, Value>) -> Value {
        let (subject, text) = (alert.subject.trim(), alert.whole_text());
        let chars = |_: char| 1;
        match self {
            Self::Text => {
                let mut fields = fields(alert);
                // What the smallest of them takes.
                let text = shorten(&format!("{subject}\n{text}"), 4000, char::len_utf16);
                fields.insert("text".to_owned(), json!(text));
                Value::Object(fields)
            }
            Self::Json => {
                let mut fields = fields(alert);
                fields.insert("text".to_owned(), json!(alert.text));
                let attachments = alert.attachments.iter();
                let attachments = attachments.map(|a| json!({"title": a.title, "text": a.text}));
                fields.insert("attachments".to_owned(), attachments.collect());
                Value::Object(fields)
            }
            Self::Slack => {
                let text = shorten(&code(&text), 2900, escaped_width);
                let context = escape(&shorten(&context(alert), 500, escaped_width));
                json!({
                    "text": escape(&shorten(subject, 500, escaped_width)),
                    "blocks": [
                        {"type": "header", "text": {
                            "type": "plain_text", "text": shorten(subject, 150, char::len_utf16),
                        }},
                        {"type": "section", "text": {
                            "type": "mrkdwn", "text": format!("```{}```", escape(&text)),
                        }},
                        {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
                    ],
                })
            }
            Self::Discord => {
                let subject = shorten(subject, 250, char::len_utf16);
                let text = shorten(&code(&text), 1600, char::len_utf16);
                json!({
                    "content": format!("**{}**\n```\n{text}\n```", subject.replace('*', "\\*")),
                    "allowed_mentions": {"parse": []},
                })
            }
            Self::Teams => {
                let facts = facts(alert);
                let facts =
                    facts.into_iter().map(|(name, value)| json!({"title": name, "value": value}));
                // A single line end is no new line there.
                let text = shorten(&text, 10_000, char::len_utf8).replace('\n', "\n\n");
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
                                {"type": "TextBlock", "text": subject, "weight": "Bolder",
                                 "size": "Medium", "wrap": true},
                                {"type": "TextBlock", "text": text, "wrap": true},
                                {"type": "FactSet", "facts": facts.collect::<Vec<_>>()},
                            ],
                        },
                    }],
                })
            }
            Self::Telegram => {
                let text = shorten(&format!("{subject}\n\n{text}"), 4096, char::len_utf16);
                let mut body = aim.clone();
                body.insert("text".to_owned(), json!(text));
                body.insert("link_preview_options".to_owned(), json!({"is_disabled": true}));
                Value::Object(body)
            }
            Self::Ntfy => {
                let mut body = aim.clone();
                body.insert("title".to_owned(), json!(shorten(subject, 250, chars)));
                // A longer one would become a file.
                body.insert("message".to_owned(), json!(shorten(&text, 4000, char::len_utf8)));
                body.insert("tags".to_owned(), json!(["warning"]));
                Value::Object(body)
            }
            Self::GoogleChat => {
                let text = code(&text);
                let text = shorten(&format!("*{subject}*\n```\n{text}\n```"), 4000, char::len_utf8);
                json!({"text": text})
            }
        }
    }
}

/// The parameters of a URL, as fields. What is a number is a number.
fn parameters(query: &str) -> Map<String, Value> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let decoded = |text: &str| {
        String::from_utf8_lossy(&crate::url::decode(&text.replace('+', " "))).into_owned()
    };
    let value = |text: String| text.parse::<i64>().map_or(json!(text), |number| json!(number));
    pairs.map(|(name, text)| (decoded(name), value(decoded(text)))).collect()
}

/// What is known of an alert, for programs.
fn fields(alert: &Alert) -> Map<String, Value> {
    let process = alert.process.as_ref();
    let measured = alert.measured.iter().map(|(name, value)| {
        let number = value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number));
        (name.clone(), number)
    });
    let fields = json!({
        "id": alert.id,
        "listener": alert.listener,
        "kind": alert.kind,
        "event": alert.event,
        "group": process.map(|process| &process.group),
        "process": process.map(|process| &process.name),
        "pid": process.and_then(|process| process.pid),
        "host": alert.host,
        "time": time(alert),
        "timestamp": alert.timestamp(),
        "measured": measured.collect::<Map<_, _>>(),
        "done": alert.done,
        "subject": alert.subject.trim(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn time(alert: &Alert) -> String {
    DateTime::<Utc>::from(alert.at).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What is known of an alert, for people: what its text need not say.
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

fn context(alert: &Alert) -> String {
    let facts: Vec<_> = facts(alert).into_iter().map(|(_, value)| value).collect();
    facts.join(" · ")
}

/// Slack's own: nothing in it is a link or a mention then.
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

/// A text that does not end the block of code that it is put into.
fn code(text: &str) -> String {
    text.replace("```", "'''")
}

/// At most `limit` of a text, where a character is so much; what is missing is in its middle.
fn shorten(text: &str, limit: usize, width: impl Fn(char) -> usize) -> String {
    if text.chars().map(&width).sum::<usize>() <= limit {
        return text.to_owned();
    }
    const MARK: &str = "\n[...]\n";
    let half = limit.saturating_sub(MARK.len()) / 2;
    let fitting = |chars: &mut dyn Iterator<Item = char>| {
        let mut room = half;
        let fits = |c: &char| {
            let fits = width(*c) <= room;
            room = room.saturating_sub(width(*c));
            fits
        };
        chars.take_while(fits).collect::<Vec<_>>()
    };
    let head: String = fitting(&mut text.chars()).into_iter().collect();
    let tail: String = fitting(&mut text.chars().rev()).into_iter().rev().collect();
    format!("{head}{MARK}{tail}")
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
