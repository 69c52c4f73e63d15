//! Restarting processes so that none is left stopped.
//!
//! Between `stopProcess` and `startProcess` a listener is responsible for a process. supervisord may
//! refuse the start, the connection may break, the listener may be told to end. [`Restarts`] keeps
//! what was stopped until it is known to run or to be somebody else's business.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::listener::Ctx;
use crate::listener::in_flight::Entry;
use crate::supervisor::{Fault, ProcessInfo, RpcError, State};
use crate::system::log::LogOnce;

/// Pause before the first retry; doubled for each further one that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The processes that we stopped and that do not run again yet, each with what the listener wants to
/// remember of it.
#[derive(Debug)]
pub struct Restarts<T> {
    /// By `group:name`.
    owed: BTreeMap<String, Owed<T>>,
    longest_pause: Duration,
}

#[derive(Debug)]
struct Owed<T> {
    stopped: Stopped,
    note: T,
    due: Instant,
    pause: Duration,
    complaint: LogOnce,
    _entry: Entry,
}

/// What is known of our stop, so that it can be told from somebody else's, who wants it so. Times are
/// by supervisord's clock.
#[derive(Debug, Clone, Copy)]
enum Stopped {
    /// It was asked for, not before this time; whether it was done is not known.
    Perhaps(i64),
    /// It was done; the time is not known yet, and the clock may have been set back since.
    Done,
    /// It was done at this time.
    At(i64),
}

impl Stopped {
    fn agrees_with(self, info: &ProcessInfo) -> bool {
        match self {
            Self::Perhaps(time) => info.stop >= time,
            Self::Done => true,
            Self::At(time) => info.stop == time,
        }
    }
}

/// Why a process was not stopped.
#[derive(Debug)]
pub enum StopError {
    /// The listener was told to end, and might not start the process again.
    Ending,
    /// It does not run any more, because somebody else has stopped it and wants it so.
    Stopped(RpcError),
    /// supervisord refused for another reason, or was not reached.
    Rpc(RpcError),
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ending => f.write_str("the listener was told to end"),
            Self::Stopped(error) | Self::Rpc(error) => error.fmt(f),
        }
    }
}

/// What is to be done about a process that is owed a start.
#[derive(Debug, PartialEq, Eq)]
enum Duty {
    Start,
    Wait,
    Nothing,
}

impl<T> Default for Restarts<T> {
    fn default() -> Self {
        Self { owed: BTreeMap::new(), longest_pause: LONGEST_PAUSE }
    }
}

impl<T> Restarts<T> {
    /// Stops a process, of which `info` was just asked. From here on it is owed a start.
    ///
    /// # Errors
    /// When the listener was told to end, or supervisord refuses or was not reached; then nothing is
    /// owed. When no answer came the process may have been stopped all the same;
    /// [`retry`](Self::retry) will find out.
    pub fn stop(
        &mut self,
        info: &ProcessInfo,
        note: T,
        ctx: &mut Ctx<'_>,
    ) -> Result<(), StopError> {
        if ctx.is_ending() {
            return Err(StopError::Ending);
        }
        let namespec = info.namespec();
        let advice = format!(
            "{namespec} was stopped and is not started again yet; \
             start it with: supervisorctl start {namespec}"
        );
        let owed = Owed {
            stopped: Stopped::Perhaps(info.now),
            note,
            due: Instant::now() + FIRST_PAUSE,
            pause: FIRST_PAUSE,
            complaint: LogOnce::default(),
            _entry: ctx.unfinished.begin(advice),
        };
        // Before the call, so that not even a panic in it forgets the process.
        self.owed.insert(namespec.clone(), owed);
        let outcome = ctx.supervisor.stop(&namespec);
        match (&outcome, self.owed.get_mut(&namespec)) {
            (Ok(()), Some(owed)) => owed.stopped = Stopped::Done,
            (Err(RpcError::NoAnswer(_)), Some(owed)) => owed.due = Instant::now() + FIRST_PAUSE,
            _ => drop(self.owed.remove(&namespec)),
        }
        outcome.map_err(|error| match error.fault_code() {
            Some(Fault::NOT_RUNNING) if is_stopped(&namespec, ctx) => StopError::Stopped(error),
            _ => StopError::Rpc(error),
        })
    }

