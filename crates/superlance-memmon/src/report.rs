//! The report in the status and metrics files: the state at a check, or the end of memmon.

pub(crate) mod history;
pub(crate) mod prometheus;
pub(crate) mod reporter;

use serde::Serialize;
use superlance_action::decide::rules::Rules;
use superlance_action::report::action_log::{ActionLog, ActionRecord};
use superlance_core::system::clock::unix_seconds;

use crate::act::Cause;
use crate::decide::Memory;
use crate::decide::measured::Measured;
use crate::report::history::Histories;

/// What memmon remembers of earlier checks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memories<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) decided: &'a Memory,
    pub(crate) histories: &'a Histories,
    pub(crate) actions: &'a ActionLog<Cause>,
}

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
    pub(crate) actions: Vec<ActionRecord<Cause>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Total {
    /// `None` when nothing could be measured.
    pub(crate) bytes: Option<u64>,
    pub(crate) limit: Option<u64>,
}

/// A process that is watched and runs.
#[derive(Debug, Serialize)]
pub(crate) struct Process {
    #[serde(flatten)]
    pub(crate) measured: Measured,
    /// The lowest limit that counts for it.
    pub(crate) limit: Option<u64>,
    /// What is left of that; negative if it is over.
    pub(crate) headroom: Option<i128>,
    /// Checks in a row in which it was over, since something was done about it.
    pub(crate) checks_over: u32,
    /// Whether it is being stopped.
    pub(crate) stopping: bool,
    /// The last readings, the oldest first: time and bytes.
    pub(crate) history: Vec<(u64, u64)>,
}

impl Process {
    pub(crate) fn new(measured: &Measured, stopping: bool, memories: Memories<'_>) -> Self {
        let namespec = measured.namespec();
        let readings = memories.histories.readings(&namespec);
        let limit = measured.limits.iter().min().copied();
        Self {
            measured: measured.clone(),
            limit,
            headroom: limit.map(|limit| i128::from(limit) - i128::from(measured.bytes)),
            checks_over: memories.decided.checks(memories.rules, &namespec),
            stopping,
            history: readings.map(|(at, bytes)| (unix_seconds(at.wall), bytes)).collect(),
        }
    }
}
