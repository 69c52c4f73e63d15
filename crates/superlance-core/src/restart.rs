//! Restarting processes so that none is left stopped.
//!
//! Between `stopProcess` and `startProcess` a listener is responsible for a process. supervisord may
//! refuse the start, the connection may break, the listener may be told to end. [`Restarts`] keeps
//! what was stopped until it is known to run or to be somebody else's business.

use std::time::{Duration, Instant};

use crate::listener::Ctx;
use crate::log::Complaint;
use crate::supervisor::{Fault, ProcessInfo, RpcError, State};
use crate::unfinished::Entry;

/// Pause before the first retry; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The processes that we stopped and that do not run again yet, each with what the listener wants to
/// remember of it.
#[derive(Debug)]
pub struct Restarts<T>(Vec<Owed<T>>);

#[derive(Debug)]
struct Owed<T> {
    namespec: String,
    stopped: Stopped,
    note: T,
    due: Instant,
    pause: Duration,
    complaint: Complaint,
    _entry: Entry,
}

/// What is known of the time at which we stopped a process, by supervisord's clock. A process that
/// was stopped at another time was stopped by somebody else, who wants it so.
#[derive(Debug, Clone, Copy)]
enum Stopped {
    NotBefore(i64),
    At(i64),
}

impl Stopped {
    fn agrees_with(self, info: &ProcessInfo) -> bool {
        match self {
            Self::NotBefore(time) => info.stop >= time,
            Self::At(time) => info.stop == time,
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
        Self(Vec::new())
    }
}

impl<T: Clone> Restarts<T> {
    /// Stops a process, of which `info` was just asked. From here on it is owed a start.
    ///
    /// # Errors
    /// When supervisord refuses; then nothing is owed. When no answer came the process may have been
    /// stopped all the same; [`retry`](Self::retry) will find out.
    pub fn stop(&mut self, info: &ProcessInfo, note: T, ctx: &mut Ctx<'_>) -> Result<(), RpcError> {
        let namespec = info.namespec();
        let advice = format!(
            "{namespec} was stopped and is not started again yet; \
             start it with: supervisorctl start {namespec}"
        );
        self.settle(&namespec);
        self.0.push(Owed {
            namespec: namespec.clone(),
            stopped: Stopped::NotBefore(info.now),
            note,
            due: Instant::now() + FIRST_PAUSE,
            pause: FIRST_PAUSE,
            complaint: Complaint::default(),
            _entry: ctx.unfinished.begin(advice),
        });
        let outcome = ctx.supervisor.stop(&namespec);
        if let Err(RpcError::Fault(_)) = outcome {
            self.settle(&namespec);
        }
        outcome
    }

    /// Starts a process after [`stop`](Self::stop).
    ///
    /// # Errors
    /// When it cannot be started now. If it is still stopped it remains owed, and
    /// [`retry`](Self::retry) goes on.
    pub fn start(&mut self, namespec: &str, ctx: &mut Ctx<'_>) -> Result<(), RpcError> {
        let outcome = ctx.supervisor.start(namespec);
        match &outcome {
            Ok(()) => self.settle(namespec),
            Err(error) if is_final(error) => self.settle(namespec),
            Err(error) => {
                if let Some(owed) = self.0.iter_mut().find(|owed| owed.namespec == namespec) {
                    // The caller reports this error; the retries report others.
                    owed.complaint = Complaint::said(still_stopped(namespec, error));
                    owed.due = Instant::now() + FIRST_PAUSE;
                }
                self.look(namespec, ctx);
            }
        }
        outcome
    }

    /// When [`retry`](Self::retry) should be called next.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.iter().map(|owed| owed.due).min()
    }

    /// Tries again to start what is due, and returns what runs now.
    pub fn retry(&mut self, ctx: &mut Ctx<'_>) -> Vec<(String, T)> {
        let now = Instant::now();
        let due: Vec<String> = self
            .0
            .iter()
            .filter(|owed| owed.due <= now)
            .map(|owed| owed.namespec.clone())
            .collect();
        due.into_iter().filter_map(|namespec| self.retry_one(namespec, ctx)).collect()
    }

    fn retry_one(&mut self, namespec: String, ctx: &mut Ctx<'_>) -> Option<(String, T)> {
        let error = match self.look(&namespec, ctx)? {
            Duty::Start => match ctx.supervisor.start(&namespec) {
                Ok(()) => {
                    let note = self.note(&namespec);
                    self.settle(&namespec);
                    ctx.log.line(format_args!("{namespec} was started again"));
                    return note.map(|note| (namespec, note));
                }
                Err(error) if is_final(&error) => {
                    self.settle(&namespec);
                    return None;
                }
                Err(error) => Some(error),
            },
            Duty::Wait | Duty::Nothing => None,
        };
        self.postpone(&namespec, error, ctx);
        None
    }

    /// Asks how the process is, and forgets it if that is no longer our business. `None` when it is
    /// not, or when the question was not answered.
    fn look(&mut self, namespec: &str, ctx: &mut Ctx<'_>) -> Option<Duty> {
        match ctx.supervisor.info(namespec) {
            Ok(info) => {
                let owed = self.0.iter_mut().find(|owed| owed.namespec == namespec)?;
                let duty = duty(&info, owed.stopped);
                match duty {
                    Duty::Start => owed.stopped = Stopped::At(info.stop),
                    Duty::Wait => {}
                    Duty::Nothing => self.settle(namespec),
                }
                Some(duty)
            }
            Err(error) if is_final(&error) => {
                self.settle(namespec);
                None
            }
            Err(error) => {
                self.postpone(namespec, Some(error), ctx);
                None
            }
        }
    }

    fn postpone(&mut self, namespec: &str, error: Option<RpcError>, ctx: &Ctx<'_>) {
        let Some(owed) = self.0.iter_mut().find(|owed| owed.namespec == namespec) else {
            return;
        };
        if let Some(error) = error {
            owed.complaint.say(ctx.log, still_stopped(namespec, &error));
        }
        owed.due = Instant::now() + owed.pause;
        owed.pause = LONGEST_PAUSE.min(owed.pause * 2);
    }

    fn note(&self, namespec: &str) -> Option<T> {
        self.0.iter().find(|owed| owed.namespec == namespec).map(|owed| owed.note.clone())
    }

    fn settle(&mut self, namespec: &str) {
        self.0.retain(|owed| owed.namespec != namespec);
    }
}

fn still_stopped(namespec: &str, error: &RpcError) -> String {
    format!("{namespec} is still stopped: {error}")
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
