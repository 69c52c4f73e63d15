//! The parts of status and metrics files.

pub mod action_log;
pub mod output_file;
pub mod prometheus;

use serde::Serialize;

/// A report as JSON, as it stands in the file of `--status-file`.
#[must_use]
pub fn json(report: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}
