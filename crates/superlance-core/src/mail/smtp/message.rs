//! The form of a mail for an SMTP server, as Python's `MIMEText` writes it.

use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::mail::mime::{Encoding, charset, encode_header, fold, mailbox, one_line};

/// A mail and its recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The `From:` line; its address is also the sender on the envelope.
    pub from: String,
    /// The addresses of the `To:` line.
    pub to: Vec<String>,
    /// The addresses to deliver to this time.
    pub recipients: Vec<String>,
    /// The `Subject:` line, if any.
    pub subject: Option<String>,
    pub text: String,
    /// The `Message-ID:`, with its angle brackets.
    pub id: String,
    /// The `Date:`.
    pub date: SystemTime,
    /// Whether a text that is not ASCII is written in base64, as Python's `MIMEText` does, rather
    /// than readable.
    pub as_mime_text: bool,
}

impl Message {
    /// The encoding of the text, for a server that takes 8 bits or not.
    pub fn encoding(&self, eight_bit: bool) -> Encoding {
        match self.as_mime_text && !self.text.is_ascii() {
            true => Encoding::Base64,
            false => Encoding::of(&self.text, eight_bit),
        }
    }

    /// Headers and text with CRLF at the ends of lines, without one at the very end.
    ///
    /// The order of the headers and their form are those of the original. Unlike there, an address
    /// stays readable for mail programs when a name with other letters stands before it, and lines
    /// too long for SMTP are cut.
    #[must_use]
    pub fn render(&self, encoding: Encoding) -> String {
        let to: Vec<_> = self.to.iter().map(|address| mailbox(address)).collect();
        let subject = self.subject.as_deref().filter(|subject| !subject.is_empty());
        let subject = subject.map(|subject| {
            let encoded = encode_header(&one_line(subject));
            fold(format!("Subject: {encoded}")) + "\n"
        });
        let mail = format!(
            "Content-Type: text/plain; charset=\"{}\"\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: {}\n{}From: {}\n{}\nDate: {}\nMessage-ID: {}\n\n{}",
            charset(&self.text),
            encoding.name(),
            subject.unwrap_or_default(),
            mailbox(&self.from),
            fold(format!("To: {}", to.join(", "))),
            // `-0000`, as Python's `formatdate()`: UTC, without a statement about the zone.
            DateTime::<Utc>::from(self.date).format("%a, %d %b %Y %H:%M:%S -0000"),
            one_line(&self.id),
            encoding.encode(&self.text),
        );
        let mail = mail.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        mail.strip_suffix("\r\n").map(str::to_owned).unwrap_or(mail)
    }
}

/// The address for the envelope, as Python's `smtplib.quoteaddr` finds it: `b@x` of `Bob <b@x>` and
/// of `b@x (Bob)`. Nothing in it can end the command that it becomes part of.
pub(super) fn envelope_address(address: &str) -> String {
    let inner = match address.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => address.split('(').next().unwrap_or_default(),
    };
    inner.chars().filter(|c| !c.is_control() && !c.is_whitespace() && *c != '>').collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn message(subject: &str, text: &str) -> Message {
        Message {
            from: "x@y".to_owned(),
            to: vec!["a@b".to_owned(), "root".to_owned()],
            recipients: vec!["root".to_owned()],
            subject: Some(subject.to_owned()),
            text: text.to_owned(),
            id: "<1.2.3@localhost>".to_owned(),
            date: UNIX_EPOCH + Duration::from_secs(1_795_370_187),
            as_mime_text: true,
        }
    }

    fn render(message: &Message) -> String {
        message.render(message.encoding(true))
    }

    /// The expected texts are what Python 3.11 made of the same values.
    #[test]
    fn mails_are_written_as_python_writes_them() {
        assert_eq!(
            render(&message("Crash alert", "a\nb")),
            "Content-Type: text/plain; charset=\"us-ascii\"\r\nMIME-Version: 1.0\r\n\
             Content-Transfer-Encoding: 7bit\r\nSubject: Crash alert\r\nFrom: x@y\r\n\
             To: a@b, root\r\nDate: Sun, 22 Nov 2026 17:56:27 -0000\r\n\
             Message-ID: <1.2.3@localhost>\r\n\r\na\r\nb"
        );
        assert_eq!(
            render(&message("Café alert", "é")),
            "Content-Type: text/plain; charset=\"utf-8\"\r\nMIME-Version: 1.0\r\n\
             Content-Transfer-Encoding: base64\r\nSubject: =?utf-8?q?Caf=C3=A9_alert?=\r\n\
             From: x@y\r\nTo: a@b, root\r\nDate: Sun, 22 Nov 2026 17:56:27 -0000\r\n\
             Message-ID: <1.2.3@localhost>\r\n\r\nw6k="
        );
    }

    #[test]
    fn a_text_stays_readable_where_the_original_has_no_say() {
        let message = Message { as_mime_text: false, ..message("é", "é = ▁▂▃") };
        let rendered = |eight_bit| message.render(message.encoding(eight_bit));
        assert!(rendered(true).contains("charset=\"utf-8\""), "{}", rendered(true));
        assert!(rendered(true).contains("Encoding: 8bit\r\nSubject: =?utf-8?b?w6k=?=\r\n"));
        assert!(rendered(true).ends_with("\r\n\r\né = ▁▂▃"));
        assert!(rendered(false).contains("Encoding: quoted-printable\r\n"));
        assert!(rendered(false).ends_with("\r\n=C3=A9 =3D =E2=96=81=E2=96=82=E2=96=83"));
    }

    #[test]
    fn without_a_subject_there_is_no_such_header() {
        assert!(!render(&message("", "x")).contains("Subject"));
        assert!(!render(&Message { subject: None, ..message("", "x") }).contains("Subject"));
    }

    #[test]
    fn no_value_adds_a_header_and_no_line_end_is_left_bare() {
        let evil = "x\r\nBcc: a\n\nb\rc";
        let mut mail = message(evil, evil);
        (mail.from, mail.to) = (evil.to_owned(), vec![evil.to_owned()]);
        let rendered = render(&mail);
        let (head, text) = rendered.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.lines().count(), 8, "{head}");
        assert_eq!(text, "x\r\nBcc: a\r\n\r\nb\r\nc");
    }

    #[test]
    fn very_long_lines_are_wrapped() {
        let rendered = render(&message("x", &"y".repeat(5000)));
        assert!(rendered.lines().all(|line| line.len() <= 78), "{rendered}");
    }

    #[test]
    fn envelope_addresses() {
        for (given, expected) in [
            ("root", "root"),
            ("bob <b@x>", "b@x"),
            ("b@x (Bob)", "b@x"),
            ("<b@x>", "b@x"),
            (" b@x ", "b@x"),
            ("b@x>\r\nDATA", "b@xDATA"),
        ] {
            assert_eq!(envelope_address(given), expected, "{given}");
        }
    }
}
