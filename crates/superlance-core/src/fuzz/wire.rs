//! A wire in memory.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use crate::protocol::frame::Source;

/// A wire that delivers its bytes in the given pieces and then ends, or is silent for ever.
pub(crate) struct Wire {
    pieces: VecDeque<Vec<u8>>,
    buffer: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        Self { pieces, buffer: Vec::new() }
    }

    pub(crate) fn whole(bytes: &[u8]) -> Self {
        Self::new([bytes.to_vec()])
    }

    /// The number of unread bytes.
    pub(crate) fn left(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum::<usize>() + self.buffer.len()
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Wire {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            self.buffer = self.pieces.pop_front().unwrap_or_default();
        }
        Ok(&self.buffer)
    }

    fn consume(&mut self, count: usize) {
        self.buffer.drain(..count);
    }
}

impl Source for Wire {
    fn more_is_coming(&mut self) -> io::Result<bool> {
        Ok(!self.buffer.is_empty() || !self.pieces.is_empty())
    }
}
