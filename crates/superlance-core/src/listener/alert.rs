//! Alerts: values that a listener raises through [`Alerts`]; the delivery is elsewhere.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::mail::Mail;
use crate::system::clock::unix_seconds;
use crate::system::log::{About, Log};

/// The size of the short fields of an alert.
const FIELDS: usize = 500;

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// A plain word, the same on every try to deliver the alert, and different for every other
    /// alert.
    pub id: String,
    /// The command that raised it, such as `memmon`.
    pub listener: String,
    /// The kind, such as `restarted`. The throttle may hold back alerts of one kind about one
    /// process.
    pub kind: String,
    /// The event that caused it, such as `TICK_60`; empty for none.
    pub event: String,
    /// The process that it is about, if any.
    pub process: Option<Process>,
    /// The host's name.
    pub host: String,
    /// The time of the event.
    pub at: SystemTime,
    /// Measurements by name: numbers without units, bytes and seconds.
    pub measured: Vec<(String, String)>,
    /// The action, such as `restart`; none for alerts that only inform.
    pub action: Option<String>,
    /// One line; empty where mails have no subject. [`title`](Self::title) is never empty.
    pub subject: String,
    /// The text of the mail.
    pub text: String,
    /// Further texts: the tail of a log, the output of a command.
    pub attachments: Vec<Attachment>,
    /// When the trouble is over.
    #[serde(default)]
    pub recovers: Recovers,
    /// Whom it is for.
    #[serde(default)]
    pub phase: Phase,
}

/// Whom an alert is for: people, or services that keep an alert until it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// People.
    #[default]
    Told,
    /// Services: it begins, or happened once more.
    Fires,
    /// Services: it is not over yet.
    Lasts,
    /// Services: it is over.
    Over,
    /// Services: it happened once, and has been shown long enough.
    Passed,
}

impl Phase {
    /// Whether a service that waits to be told ends the alert.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Over | Self::Passed)
    }
}

/// When the trouble of an alert is over, for `--recovery`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Recovers {
    /// Never: the alert is about no trouble.
    #[default]
    Never,
    /// When its process has been running for the time of `--alert-interval`.
    WhenRunning,
    /// When the listener resolves `key` ([`Alerts::resolve`]): at once, or when no alert with this
    /// key came for the time of `--alert-interval`.
    WhenResolved {
        /// What recovers, such as `process group:name` or a URL. It is part of the subject.
        key: String,
        /// Whether it is over at once.
        at_once: bool,
    },
    /// This alert says that the trouble with `key` is over.
    Recovered { key: String },
}

impl Recovers {
    /// The key of what has to recover, if anything, where the alert is about this process.
    #[must_use]
    pub fn key(&self, process: Option<&Process>) -> Option<String> {
        match self {
            Self::Never | Self::Recovered { .. } => None,
            Self::WhenRunning => process.map(|about| process_key(&about.group, &about.name)),
            Self::WhenResolved { key, .. } => Some(key.clone()),
        }
    }
}

/// The process that an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    pub group: String,
    pub name: String,
    pub pid: Option<u32>,
}

const PROCESS: &str = "process ";

/// The key of the recovery of a process.
#[must_use]
pub fn process_key(group: &str, name: &str) -> String {
    format!("{PROCESS}{group}:{name}")
}

/// The `group:name` of a process, if this is the key of its recovery.
#[must_use]
pub fn process_of_key(key: &str) -> Option<&str> {
    key.strip_prefix(PROCESS)
}

/// A further text of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// A line that says what it is.
    pub title: String,
    pub text: String,
}

/// The sink for the alerts of a listener.
pub trait Alerts: Send {
    /// Takes an alert, and returns at once. The log has the outcome.
    fn raise(&mut self, alert: Alert);

    /// Takes note that a tick was worked through, or could not be.
    fn ticked(&mut self, _is_success: bool) {}

    /// Whether an alert waits for [`resolve`](Self::resolve) with this key.
    fn is_unresolved(&self, _key: &str) -> bool {
        false
    }

    /// Reports that the trouble with this key is over; `text` is a sentence about it.
    fn resolve(&mut self, _key: &str, _text: &str) {}

