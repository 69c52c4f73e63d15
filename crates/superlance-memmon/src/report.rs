//! What the files say: how things were at a check.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::deeds::{Deed, Outcome};

/// How things were at a check. As JSON it is the file of `--status-file`, and so an interface: fields are
/// added, not changed. Times are in seconds since 1970, sizes in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// `group:name` of the memmon that writes this.
    pub(crate) listener: Option<String>,
    /// What `-n` says.
    pub(crate) name: Option<String>,
    /// When it was.
    pub(crate) time: u64,
    /// Why nothing could be measured.
    pub(crate) trouble: Option<String>,
    pub(crate) metric: &'static str,
    pub(crate) cumulative: bool,
    pub(crate) action: String,
    pub(crate) dry_run: bool,
    /// How much memory there is, if a limit is a part of it.
    pub(crate) memory: Option<u64>,
    /// The sum over all processes here.
    pub(crate) total: Total,
    pub(crate) processes: Vec<Process>,
    /// The newest first.
    pub(crate) actions: Vec<Action>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Total {
    pub(crate) bytes: u64,
    pub(crate) limit: Option<u64>,
}

/// A process that is watched and runs.
#[derive(Debug, Serialize)]
pub(crate) struct Process {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) pid: u32,
    /// When it was started.
    pub(crate) start: i64,
    /// Seconds since then.
    pub(crate) uptime: i64,
    pub(crate) bytes: u64,
    /// The lowest limit that counts for it.
    pub(crate) limit: Option<u64>,
    /// What is left of that; negative if it is over.
    pub(crate) headroom: Option<i128>,
    /// Checks in a row in which it was over, since something was done about it.
    pub(crate) checks_over: u32,
    /// The last readings, the oldest first: time and bytes.
    pub(crate) history: Vec<(u64, u64)>,
}

/// Something that was done, or was to be.
#[derive(Debug, Serialize)]
pub(crate) struct Action {
    pub(crate) time: u64,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) bytes: u64,
    /// The limit that was exceeded.
    pub(crate) limit: u64,
    /// `done`, `failed`, `gone`, `dry-run` or `left-alone`.
    pub(crate) outcome: &'static str,
    /// Why it failed.
    pub(crate) reason: Option<String>,
}

impl From<&Deed> for Action {
    fn from(deed: &Deed) -> Self {
        Self {
            time: seconds(deed.at),
            group: deed.group.clone(),
            name: deed.name.clone(),
            pid: deed.pid,
            bytes: deed.bytes,
            limit: deed.limit,
            outcome: deed.outcome.word(),
            reason: match &deed.outcome {
                Outcome::Failed(reason) => Some(reason.clone()),
                _ => None,
            },
        }
    }
}

impl Report {
    /// As JSON.
    pub(crate) fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
