//! Runs a listener: reads events, acknowledges them, has them handled, and ends in good order.
//!
//! Three threads: the reader owns the protocol and acknowledges an event as soon as it is in the
//! queue; the worker owns the listener and handles events one by one; a third waits for signals. So
//! a slow mail server or a process that takes a minute to stop never makes supervisord's buffer of
//! ten events overflow. This file starts them and waits for what ends them.

use std::collections::VecDeque;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::clock::Moment;
use crate::event::Event;
use crate::frame::{Frame, FrameReader};
use crate::listener::{Ctx, Interest, Listener};
use crate::log::Log;
use crate::mail::Mailer;
use crate::queue::{Arrival, Next, Queue};
use crate::supervisor::Supervisor;
use crate::unfinished::Unfinished;
use crate::wire::{Input, Output};

/// Time to finish what was begun. supervisord kills a listener `stopwaitsecs` after SIGTERM, and that
/// is ten seconds unless configured.
const GRACE: Duration = Duration::from_secs(8);

/// Serials that are remembered. supervisord sends an event again to a listener that died before its
/// answer, and to every pool of equal priority with it.
const MEMORY: usize = 1_000;

/// A listener with what it acts with.
pub struct Service {
    /// The listener.
    pub listener: Box<dyn Listener>,
    /// supervisord.
    pub supervisor: Box<dyn Supervisor>,
    /// Where mails go.
    pub mailer: Box<dyn Mailer>,
    /// Where messages go.
    pub log: Arc<Log>,
    /// What must not be lost in silence.
    pub unfinished: Unfinished,
}

/// What the other threads tell the one that waits.
enum Notice {
    Signal,
    InputEnded,
    ProtocolLost(io::Error),
    WorkerDone,
}

/// Runs `service` until SIGTERM, SIGINT or the end of `input`, then finishes what was begun.
///
/// # Errors
/// When the protocol is lost: events cannot be read or acknowledged any more. What was begun is
/// finished in that case, too.
pub fn serve(service: Service, input: Input, mut output: Output) -> io::Result<()> {
    let (notify, notices) = channel();
    let queue = Arc::new(Queue::default());
    let (log, unfinished) = (Arc::clone(&service.log), service.unfinished.clone());
    let interest = service.listener.interest();

    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    spawn("signals", &notify, move |notify| {
        for _ in signals.forever() {
            let _ = notify.send(Notice::Signal);
        }
    })?;
    let events = Arc::clone(&queue);
    spawn("worker", &notify, move |notify| {
        work(service, &events);
        let _ = notify.send(Notice::WorkerDone);
    })?;
    let events = Arc::clone(&queue);
    spawn("reader", &notify, move |notify| {
        let _ = notify.send(match read(input, &mut output, &events, interest) {
            Ok(()) => Notice::InputEnded,
            // supervisord is gone, and so will be our input.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Notice::InputEnded,
            Err(error) => Notice::ProtocolLost(error),
        });
    })?;

    let end = match notices.recv() {
        Ok(Notice::ProtocolLost(error)) => Err(error),
        _ => Ok(()),
    };
    queue.close();
    wait_for_worker(&notices);
    for text in unfinished.texts() {
        log.line(text);
    }
    for Frame { name, payload, .. } in queue.take_rest() {
        log.line(format_args!("Event not handled in time: {name} {payload}"));
    }
    end
}

fn spawn(
    name: &str,
    notify: &Sender<Notice>,
    body: impl FnOnce(Sender<Notice>) + Send + 'static,
) -> io::Result<()> {
    let notify = notify.clone();
    thread::Builder::new().name(name.to_owned()).spawn(move || body(notify)).map(drop)
}

/// Waits until the worker is done, its time is up, or a second signal says not to wait.
fn wait_for_worker(notices: &Receiver<Notice>) {
    let deadline = Instant::now() + GRACE;
    loop {
        match notices.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Notice::InputEnded | Notice::ProtocolLost(_)) => {}
            Ok(Notice::WorkerDone | Notice::Signal) | Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The reader: from the wire into the queue, until the input ends or the queue is closed.
fn read(
    mut input: Input,
    output: &mut Output,
    queue: &Queue,
    interest: fn(&str) -> Interest,
) -> io::Result<()> {
    let mut frames = FrameReader::default();
    let mut seen = Seen::default();
    output.ready()?;
    while let Some(frame) = frames.read(&mut input)? {
        let wanted = match interest(&frame.name) {
            Interest::Nothing => false,
            Interest::Every => true,
            Interest::WhenIdle => queue.is_idle(),
        };
        let again = frame.serial.is_some_and(|serial| seen.before(serial));
        if wanted && !again && !queue.push(Arrival { at: Moment::now(), frame }) {
            // Closed: the event is not acknowledged, so supervisord keeps it.
            return Ok(());
        }
        output.acknowledge()?;
    }
    Ok(())
}

/// The serials of the last events.
#[derive(Default)]
struct Seen(VecDeque<u64>);

impl Seen {
    /// Whether `serial` came before; remembers it.
    fn before(&mut self, serial: u64) -> bool {
        if self.0.contains(&serial) {
            return true;
        }
        self.0.truncate(MEMORY - 1);
        self.0.push_front(serial);
        false
    }
}

/// The worker: from the queue to the listener, until the queue is closed and nothing is owed.
fn work(service: Service, queue: &Queue) {
    let Service { mut listener, mut supervisor, mut mailer, log, unfinished } = service;
    let mut call = |listener: &mut dyn Listener, at: Moment, what: Call<'_>| {
        let mut ctx = Ctx {
            arrived: at,
            supervisor: &mut *supervisor,
            mailer: &mut *mailer,
            log: &log,
            unfinished: &unfinished,
        };
        contained(listener, &mut ctx, &what);
    };
    loop {
        match queue.next(listener.deadline()) {
            Next::Event(Arrival { at, frame }) => call(&mut *listener, at, Call::Handle(&frame)),
            Next::Deadline => call(&mut *listener, Moment::now(), Call::OnTime),
            Next::Closed => break,
        }
    }
    call(&mut *listener, Moment::now(), Call::Finish);
    while let Some(deadline) = listener.deadline() {
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        call(&mut *listener, Moment::now(), Call::OnTime);
    }
    mailer.finish();
}

/// One call of a listener.
enum Call<'a> {
    Handle(&'a Frame),
    OnTime,
    Finish,
}

/// Calls the listener. An event that makes it panic is logged, and the next one is handled: dying
/// would bring the same event back from supervisord for ever.
fn contained(listener: &mut dyn Listener, ctx: &mut Ctx<'_>, call: &Call<'_>) {
    let log = ctx.log;
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| match call {
        Call::Handle(frame) => match Event::parse(frame) {
            Ok(event) => listener.handle(&event, ctx),
            Err(error) => log.line(format_args!("Event not understood: {error}")),
        },
        Call::OnTime => listener.on_time(ctx),
        Call::Finish => listener.finish(ctx),
    }));
    if outcome.is_err() {
        let during = match call {
            Call::Handle(frame) => format!("{} {}", frame.name, frame.payload),
            Call::OnTime => "a retry".to_owned(),
            Call::Finish => "the end".to_owned(),
        };
        log.line(format_args!("This is a bug, please report it: panic while handling {during}"));
    }
}
