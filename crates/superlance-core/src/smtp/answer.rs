//! What a server says to a command, and what there may be instead of it.

use std::io;

use crate::mime::one_line;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The server said no, in these words.
    #[error("{}", format!("{code} {text}").trim_end())]
    Refused {
        /// The number that its answer begins with.
        code: u16,
        /// The rest of it, as one line.
        text: String,
    },
    /// There was no answer.
    #[error("{}", without_answer(.0))]
    Io(#[from] io::Error),
    /// What came was no answer.
    #[error("{0}")]
    Odd(&'static str),
}

impl Error {
    /// The number of the server's answer, if there was one.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Io(_) | Self::Odd(_) => None,
        }
    }

    /// Whether the same again would be refused again.
    pub(super) fn is_permanent(&self) -> bool {
        self.code().is_some_and(|code| code >= 500)
    }
}

fn without_answer(error: &io::Error) -> String {
    match error.kind() {
        // A read that times out says "Resource temporarily unavailable".
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer".to_owned(),
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => error.to_string(),
    }
}

/// The code of a line, whether more lines follow, and its text.
pub(super) fn parse(line: &str) -> Option<(u16, bool, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
    match rest.strip_prefix('-') {
        Some(text) => Some((code, true, text)),
        None if rest.is_empty() => Some((code, false, rest)),
        None => rest.strip_prefix(' ').map(|text| (code, false, text)),
    }
}

/// The lines of an answer as one, with an enhanced status code (`5.1.1`) once.
pub(super) fn joined(lines: &[String]) -> String {
    let first = lines.first().map(String::as_str).unwrap_or_default();
    let status = first.split(' ').next().filter(|word| {
        word.split('.').count() == 3
            && word.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
    });
    let rest = lines.iter().skip(1).map(|line| {
        let line = line.as_str();
        status.and_then(|status| line.strip_prefix(status)).unwrap_or(line).trim()
    });
    let parts: Vec<_> = std::iter::once(first.trim()).chain(rest).collect();
    one_line(&parts.join(" "))
}
