//! The log: stderr, which supervisord writes into the listener's `stderr_logfile`.

mod style;

use std::fmt::Display;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use self::style::Process;
pub use self::style::{Format, Style, is_terminal_control};

/// The beginning of a message about a panic, which Rust has printed with its place.
pub const FAULT: &str = "This is a fault of superlance, and the lines above say where";

/// Where every message goes. Shared by all threads; a message is written whole.
///
/// Names, URLs and answers from elsewhere are part of messages, so what a terminal would obey when
/// someone reads the log becomes `?`. A log that cannot be written is no reason to stop watching.
pub struct Log {
    out: Mutex<Box<dyn Write + Send>>,
    style: Style,
}

impl Log {
    /// A log that writes to `out` what it is given.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self::styled(out, Style::default())
    }

    /// A log that writes to `out` in this style.
    #[must_use]
    pub fn styled(out: impl Write + Send + 'static, style: Style) -> Self {
        Self { out: Mutex::new(Box::new(out)), style }
    }

    /// A log in the same style that writes to `out`.
    #[must_use]
    pub fn redirected(&self, out: impl Write + Send + 'static) -> Self {
        Self::styled(out, self.style.clone())
    }

    /// Writes a message of one line or several.
    pub fn line(&self, message: impl Display) {
        About::from(self).line(message);
    }

    /// Writes what a listener says at every look, even when nothing is the matter; a quiet log does not.
    pub fn routine(&self, message: impl Display) {
        About::from(self).routine(message);
    }

    /// Writes routine messages in one piece, since there may be one for each of many processes.
    pub fn routine_all<'a>(
        &'a self,
        messages: impl IntoIterator<Item = (About<'a>, impl Display)>,
    ) {
        if self.style.quiet {
            return;
        }
        let mut text = String::new();
        for (about, message) in messages {
            self.compose(&mut text, &message.to_string(), about.process);
        }
        self.put(&text);
    }

    /// The same log, for messages about this process.
    #[must_use]
    pub fn about<'a>(&'a self, group: &'a str, name: &'a str, pid: Option<u32>) -> About<'a> {
        let pid = pid.filter(|pid| *pid != 0);
        About { log: self, process: Some(Process { group, name, pid }) }
    }

    fn write(&self, message: &str, process: Option<Process<'_>>) {
        let mut text = String::new();
        self.compose(&mut text, message, process);
        self.put(&text);
    }

    fn compose(&self, text: &mut String, message: &str, process: Option<Process<'_>>) {
        text.push_str(&self.style.text(message, process, SystemTime::now()));
        text.push('\n');
    }

    fn put(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// The log, for messages about one process.
#[derive(Clone, Copy)]
pub struct About<'a> {
    log: &'a Log,
    process: Option<Process<'a>>,
}

/// For messages about no process, or about many.
impl<'a> From<&'a Log> for About<'a> {
    fn from(log: &'a Log) -> Self {
        Self { log, process: None }
    }
}

impl About<'_> {
    /// As [`Log::line`].
    pub fn line(&self, message: impl Display) {
        self.log.write(&message.to_string(), self.process);
    }

    /// As [`Log::routine`].
    pub fn routine(&self, message: impl Display) {
        if !self.log.style.quiet {
            self.line(message);
        }
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
        self.report_about(log.into(), message);
    }

    /// The same for a trouble of one process.
    pub fn report_about(&mut self, log: About<'_>, message: String) {
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
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

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
    fn a_quiet_log_has_no_routine() {
        for (quiet, expected) in [(false, "a\nb\nc\n"), (true, "b\n")] {
            let recorder = Recorder::default();
            let log = Log::styled(recorder.clone(), Style { quiet, ..Style::default() });
            log.routine("a");
            log.line("b");
            log.about("g", "p", Some(1)).routine("c");
            assert_eq!(recorder.text(), expected);
        }
    }

    /// Counts the writes.
    struct Writes(Recorder, Arc<AtomicUsize>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn many_routine_messages_are_one_write_of_the_same_lines() {
        for format in [Format::Plain, Format::Json] {
            let (together, apart, writes) =
                (Recorder::default(), Recorder::default(), Arc::new(AtomicUsize::new(0)));
            let style = Style { format, ..Style::default() };
            let log = Log::styled(Writes(together.clone(), Arc::clone(&writes)), style.clone());
            let names = ["a", "b\u{7f}", "c"];
            log.routine_all(names.map(|name| (log.about("g", name, Some(7)), name)));
            assert_eq!(writes.load(Ordering::Relaxed), 1);
            let log = Log::styled(apart.clone(), style);
            names.iter().for_each(|name| log.about("g", name, Some(7)).routine(name));
            let lines = |recorder: &Recorder| {
                let without_time = |line: &str| match line.split_once(",\"listener\"") {
                    Some((_, rest)) => rest.to_owned(),
                    None => line.to_owned(),
                };
                recorder.text().lines().map(without_time).collect::<Vec<_>>()
            };
            assert_eq!(lines(&together), lines(&apart));
            assert_eq!(lines(&together).len(), 3);
        }
        let recorder = Recorder::default();
        let log = Log::styled(recorder.clone(), Style { quiet: true, ..Style::default() });
        log.routine_all([(About::from(&log), "x")]);
        assert_eq!(recorder.text(), "");
    }

    #[test]
    fn a_process_that_does_not_run_has_no_id() {
        let recorder = Recorder::default();
        let style = Style { format: Format::Json, ..Style::default() };
        let log = Log::styled(recorder.clone(), style);
        log.about("g", "p", Some(0)).line("x");
        assert!(!recorder.text().contains("pid"), "{}", recorder.text());
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
