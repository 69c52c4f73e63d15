//! The log texts about work that is left when time is up.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::system::log::Log;
use crate::system::truncate;

/// Time for whole texts; a pipe takes a hundred megabytes in it.
const WHOLE: Duration = Duration::from_millis(1000);

/// Time for the beginnings of further texts.
const SHORT: Duration = Duration::from_millis(1300);

/// Time for all texts if supervisord does not read the log: it kills a listener two seconds after
/// the worker's time is up.
const ALL: Duration = Duration::from_millis(1500);

/// Bytes of a beginning.
const BEGINNING: usize = 200;

/// Logs these texts, whole while there is time.
pub(crate) fn say(texts: Vec<String>, log: &Arc<Log>) {
    if texts.is_empty() {
        return;
    }
    let (texts, (done, said)) = (Arc::new(texts), channel::<()>());
    let (shared, out) = (Arc::clone(&texts), Arc::clone(log));
    let until = Instant::now() + ALL;
    let body = move || {
        write(&shared, &out, Instant::now(), [WHOLE, SHORT]);
        drop(done);
    };
    match thread::Builder::new().name("farewell".to_owned()).spawn(body) {
        Ok(_) => _ = said.recv_timeout(until.saturating_duration_since(Instant::now())),
        Err(_) => write(&texts, log, Instant::now(), [WHOLE, SHORT]),
    }
}

fn write(texts: &[String], log: &Log, start: Instant, [whole, short]: [Duration; 2]) {
    for (said, text) in texts.iter().enumerate() {
        match start.elapsed() {
            passed if passed < whole => log.line(text),
            passed if passed < short => log.line(beginning(text)),
            _ => {
                let rest = texts.len() - said;
                let message = "of what was not finished cannot be shown: the time is up";
                return log.line(format_args!("{rest} more {message}"));
            }
        }
    }
}

/// The first lines of a text in one line.
fn beginning(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.is_empty()).take(2);
    let lines = lines.collect::<Vec<_>>().join(" ");
    if lines.len() <= BEGINNING {
        return lines;
    }
    format!("{}...", truncate::beginning(&lines, BEGINNING))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;
    use crate::testing::Recorder;

    const NEVER: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(3600);

    fn said(times: [Duration; 2]) -> String {
        let recorder = Recorder::default();
        let texts = [format!("Not sent to x:\n\n{}\n\ntext", "é".repeat(150)), "b".to_owned()];
        write(&texts, &Log::new(recorder.clone()), Instant::now(), times);
        recorder.text()
    }

    #[test]
    fn texts_are_whole_as_long_as_there_is_time() {
        let whole = format!("Not sent to x:\n\n{}\n\ntext\nb\n", "é".repeat(150));
        assert_eq!(said([LONG, LONG]), whole);
        assert_eq!(said([NEVER, LONG]), format!("Not sent to x: {}...\nb\n", "é".repeat(92)));
        let count = "2 more of what was not finished cannot be shown: the time is up\n";
        assert_eq!(said([NEVER, NEVER]), count);
    }

    /// A pipe without a reader.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            loop {
                thread::park();
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_is_not_read_holds_up_nothing() {
        let start = Instant::now();
        say(vec!["text".to_owned()], &Arc::new(Log::new(Full)));
        assert!((ALL..LONG).contains(&start.elapsed()));
    }
}
