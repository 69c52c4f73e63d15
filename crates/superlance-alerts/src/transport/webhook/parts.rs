//! What the JSON of several services is made of. Pure.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use superlance_core::listener::alert::Alert;
use superlance_core::system::order;

pub(super) fn with<const N: usize>(
    mut fields: Map<String, Value>,
    more: [(&str, Value); N],
) -> Value {
    fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(fields)
}

/// All fields of an alert, for programs.
pub(super) fn fields(alert: &Alert) -> Map<String, Value> {
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
        "measured": order::gather::<_, Map<_, _>>(measured),
        "action": alert.action,
        "subject": alert.title(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

pub(super) fn time(alert: &Alert) -> String {
    rfc3339(alert.at, SecondsFormat::Secs)
}

pub(super) fn rfc3339(time: SystemTime, precision: SecondsFormat) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(precision, true)
}

/// At most `limit` of a text, by the size of each character; the middle is cut out.
pub(super) fn shorten(text: &str, limit: usize, width: impl Fn(char) -> usize) -> String {
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
