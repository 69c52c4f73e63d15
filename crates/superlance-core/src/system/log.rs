//! The log: stderr, which supervisord writes into the listener's `stderr_logfile`.

use std::fmt::Display;
use std::io::Write;
use std::sync::Mutex;

/// Where every message goes. Shared by all threads; a message is written whole.
pub struct Log(Mutex<Box<dyn Write + Send>>);

impl Log {
    /// A log that writes to `out`.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(out)))
    }

    /// Writes a message of one line or several.
    ///
    /// Names, URLs and answers from elsewhere are part of messages, so what a terminal would obey when
    /// someone reads the log becomes `?`. A log that cannot be written is no reason to stop watching.
    pub fn line(&self, message: impl Display) {
        let printable = |c: char| if is_terminal_control(c) { '?' } else { c };
        let mut text: String = message.to_string().chars().map(printable).collect();
        text.push('\n');
        let mut out = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// Whether a terminal or a pager does something else than to show it: control characters (C1 too, of
/// which one is the same as ESC and `[`), ends of lines that are none to grep, and what turns around
/// the order of the letters that follow.
#[must_use]
pub fn is_terminal_control(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

/// Logs a trouble that may last once, until it changes or is over.
#[derive(Debug, Default)]
pub struct LogOnce(Option<String>);

impl LogOnce {
    /// A message that was already logged elsewhere.
    #[must_use]
    pub fn said(message: String) -> Self {
        Self(Some(message))
    }

    /// Logs `message`, unless it was the last thing said here.
    pub fn report(&mut self, log: &Log, message: String) {
        if self.0.as_ref() != Some(&message) {
            log.line(&message);
            self.0 = Some(message);
        }
    }

    /// Whether the trouble lasts.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// The trouble is over; `true` if there was any. The next message is logged again.
    pub fn clear(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Recorder;

    #[test]
    fn messages_end_their_line_and_carry_no_terminal_codes() {
        let recorder = Recorder::default();
        let log = Log::new(recorder.clone());
        log.line("RSS of a\x1b[2J:b is 5");
        log.line("Mailed:\n\nTo: café");
        log.line("a\rb\u{9b}2Jc\u{7f}d");
        log.line("gpj\u{202e}exe.\u{2066}\u{2028}\u{5d0}\u{200f}");
        let expected =
            "RSS of a?[2J:b is 5\nMailed:\n\nTo: café\na?b?2Jc?d\ngpj?exe.??\u{5d0}\u{200f}\n";
        assert_eq!(recorder.text(), expected);
    }

    #[test]
    fn a_complaint_is_made_once_until_it_changes() {
        let recorder = Recorder::default();
        let log = Log::new(recorder.clone());
        let mut complaint = LogOnce::default();
        for message in ["down", "down", "refused", "refused", "down"] {
            complaint.report(&log, message.to_owned());
        }
        assert!(complaint.clear());
        assert!(!complaint.clear());
        complaint.report(&log, "down".to_owned());
        assert_eq!(recorder.text(), "down\nrefused\ndown\ndown\n");
    }
}
