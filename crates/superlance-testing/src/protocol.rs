//! Checks the listener's side of the event protocol as supervisord does.
//!
//! This follows supervisord's dispatcher step by step: it is strict about READY, lenient about
//! the word before a result's length, and gives a listener up for ever at the first surprise.

/// The states of a listener, in supervisord's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerState {
    /// Has answered (or just started) and is expected to say READY.
    Acknowledged,
    /// Waits for an event.
    Ready,
    /// Has got an event and not answered yet.
    Busy,
    /// Has said something unexpected, and will never get an event again.
    Unknown,
}

/// What a listener has said so far, and what follows from it.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub(crate) state: ListenerState,
    /// The bodies of all results, in order.
    pub(crate) results: Vec<String>,
    /// The unexpected bytes.
    pub(crate) surprise: Option<String>,
    buffer: Vec<u8>,
    result_len: Option<usize>,
}

const READY: &[u8] = b"READY\n";
const RESULT_PREFIX_LEN: usize = b"RESULT ".len();

impl Protocol {
    pub(crate) fn new() -> Protocol {
        Protocol {
            state: ListenerState::Acknowledged,
            results: Vec::new(),
            surprise: None,
            buffer: Vec::new(),
            result_len: None,
        }
    }

    /// An event was sent.
    pub(crate) fn sent(&mut self) {
        self.state = ListenerState::Busy;
    }

    /// The listener wrote something.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while !self.buffer.is_empty() && self.step() {}
    }

    /// Makes one transition; false when more bytes are needed for it.
    fn step(&mut self) -> bool {
        match self.state {
            ListenerState::Unknown => self.buffer.clear(),
            ListenerState::Ready => self.give_up(),
            ListenerState::Acknowledged if self.buffer.len() < READY.len() => return false,
            ListenerState::Acknowledged if self.buffer.starts_with(READY) => {
                self.buffer.drain(..READY.len());
                self.state = ListenerState::Ready;
            }
            ListenerState::Acknowledged => self.give_up(),
            ListenerState::Busy => return self.step_of_result(),
        }
        true
    }

    fn step_of_result(&mut self) -> bool {
        let Some(len) = self.result_len else {
            let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else {
                return false;
            };
            let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
            match line.get(RESULT_PREFIX_LEN..).and_then(|len| len.trim().parse().ok()) {
                Some(len) => {
                    self.result_len = Some(len);
                    self.buffer.drain(..=end);
                }
                None => self.give_up(),
            }
            return true;
        };
        if self.buffer.len() < len {
            return false;
        }
        let result: Vec<u8> = self.buffer.drain(..len).collect();
        self.results.push(String::from_utf8_lossy(&result).into_owned());
        self.result_len = None;
        self.state = ListenerState::Acknowledged;
        true
    }

    fn give_up(&mut self) {
        let surprise = std::mem::take(&mut self.buffer);
        self.surprise = Some(String::from_utf8_lossy(&surprise).into_owned());
        self.state = ListenerState::Unknown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(said: &[&str]) -> Protocol {
        let mut protocol = Protocol::new();
        for (turn, bytes) in said.iter().enumerate() {
            if turn > 0 {
                protocol.sent();
            }
            protocol.feed(bytes.as_bytes());
        }
        protocol
    }

    #[test]
    fn ready_event_result_ready() {
        let protocol = after(&["READY\n", "RESULT 2\nOKREADY\n"]);
        assert_eq!(protocol.state, ListenerState::Ready);
        assert_eq!(protocol.results, ["OK"]);
    }

    #[test]
    fn pieces_are_put_together() {
        let mut protocol = after(&["REA"]);
        assert_eq!(protocol.state, ListenerState::Acknowledged);
        protocol.feed(b"DY\n");
        assert_eq!(protocol.state, ListenerState::Ready);
        protocol.sent();
        for byte in b"RESULT 4\nFAIL" {
            assert_eq!(protocol.state, ListenerState::Busy);
            protocol.feed(&[*byte]);
        }
        assert_eq!(protocol.state, ListenerState::Acknowledged);
        assert_eq!(protocol.results, ["FAIL"]);
    }

    #[test]
    fn one_word_too_many_is_the_end() {
        for said in [&["hello\n"][..], &["READY\nhello"], &["READY\n", "hello\n"]] {
            let mut protocol = after(said);
            assert_eq!(protocol.state, ListenerState::Unknown, "{said:?}");
            assert!(protocol.surprise.as_ref().unwrap().starts_with("hello"), "{said:?}");
            protocol.feed(b"READY\n");
            assert_eq!(protocol.state, ListenerState::Unknown, "{said:?}");
        }
    }
}
