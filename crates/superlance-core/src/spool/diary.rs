//! A journal for whoever goes on without it: what is wrong with it is said once.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dir::SpoolError;
use super::journal::{Journal, Kept};
use crate::system::log::{Log, LogOnce};

/// A journal, or none.
#[derive(Debug, Default)]
pub struct Diary {
    journal: Option<Journal>,
    /// What is kept in it, in words.
    what: &'static str,
    complaint: LogOnce,
}

impl Diary {
    /// A journal as it was opened, with what is in it: `what`, in words.
    pub fn open<T: DeserializeOwned>(
        opened: Result<Kept<T>, SpoolError>,
        what: &'static str,
        log: &Log,
    ) -> (Self, Vec<T>) {
        let mut diary = Self { journal: None, what, complaint: LogOnce::default() };
        match opened {
            Ok(Kept { journal, records, strange }) => {
                strange.into_iter().for_each(|strange| log.line(strange));
                diary.journal = Some(journal);
                (diary, records)
            }
            Err(error) => {
                diary.complain(error, log);
                (diary, Vec::new())
            }
        }
    }

    /// Whether there is a journal.
    pub fn is_there(&self) -> bool {
        self.journal.is_some()
    }

    /// Whether another listener will find everything in it.
    pub fn is_complete(&self) -> bool {
        self.journal.is_some() && !self.complaint.is_active()
    }

    /// Adds something.
    pub fn add(&mut self, entry: &impl Serialize, log: &Log) {
        let Some(journal) = &mut self.journal else { return };
        if let Err(error) = journal.append(entry) {
            self.complain(error, log);
        }
    }

    /// Whether it should be written anew although nothing is settled.
    pub fn needs_rewriting(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::needs_rewriting)
    }

    /// Writes it anew.
    pub fn rewrite<T: Serialize>(&mut self, entries: impl IntoIterator<Item = T>, log: &Log) {
        let Some(journal) = &mut self.journal else { return };
        let mut entries = entries.into_iter().peekable();
        // Where nothing is written, that it works says nothing about the disk.
        let writes = entries.peek().is_some();
        match journal.rewrite(entries) {
            Err(error) => self.complain(error, log),
            Ok(()) if writes && self.complaint.clear() => {
                log.line(format_args!("{} are kept on disk again", self.what));
            }
            Ok(()) => {}
        }
    }

    fn complain(&mut self, error: impl Display, log: &Log) {
        self.complaint.report(log, format!("{} are not kept on disk: {error}", self.what));
    }
}
