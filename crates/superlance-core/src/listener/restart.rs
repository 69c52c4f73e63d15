//! Restarts that leave no process stopped.
//!
//! Between `stopProcess` and `startProcess` a listener is responsible for a process. supervisord
//! may refuse the start, the connection may break, the listener may be told to end. [`Restarts`]
//! remembers a stopped process until it runs again, or another user of supervisord has taken charge
//! of it; with a spool the next listener remembers it, too.

mod debts;
mod outcome;

use std::time::{Duration, Instant};

use crate::listener::Ctx;
use crate::listener::in_flight::InFlight;
use crate::spool::journal::Journal;
use crate::supervisor::{Fault, ProcessInfo, RpcError, State};
use crate::system::log::{About, LogOnce};

pub use self::debts::Record;
use self::debts::{Debts, Stopped};
pub use self::outcome::{NotStarted, Settled, StopError};

/// Pause before the first retry; doubled for each further one that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The restarts of a listener: the processes that it stopped and that do not run again yet, each with
/// the listener's own data.
#[derive(Debug)]
pub struct Restarts<T> {
    /// `group:name` of the listener itself.
    own_namespec: Option<String>,
    debts: Debts<T>,
    longest_pause: Duration,
    /// Whether a start ends when the process counts as running.
    waits: bool,
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
        Self::new(None)
    }
}

impl<T> Restarts<T> {
    /// The restarts of this listener, `group:name`.
    #[must_use]
    pub fn new(own_namespec: Option<String>) -> Self {
        Self { own_namespec, debts: Debts::default(), longest_pause: LONGEST_PAUSE, waits: true }
    }

    /// Starts are begun only, since other work does not wait until a process counts as running.
    #[must_use]
    pub fn without_waiting(self) -> Self {
        Self { waits: false, ..self }
    }

    /// Keeps what is owed in this journal, and takes over what an earlier listener has left there.
    pub fn keep(&mut self, (journal, records): (Journal, Vec<Record>), in_flight: &InFlight) {
        self.debts.keep(journal, records, in_flight);
    }

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
        // Before the call, so that not even a panic in it forgets the process.
        self.debts.add(info, note, ctx.in_flight);
        let outcome = ctx.supervisor.stop(&namespec);
        match (&outcome, self.debts.get(&namespec)) {
            (Ok(()), Some(debt)) => (debt.stopped, debt.due) = (Stopped::Done, Instant::now()),
            (Err(RpcError::NoAnswer(_)), Some(debt)) => debt.due = Instant::now() + FIRST_PAUSE,
            _ => drop(self.debts.remove(&namespec)),
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
    /// [`retry`](Self::retry) goes on. While supervisord shuts down, that is the error: a start that it
    /// breaks off to do so it refuses with another fault.
    pub fn start(&mut self, namespec: &str, ctx: &mut Ctx<'_>) -> Result<(), NotStarted> {
        let outcome = self.start_unless_all_stop(namespec, ctx);
        match &outcome {
            Err(NotStarted::Rpc(error)) if !is_final(error) => {
                if let Some(debt) = self.debts.get(namespec) {
                    // The caller reports this error; the retries report others.
                    debt.complaint = LogOnce::said(still_stopped(namespec, error));
                    debt.due = Instant::now() + FIRST_PAUSE;
                }
                match self.look(namespec, ctx) {
                    Err(shutdown) if shutdown.is_shutdown() => {
                        return Err(NotStarted::Rpc(shutdown));
                    }
                    _ => {}
                }
            }
            _ => drop(self.debts.remove(namespec)),
        }
        outcome
    }

    fn start_unless_all_stop(&self, namespec: &str, ctx: &mut Ctx<'_>) -> Result<(), NotStarted> {
        if ctx.is_ending() && self.all_stop(ctx) {
            return Err(NotStarted::AllStop(namespec.to_owned()));
        }
        let started = match self.waits {
            true => ctx.supervisor.start(namespec),
            false => ctx.supervisor.begin_start(namespec),
        };
        started.map_err(NotStarted::Rpc)
    }

    /// Whether everything else is being stopped with this listener. `stopAllProcesses` stops all that
    /// runs before it waits for any of it, and passes over what is stopping already: what we stop does
    /// not show that it is meant, too. When there is nothing else, this is not seen.
    fn all_stop(&self, ctx: &mut Ctx<'_>) -> bool {
        let (Some(own), Ok(all)) = (&self.own_namespec, ctx.supervisor.all()) else { return false };
        // A signal that did not come from supervisord ends this listener alone.
        let is_stopping =
            |info: &ProcessInfo| info.has_namespec(own) && info.state == State::Stopping;
        if !all.iter().any(is_stopping) {
            return false;
        }
        let is_other = |info: &&ProcessInfo| {
            let namespec = info.namespec();
            namespec != *own && !self.debts.has(&namespec)
        };
        let others: Vec<_> = all.iter().filter(is_other).collect();
        let is_up = |info: &&ProcessInfo| {
            matches!(info.state, State::Running | State::Starting | State::Backoff)
        };
        let since = self.debts.oldest();
        let is_being_stopped = |info: &&ProcessInfo| match info.state {
            State::Stopping => true,
            State::Stopped => since.is_some_and(|since| info.stop >= since),
            _ => false,
        };
        !others.iter().any(is_up) && others.iter().any(is_being_stopped)
    }

    /// The processes that are owed a start, by `group:name`.
    pub fn owed(&self) -> impl Iterator<Item = &str> {
        self.debts.namespecs()
    }

    /// When [`retry`](Self::retry) should be called next.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline_of(&|_| true)
    }

