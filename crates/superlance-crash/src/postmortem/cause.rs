//! The ending of a process, read out of supervisord's own log. Pure.
//!
//! An event does not carry the exit status, and when it arrives, `getProcessInfo` already speaks of the
//! successor. The log has it, in lines with a name that may not be unique and without a pid:
//!
//! ```text
//! 2026-11-24 13:59:28,959 INFO spawned: 'seven' with pid 21935
//! 2026-11-24 13:59:30,469 WARN exited: seven (exit status 7; not expected)
//! ```
//!
//! The first line ties the second to a pid. Where that leaves a doubt, [`ending`] is `None` rather
//! than the ending of another instance.

use std::fmt;

/// How a process ended. The text is in supervisord's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The process exited with this status.
    Status(u32),
    /// A signal killed the process.
    Signal {
        /// The signal's name, or `signal 37` for one that has none.
        name: String,
        /// Whether there is a core file.
        core_dumped: bool,
    },
    /// supervisord did not understand this wait status.
    Unknown(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal { name, core_dumped: false } => write!(f, "terminated by {name}"),
            Self::Signal { name, core_dumped: true } => {
                write!(f, "terminated by {name} (core dumped)")
            }
            Self::Unknown(number) => write!(f, "unknown termination cause {number}"),
        }
    }
}

/// The instance of a process whose ending is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Instance<'a> {
    /// The name of the process. The log does not have the group, so it must be unique.
    pub(crate) process: &'a str,
    pub(crate) pid: u32,
    /// Whether supervisord expected its exit; `None` when it was stopped.
    pub(crate) expected: Option<bool>,
    /// The times between which it ended, if known. They are used where the log no longer has the
    /// start of the instance.
    pub(crate) ended: Option<(String, String)>,
}

/// The ending of an instance, if the log leaves no doubt.
#[must_use]
pub(crate) fn ending(log: &str, instance: &Instance<'_>) -> Option<Ending> {
    let records = records(log, instance.process);
    let starts: Vec<_> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| record.what == What::Spawned(instance.pid))
        .map(|(at, _)| at)
        .collect();
    let end = match starts.as_slice() {
        [start] => {
            let life = records.get(start + 1..)?.iter();
            the_only(life.take_while(|record| !matches!(record.what, What::Spawned(_))))
        }
        [] => end_without_start(log, &records, instance.ended.as_ref()?),
        // A process id that was used again.
        _ => None,
    };
    match &end?.what {
        What::Ended { ending, expected } if *expected == instance.expected => Some(ending.clone()),
        _ => None,
    }
}

/// The ending of a process that was not started since: its last attempt to start.
#[must_use]
pub(crate) fn last_ending(log: &str, process: &str) -> Option<Ending> {
    match records(log, process).as_slice() {
        [
            ..,
            Record { what: What::Spawned(_), .. },
            Record { what: What::Ended { ending, .. }, .. },
        ] => Some(ending.clone()),
        _ => None,
    }
}

/// Whether the log has a start of the process after that of the instance with this pid. If the log
/// no longer has the latter, every start in it came later.
#[must_use]
pub(crate) fn started_since(log: &str, process: &str, pid: u32) -> bool {
    let records = records(log, process);
    let later = records.iter().rev().take_while(|record| record.what != What::Spawned(pid));
    later.into_iter().any(|record| matches!(record.what, What::Spawned(_)))
}

/// The one end of the process in a span of time that the log covers from its beginning, unless it
/// belongs to an instance whose start is in the log.
fn end_without_start<'r, 'l>(
    log: &str,
    records: &'r [Record<'l>],
    (from, to): &(String, String),
) -> Option<&'r Record<'l>> {
    let covered = log.lines().filter_map(|line| split(line).0).any(|at| at < from.as_str());
    let within =
        |record: &&Record<'_>| record.at.is_some_and(|at| from.as_str() <= at && at <= to.as_str());
    let ends = records.iter().filter(|record| matches!(record.what, What::Ended { .. }));
    let end = the_only(ends.filter(within))?;
    let before = records.iter().take_while(|record| !std::ptr::eq(*record, end)).last();
    let of_another = before.is_some_and(|record| matches!(record.what, What::Spawned(_)));
    (covered && !of_another).then_some(end)
}

fn the_only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// A line about a process.
#[derive(Debug, PartialEq, Eq)]
struct Record<'a> {
    /// The time as it is written.
    at: Option<&'a str>,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Spawned(u32),
    Ended { ending: Ending, expected: Option<bool> },
}

/// The lines about starts and ends of processes of this name.
fn records<'a>(log: &'a str, process: &str) -> Vec<Record<'a>> {
    let record = |line| {
        let (at, message) = split(line);
        what(message, process).map(|what| Record { at, what })
    };
    log.lines().filter_map(record).collect()
}

/// The time of a line, and its message: `2026-11-24 13:59:28,959 INFO message`.
fn split(line: &str) -> (Option<&str>, &str) {
    let parts = line.split_at_checked("2026-11-24 13:59:28,959".len()).and_then(|(at, rest)| {
        let (level, message) = rest.strip_prefix(' ')?.split_once(' ')?;
        let is_level = !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_level && is_time(at)).then_some((at, message))
    });
    parts.map_or((None, line), |(at, message)| (Some(at), message))
}

fn is_time(text: &str) -> bool {
    let pattern = b"0000-00-00 00:00:00,000";
    text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(byte, pattern)| match pattern {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *pattern,
        })
}

/// What a message says about the process. A name may look like a part of such a line, so the whole
/// line must match.
fn what(message: &str, process: &str) -> Option<What> {
    if let Some(rest) = message.strip_prefix("spawned: '") {
        let pid = rest.strip_prefix(process)?.strip_prefix("' with pid ")?;
        return Some(What::Spawned(pid.parse().ok()?));
    }
    let (exited, rest) = match message.strip_prefix("exited: ") {
        Some(rest) => (true, rest),
        None => (false, message.strip_prefix("stopped: ")?),
    };
    let how = rest.strip_prefix(process)?.strip_prefix(" (")?.strip_suffix(')')?;
    let (ending, expected) = match how.rsplit_once("; ") {
        Some((ending, "expected")) if exited => (ending, Some(true)),
        Some((ending, "not expected")) if exited => (ending, Some(false)),
        None if !exited => (how, None),
        _ => return None,
    };
    Some(What::Ended { ending: parse(ending)?, expected })
}

/// The words of supervisor's `decode_wait_status`.
fn parse(text: &str) -> Option<Ending> {
    if let Some(status) = text.strip_prefix("exit status ") {
        return Some(Ending::Status(status.parse().ok()?));
    }
    if let Some(signal) = text.strip_prefix("terminated by ") {
        let (name, core_dumped) = match signal.strip_suffix(" (core dumped)") {
            Some(name) => (name, true),
            None => (signal, false),
        };
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let known = match name.strip_prefix("signal ") {
            Some(number) => number.parse::<u32>().is_ok(),
            None => name.strip_prefix("SIG").is_some_and(is_word),
        };
        return known.then(|| Ending::Signal { name: name.to_owned(), core_dumped });
    }
    let number = text.strip_prefix("unknown termination cause ")?;
    let digits = number.strip_prefix("0x")?;
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| Ending::Unknown(number.to_owned()))
}

#[cfg(test)]
#[path = "cause_tests.rs"]
mod tests;
