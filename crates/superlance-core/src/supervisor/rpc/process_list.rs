//! The list of all processes, decoded as it arrives.
//!
//! `getAllProcessInfo` is supervisord's one large answer: 1,300 bytes for each process, of which a
//! listener reads a few numbers. The general parser needs the whole of it and builds a tree.
//!
//! This understands what Python's `xmlrpc.client` writes, to the byte, and nothing else. From the first
//! process on that is not as expected, the general parser reads the answer and says what is wrong with
//! it. The buffer for what has arrived and is not decoded yet does not grow.

use std::borrow::Cow;
use std::io::{self, Read};
use std::str;

use super::control::replace_control_characters;
use crate::supervisor::{ProcessInfo, State};

/// What stands before the processes.
const HEAD: &[u8] =
    b"<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n";

/// What stands after them, at the end.
const TAIL: &[u8] = b"</data></array></value>\n</param>\n</params>\n</methodResponse>\n";

/// Twenty times what a process usually takes.
const BUFFER: usize = 32 << 10;

/// What could be decoded of an answer to `getAllProcessInfo`.
pub(super) struct Decoded {
    pub(super) processes: Vec<ProcessInfo>,
    /// If that is not all: an answer that has the other processes, and what is wrong with it if it is no
    /// list of processes, a fault for example.
    pub(super) rest: Option<Vec<u8>>,
}

/// Reads and decodes an answer.
///
/// # Errors
/// When it cannot be read.
pub(super) fn decode(answer: &mut dyn Read) -> io::Result<Decoded> {
    let mut arriving = Arriving::new(answer);
    let mut processes = Vec::new();
    if arriving.take(|text| text.literal(HEAD))?.is_none() {
        return Ok(Decoded { processes, rest: Some(arriving.rest(&[])?) });
    }
    while let Some(process) = arriving.take(process)? {
        processes.push(process);
    }
    let rest = if arriving.ends_with(TAIL)? { None } else { Some(arriving.rest(HEAD)?) };
    Ok(Decoded { processes, rest })
}

/// An answer of which a part has arrived.
struct Arriving<'a> {
    source: &'a mut dyn Read,
    buffer: Vec<u8>,
    /// Where in the buffer stands what has arrived and is not taken.
    start: usize,
    end: usize,
}

impl<'a> Arriving<'a> {
    fn new(source: &'a mut dyn Read) -> Self {
        Self { source, buffer: vec![0; BUFFER], start: 0, end: 0 }
    }

