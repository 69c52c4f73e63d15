//! Findings for people, for programs, and for code scanners.

pub(crate) mod json;
pub(crate) mod text;

use std::path::{Path, PathBuf};

use crate::finding::Finding;
use crate::severity::Severity;

/// What a check has found.
#[derive(Debug)]
pub(crate) struct Report {
    /// The file that was named.
    pub(crate) main: PathBuf,
    pub(crate) findings: Vec<Finding>,
    /// supervisord's reason, where it refuses the configuration.
    pub(crate) refused: Option<String>,
    /// All files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// Programs, fcgi-programs and event listeners.
    pub(crate) sections: usize,
    pub(crate) live: Live,
}

/// The part of a running supervisord in a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Live {
    NotAsked,
    /// It answered, at this address.
    Answered(String),
    /// It did not; why.
    Silent(String),
}

impl Report {
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// A path from the root on.
pub(crate) fn absolute(path: &Path, working_folder: &Path) -> PathBuf {
    superlance_config::paths::normal(&working_folder.join(path))
}