    /// Forgets the troubles that wait for [`resolve`](Self::resolve) with another key: an earlier
    /// listener told them, of something that this one does not look at. Services are told that they are
    /// over; people are not, since nothing has recovered.
    fn retain(&mut self, _is_watched: &dyn Fn(&str) -> bool) {}
}

impl Alert {
    /// An alert with a subject and a text.
    ///
    /// `listener` is the command that raises it, `kind` the kind, `at` the time.
    #[must_use]
    pub fn new(listener: &str, kind: &str, at: SystemTime, subject: String, text: String) -> Self {
        Self {
            id: String::new(),
            listener: listener.to_owned(),
            kind: kind.to_owned(),
            event: String::new(),
            process: None,
            host: String::new(),
            at,
            measured: Vec::new(),
            action: None,
            subject,
            text,
            attachments: Vec::new(),
            recovers: Recovers::Never,
            phase: Phase::Told,
        }
    }

    /// Adds the process.
    #[must_use]
    pub fn about(mut self, group: &str, name: &str, pid: Option<u32>) -> Self {
        self.process = Some(Process { group: group.to_owned(), name: name.to_owned(), pid });
        self
    }

    /// The key of what has to recover, if anything.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.recovers.key(self.process.as_ref())
    }

    /// The log, for messages about its process.
    #[must_use]
    pub fn log<'a>(&'a self, log: &'a Log) -> About<'a> {
        match &self.process {
            Some(Process { group, name, pid }) => log.about(group, name, *pid),
            None => log.into(),
        }
    }

    /// Adds a measurement.
    #[must_use]
    pub fn measuring(mut self, name: &str, value: impl ToString) -> Self {
        self.measured.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sets when the trouble is over.
    #[must_use]
    pub fn recovers(mut self, when: Recovers) -> Self {
        self.recovers = when;
        self
    }

    /// Sets the action.
    #[must_use]
    pub fn action(mut self, what: &str) -> Self {
        self.action = Some(what.to_owned());
        self
    }

    /// Adds a further text.
    #[must_use]
    pub fn attach(mut self, title: impl Into<String>, text: impl Into<String>) -> Self {
        self.attachments.push(Attachment { title: title.into(), text: text.into() });
        self
    }

    /// The text and below it the further texts, each under its title.
    #[must_use]
    pub fn whole_text(&self) -> String {
        let further = |attachment: &Attachment| {
            format!("\n\n{}:\n\n{}", attachment.title, attachment.text.trim_end_matches('\n'))
        };
        let further: String = self.attachments.iter().map(further).collect();
        format!("{}{further}", self.text)
    }

    /// The mail. Without further texts it is the original's, word for word.
    #[must_use]
    pub fn mail(&self, to: &str) -> Mail {
        Mail { to: to.to_owned(), subject: self.subject.clone(), text: self.whole_text() }
    }

    /// The approximate size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = self.attachments.iter().map(|more| more.title.len() + more.text.len());
        let measured = self.measured.iter().map(|(name, value)| name.len() + value.len());
        let parts = [&self.subject, &self.text, &self.host].map(String::len);
        FIELDS + parts.into_iter().chain(texts).chain(measured).sum::<usize>()
    }

    /// The subject, or a substitute where mails have none.
    #[must_use]
    pub fn title(&self) -> &str {
        let subject = self.subject.trim();
        if subject.is_empty() { &self.listener } else { subject }
    }

    /// The time in seconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        unix_seconds(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn alert() -> Alert {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        Alert::new("memmon", "restarted", at, "subject".to_owned(), "text".to_owned())
    }

    #[test]
    fn a_mail_has_the_text_and_below_it_what_comes_along() {
        assert_eq!(alert().mail("bob").text, "text");
        let mail = alert().attach("Output of x", "a\nb\n").attach("Log", "c").mail("bob");
        assert_eq!(mail.text, "text\n\nOutput of x:\n\na\nb\n\nLog:\n\nc");
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("bob", "subject"));
    }

    #[test]
    fn it_survives_being_written_down() {
        let alert = alert().about("g", "p", Some(3)).measuring("rss", 5).action("restart");
        let text = serde_json::to_string(&alert).unwrap();
        assert_eq!(serde_json::from_str::<Alert>(&text).unwrap(), alert);
        assert_eq!(alert.timestamp(), 7);
    }
}