    /// Starts a process after [`stop`](Self::stop).
    ///
    /// # Errors
    /// When it cannot be started now. If it is still stopped it remains owed, and
    /// [`retry`](Self::retry) goes on.
    pub fn start(&mut self, namespec: &str, ctx: &mut Ctx<'_>) -> Result<(), RpcError> {
        let outcome = ctx.supervisor.start(namespec);
        match &outcome {
            Ok(()) => drop(self.owed.remove(namespec)),
            Err(error) if is_final(error) => drop(self.owed.remove(namespec)),
            Err(error) => {
                if let Some(owed) = self.owed.get_mut(namespec) {
                    // The caller reports this error; the retries report others.
                    owed.complaint = LogOnce::said(still_stopped(namespec, error));
                    owed.due = Instant::now() + FIRST_PAUSE;
                }
                self.look(namespec, ctx);
            }
        }
        outcome
    }

    /// The processes that are owed a start, by `group:name`.
    pub fn owed(&self) -> impl Iterator<Item = &str> {
        self.owed.keys().map(String::as_str)
    }

    /// When [`retry`](Self::retry) should be called next.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.owed.values().map(|owed| owed.due).min()
    }

    /// The listener is about to end: everything is tried at once, and then every second.
    pub fn hurry(&mut self) {
        self.longest_pause = FIRST_PAUSE;
        for owed in self.owed.values_mut() {
            (owed.due, owed.pause) = (Instant::now(), FIRST_PAUSE);
        }
    }

    /// Tries again to start what is due, and returns what runs now.
    pub fn retry(&mut self, ctx: &mut Ctx<'_>) -> Vec<(String, T)> {
        let now = Instant::now();
        let due = self.owed.iter().filter(|(_, owed)| owed.due <= now);
        let due: Vec<String> = due.map(|(namespec, _)| namespec.clone()).collect();
        due.into_iter().filter_map(|namespec| self.retry_one(namespec, ctx)).collect()
    }

    fn retry_one(&mut self, namespec: String, ctx: &mut Ctx<'_>) -> Option<(String, T)> {
        if self.look(&namespec, ctx)? != Duty::Start {
            return None;
        }
        match ctx.supervisor.start(&namespec) {
            Ok(()) => {
                ctx.log.line(format_args!("{namespec} was started again"));
                let owed = self.owed.remove(&namespec)?;
                Some((namespec, owed.note))
            }
            Err(error) => {
                self.failed(&namespec, &error, ctx);
                None
            }
        }
    }

    /// Asks how the process is, and forgets it if that is no longer our business. `None` when the
    /// question was not answered.
    fn look(&mut self, namespec: &str, ctx: &mut Ctx<'_>) -> Option<Duty> {
        let info = match ctx.supervisor.info(namespec) {
            Ok(info) => info,
            Err(error) => {
                self.failed(namespec, &error, ctx);
                return None;
            }
        };
        let owed = self.owed.get_mut(namespec)?;
        let duty = duty(&info, owed.stopped);
        match duty {
            Duty::Start => owed.stopped = Stopped::At(info.stop),
            Duty::Wait => owed.due = Instant::now() + FIRST_PAUSE,
            Duty::Nothing => {
                if info.state == State::Stopped {
                    ctx.log.line(format_args!("{namespec} was stopped by somebody else meanwhile"));
                }
                self.owed.remove(namespec);
            }
        }
        Some(duty)
    }

    /// Plans the next try, or gives up where there can be none.
    fn failed(&mut self, namespec: &str, error: &RpcError, ctx: &Ctx<'_>) {
        if is_final(error) {
            self.owed.remove(namespec);
        } else if let Some(owed) = self.owed.get_mut(namespec) {
            owed.complaint.report(ctx.log, still_stopped(namespec, error));
            owed.due = Instant::now() + owed.pause;
            owed.pause = self.longest_pause.min(owed.pause * 2);
        }
    }
}

fn still_stopped(namespec: &str, error: &RpcError) -> String {
    format!("{namespec} is still stopped: {error}")
}

/// Whether somebody stops the process or has stopped it.
fn is_stopped(namespec: &str, ctx: &mut Ctx<'_>) -> bool {
    let info = ctx.supervisor.info(namespec);
    info.is_ok_and(|info| matches!(info.state, State::Stopping | State::Stopped))
}

/// Whether a refusal ends our duty: the process is gone, or everything is.
fn is_final(error: &RpcError) -> bool {
    matches!(error.fault_code(), Some(Fault::BAD_NAME | Fault::SHUTDOWN_STATE))
}

/// The rule: a process that is stopped since we stopped it must run; one that is stopping will be
/// stopped; all other states are supervisord's doing, or the operator's.
fn duty(info: &ProcessInfo, stopped: Stopped) -> Duty {
    match info.state {
        State::Stopped if stopped.agrees_with(info) => Duty::Start,
        State::Stopping => Duty::Wait,
        _ => Duty::Nothing,
    }
}

#[cfg(test)]
#[path = "restart_tests.rs"]
mod tests;
