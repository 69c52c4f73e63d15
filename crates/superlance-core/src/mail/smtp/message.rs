//! A mail as it goes to an SMTP server, written as Python's `MIMEText` writes it.

use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::mail::mime::{encode_header, encode_text, is_plain, one_line};

/// A mail, and who is to get it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The `From:` line; its address is also the sender on the envelope.
    pub from: String,
    /// The addresses of the `To:` line.
    pub to: Vec<String>,
    /// Those of them to whom the server is asked to deliver this time.
    pub recipients: Vec<String>,
    /// The `Subject:` line, if there is to be one.
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// The `Message-ID:`, with its angle brackets.
    pub id: String,
    /// The `Date:`.
    pub date: SystemTime,
}

impl Message {
    /// Headers and text with CRLF at the ends of lines, without one at the very end.
    ///
    /// The order of the headers and their form are those of the original. Unlike there, an address
    /// stays readable for mail programs when a name with other letters stands before it, and a text
    /// with lines too long for SMTP is sent in base64.
    #[must_use]
    pub fn render(&self) -> String {
        let (charset, encoding, text) = match is_plain(&self.text) {
            true => ("us-ascii", "7bit", self.text.clone()),
            false => ("utf-8", "base64", encode_text(&self.text)),
        };
        let to: Vec<_> = self.to.iter().map(|address| mailbox(address)).collect();
        let subject = self.subject.as_deref().filter(|subject| !subject.is_empty());
        let subject = subject.map(|subject| {
            let encoded = encode_header(&one_line(subject));
            format!("Subject: {encoded}\n")
        });
        let mail = format!(
            "Content-Type: text/plain; charset=\"{charset}\"\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: {encoding}\n{}From: {}\nTo: {}\nDate: {}\n\
             Message-ID: {}\n\n{text}",
            subject.unwrap_or_default(),
            mailbox(&self.from),
            to.join(", "),
            // `-0000`, as Python's `formatdate()`: the time is UTC and says nothing of a zone.
            DateTime::<Utc>::from(self.date).format("%a, %d %b %Y %H:%M:%S -0000"),
            one_line(&self.id),
        );
        let mail = mail.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        mail.strip_suffix("\r\n").map(str::to_owned).unwrap_or(mail)
    }
}

/// An address as a header value. Of `Bürö <root@example.com>` only the name is encoded.
fn mailbox(address: &str) -> String {
    let address = one_line(address);
    match address.rfind('<').map(|start| address.split_at(start)) {
        Some((name, rest)) if rest.is_ascii() => {
            let name = name.trim();
            let name = if name.is_ascii() { name } else { name.trim_matches('"') };
            format!("{} {rest}", encode_header(name)).trim_start().to_owned()
        }
        _ => encode_header(&address),
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
        }
    }

    /// The expected texts are what Python 3.11 made of the same values.
    #[test]
    fn mails_are_written_as_python_writes_them() {
        assert_eq!(
            message("Crash alert", "a\nb").render(),
            "Content-Type: text/plain; charset=\"us-ascii\"\r\nMIME-Version: 1.0\r\n\
             Content-Transfer-Encoding: 7bit\r\nSubject: Crash alert\r\nFrom: x@y\r\n\
             To: a@b, root\r\nDate: Sun, 22 Nov 2026 17:56:27 -0000\r\n\
             Message-ID: <1.2.3@localhost>\r\n\r\na\r\nb"
        );
        assert_eq!(
            message("Café alert", "é").render(),
            "Content-Type: text/plain; charset=\"utf-8\"\r\nMIME-Version: 1.0\r\n\
             Content-Transfer-Encoding: base64\r\nSubject: =?utf-8?q?Caf=C3=A9_alert?=\r\n\
             From: x@y\r\nTo: a@b, root\r\nDate: Sun, 22 Nov 2026 17:56:27 -0000\r\n\
             Message-ID: <1.2.3@localhost>\r\n\r\nw6k="
        );
    }

    #[test]
    fn without_a_subject_there_is_no_such_header() {
        assert!(!message("", "x").render().contains("Subject"));
        assert!(!Message { subject: None, ..message("", "x") }.render().contains("Subject"));
    }

    #[test]
    fn no_value_adds_a_header_and_no_line_end_is_left_bare() {
        let evil = "x\r\nBcc: a\n\nb\rc";
        let mut mail = message(evil, evil);
        (mail.from, mail.to) = (evil.to_owned(), vec![evil.to_owned()]);
        let rendered = mail.render();
        let (head, text) = rendered.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.lines().count(), 8, "{head}");
        assert_eq!(text, "x\r\nBcc: a\r\n\r\nb\r\nc");
    }

    #[test]
    fn very_long_lines_are_wrapped() {
        let rendered = message("x", &"y".repeat(5000)).render();
        assert!(rendered.lines().all(|line| line.len() <= 78), "{rendered}");
    }

    #[test]
    fn names_are_encoded_and_addresses_are_not() {
        assert_eq!(mailbox("Büro <x@y>"), "=?utf-8?b?QsO8cm8=?= <x@y>");
        assert_eq!(mailbox("<x@y>"), "<x@y>");
        assert_eq!(mailbox("\"a b\" <x@y>"), "\"a b\" <x@y>");
        assert_eq!(mailbox("root"), "root");
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
