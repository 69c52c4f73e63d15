//! A mail, and how it is written down for a command such as `sendmail -t -i`.

pub mod mime;
pub mod outcome;
pub mod smtp;

use crate::mail::mime::{encode_header, encode_text, is_plain, one_line};

/// A mail to one address (or several, as the user wrote them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The `To:` line, as given on the command line.
    pub to: String,
    /// The `Subject:` line.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl Mail {
    /// The mail as a mail program reads it: byte for byte the original's (`To:`, `Subject:`, a blank
    /// line, the text) while it is ASCII, and encoded by RFC 2047 and MIME where the original sent
    /// raw bytes without saying which. A log may also have lines that are too long for mail servers.
    ///
    /// Line ends in header values become blanks, so that no value can add a header.
    #[must_use]
    pub fn render(&self) -> String {
        let plain = self.plain();
        if is_plain(&plain) {
            return plain;
        }
        let (to, subject) = (one_line(&self.to), one_line(&self.subject));
        let subject = encode_header(&subject);
        let mime = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
                    Content-Transfer-Encoding: base64\n";
        format!("To: {to}\nSubject: {subject}\n{mime}\n{}", encode_text(&self.text))
    }

    /// The mail as people read it, for the log: as the original writes it, whatever its letters.
    #[must_use]
    pub fn plain(&self) -> String {
        let (to, subject) = (one_line(&self.to), one_line(&self.subject));
        format!("To: {to}\nSubject: {subject}\n\n{}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str, text: &str) -> Mail {
        Mail {
            to: "bob@example.com".to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn ascii_is_written_as_the_original_writes_it() {
        assert_eq!(
            mail("memmon: process foo:foo restarted", "a\nb").render(),
            "To: bob@example.com\nSubject: memmon: process foo:foo restarted\n\na\nb"
        );
    }

    /// The expected text was decoded by Python's `email.message_from_string`.
    #[test]
    fn other_text_says_how_it_is_encoded() {
        assert_eq!(
            mail("café", "é").render(),
            "To: bob@example.com\nSubject: =?utf-8?b?Y2Fmw6k=?=\nMIME-Version: 1.0\n\
             Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nw6k=\n"
        );
    }

    #[test]
    fn a_line_too_long_for_a_mail_server_is_encoded() {
        let (fits, long) = ("x".repeat(998), "x".repeat(999));
        assert!(mail("a", &fits).render().ends_with(&fits));
        let rendered = mail("a", &long).render();
        assert!(rendered.contains("Subject: a\nMIME-Version: 1.0\n"), "{rendered}");
        assert!(rendered.lines().all(|line| line.len() <= 76), "{rendered}");
    }

    #[test]
    fn no_value_adds_a_header() {
        let rendered = mail("x\r\nBcc: everyone@example.com", "x").render();
        assert_eq!(rendered.lines().nth(1), Some("Subject: x  Bcc: everyone@example.com"));
    }
}
