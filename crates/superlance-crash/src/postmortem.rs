//! Post-mortems: why a process ended, as far as supervisord can tell (`--tail`).
//!
//! Logs are read as soon as their place is known, since the successor may be writing into them
//! already. supervisord's own log is read after them, so that a successor is noticed.

pub(crate) mod cause;
mod findings;
mod log_file;
mod recent;
pub(crate) mod tail;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

pub use self::cause::Ending;
use self::cause::Instance;
pub use self::findings::Findings;
use self::findings::Newer;
use self::recent::Recent;
use self::tail::{Tail, bytes_for, tail};
use crate::trigger::Trigger;
use superlance_core::listener::Ctx;
use superlance_core::protocol::event::ProcessState;
use superlance_core::supervisor::{Channel, Details, LogEnd, RpcError, State, Supervisor};
use superlance_core::system::clock::{Moment, log_time};
use superlance_core::system::log::LogOnce;
use superlance_core::system::process::user_of_ancestor;

/// After this time, the first answer that fails ends the questions.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of supervisord's own log that are read: some hundred lines.
const OWN_LOG: u32 = 64 << 10;

/// How long the list of all names is reused. It changes with the configuration.
const NAMES_LAST: Duration = Duration::from_secs(10);

/// The longest delay of an event, unless it waited for the listener's start.
const DELAY: Duration = Duration::from_secs(5);

/// supervisor's words for a process that did not live through its `startsecs`, up to a hint.
const TOO_QUICKLY: &str = "Exited too quickly";

/// The log files of a process, in the order of an alert.
const CHANNELS: [Channel; 2] = [Channel::Stderr, Channel::Stdout];

/// The reason where the paths that supervisord names are not on this machine.
const ELSEWHERE: &str = "this listener cannot see that supervisord runs on this machine, and as which \
                         user; --tail-by-rpc lets supervisord read it";

/// The largest number of lines.
const MOST_LINES: u32 = 1_000;

/// `--tail`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct TailOptions {
    /// Say why: how the process ended, and the last N lines of its stderr and stdout logs (0 for
    /// none); supervisord must have an http server section
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_LINES)))]
    tail: Option<u32>,

    /// Let supervisord read the logs for --tail, which a program can misuse to stop supervisord or
    /// to have files sent that only supervisord's user may read
    #[arg(long, requires = "tail")]
    tail_by_rpc: bool,
}

impl TailOptions {
    /// The option that needs supervisord, if it is given.
    #[must_use]
    pub fn asks_supervisord(self) -> Option<&'static str> {
        self.tail.map(|_| "--tail")
    }

    /// The post-mortems of `--tail`, if it is given.
    #[must_use]
    pub fn post_mortem(self) -> Option<PostMortem> {
        self.tail.map(|lines| PostMortem::new(lines, self.tail_by_rpc))
    }
}

/// Finds out why processes ended.
pub struct PostMortem {
    /// Lines of each log.
    lines: usize,
    /// Whether supervisord reads the logs.
    by_rpc: bool,
    /// The user that supervisord runs as, once known.
    owner: Option<u32>,
    recent: Recent,
    /// The number of processes with each name, and when it was asked for.
    names: Option<(HashMap<String, usize>, Instant)>,
    complaint: LogOnce,
    since: Instant,
}

impl PostMortem {
    /// Reads `lines` of each log, through supervisord or directly.
    #[must_use]
    pub fn new(lines: u32, by_rpc: bool) -> Self {
        Self {
            lines: lines as usize,
            by_rpc,
            owner: None,
            recent: Recent::default(),
            names: None,
            complaint: LogOnce::default(),
            since: Instant::now(),
        }
    }

