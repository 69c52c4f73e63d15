//! Frames: one event as it comes over the wire, a header line and a payload whose length the header
//! gives.
//!
//! ```text
//! ver:3.0 server:supervisor serial:21 pool:memmon poolserial:10 eventname:TICK_60 len:15
//! when:1201063880
//! ```
//!
//! supervisord's manual says that `len` counts bytes. supervisord 4 on Python 3 counts characters
//! (`len(payload)` of a `str`, encoded afterwards), supervisord 3 and the one in Go count bytes, and
//! nothing in the header tells which. [`FrameReader`] finds out.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use crate::protocol::headers::Headers;

/// The longest header line; a real one has about a hundred bytes.
const MAX_HEADER: u64 = 64 * 1024;

/// Room for the usual header line or payload, which is then allocated once.
const USUAL: usize = 256;

/// The largest payload. Only the process output in `PROCESS_COMMUNICATION` and `PROCESS_LOG` events is large.
const MAX_PAYLOAD: u64 = 1 << 32;

/// How much of a payload is kept; the rest is read and dropped. What listeners look for stands in its
/// first line, and refusing an event ends the listener, which then gets the same event again.
const KEPT: usize = 64 << 10;

/// An event off the wire, not yet interpreted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Name of the event, such as `TICK_60`.
    pub name: String,
    /// supervisord's number for the event: the same again when it is sent a second time.
    pub serial: Option<u64>,
    /// Its number among the events for this listener.
    pub pool_serial: Option<u64>,
    /// The payload.
    pub payload: String,
}

/// Where frames come from: a buffered reader that can tell whether more is coming.
pub trait Source: BufRead {
    /// Whether more bytes (or the end) can be read now or within `FrameReader`'s patience.
    /// Looks into the reader's own buffer first.
    fn more_is_coming(&mut self) -> io::Result<bool>;
}

/// Reads frames, and remembers how their lengths are counted once it has seen it.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// Only "characters" is remembered: silence may also mean that the writer was slow.
    counts_characters: bool,
}

impl FrameReader {
    /// The next frame, or `None` at the end of the stream.
    ///
    /// # Errors
    /// An error means that the stream can no longer be followed: it failed, ended inside a frame,
    /// or carried a header without a usable `len` or `eventname`.
    pub fn read(&mut self, source: &mut impl Source) -> io::Result<Option<Frame>> {
        let Some(line) = read_header_line(source)? else {
            return Ok(None);
        };
        // The rest of a payload that was misjudged stands before the keys, and does no harm.
        let headers = Headers::parse(&line);
        let bad = |what: &str| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{what} in the event header {line:?}"),
            )
        };
        let len = headers.get("len").ok_or_else(|| bad("no `len`"))?;
        let len: u64 = len.parse().map_err(|_| bad("`len` is no number"))?;
        if len > MAX_PAYLOAD {
            return Err(bad("an incredible `len`"));
        }
        let name = headers.get("eventname").ok_or_else(|| bad("no `eventname`"))?.to_owned();
        let serial = headers.get("serial").and_then(|s| s.parse().ok());
        let pool_serial = headers.get("poolserial").and_then(|s| s.parse().ok());
        let payload = self.read_payload(source, len)?;
        Ok(Some(Frame { name, serial, pool_serial, payload }))
    }

    fn read_payload(&mut self, source: &mut impl Source, len: u64) -> io::Result<String> {
        let mut payload = Payload::default();
        payload.read(source, len)?;
        if payload.has_more_than_ascii && (self.counts_characters || source.more_is_coming()?) {
            self.counts_characters = true;
            while let missing @ 1.. = payload.bytes_missing(len) {
                payload.read(source, missing)?;
            }
        }
        Ok(text(payload.kept))
    }
}

/// A payload that is read: its beginning is kept, all of it is counted.
#[derive(Default)]
struct Payload {
    kept: Vec<u8>,
    has_more_than_ascii: bool,
    /// UTF-8 characters that have begun.
    characters: u64,
    /// Bytes that the last of them still lacks.
    unfinished: u64,
}

impl Payload {
    fn read(&mut self, source: &mut impl Source, count: u64) -> io::Result<()> {
        if io::copy(&mut source.take(count), self)? < count {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the input ended inside an event's payload",
            ));
        }
        Ok(())
    }

    fn count(&mut self, byte: u8) {
        if is_continuation(byte) {
            self.unfinished = self.unfinished.saturating_sub(1);
        } else {
            self.characters += 1;
            self.unfinished = width(byte) - 1;
        }
    }

    /// At least how many bytes are missing until there are `len` whole characters.
    fn bytes_missing(&self, len: u64) -> u64 {
        match len.saturating_sub(self.characters) {
            // All have begun; the last one may still lack its tail.
            0 => self.unfinished,
            missing => missing,
        }
    }
}

impl Write for Payload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_ascii() {
            self.characters += bytes.len() as u64;
            self.unfinished = 0;
        } else {
            self.has_more_than_ascii = true;
            bytes.iter().for_each(|byte| self.count(*byte));
        }
        let room = KEPT.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes as text; invalid UTF-8 is replaced.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// How many bytes a UTF-8 character has that starts with `lead`.
fn width(lead: u8) -> u64 {
    match lead {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

fn read_header_line(source: &mut impl Source) -> io::Result<Option<String>> {
    let mut line = Vec::with_capacity(USUAL);
    source.take(MAX_HEADER).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the input ended (or went on without end) inside an event header",
        ));
    }
    Ok(Some(text(line)))
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
