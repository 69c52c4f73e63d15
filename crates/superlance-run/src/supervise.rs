//! supervisord as a child: started, sent signals, stopped and reaped.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use superlance_core::options::units::duration_text;
use superlance_core::supervisor::RpcError;
use superlance_core::supervisor::rpc::RpcClient;
use superlance_core::system::log::Log;

use crate::children::{descendants, is_below, named, reap, send};
use crate::plan::{Origin, Plan, Step};
use crate::server::Known;
use crate::signals::{Message, Signals};
use crate::stop::{Names, stop_all};

/// How often the fast stop is asked whether it is done.
const PAUSE: Duration = Duration::from_millis(10);

/// How long what supervisord leaves behind has to end after SIGTERM.
const LEFT: Duration = Duration::from_secs(1);

/// How long the kernel has to end what was killed; a process that waits for a dead disk it never ends.
const KILLED: Duration = Duration::from_secs(2);

/// A running supervisord.
pub(crate) struct Supervised<'l> {
    pid: Pid,
    /// Its exit status, once it has ended.
    ended: Option<u8>,
    plan: Plan,
    signals: Signals,
    known: Option<Known>,
    names: Names,
    /// The outcome of the fast stop, while that runs.
    stopping: Option<Receiver<Result<(), RpcError>>>,
    log: &'l Log,
}

/// Starts a command in a process group of its own: a terminal's Ctrl-C is for us alone, since supervisord
/// would begin its own stop.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start(command: &[OsString], exit_file: Option<&Path>) -> io::Result<Pid> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut started = Command::new(program);
    started.args(arguments).process_group(0);
    started.env("SUPERLANCE_RUN_PID", std::process::id().to_string());
    if let Some(path) = exit_file {
        started.env("SUPERLANCE_EXIT_FILE", path);
    }
    let id = started.spawn()?.id();
    Ok(Pid::from_raw(i32::try_from(id).map_err(io::Error::other)?))
}

impl<'l> Supervised<'l> {
    pub(crate) fn new(
        pid: Pid,
        signals: Signals,
        plan: Plan,
        known: Option<Known>,
        log: &'l Log,
    ) -> Self {
        let (ended, names, stopping) = (None, Names::default(), None);
        Self { pid, ended, plan, signals, known, names, stopping, log }
    }

    /// Waits for the end, of supervisord and of all below it. Its exit status, and whether the exit file
    /// counts.
    ///
    /// # Errors
    /// When signals cannot be waited for.
    pub(crate) fn wait(mut self) -> io::Result<(u8, bool)> {
        let status = loop {
            if let Some(status) = self.ended {
                break status;
            }
            let now = Instant::now();
            if self.plan.deadline().is_some_and(|deadline| deadline <= now) {
                break self.kill_all()?;
            }
            let until =
                self.plan.deadline().map(|deadline| deadline.saturating_duration_since(now));
            let pause = self.stopping.as_ref().map(|_| PAUSE);
            let message = self.signals.next(until.into_iter().chain(pause).min())?;
            self.handle(message);
            self.look_at_stop();
        };
        let status = if self.is_in_background(status) { 1 } else { status };
        self.clear_up()?;
        Ok((status, self.plan.counts_exit_file()))
    }

    fn handle(&mut self, message: Option<Message>) {
        match message {
            Some(Message::Child) => self.reap(),
            Some(Message::Forward(signal)) => send(self.pid, signal),
            Some(Message::End { signal, sender }) => {
                let from =
                    if sender != 0 && is_below(sender) { Origin::Inside } else { Origin::Outside };
                match self.plan.told(from, Instant::now()) {
                    Step::Stop => self.stop(signal, from),
                    Step::Kill => self.log.line(format_args!(
                        "superlance run: {signal} again: the time to stop is over"
                    )),
                    Step::Nothing => {}
                }
            }
            None => {}
        }
    }

    fn reap(&mut self) {
        for (pid, status) in reap() {
            if pid == self.pid {
                self.ended = Some(status);
            }
        }
    }

