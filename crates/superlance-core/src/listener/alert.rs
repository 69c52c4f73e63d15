//! What a listener tells people: a value, raised through [`Alerts`] and delivered elsewhere.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::mail::Mail;
use crate::system::clock::unix_seconds;

/// Bytes that the fields of an alert occupy that are about as long in every alert.
const FIELDS: usize = 500;

/// Something that people should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The same on every try to deliver it, and on no other alert. A plain word.
    pub id: String,
    /// The command that raised it, such as `memmon`.
    pub listener: String,
    /// What sort of thing happened, such as `restarted`. Alerts of one kind about one process may be
    /// held back to spare their readers.
    pub kind: String,
    /// The event that made the listener look, such as `TICK_60`; empty for none.
    pub event: String,
    /// The process that it is about, if it is about one.
    pub process: Option<Process>,
    /// The host's name.
    pub host: String,
    /// When it happened.
    pub at: SystemTime,
    /// What was measured, by name: numbers without units, bytes and seconds.
    pub measured: Vec<(String, String)>,
    /// What was done about it, such as `restart`; nothing for alerts that only tell.
    pub action: Option<String>,
    /// A line. It is empty where mails are to have none; [`title`](Self::title) is there for the rest.
    pub subject: String,
    /// The whole, as a mail has it.
    pub text: String,
    /// Further texts: the tail of a log, the output of a command.
    pub attachments: Vec<Attachment>,
    /// When what it tells of is over.
    #[serde(default)]
    pub recovers: Recovers,
}

/// When the trouble that an alert tells of is over, for `--recovery`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Recovers {
    /// Never: it tells of no trouble.
    #[default]
    Never,
    /// When its process has been running for the time of `--alert-interval`.
    WhenRunning,
    /// When the listener resolves `key` ([`Alerts::resolve`]): at once, or when no alert with this key came
    /// for the time of `--alert-interval`.
    WhenResolved {
        /// What recovers, such as `process group:name` or a URL. It is part of the subject.
        key: String,
        /// Whether the interval does not count.
        at_once: bool,
    },
}

/// The process that an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    /// Name of its group.
    pub group: String,
    /// Its own name.
    pub name: String,
    /// Its process id, where one is known.
    pub pid: Option<u32>,
}

/// A text that comes with an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// A line that says what it is.
    pub title: String,
    /// The text.
    pub text: String,
}

/// Where a listener raises its alerts.
pub trait Alerts: Send {
    /// Takes an alert, and returns at once. What becomes of it is said in the log.
    fn raise(&mut self, alert: Alert);

    /// Whether an alert waits for [`resolve`](Self::resolve) with this key.
    fn is_unresolved(&self, _key: &str) -> bool {
        false
    }

    /// What was reported with this key is over, as the last look shows: `text` says so in a sentence.
    fn resolve(&mut self, _key: &str, _text: &str) {}
}

impl Alert {
    /// An alert with a subject and a text, and nothing else known of it yet.
    ///
    /// `listener` says who raises it, `kind` what sort of thing happened at the time `at`.
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
        }
    }

    /// The same, about this process.
    #[must_use]
    pub fn about(mut self, group: &str, name: &str, pid: Option<u32>) -> Self {
        self.process = Some(Process { group: group.to_owned(), name: name.to_owned(), pid });
        self
    }

    /// The same, with something that was measured.
    #[must_use]
    pub fn measuring(mut self, name: &str, value: impl ToString) -> Self {
        self.measured.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same, with when it is over.
    #[must_use]
    pub fn recovers(mut self, when: Recovers) -> Self {
        self.recovers = when;
        self
    }

    /// The same, with what was done about it.
    #[must_use]
    pub fn action(mut self, what: &str) -> Self {
        self.action = Some(what.to_owned());
        self
    }

    /// The same, with a further text.
    #[must_use]
    pub fn attach(mut self, title: impl Into<String>, text: impl Into<String>) -> Self {
        self.attachments.push(Attachment { title: title.into(), text: text.into() });
        self
    }

    /// The text, and below it the further texts, each under its title.
    #[must_use]
    pub fn whole_text(&self) -> String {
        let further = |attachment: &Attachment| {
            format!("\n\n{}:\n\n{}", attachment.title, attachment.text.trim_end_matches('\n'))
        };
        let further: String = self.attachments.iter().map(further).collect();
        format!("{}{further}", self.text)
    }

    /// As a mail. Without further texts it is the original's, word for word.
    #[must_use]
    pub fn mail(&self, to: &str) -> Mail {
        Mail { to: to.to_owned(), subject: self.subject.clone(), text: self.whole_text() }
    }

    /// About how many bytes it occupies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = self.attachments.iter().map(|more| more.title.len() + more.text.len());
        let measured = self.measured.iter().map(|(name, value)| name.len() + value.len());
        let parts = [&self.subject, &self.text, &self.host].map(String::len);
        FIELDS + parts.into_iter().chain(texts).chain(measured).sum::<usize>()
    }

    /// A line that says what it is about, also where its mails have no subject.
    #[must_use]
    pub fn title(&self) -> &str {
        let subject = self.subject.trim();
        if subject.is_empty() { &self.listener } else { subject }
    }

    /// Seconds since 1970 at which it happened.
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