    fn arrived(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Waits for more; `false` when there is none, or the buffer is full.
    fn wait(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        if free.is_empty() {
            return Ok(false);
        }
        let count = self.source.read(free)?;
        replace_control_characters(free.get_mut(..count).unwrap_or_default());
        self.end += count;
        Ok(count > 0)
    }

    /// Takes what `part` takes off the text; `None` if it is not what it expects, and nothing is taken.
    fn take<T>(
        &mut self,
        part: impl Fn(&mut Text<'_>) -> Result<T, Stop>,
    ) -> io::Result<Option<T>> {
        loop {
            let mut text = Text(self.arrived());
            match part(&mut text) {
                Ok(taken) => {
                    self.start = self.end - text.0.len();
                    return Ok(Some(taken));
                }
                Err(Stop::TooShort) if self.wait()? => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// Whether this is all that is left.
    fn ends_with(&mut self, tail: &[u8]) -> io::Result<bool> {
        while self.arrived().len() <= tail.len() && self.wait()? {}
        Ok(self.arrived() == tail)
    }

    /// All that is left, after `head`.
    fn rest(self, head: &[u8]) -> io::Result<Vec<u8>> {
        let mut rest = [head, self.arrived()].concat();
        let arrived = rest.len();
        self.source.read_to_end(&mut rest)?;
        replace_control_characters(rest.get_mut(arrived..).unwrap_or_default());
        Ok(rest)
    }
}

/// The reason why a text was not taken.
enum Stop {
    /// It ends before that is known.
    TooShort,
    Unexpected,
}

/// A text from which is taken, from its beginning on.
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn literal(&mut self, expected: &[u8]) -> Result<(), Stop> {
        match self.0.strip_prefix(expected) {
            Some(rest) => self.0 = rest,
            None if expected.starts_with(self.0) => return Err(Stop::TooShort),
            None => return Err(Stop::Unexpected),
        }
        Ok(())
    }

    /// Whether this comes next; then it is taken.
    fn is_next(&mut self, expected: &[u8]) -> Result<bool, Stop> {
        match self.literal(expected) {
            Err(Stop::Unexpected) => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// What stands before the next `end`, which is taken, too.
    fn until(&mut self, end: u8) -> Result<&'a [u8], Stop> {
        let mut parts = self.0.splitn(2, |byte| *byte == end);
        match (parts.next(), parts.next()) {
            (Some(before), Some(rest)) => {
                self.0 = rest;
                Ok(before)
            }
            _ => Err(Stop::TooShort),
        }
    }
}

fn process(text: &mut Text<'_>) -> Result<ProcessInfo, Stop> {
    let (mut name, mut group) = (None, None);
    let (mut pid, mut state, mut exit_status) = (None, None, None);
    let (mut start, mut stop, mut now) = (None, None, None);
    text.literal(b"<value><struct>\n")?;
    while !text.is_next(b"</struct></value>\n")? {
        let (key, value) = member(text)?;
        match (&*key, value) {
            ("name", Scalar::Text(text)) => name = Some(text.into_owned()),
            ("group", Scalar::Text(text)) => group = Some(text.into_owned()),
            ("pid", Scalar::Number(number)) => pid = u32::try_from(number).ok(),
            ("state", Scalar::Number(number)) => state = Some(State::from_code(number)),
            ("start", Scalar::Number(number)) => start = Some(number),
            ("stop", Scalar::Number(number)) => stop = Some(number),
            ("exitstatus", Scalar::Number(number)) => exit_status = Some(number),
            ("now", Scalar::Number(number)) => now = Some(number),
            // Not the type it should have; and no key at all is an error to the general parser.
            (
                "name" | "group" | "pid" | "state" | "start" | "stop" | "exitstatus" | "now" | "",
                _,
            ) => return Err(Stop::Unexpected),
            _ => {}
        }
    }
    let info = || {
        Some(ProcessInfo {
            name: name?,
            group: group?,
            pid: pid?,
            state: state?,
            start: start?,
            stop: stop?,
            exit_status: exit_status?,
            now: now?,
        })
    };
    info().ok_or(Stop::Unexpected)
}

/// A value that is no list and no structure, in the two types that the answer has.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(i64),
}

fn member<'a>(text: &mut Text<'a>) -> Result<(Cow<'a, str>, Scalar<'a>), Stop> {
    text.literal(b"<member>\n<name>")?;
    let key = text.until(b'<')?;
    text.literal(b"/name>\n<value><")?;
    let kind = text.until(b'>')?;
    let value = text.until(b'<')?;
    text.literal(b"/")?;
    text.literal(kind)?;
    text.literal(b"></value>\n</member>\n")?;
    let pair = || {
        let value = unescaped(value)?;
        let value = match kind {
            b"string" => Scalar::Text(value),
            b"int" => Scalar::Number(value.parse::<i32>().ok()?.into()),
            b"i8" => Scalar::Number(value.parse().ok()?),
            _ => return None,
        };
        Some((unescaped(key)?, value))
    };
    pair().ok_or(Stop::Unexpected)
}

/// A text between tags; `None` where something needs an XML parser's attention. supervisord writes `>` as
/// `&gt;`, and the other characters are to be changed or refused. Blanks alone count as nothing, as they
/// do in the general parser.
fn unescaped(text: &[u8]) -> Option<Cow<'_, str>> {
    let text = str::from_utf8(text).ok()?;
    if text.bytes().any(|byte| matches!(byte, b'>' | b'\r'))
        || (!text.is_ascii() && text.contains(['\u{FFFE}', '\u{FFFF}']))
    {
        return None;
    }
    if text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n')) {
        return Some(Cow::Borrowed(""));
    }
    let mut pieces = text.split('&');
    let mut whole = Cow::Borrowed(pieces.next()?);
    for piece in pieces {
        let (entity, text) = piece.split_once(';')?;
        whole += match entity {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            _ => return None,
        };
        whole += text;
    }
    Some(whole)
}

#[cfg(test)]
#[path = "process_list_tests.rs"]
mod tests;
