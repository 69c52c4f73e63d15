//! The mail transport of the batch tools: the transport of all listeners, with the original's words
//! in the log.

use superlance_alerts::{SmtpTransport, Transport};
use superlance_core::listener::alert::Alert;
use superlance_core::mail::outcome::DeliveryOutcome;

/// Characters of a mail's text that are logged when it is sent.
const DIGEST: usize = 76;

/// Mails to the server of `-H` or `--smtp-url`.
pub(super) struct BatchMail {
    pub(super) smtp: SmtpTransport,
    /// Whether the mails have a subject: without one, the original logs Python's `None`.
    pub(super) has_subject: bool,
}

impl Transport for BatchMail {
    fn name(&self) -> String {
        self.smtp.name()
    }

    fn key(&self) -> String {
        self.smtp.key()
    }

    fn targets(&self) -> Vec<String> {
        self.smtp.targets()
    }

    fn deliver(&self, alert: &Alert, targets: &[String]) -> Vec<DeliveryOutcome> {
        self.smtp.deliver(alert, targets)
    }

    fn delivered(&self, alert: &Alert, targets: &[String]) -> Option<String> {
        let subject = match alert.subject.as_str() {
            "" if !self.has_subject => "None",
            subject => subject,
        };
        Some(format!(
            "Sending notification email:\nTo: {}\nFrom: {}\nSubject: {subject}\nBody:\n{}",
            targets.join(", "),
            self.smtp.from,
            digest(&alert.text),
        ))
    }

    fn failed(&self, targets: &[String], reason: &str) -> String {
        let (server, whom) = (self.smtp.server(), targets.join(", "));
        format!("Error sending email: {server}: {reason}; kept, and tried again later for {whom}")
    }

    fn given_up(&self, alert: &Alert, targets: &[String], reason: &str) -> String {
        let (server, whom) = (self.smtp.server(), targets.join(", "));
        format!("Error sending email: {server}: {reason}; not mailed to {whom}:\n{}", alert.text)
    }

    fn unfinished(&self, alert: &Alert) -> String {
        let whom = self.targets().join(", ");
        format!("Not mailed in time (recipients: {whom}):\n{}", alert.text)
    }
}

/// The beginning of a text, as the original logs it.
fn digest(text: &str) -> String {
    match text.char_indices().nth(DIGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use superlance_core::mail::smtp::{Settings, Tls};
    use superlance_core::system::log::Log;

    use super::*;

    fn mail(has_subject: bool) -> BatchMail {
        let server = "localhost".parse().unwrap();
        let settings = Settings { server, credentials: None, tls: Tls::Off };
        let log = Arc::new(Log::new(std::io::sink()));
        let to = vec!["a@b".to_owned(), "c@d".to_owned()];
        let smtp = SmtpTransport::new(settings, "x@y".to_owned(), to, &log);
        BatchMail { smtp, has_subject }
    }

    fn alert(subject: &str, text: &str) -> Alert {
        Alert::new("tool", "digest", SystemTime::UNIX_EPOCH, subject.to_owned(), text.to_owned())
    }

    #[test]
    fn what_is_sent_is_logged_in_the_words_of_the_original() {
        let delivered = |has_subject, subject, text: &str| {
            mail(has_subject).delivered(&alert(subject, text), &["a@b".to_owned()]).unwrap()
        };
        let head = "Sending notification email:\nTo: a@b\nFrom: x@y\nSubject:";
        assert_eq!(delivered(true, "Alert", "foo"), format!("{head} Alert\nBody:\nfoo"));
        assert_eq!(delivered(true, "", "foo"), format!("{head} \nBody:\nfoo"));
        let long = "é".repeat(100);
        let shown = format!("{head} None\nBody:\n{}...", "é".repeat(76));
        assert_eq!(delivered(false, "", &long), shown);
    }

    #[test]
    fn what_is_not_sent_is_an_error_with_its_recipients() {
        let (mail, alert, targets) = (mail(true), alert("s", "foo\nbar"), ["a@b".to_owned()]);
        assert_eq!(
            mail.failed(&targets, "down"),
            "Error sending email: localhost:25: down; kept, and tried again later for a@b"
        );
        assert_eq!(
            mail.given_up(&alert, &targets, "550 no"),
            "Error sending email: localhost:25: 550 no; not mailed to a@b:\nfoo\nbar"
        );
        assert_eq!(mail.unfinished(&alert), "Not mailed in time (recipients: a@b, c@d):\nfoo\nbar");
    }
}
