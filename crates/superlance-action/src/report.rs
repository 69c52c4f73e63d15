//! The parts of status and metrics files.

pub mod action_log;
pub mod output_file;
pub mod prometheus;

use std::path::PathBuf;

use serde::Serialize;
use superlance_core::system::log::Log;

use self::output_file::OutputFile;

/// The files of `--status-file` and `--metrics-file`.
#[derive(Debug)]
pub struct Files {
    status: Option<OutputFile>,
    metrics: Option<OutputFile>,
}

impl Files {
    /// The files at these paths, if they are wanted.
    #[must_use]
    pub fn new(status: Option<PathBuf>, metrics: Option<PathBuf>) -> Self {
        Self { status: status.map(OutputFile::new), metrics: metrics.map(OutputFile::new) }
    }

    /// Whether any is wanted.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.status.is_some() || self.metrics.is_some()
    }

    /// Replaces them: one has the report as JSON, the other the metrics.
    pub fn write(&mut self, report: &impl Serialize, metrics: impl FnOnce() -> String, log: &Log) {
        if let Some(file) = &mut self.status {
            let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
            text.push('\n');
            file.write(&text, log);
        }
        if let Some(file) = &mut self.metrics {
            file.write(&metrics(), log);
        }
    }
}