    fn stop(&mut self, signal: Signal, from: Origin) {
        let who = if from == Origin::Inside { " of exitmon" } else { "" };
        self.log.line(format_args!("superlance run: {signal}{who}: stopping supervisord"));
        match self.known.take() {
            Some(Known { client, listeners }) => {
                self.stopping = Some(stop_beside(client, listeners, self.names.clone()));
            }
            None => send(self.pid, Signal::SIGTERM),
        }
    }

    /// When the fast stop is done, supervisord ends; where it was not possible, a signal tells it so. One
    /// that comes in its last moments would kill it.
    fn look_at_stop(&mut self) {
        let Some(stopping) = &self.stopping else { return };
        match stopping.try_recv() {
            Err(TryRecvError::Empty) => return,
            Ok(Ok(())) => return self.stopping = None,
            // It ends itself, or starts anew.
            Ok(Err(trouble)) if trouble.is_shutdown() => {}
            Ok(Err(trouble)) => self.log.line(format_args!(
                "superlance run: supervisord stops its groups itself, one after the other: {trouble}"
            )),
            Err(TryRecvError::Disconnected) => {}
        }
        self.stopping = None;
        send(self.pid, Signal::SIGTERM);
    }

    /// Time is up.
    fn kill_all(&mut self) -> io::Result<u8> {
        let mut left = descendants();
        left.remove(&self.pid.as_raw().unsigned_abs());
        let left = named(&left, &self.names);
        let left = if left.is_empty() { String::new() } else { format!(", {left}") };
        self.log.line(format_args!(
            "superlance run: killing what has not stopped in time: supervisord (pid {}){left}",
            self.pid
        ));
        // First, or else it would see its processes end.
        send(self.pid, Signal::SIGKILL);
        self.signal_until_gone(Signal::SIGKILL, KILLED)?;
        Ok(self.ended.unwrap_or(128 + 9))
    }

    /// Whether supervisord has only started itself anew and ended with 0. To what runs the container, a
    /// missing -n would be a job that is done.
    fn is_in_background(&self, status: u8) -> bool {
        let is_so = status == 0
            && self.plan.deadline().is_none()
            && descendants().values().any(|comm| comm == "supervisord");
        if is_so {
            self.log.line(
                "superlance run: supervisord went into the background and is ended: start it with -n, or \
                 set nodaemon=true",
            );
        }
        is_so
    }

    /// Ends what supervisord has left behind.
    fn clear_up(&mut self) -> io::Result<()> {
        let left = descendants();
        if left.is_empty() {
            return Ok(());
        }
        let left = named(&left, &self.names);
        self.log.line(format_args!("superlance run: ending what supervisord has left: {left}"));
        if !self.signal_until_gone(Signal::SIGTERM, LEFT)? {
            let left = named(&descendants(), &self.names);
            self.log.line(format_args!(
                "superlance run: killing what has not ended within {}: {left}",
                duration_text(LEFT)
            ));
            self.signal_until_gone(Signal::SIGKILL, KILLED)?;
        }
        Ok(())
    }

    /// Sends a signal to each process below, those that come meanwhile included, until there is none or
    /// time is up; whether there is none.
    fn signal_until_gone(&mut self, signal: Signal, time: Duration) -> io::Result<bool> {
        let until = Instant::now() + time;
        let mut told = HashSet::new();
        loop {
            self.reap();
            let left = descendants();
            if left.is_empty() {
                self.reap();
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            let pids = left.keys().copied().filter_map(|pid| i32::try_from(pid).ok());
            for pid in pids.filter(|pid| told.insert(*pid)) {
                send(Pid::from_raw(pid), signal);
            }
            self.signals.next(Some(PAUSE))?;
        }
    }
}

/// Stops everything on a thread of its own, which may wait for an answer longer than there is time.
fn stop_beside(
    mut client: RpcClient,
    listeners: HashSet<String>,
    names: Names,
) -> Receiver<Result<(), RpcError>> {
    let (done, stopping) = channel();
    let body = move || drop(done.send(stop_all(&mut client, &listeners, &names)));
    // Without a thread, the channel ends at once.
    let _ = thread::Builder::new().name("stop".to_owned()).spawn(body);
    stopping
}
