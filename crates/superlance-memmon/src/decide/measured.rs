//! The input of decisions: a measured process, and the limit that it exceeds. Pure.

use serde::Serialize;
use superlance_action::instance::Instance;

/// A process that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Measured {
    #[serde(flatten)]
    pub(crate) instance: Instance,
    pub(crate) bytes: u64,
    /// Its limits in bytes, in the order in which they are compared.
    #[serde(skip)]
    pub(crate) limits: Vec<u64>,
}

impl Measured {
    pub(crate) fn namespec(&self) -> String {
        self.instance.namespec()
    }
}

/// The memory of all of them.
pub(crate) fn total_bytes(processes: &[Measured]) -> u64 {
    processes.iter().fold(0, |sum, process| sum.saturating_add(process.bytes))
}

/// A limit that is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// One of the process itself.
    Own { limit: u64 },
    /// That for everything watched, which used `sum` together.
    Total { sum: u64, limit: u64 },
}

impl Excess {
    pub(crate) fn limit(self) -> u64 {
        match self {
            Self::Own { limit } | Self::Total { limit, .. } => limit,
        }
    }
}