    /// The findings about a change of state that was just reported, if the process ended.
    pub fn gather(&mut self, change: &ProcessState, ctx: &mut Ctx<'_>) -> Findings {
        let Some(trigger) = Trigger::of(change).filter(|trigger| trigger.is_end()) else {
            return Findings::default();
        };
        let namespec = format!("{}:{}", change.group, change.process);
        let what = format!("{} {namespec}", trigger.name());
        let times = self.recent.note(&what, ctx.arrived.instant);
        let mut questions = Questions::new(&mut *ctx.supervisor, namespec);
        let by_rpc = self.by_rpc.then(|| questions.tails(self.lines));
        let details = questions.details();
        let tails = match (by_rpc, &details) {
            (Some(tails), _) => tails,
            (None, Some(details)) => self.read_logs(details, &mut questions),
            (None, None) => Vec::new(),
        };
        let spawn_error = details.as_ref().and_then(|details| spawn_error(details, trigger));
        let log = Self::own_log(change, spawn_error, &mut questions);
        let ending =
            log.as_ref().and_then(|log| self.ending(log, change, ctx.arrived, &mut questions));
        let newer = log
            .zip(change.pid)
            .is_some_and(|(log, pid)| cause::started_since(&log, &change.process, pid));
        let trouble = questions.trouble;
        let failed = tails.iter().find_map(|(_, tail)| tail.as_ref().err());
        match trouble.as_ref().or(failed) {
            Some(trouble) => {
                let complaint = format!("cannot tell all about the end of processes: {trouble}");
                self.complaint.report(ctx.log, complaint);
            }
            None => drop(self.complaint.clear()),
        }
        let (arrived, details, trouble) = (ctx.arrived.wall, details.as_ref(), trouble.as_deref());
        let newer = if newer { Newer::Yes } else { Newer::of(change, arrived, details) };
        let logs = findings::logs(&tails, newer, details, trouble);
        Findings::new(spawn_error, ending, times, trouble, logs)
    }

    /// The logs of a process, read directly.
    fn read_logs(&mut self, details: &Details, questions: &mut Questions<'_>) -> Vec<Read> {
        if self.lines == 0 {
            return Vec::new();
        }
        CHANNELS.map(|channel| (channel, self.read_log(details.log(channel), questions))).into()
    }

    fn read_log(&mut self, path: &str, questions: &mut Questions<'_>) -> Result<Tail, String> {
        if path.is_empty() || findings::is_device(path) {
            return Ok(Tail::default());
        }
        let owner = match self.owner {
            Some(owner) => owner,
            None => {
                let pid = questions.pid().map_err(|error| error.to_string())?;
                // A supervisord that is no ancestor has its files elsewhere.
                let owner = user_of_ancestor(pid).ok_or(ELSEWHERE)?;
                *self.owner.insert(owner)
            }
        };
        let log = log_file::read_end(Path::new(path), bytes_for(self.lines), owner);
        log.map(|log| tail(&log, self.lines)).map_err(|error| format!("{path}: {error}"))
    }

    /// supervisord's own log, if it may have the end of the process.
    fn own_log(
        change: &ProcessState,
        spawn_error: Option<&str>,
        questions: &mut Questions<'_>,
    ) -> Option<String> {
        let too_quickly = spawn_error.is_some_and(|error| error.starts_with(TOO_QUICKLY));
        // An exit that a listener finds at its start has no pid, and there is none but the last.
        let ended = change.pid.is_some() || too_quickly || change.state == State::Exited;
        ended.then(|| questions.own_log())??.whole_lines().map(str::to_owned)
    }

    fn ending(
        &mut self,
        log: &str,
        change: &ProcessState,
        arrived: Moment,
        questions: &mut Questions<'_>,
    ) -> Option<Ending> {
        let process = change.process.as_str();
        if !self.is_unique(process, questions) {
            return None;
        }
        let Some(pid) = change.pid else { return cause::last_ending(log, process) };
        // Events that waited for this listener's start are of any age.
        let prompt = arrived.instant.saturating_duration_since(self.since) > DELAY;
        let (from, to) = (arrived.wall - DELAY, arrived.wall + Duration::from_secs(1));
        let ended = prompt.then(|| (log_time(from), log_time(to)));
        cause::ending(log, &Instance { process, pid, expected: change.expected, ended })
    }

