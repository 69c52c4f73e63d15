//! Files that are written again and again.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use superlance_core::system::log::{Log, LogOnce};
use superlance_core::system::replace::replace;

/// A file that is written again and again. An error is logged once, until it changes or is over.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    trouble: LogOnce,
}

impl OutputFile {
    /// The file at this path.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, trouble: LogOnce::default() }
    }

    /// Replaces it by one with this text.
    pub fn write(&mut self, text: &str, log: &Log) {
        match replace(&self.path, text) {
            Ok(()) => drop(self.trouble.clear()),
            Err(error) => {
                let message = format!("cannot write {}: {error}", self.path.display());
                self.trouble.report(log, message);
            }
        }
    }

    /// Removes it, if it is there.
    pub fn remove(&mut self, log: &Log) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let message = format!("cannot remove {}: {error}", self.path.display());
                self.trouble.report(log, message);
            }
            _ => {}
        }
    }
}
