//! A program that writes metrics again and again, until it is told to end: at each TICK as an event
//! listener, or else by the clock.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::iterator::Signals;
use superlance_core::run::SIGNALS;
use superlance_core::run::answer::answer;

/// What a thread reports.
enum Message {
    Tick,
    /// supervisord is gone.
    EndOfInput,
    /// The event protocol is lost.
    Lost(io::Error),
    Signal(i32),
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Ended {
    OfInput,
    BySignal(i32),
}

/// Calls `write` at once, and again at each TICK; until the first of them comes, after each interval.
///
/// # Errors
/// When signals cannot be caught, or the event protocol is lost.
pub(crate) fn serve(
    interval: Option<Duration>,
    may_be_listener: bool,
    mut write: impl FnMut(),
) -> Result<Ended, String> {
    // A tick that comes while another waits is dropped; the first will do.
    let (sender, messages) = sync_channel(1);
    let mut signals =
        Signals::new(SIGNALS).map_err(|error| format!("signals cannot be caught: {error}"))?;
    let ends = sender.clone();
    start("signals", move || {
        let signal = signals.forever().next();
        let _ = signal.map(|signal| ends.send(Message::Signal(signal)));
    })?;
    if may_be_listener {
        start("reader", move || read(&sender))?;
    }
    let mut clock = interval;
    loop {
        let began = Instant::now();
        write();
        match next(&messages, clock.and_then(|interval| began.checked_add(interval))) {
            None => {}
            Some(Message::Tick) => clock = None,
            Some(Message::Signal(signal)) => return Ok(Ended::BySignal(signal)),
            Some(Message::EndOfInput) => return Ok(Ended::OfInput),
            Some(Message::Lost(error)) => {
                return Err(format!("the event protocol is lost: {error}"));
            }
        }
    }
}

/// The next message; `None` when there is none until then.
fn next(messages: &Receiver<Message>, until: Option<Instant>) -> Option<Message> {
    match until {
        Some(until) => messages.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
        None => messages.recv().ok(),
    }
}

/// Answers supervisord until it is gone.
fn read(sender: &SyncSender<Message>) {
    let ended = answer(|event| {
        if event.starts_with("TICK") {
            let _ = sender.try_send(Message::Tick);
        }
    });
    let _ = sender.send(match ended {
        Ok(()) => Message::EndOfInput,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Message::EndOfInput,
        Err(error) => Message::Lost(error),
    });
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map(drop).map_err(|error| format!("no thread for the {name}: {error}"))
}
