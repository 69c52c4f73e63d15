//! A mail, and its form for a command such as `sendmail -t -i`.

pub mod mime;
pub mod outcome;
pub mod smtp;

use crate::mail::mime::{Encoding, address_list, charset, encode_header, fold, one_line};

/// A mail to one address (or several, as the user wrote them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The `To:` line, as given on the command line; empty for none, where the command knows its
    /// recipients itself.
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Mail {
    /// The mail for a mail program: byte for byte the original's (`To:`, `Subject:`, a blank line,
    /// the text) while it is ASCII, and encoded by RFC 2047 and MIME where the original sent raw
    /// bytes without naming their encoding. A log may also have lines that are too long for mail
    /// servers.
    ///
    /// Line ends in header values become blanks, so that no value can add a header.
    #[must_use]
    pub fn render(&self) -> String {
        let to = self.to_line(|to| fold(format!("To: {}", address_list(&to))));
        let subject = fold(format!("Subject: {}", encode_header(&one_line(&self.subject))));
        // Pipes and mail programs carry 8 bits.
        let encoding = Encoding::of(&self.text, true);
        let mime = match encoding == Encoding::SevenBit && self.plain().is_ascii() {
            true => String::new(),
            false => format!(
                "MIME-Version: 1.0\nContent-Type: text/plain; charset={}\n\
                 Content-Transfer-Encoding: {}\n",
                charset(&self.text),
                encoding.name()
            ),
        };
        format!("{to}{subject}\n{mime}\n{}", encoding.encode(&self.text))
    }

    /// The mail for the log: as the original writes it, without encodings.
    #[must_use]
    pub fn plain(&self) -> String {
        let to = self.to_line(|to| format!("To: {to}"));
        format!("{to}Subject: {}\n\n{}", one_line(&self.subject), self.text)
    }

    /// The `To:` line with its end, if any.
    fn to_line(&self, write: impl Fn(String) -> String) -> String {
        if self.to.is_empty() { String::new() } else { write(one_line(&self.to)) + "\n" }
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

    /// The expected texts were decoded by Python's `email.message_from_bytes`.
    #[test]
    fn other_text_says_how_it_is_encoded() {
        let headers = |charset, encoding| {
            format!(
                "To: bob@example.com\nSubject: =?utf-8?b?Y2Fmw6k=?=\nMIME-Version: 1.0\n\
                 Content-Type: text/plain; charset={charset}\n\
                 Content-Transfer-Encoding: {encoding}\n\n"
            )
        };
        assert_eq!(mail("café", "é").render(), headers("utf-8", "8bit") + "é");
        assert_eq!(mail("café", "a = b").render(), headers("us-ascii", "7bit") + "a = b");
    }

    #[test]
    fn a_line_too_long_for_a_mail_server_is_cut() {
        let (fits, long) = ("x".repeat(998), "x".repeat(999));
        assert!(mail("a", &fits).render().ends_with(&format!("Subject: a\n\n{fits}")));
        let rendered = mail("a", &long).render();
        assert!(rendered.contains("Subject: a\nMIME-Version: 1.0\n"), "{rendered}");
        assert!(rendered.contains("Content-Transfer-Encoding: quoted-printable\n"), "{rendered}");
        assert!(rendered.lines().all(|line| line.len() <= 76), "{rendered}");
    }

    #[test]
    fn of_an_address_only_the_name_is_encoded_and_many_of_them_are_folded() {
        let to = |to: &str| {
            let rendered = Mail { to: to.to_owned(), ..mail("a", "b") }.render();
            rendered.split_once("\nSubject").unwrap().0.to_owned()
        };
        assert_eq!(
            to("Büro <x@y>, \"a, b\" <c@d>"),
            "To: =?utf-8?b?QsO8cm8=?= <x@y>, \"a, b\" <c@d>"
        );
        let many = vec!["someone@example.com"; 200].join(",");
        assert!(to(&many).lines().all(|line| line.len() <= 77), "{}", to(&many));
    }

    #[test]
    fn no_value_adds_a_header() {
        let rendered = mail("x\r\nBcc: everyone@example.com", "x").render();
        assert_eq!(rendered.lines().nth(1), Some("Subject: x  Bcc: everyone@example.com"));
    }
}
