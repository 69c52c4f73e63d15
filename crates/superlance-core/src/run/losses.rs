//! Events that supervisord threw away, since the buffer of the listener was full.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::listener::alert::Alert;
use crate::listener::{Ctx, Listener};
use crate::supervisor::{ProcessInfo, RpcError, State};
use crate::system::log::{Log, LogOnce};

/// At most one alert in this time.
const PAUSE: Duration = Duration::from_secs(60);

/// What is lost at one moment leaves several gaps, since some events arrive in between: they are awaited
/// for this time, to be told together.
const MOMENT: Duration = Duration::from_secs(1);

/// The smallest `buffer_size` that is recommended.
const USUAL_BUFFER: u64 = 256;

/// Processes that are named.
const MOST_NAMES: usize = 50;

/// Finds gaps in the numbers that supervisord gives the events of a listener. Pure.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// The highest so far, and when it came.
    last: Option<(u64, SystemTime)>,
}

/// Events that did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    lost: u64,
    /// When the event before them came.
    since: SystemTime,
}

impl Numbers {
    /// The number of events lost before the event with this number. The first event begins the
    /// count; an event that is sent again has an earlier number.
    pub(crate) fn gap(&mut self, number: Option<u64>, at: SystemTime) -> Option<Gap> {
        let number = number?;
        let (last, since) = self.last.replace((number, at))?;
        if number <= last {
            self.last = Some((last, since));
        }
        let lost = number.saturating_sub(last).saturating_sub(1);
        (lost > 0).then_some(Gap { lost, since })
    }
}

/// Lost events. The reader counts them, the worker reports them.
#[derive(Debug)]
pub(crate) struct Losses {
    /// The listener's name.
    name: &'static str,
    /// Its group and its name in supervisord, if they are known.
    own: Option<(String, String)>,
    state: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    numbers: Numbers,
    /// Not told yet.
    untold: Option<Gap>,
    /// When it may be told.
    due: Instant,
    /// The listener is one of several processes of a pool, each of which gets some of the events.
    shares: bool,
    /// Why it is not known whether it is.
    complaint: LogOnce,
}

impl Account {
    fn add(&mut self, gap: Gap) {
        let untold = self.untold.unwrap_or(Gap { lost: 0, ..gap });
        let lost = untold.lost.saturating_add(gap.lost);
        self.untold = Some(Gap { lost, since: untold.since.min(gap.since) });
    }
}

impl Losses {
    pub(crate) fn new(name: &'static str, own_namespec: Option<&str>) -> Self {
        let own = own_namespec.and_then(|own| own.split_once(':'));
        let own = own.map(|(group, name)| (group.to_owned(), name.to_owned()));
        let (numbers, due) = (Numbers::default(), Instant::now());
        let complaint = LogOnce::default();
        let account = Account { numbers, untold: None, due, shares: false, complaint };
        Self { name, own, state: Mutex::new(account) }
    }

    /// An event of this number came; `true` if some are missing before it.
    pub(crate) fn note(&self, number: Option<u64>) -> bool {
        let mut state = self.lock();
        let gap = state.numbers.gap(number, SystemTime::now());
        let Some(gap) = gap.filter(|_| !state.shares) else { return false };
        if state.untold.is_none() {
            state.due = state.due.max(Instant::now() + MOMENT);
        }
        state.add(gap);
        true
    }

    /// When [`tell`](Self::tell) is due, if it is.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let state = self.lock();
        state.untold.map(|_| state.due)
    }

    /// Logs the loss, and lets the listener raise an alert.
    pub(crate) fn tell(&self, listener: &mut dyn Listener, ctx: &mut Ctx<'_>) {
        let Some(gap) = self.lock().untold.take() else { return };
        // Without an answer, the alert does not name the processes that changed meanwhile. At the end
        // there is no time for one.
        let answer = (!ctx.is_ending()).then(|| ctx.supervisor.all());
        self.lock().due = Instant::now() + PAUSE;
        let is_shared = match &answer {
            Some(Ok(all)) => self.is_one_of_several(all),
            // A pool of one process has its name, unless process_name says otherwise.
            _ if self.is_called_as_its_group() => false,
            Some(Err(error)) => return self.ask_again(gap, error, ctx.log),
            None => return ctx.log.line(format_args!("{}: {}", self.name, undecided(gap))),
        };
        self.lock().complaint.clear();
        if is_shared {
            self.lock().shares = true;
            return;
        }
        let all = answer.and_then(Result::ok);
        let events = events(gap.lost);
        let subject = format!("{}: supervisord threw away {events} for this listener", self.name);
        let section = self.own.as_ref().map_or(self.name, |(group, _)| group);
        let size = buffer_size(gap.lost);
        let mut text = format!("{subject}: set buffer_size={size} in [eventlistener:{section}]");
        if let Some(names) = all.and_then(|all| self.changed(&all, gap.since)) {
            text += &format!("; ended or started meanwhile: {names}");
        }
        ctx.log.line(&text);
        let alert = Alert::new(self.name, "events-lost", ctx.now(), subject, text);
        listener.events_lost(alert.measuring("events", gap.lost), ctx);
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether others get events of this pool, too.
    fn is_one_of_several(&self, all: &[ProcessInfo]) -> bool {
        self.own.as_ref().is_some_and(|(group, name)| {
            all.iter().any(|info| info.group == *group && info.name != *name)
        })
    }

    /// As none of several processes is.
    fn is_called_as_its_group(&self) -> bool {
        self.own.as_ref().is_none_or(|(group, name)| group == name)
    }

    /// Keeps a gap until supervisord says whether others get events of this pool.
    fn ask_again(&self, gap: Gap, error: &RpcError, log: &Log) {
        let mut state = self.lock();
        state.add(gap);
        // Without a number, which grows.
        let name = self.name;
        let message = format!(
            "{name}: events are missing, and whether another process of this pool has them cannot be \
             asked: {error}; trying again"
        );
        state.complaint.report(log, message);
    }

    /// The processes that ended or were started since then.
    fn changed(&self, all: &[ProcessInfo], since: SystemTime) -> Option<String> {
        // Its times are whole seconds.
        let since = since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let since = i64::try_from(since).unwrap_or(i64::MAX).saturating_sub(1);
        let is_self = |info: &ProcessInfo| {
            self.own.as_ref().is_some_and(|own| (&own.0, &own.1) == (&info.group, &info.name))
        };
        let is_down = |state| matches!(state, State::Exited | State::Fatal | State::Backoff);
        let changed = all.iter().filter(|info| {
            !is_self(info) && (info.start >= since || is_down(info.state) && info.stop >= since)
        });
        let mut names: Vec<_> = changed.map(ProcessInfo::short_name).collect();
        let more = names.len().saturating_sub(MOST_NAMES);
        names.truncate(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| names.join(", ") + &more)
    }
}

fn events(count: u64) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

/// The log text at the end about events that are perhaps lost.
fn undecided(gap: Gap) -> String {
    format!(
        "{} did not come to this process: thrown away by supervisord, or handled by another process \
         of its pool",
        events(gap.lost)
    )
}

/// A `buffer_size` with which so many events would not have been lost.
fn buffer_size(lost: u64) -> u64 {
    let twice = lost.saturating_mul(2);
    twice.checked_next_power_of_two().unwrap_or(twice).max(USUAL_BUFFER)
}

#[cfg(test)]
#[path = "losses_tests.rs"]
mod tests;
