//! How a message looks in the log. Pure.

use std::borrow::Cow;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::system::clock::log_time;

/// What stands in a line besides the message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Nothing, as in the original.
    #[default]
    Plain,
    /// The time and the name of the listener, before each line.
    Time,
    /// An object for each message, in one line.
    Json,
}

/// How messages are written, and which.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// What stands in a line.
    pub format: Format,
    /// Whether what is routine is left out.
    pub quiet: bool,
    /// `group:name` of the listener, as supervisord knows it.
    pub listener: String,
    /// The command that it is, such as `memmon`.
    pub command: &'static str,
}

/// The process that a message is about.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Process<'a> {
    pub(super) group: &'a str,
    #[serde(rename = "process")]
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pid: Option<u32>,
}

/// A message as JSON.
#[derive(Serialize)]
struct Object<'a> {
    time: String,
    listener: &'a str,
    command: &'a str,
    #[serde(flatten)]
    process: Option<Process<'a>>,
    message: &'a str,
}

impl Style {
    /// What is written for `message`, without what a terminal would obey and without the end of the
    /// last line.
    pub(super) fn text(
        &self,
        message: &str,
        process: Option<Process<'_>>,
        now: SystemTime,
    ) -> String {
        let message = printable(message);
        match self.format {
            Format::Plain => message.into_owned(),
            Format::Time => {
                let start = format!("{} [{}]", log_time(now), self.short_name());
                let lines = message.split('\n').map(|line| format!("{start} {line}"));
                lines.collect::<Vec<_>>().join("\n")
            }
            Format::Json => self.json(&message, process, now),
        }
    }

    fn json(&self, message: &str, process: Option<Process<'_>>, now: SystemTime) -> String {
        let names = process.map(|of| (printable(of.group), printable(of.name), of.pid));
        let process = names.as_ref().map(|(group, name, pid)| Process { group, name, pid: *pid });
        let time = DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Millis, true);
        let (listener, command) = (&*self.listener, self.command);
        let object = Object { time, listener, command, process, message };
        serde_json::to_string(&object).unwrap_or_else(|_| message.to_owned())
    }

    /// As supervisorctl shows it: a group of one process of the same name is not named.
    fn short_name(&self) -> &str {
        match self.listener.split_once(':') {
            Some((group, name)) if group == name => name,
            _ => &self.listener,
        }
    }
}

fn printable(text: &str) -> Cow<'_, str> {
    match text.contains(is_terminal_control) {
        true => Cow::Owned(text.replace(is_terminal_control, "?")),
        false => Cow::Borrowed(text),
    }
}

/// Whether a terminal or a pager does something else than to show it: control characters (C1 too, of
/// which one is the same as ESC and `[`), ends of lines that are none to grep, and what turns around
/// the order of the letters that follow.
#[must_use]
pub fn is_terminal_control(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::*;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_764_075_845_678)
    }

    fn text(format: Format, listener: &str, message: &str) -> String {
        let style =
            Style { format, quiet: false, listener: listener.to_owned(), command: "memmon" };
        style.text(message, None, now())
    }

    #[test]
    fn every_line_begins_with_the_time_and_the_listener() {
        let time = log_time(now());
        assert!(time.ends_with(",678"), "{time}");
        for (listener, shown) in [("memmon:memmon", "memmon"), ("a:b", "a:b"), ("memmon", "memmon")]
        {
            let text = text(Format::Time, listener, "Mailed:\n\nTo: \u{1b}[bob");
            let start = format!("{time} [{shown}]");
            assert_eq!(text, format!("{start} Mailed:\n{start} \n{start} To: ?[bob"));
        }
    }

    #[test]
    fn a_message_of_several_lines_is_one_object() {
        let text = text(Format::Json, "memmon:memmon", "Mailed:\n\n\"To\": \u{1b}\u{9b}bob\té");
        let expected = json!({
            "time": "2025-11-25T13:04:05.678Z", "listener": "memmon:memmon", "command": "memmon",
            "message": "Mailed:\n\n\"To\": ??bob\té",
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        assert!(text.starts_with("{\"time\":") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn the_process_is_a_part_of_the_object_alone() {
        let process = Process { group: "g\u{7f}", name: "p", pid: Some(7) };
        let text = |format, pid| {
            let style = Style { format, listener: "m".to_owned(), ..Style::default() };
            style.text("x", Some(Process { pid, ..process }), now())
        };
        let object: Value = serde_json::from_str(&text(Format::Json, Some(7))).unwrap();
        assert_eq!((&object["group"], &object["process"]), (&json!("g?"), &json!("p")));
        assert_eq!(object["pid"], 7);
        let object: Value = serde_json::from_str(&text(Format::Json, None)).unwrap();
        assert!(object.get("pid").is_none() && object["process"] == "p", "{object}");
        assert_eq!(text(Format::Plain, Some(7)), "x");
    }
}
