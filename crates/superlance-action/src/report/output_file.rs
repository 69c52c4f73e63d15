//! Files that are written again and again.

use std::path::PathBuf;

use superlance_core::system::log::{Log, LogOnce};
use superlance_core::system::replace::replace;

/// A file that is written again and again. An error is logged once, until it changes or is over.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    trouble: LogOnce,
}

impl OutputFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, trouble: LogOnce::default() }
    }

    pub(super) fn write(&mut self, text: &str, log: &Log) {
        match replace(&self.path, text) {
            Ok(()) => drop(self.trouble.clear()),
            Err(error) => {
                let message = format!("cannot write {}: {error}", self.path.display());
                self.trouble.report(log, message);
            }
        }
    }
}