    /// Whether no process of another group has this name.
    fn is_unique(&mut self, process: &str, questions: &mut Questions<'_>) -> bool {
        let fresh = |at: &Instant| at.elapsed() < NAMES_LAST;
        if !self.names.as_ref().is_some_and(|(_, at)| fresh(at)) {
            self.names = questions.names().map(|names| (names, Instant::now()));
        }
        let names = self.names.as_ref().map(|(names, _)| names);
        names.and_then(|names| names.get(process)) == Some(&1)
    }
}

/// Why the process could not be started, if the event is about that and it is still so.
fn spawn_error(details: &Details, trigger: Trigger) -> Option<&str> {
    let still = match trigger {
        Trigger::Fatal => details.info.state == State::Fatal,
        Trigger::Backoff => details.info.state == State::Backoff,
        _ => false,
    };
    Some(details.spawn_error.as_str()).filter(|error| still && !error.is_empty())
}

/// The last lines of a log, or why there are none.
type Read = (Channel, Result<Tail, String>);

/// The questions to supervisord about one event. They end when supervisord does not answer.
struct Questions<'a> {
    supervisor: &'a mut dyn Supervisor,
    namespec: String,
    until: Instant,
    /// The error after which nothing more is asked.
    closed: Option<RpcError>,
    /// The first error of a question about the ending, not about logs.
    trouble: Option<String>,
}

impl<'a> Questions<'a> {
    fn new(supervisor: &'a mut dyn Supervisor, namespec: String) -> Self {
        let until = Instant::now() + PATIENCE;
        Self { supervisor, namespec, until, closed: None, trouble: None }
    }

    fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut dyn Supervisor, &str) -> Result<T, RpcError>,
    ) -> Result<T, RpcError> {
        if let Some(error) = &self.closed {
            return Err(error.clone());
        }
        let outcome = question(self.supervisor, &self.namespec);
        if let Err(error) = &outcome
            && (matches!(error, RpcError::Unreachable(_)) || Instant::now() >= self.until)
        {
            self.closed = Some(error.clone());
        }
        outcome
    }

    /// Like `ask`, for a question about the ending.
    fn ask_why<T>(
        &mut self,
        question: impl FnOnce(&mut dyn Supervisor, &str) -> Result<T, RpcError>,
    ) -> Option<T> {
        self.ask(question)
            .map_err(|error| self.trouble.get_or_insert_with(|| error.to_string()))
            .ok()
    }

    fn tails(&mut self, lines: usize) -> Vec<Read> {
        let wanted = CHANNELS.into_iter().filter(|_| lines > 0);
        let bytes = bytes_for(lines);
        let read = |channel| {
            let log = self.ask(|supervisor, namespec| supervisor.tail(namespec, channel, bytes));
            (channel, log.map(|log| tail(&log, lines)).map_err(|error| error.to_string()))
        };
        wanted.map(read).collect()
    }

    fn details(&mut self) -> Option<Details> {
        self.ask_why(|supervisor, namespec| supervisor.details(namespec))
    }

    fn pid(&mut self) -> Result<u32, RpcError> {
        self.ask(|supervisor, _| supervisor.pid())
    }

    fn own_log(&mut self) -> Option<LogEnd> {
        self.ask_why(|supervisor, _| supervisor.own_log(OWN_LOG))
    }

    fn names(&mut self) -> Option<HashMap<String, usize>> {
        let mut names = HashMap::new();
        for process in self.ask_why(|supervisor, _| supervisor.all())? {
            *names.entry(process.name).or_default() += 1;
        }
        Some(names)
    }
}

#[cfg(test)]
#[path = "postmortem_tests.rs"]
mod tests;
