//! Runs a listener: reads events, acknowledges them, has them handled, and ends in good order.
//!
//! Two threads: the reader owns the protocol and acknowledges an event as soon as it is in the queue;
//! the worker ([`crate::run::worker`]) owns the listener and handles events one by one. So a slow mail
//! server or a process that takes a minute to stop never makes supervisord's buffer of ten events
//! overflow. This file starts them and waits for what ends them, or for a signal.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::listener::introduction::Introduction;
use crate::protocol::stdio::{Input, Output};
use crate::run::backlog::Backlog;
use crate::run::expectation::{Expectation, PATIENCE};
use crate::run::farewell;
use crate::run::losses::Losses;
use crate::run::queue::Queue;
use crate::run::reader::Reader;
pub(crate) use crate::run::worker::Service;
use crate::run::worker::{End, Worker};
use crate::system::log::{FAULT, Log};
use crate::system::thread;

/// Time to finish work. supervisord kills a listener `stopwaitsecs` after SIGTERM, ten seconds by
/// default.
const GRACE: Duration = Duration::from_secs(8);

/// All values of `stopsignal` except KILL. Each ends the listener in good order.
pub const SIGNALS: [i32; 6] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2];

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The messages of the other threads at their end.
enum Notice {
    InputEnded,
    ProtocolLost(io::Error),
    WorkerDone,
    /// The thread of this name ended in a panic.
    Panicked(&'static str),
}

/// The reason for the end of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// supervisord closed the input.
    OfInput,
    /// This signal was sent.
    BySignal(i32),
}

/// Runs `service` until a signal or the end of `input`, then finishes the work in progress.
///
/// # Errors
/// When the protocol is lost: events cannot be read or acknowledged any more. Work in progress is
/// finished all the same.
pub(crate) fn serve(
    name: &'static str,
    own_namespec: Option<&str>,
    service: Service,
    input: Input,
    mut output: Output,
) -> Result<Ended, String> {
    let queue = Arc::new(Queue::default());
    let (log, in_flight) = (Arc::clone(&service.log), service.in_flight.clone());
    let backlog = Arc::new(Backlog::new(service.alerts.events(), &log));
    let introduction = service.listener.introduction();
    introduce(name, &introduction, &log);
    let losses = (!introduction.needs_only_ticks()).then(|| Losses::new(name, own_namespec));
    let losses = losses.map(Arc::new);
    let expectation = Expectation::new(name, introduction, PATIENCE, Arc::clone(&log));
    let expectation = Arc::new(expectation);
    let reader = Reader {
        filter: service.listener.filter(),
        backlog: Arc::clone(&backlog),
        expectation: Arc::clone(&expectation),
        losses: losses.clone(),
    };

    let end = Arc::new(End::default());

    let no_signals = |error: io::Error| format!("signals cannot be caught: {error}");
    let mut signals = Signals::new([0; 0]).map_err(no_signals)?;
    let (notify, notices) = channel();
    let start = |thread: &'static str, body: Box<dyn FnOnce() -> Notice + Send>| {
        let (notify, waiting) = (notify.clone(), signals.handle());
        thread::start(thread, &log, move || {
            let _ = notify.send(ended(thread, body));
            waiting.close();
        })
    };
    let (events, how, done) = (Arc::clone(&queue), Arc::clone(&end), Arc::clone(&backlog));
    let worker = move || {
        Worker::new(service, expectation, losses, how, done).run(&events);
        Notice::WorkerDone
    };
    start("worker", Box::new(worker))?;
    let events = Arc::clone(&queue);
    let (begin, begun) = channel();
    let read =
        move || match begun.recv().map_or(Ok(()), |()| reader.run(input, &mut output, &events)) {
            Ok(()) => Notice::InputEnded,
            // supervisord is gone, and the input will end.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Notice::InputEnded,
            Err(error) => Notice::ProtocolLost(error),
        };
    start("reader", Box::new(read))?;
    // Not before there are threads: until then no event is read, and a signal may end all at once.
    catch_signals(&signals).map_err(no_signals)?;
    let _ = begin.send(());

    // Until a signal comes, or a thread closes this.
    let signal = signals.forever().next();
    let outcome = outcome(notices.try_recv().ok(), &end);
    end.ending.store(true, Ordering::Relaxed);
    queue.close();
    wait_for_worker(&notices);
    let mut rest = in_flight.texts();
    rest.extend(queue.take_rest().iter().map(|arrival| backlog.unfinished(arrival)));
    farewell::say(rest, &log);
    signal.map_or(outcome, |signal| Ok(Ended::BySignal(signal)))
}

/// Says which listener this is, and what it waits for.
fn introduce(name: &str, introduction: &Introduction, log: &Log) {
    let Introduction { task, events } = introduction;
    let events = events.join(", ");
    log.line(format_args!("{name} (superlance {VERSION}): {task}; waits for {events}"));
}

/// How a thread ends. If one panicked, the listener must not go on without it.
fn ended(thread: &'static str, body: impl FnOnce() -> Notice) -> Notice {
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or(Notice::Panicked(thread))
}

/// How the listener ends, if no signal ends it.
fn outcome(notice: Option<Notice>, end: &End) -> Result<Ended, String> {
    match notice {
        Some(Notice::ProtocolLost(error)) => Err(format!("the event protocol is lost: {error}")),
        Some(Notice::Panicked(thread)) => Err(format!("{FAULT}: panic in the {thread}")),
        Some(Notice::InputEnded) => {
            end.orphaned.store(true, Ordering::Relaxed);
            Ok(Ended::OfInput)
        }
        Some(Notice::WorkerDone) | None => Ok(Ended::OfInput),
    }
}

fn catch_signals(signals: &Signals) -> io::Result<()> {
    // The signal of a limit for the size of files (`ulimit -f`) would end the listener. Caught, it
    // leaves an error for the write, as in Python.
    flag::register(SIGXFSZ, Arc::default())?;
    SIGNALS.into_iter().try_for_each(|signal| signals.handle().add_signal(signal))
}

/// Waits until the worker is done or its time is up. Further signals are caught and change nothing: a
/// service manager often sends them to supervisord and to its children, and supervisord its own.
fn wait_for_worker(notices: &Receiver<Notice>) {
    let deadline = Instant::now() + GRACE;
    loop {
        match notices.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Notice::WorkerDone) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_panics_ends_the_listener_with_an_error() {
        let notice = ended("reader", || panic!("as the test wants it"));
        let error = outcome(Some(notice), &End::default()).unwrap_err();
        assert_eq!(
            error,
            "This is a fault of superlance, and the lines above say where: panic in the reader"
        );
    }
}
