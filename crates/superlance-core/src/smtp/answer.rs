//! What a server says to a command, and what there may be instead of it.

use std::io::{self, BufRead, Read as _};

use crate::mime::one_line;

/// Bytes of an answer, and of a line of it, that are believed. RFC 5321 (4.5.3.1.5) promises 512.
const LONGEST_ANSWER: usize = 64 << 10;
const LONGEST_LINE: u64 = 4 << 10;

/// A yes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The number that it begins with.
    pub(crate) code: u16,
    /// The rest of its lines.
    pub(crate) lines: Vec<String>,
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
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
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Io(_) | Self::Odd(_) => None,
        }
    }

    /// Whether the same again would be refused again.
    pub(crate) fn is_permanent(&self) -> bool {
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

/// Reads the answer to a command.
pub(crate) fn answer(from: &mut impl BufRead) -> Result<Answer, Error> {
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let line = line(from)?;
        length += line.len();
        if length > LONGEST_ANSWER {
            return Err(Error::Odd("the answer of the server is too long"));
        }
        let (code, more, text) =
            parse(&line).ok_or(Error::Odd("what the server says is not SMTP"))?;
        lines.push(text.to_owned());
        match code {
            _ if more => {}
            200..400 => return Ok(Answer { code, lines }),
            _ => return Err(Error::Refused { code, text: joined(&lines) }),
        }
    }
}

/// A line, without its end.
fn line(from: &mut impl BufRead) -> Result<String, Error> {
    let mut line = Vec::new();
    from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    match line.pop() {
        Some(b'\n') => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
        Some(_) if line.len() + 1 >= LONGEST_LINE as usize => {
            Err(Error::Odd("the answer of the server is too long"))
        }
        _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
    }
}

/// The code of a line, whether more lines follow, and its text.
fn parse(line: &str) -> Option<(u16, bool, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
    match rest.strip_prefix('-') {
        Some(text) => Some((code, true, text)),
        None if rest.is_empty() => Some((code, false, rest)),
        None => rest.strip_prefix(' ').map(|text| (code, false, text)),
    }
}

/// The lines of an answer as one, with an enhanced status code (`5.1.1`) once.
fn joined(lines: &[String]) -> String {
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
