//! Answers of an SMTP server, and the errors in their place.

use std::borrow::Cow;
use std::io::{self, BufRead, Read as _};

use lettre::transport::smtp::response::Response;

use crate::mail::mime::one_line;
use crate::system::io_error::explain;

/// The longest answer, and the longest line of it, in bytes. RFC 5321 (4.5.3.1.5) promises 512.
const LONGEST_ANSWER: usize = 64 << 10;
const LONGEST_LINE: u64 = 4 << 10;

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, with these words.
    #[error("{}", format!("{code} {text}").trim_end())]
    Refused {
        /// The code of the answer.
        code: u16,
        /// The text of the answer, as one line.
        text: String,
    },
    /// There was no answer.
    #[error("{}", without_answer(.0))]
    Io(#[from] io::Error),
    /// The bytes were no SMTP answer.
    #[error("{0}")]
    Odd(&'static str),
}

impl Error {
    /// The code of the server's answer, if there was one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Io(_) | Self::Odd(_) => None,
        }
    }

    /// Whether the server takes further commands afterwards: with 421 it closes the connection.
    pub(crate) fn leaves_in_order(&self) -> bool {
        self.code().is_some_and(|code| code != 421)
    }

    /// Whether the server would refuse the same again.
    pub fn is_permanent(&self) -> bool {
        self.code().is_some_and(|code| code >= 500)
    }
}

fn without_answer(error: &io::Error) -> String {
    match error.kind() {
        // A read that times out says "Resource temporarily unavailable".
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer".to_owned(),
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => explain(error),
    }
}

/// Reads the answer to a command: success, or the error that it reports. lettre parses it; lettre's
/// own reader accepts a line of any length.
pub fn answer(from: &mut impl BufRead) -> Result<Response, Error> {
    const ODD: Error = Error::Odd("what the server says is not SMTP");
    let mut text = String::new();
    loop {
        let line = line(from)?;
        // Checked at once, since `SSH-2.0` looks like the first line of several.
        if !line.bytes().take(3).all(|byte| byte.is_ascii_digit()) {
            return Err(ODD);
        }
        // Many programs send a code alone, though RFC 5321 does not allow it.
        let line = if line.len() == 3 { Cow::Owned(line + " ") } else { Cow::Borrowed(&*line) };
        text.push_str(&line);
        text.push_str("\r\n");
        if text.len() > LONGEST_ANSWER {
            return Err(Error::Odd("the answer of the server is too long"));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            break;
        }
    }
    let answer: Response = text.parse().map_err(|_| ODD)?;
    match answer.is_positive() {
        true => Ok(answer),
        false => {
            let lines: Vec<_> = answer.message().collect();
            Err(Error::Refused { code: answer.code().into(), text: joined(&lines) })
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

/// The lines of an answer as one line, with the enhanced status code (`5.1.1`) once.
fn joined(lines: &[&str]) -> String {
    let first = lines.first().copied().unwrap_or_default();
    let status = first.split(' ').next().filter(|word| {
        word.split('.').count() == 3
            && word.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
    });
    let rest = lines.iter().skip(1);
    let rest = rest.map(|line| status.and_then(|s| line.strip_prefix(s)).unwrap_or(line).trim());
    let parts: Vec<_> = std::iter::once(first.trim()).chain(rest).collect();
    one_line(&parts.join(" "))
}