    /// The same, of those that may be started.
    #[must_use]
    pub fn deadline_of(&self, may_start: &dyn Fn(&str) -> bool) -> Option<Instant> {
        let due = self.debts.all().filter(|debt| may_start(debt.namespec()));
        due.map(|debt| debt.due).min()
    }

    /// Tries everything at once and then every second: the listener is about to end.
    pub fn hurry(&mut self) {
        self.longest_pause = FIRST_PAUSE;
        for debt in self.debts.all_mut() {
            (debt.due, debt.pause) = (Instant::now(), FIRST_PAUSE);
        }
    }

    /// Tries the starts that are due, and returns the processes that were started or stay stopped, for
    /// the listener to tell; those that an earlier listener had stopped are only logged.
    pub fn retry(&mut self, ctx: &mut Ctx<'_>) -> Vec<Settled<T>> {
        self.retry_those(&|_| true, ctx)
    }

    /// The same, for those that may be started. The others stay owed.
    pub fn retry_those(
        &mut self,
        may_start: &dyn Fn(&str) -> bool,
        ctx: &mut Ctx<'_>,
    ) -> Vec<Settled<T>> {
        let due = self.debts.due(Instant::now()).into_iter();
        let due = due.filter(|namespec| may_start(namespec)).collect::<Vec<_>>().into_iter();
        due.filter_map(|namespec| self.retry_one(namespec, ctx)).collect()
    }

    fn retry_one(&mut self, namespec: String, ctx: &mut Ctx<'_>) -> Option<Settled<T>> {
        if self.look(&namespec, ctx).ok()? != Duty::Start {
            return None;
        }
        let outcome = self.start_unless_all_stop(&namespec, ctx);
        let text = match &outcome {
            Ok(()) => format!("{namespec} was started again"),
            Err(NotStarted::Rpc(error)) => {
                self.failed(&namespec, error, ctx);
                return None;
            }
            Err(all_stop) => format!("{namespec} is not started again: {all_stop}"),
        };
        about(&namespec, ctx).line(text);
        let note = self.debts.remove(&namespec)?.note?;
        Some(Settled { namespec, note, outcome })
    }

    /// Asks how the process is, and forgets it where nothing is left to do.
    fn look(&mut self, namespec: &str, ctx: &mut Ctx<'_>) -> Result<Duty, RpcError> {
        let info = match ctx.supervisor.info(namespec) {
            Ok(info) => info,
            Err(error) => {
                self.failed(namespec, &error, ctx);
                return Err(error);
            }
        };
        let Some(debt) = self.debts.get(namespec) else { return Ok(Duty::Nothing) };
        let duty = duty(&info, debt.stopped);
        match duty {
            Duty::Start => debt.stopped = Stopped::At(info.stop),
            Duty::Wait => debt.due = Instant::now() + FIRST_PAUSE,
            Duty::Nothing => {
                if info.state == State::Stopped {
                    let what = "was stopped by another client, and stays stopped";
                    about(namespec, ctx).line(format_args!("{namespec} {what}"));
                }
                self.debts.remove(namespec);
            }
        }
        Ok(duty)
    }

    /// Plans the next try, or gives up where none can succeed.
    fn failed(&mut self, namespec: &str, error: &RpcError, ctx: &Ctx<'_>) {
        if is_final(error) {
            self.debts.remove(namespec);
        } else if let Some(debt) = self.debts.get(namespec) {
            debt.complaint.report_about(about(namespec, ctx), still_stopped(namespec, error));
            debt.due = Instant::now() + debt.pause;
            debt.pause = self.longest_pause.min(debt.pause * 2);
        }
    }
}

/// The log, for messages about the process, whose id is not known any more.
fn about<'a>(namespec: &'a str, ctx: &'a Ctx<'_>) -> About<'a> {
    match namespec.split_once(':') {
        Some((group, name)) => ctx.log.about(group, name, None),
        None => ctx.log.into(),
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
    error.is_shutdown() || error.fault_code() == Some(Fault::BAD_NAME)
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
