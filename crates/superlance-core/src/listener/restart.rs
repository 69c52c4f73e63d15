//! Restarts that leave no process stopped.
//!
//! Between `stopProcess` and `startProcess` a listener is responsible for a process. supervisord
//! may refuse the start, the connection may break, the listener may be told to end. [`Restarts`]
//! remembers a stopped process until it runs again, or another user of supervisord has taken charge
//! of it.

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

/// The processes that we stopped and that do not run again yet, each with the listener's own data.
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

/// The facts about our stop that distinguish it from an operator's. Times are by supervisord's
/// clock.
#[derive(Debug, Clone, Copy)]
enum Stopped {
    /// Requested, not before this time; whether it happened is unknown.
    Perhaps(i64),
    /// Done at an unknown time: the clock may have been set back since.
    Done,
    /// Done at this time.
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

/// The reason why a process was not stopped.
#[derive(Debug)]
pub enum StopError {
    /// The listener was told to end, and might not start the process again.
    Ending,
    /// The process does not run any more: an operator or another program has stopped it.
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

/// The next step for a process that is owed a start.
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
    /// Stops a process whose current `info` is given. From here on it is owed a start.
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

    /// Tries everything at once and then every second: the listener is about to end.
    pub fn hurry(&mut self) {
        self.longest_pause = FIRST_PAUSE;
        for owed in self.owed.values_mut() {
            (owed.due, owed.pause) = (Instant::now(), FIRST_PAUSE);
        }
    }

    /// Tries the starts that are due, and returns the processes that run now.
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

    /// Asks for the state of the process, and forgets it if it is owed nothing any more. `None`
    /// when supervisord did not answer.
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
                    ctx.log.line(format_args!(
                        "{namespec} was stopped by another client, and stays stopped"
                    ));
                }
                self.owed.remove(namespec);
            }
        }
        Some(duty)
    }

    /// Plans the next try, or gives up where none can succeed.
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

/// Whether an operator or another program stops the process or has stopped it.
fn is_stopped(namespec: &str, ctx: &mut Ctx<'_>) -> bool {
    let info = ctx.supervisor.info(namespec);
    info.is_ok_and(|info| matches!(info.state, State::Stopping | State::Stopped))
}

/// Whether a refusal ends our duty: the process is gone, or supervisord is ending.
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
