//! The mails that an SMTP server has accepted.

use std::fs;
use std::path::Path;

/// A mail as it came over SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The address of MAIL FROM.
    pub from: String,
    /// The addresses of RCPT TO, those that were accepted.
    pub to: Vec<String>,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// Who had logged in.
    pub user: Option<String>,
    /// The message as it was sent, with its line ends.
    pub message: String,
    /// The subject as a reader sees it, decoded by Python's email package.
    pub subject: Option<String>,
    /// The text as a reader sees it, decoded by Python's email package.
    pub body: String,
}

impl Received {
    /// Reads the folder of one mail, as server.py writes it.
    fn read(folder: &Path) -> Received {
        let field = |name| {
            let bytes = fs::read(folder.join(name)).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let required = |name| field(name).expect("a mail that is there is complete");
        Received {
            from: required("from"),
            to: required("to").lines().map(str::to_owned).collect(),
            tls: field("tls").is_some(),
            user: field("user"),
            message: required("message"),
            subject: field("subject"),
            body: required("body"),
        }
    }

    /// A header as it was sent, but on one line; `None` if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let message = self.message.replace("\r\n", "\n");
        let head = message.split_once("\n\n").map_or(&*message, |(head, _)| head);
        let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
        unfolded.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// Envelope and message as a text with plain line ends, to be compared.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Received { from, to, tls, user, message, .. } = self;
        let to: String = to.iter().map(|to| format!("RCPT TO: {to}\n")).collect();
        let user = user.as_ref().map(|user| format!("user: {user}\n")).unwrap_or_default();
        let message = message.replace("\r\n", "\n");
        format!("MAIL FROM: {from}\n{to}TLS: {tls}\n{user}\n{message}")
    }
}

/// All mails in a folder, in the order of their arrival.
pub(super) fn read_all(folder: &Path) -> Vec<Received> {
    (1..)
        .map(|number: u32| folder.join(number.to_string()))
        .take_while(|mail| mail.is_dir())
        .map(|mail| Received::read(&mail))
        .collect()
}
