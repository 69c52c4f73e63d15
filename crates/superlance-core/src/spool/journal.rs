//! Journals: files of records, a line of JSON each, which survive the listener.
//!
//! A disk error is logged once, and the listener goes on without the disk.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dir::{SpoolError, StateDir};
use crate::system::log::{Log, LogOnce};

/// Bytes of a journal that are read at the start; more than a listener ever writes.
const MAX_BYTES: u64 = 256 << 20;

/// The length in bytes from which a journal is rewritten, if it is twice as long as after the last
/// time.
const LONG: u64 = 1 << 20;

/// The suffix of a journal's name.
pub const SUFFIX: &str = ".journal";

/// The further suffix, with a number, of a journal that was put aside.
pub const ASIDE: &str = ".journal.strange-";

/// A file of records, or none, which keeps nothing.
///
/// Its owner appends records, and rewrites it with those that are left when some are settled.
#[derive(Default)]
pub struct Journal(Option<Disk>);

struct Disk {
    directory: Arc<StateDir>,
    name: String,
    /// What is kept in it, in words.
    what: &'static str,
    log: Arc<Log>,
    /// Open after the first record.
    file: Option<Arc<File>>,
    /// The file may be new in its directory.
    fresh: bool,
    length: u64,
    /// Its length after the last rewrite.
    base: u64,
    /// A record could not be appended, or the file was deleted.
    lacks: bool,
    trouble: LogOnce,
}

impl Journal {
    /// The journal `name` with the records that an earlier listener left; `what` names them in
    /// messages.
    ///
    /// A last line without an end was being written when the listener was killed, and is dropped. A
    /// journal with other unreadable lines is put aside, and its readable records are kept.
    pub fn open<T: DeserializeOwned>(
        directory: &Arc<StateDir>,
        name: &str,
        what: &'static str,
        log: &Arc<Log>,
    ) -> (Self, Vec<T>) {
        let mut disk = Disk {
            directory: Arc::clone(directory),
            name: format!("{name}{SUFFIX}"),
            what,
            log: Arc::clone(log),
            file: None,
            fresh: false,
            length: 0,
            base: 0,
            lacks: false,
            trouble: LogOnce::default(),
        };
        match disk.read() {
            Ok(records) => (Self(Some(disk)), records),
            Err(error) => {
                disk.complain(error);
                (Self(None), Vec::new())
            }
        }
    }

    /// Whether it keeps anything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the next listener will find everything in it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.as_ref().is_some_and(|disk| !disk.trouble.is_active())
    }

    /// Appends a record. Afterwards it is on the disk.
    pub fn add(&mut self, record: &impl Serialize) {
        self.append(record, Disk::sync);
    }

    /// Appends a record that survives this process at once, and the machine after the next sync.
    /// Records that come during a sync are synced together.
    pub fn add_soon(&mut self, record: &impl Serialize) {
        self.append(record, Disk::sync_soon);
    }

    /// Whether to rewrite it although nothing is settled: it is long, or lacks records that could not
    /// be appended or were deleted.
    #[must_use]
    pub fn needs_rewriting(&self) -> bool {
        self.0.as_ref().is_some_and(|disk| disk.lacks || disk.length > LONG.max(disk.base * 2))
    }

    /// Rewrites it with these records: either the old or the new journal exists, whole.
    pub fn rewrite<T: Serialize>(&mut self, records: impl IntoIterator<Item = T>) {
        let Some(disk) = &mut self.0 else { return };
        let lines = records.into_iter().map(|record| disk.line(&record));
        let lines = match lines.collect::<Result<Vec<_>, _>>() {
            Ok(lines) => lines.concat(),
            Err(error) => return disk.complain(error),
        };
        match disk.replace(&lines) {
            Err(error) => disk.complain(error),
            // No record was written, so the disk may still be faulty.
            Ok(()) if lines.is_empty() => {}
            Ok(()) => disk.works(),
        }
    }

    fn append(&mut self, record: &impl Serialize, sync: fn(&mut Disk) -> io::Result<()>) {
        let Some(disk) = &mut self.0 else { return };
        disk.notice_deletion();
        match disk.line(record).and_then(|line| disk.append(&line, sync)) {
            Err(error) => {
                disk.lacks = true;
                disk.complain(error);
            }
            Ok(()) if disk.lacks => {}
            Ok(()) => disk.works(),
        }
    }
}

impl Disk {
    fn read<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, SpoolError> {
        let bytes = match self.directory.read(&self.name, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.put_aside(&error.to_string())?;
                return Ok(Vec::new());
            }
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (mut records, mut sensible, mut nonsense) = (Vec::new(), Vec::new(), 0);
        for line in bytes.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(record) => {
                    records.push(record);
                    sensible.extend_from_slice(line);
                }
                Err(_) if line == b"\n" => {}
                Err(_) => nonsense += 1,
            }
        }
        self.length = bytes.len() as u64;
        if nonsense > 0 {
            self.put_aside(&format!("{nonsense} lines of it make no sense"))?;
        }
        if sensible.len() < bytes.len() {
            self.replace(&sensible)?;
        }
        self.base = self.length;
        Ok(records)
    }

    /// Someone may have deleted the file while it is open: what would be written into it is lost.
    fn notice_deletion(&mut self) {
        if self.file.as_ref().is_none_or(|file| self.directory.has(&self.name, file)) {
            return;
        }
        self.file = None;
        if std::mem::take(&mut self.length) > 0 {
            self.lacks = true;
            let (shown, name) = (self.directory.shown(), &self.name);
            self.complain(format!("{shown}/{name} was deleted, and is written anew"));
        }
    }

    fn append(
        &mut self,
        line: &[u8],
        sync: fn(&mut Self) -> io::Result<()>,
    ) -> Result<(), SpoolError> {
        let file = match &self.file {
            Some(file) => file,
            None => {
                self.fresh = true;
                self.file.insert(Arc::new(self.directory.append_to(&self.name)?))
            }
        };
        let mut file: &File = file;
        let written = file.write_all(line);
        if written.is_err() && file.set_len(self.length).is_err() {
            // Everything after half a line would be lost with it.
            let _ = file.write_all(b"\n");
        }
        let on_disk = written.and_then(|()| {
            self.length += line.len() as u64;
            sync(self)
        });
        on_disk.map_err(|error| self.directory.failed("write into", error))
    }

    fn sync(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        self.directory.sync(file, self.fresh)?;
        self.fresh = false;
        Ok(())
    }

    fn sync_soon(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        self.directory.sync_soon(file, self.fresh, &self.log)?;
        self.fresh = false;
        Ok(())
    }

    fn line(&self, record: &impl Serialize) -> Result<Vec<u8>, SpoolError> {
        let mut line = serde_json::to_vec(record)
            .map_err(|error| self.directory.failed("write into", error.into()))?;
        line.push(b'\n');
        Ok(line)
    }

    fn replace(&mut self, lines: &[u8]) -> Result<(), SpoolError> {
        match &self.file {
            // A new file for each record would leave the disk, if it is slow, more and more to sync.
            Some(file) if lines.is_empty() => {
                file.set_len(0).map_err(|error| self.directory.failed("write into", error))?;
            }
            None if lines.is_empty() => self.directory.remove(&self.name)?,
            _ => {
                // The open file is no longer the journal.
                self.file = None;
                self.directory.write(&self.name, lines)?;
            }
        }
        self.length = lines.len() as u64;
        (self.base, self.lacks) = (self.length, false);
        Ok(())
    }

    /// Puts the journal aside for inspection, under a free name.
    fn put_aside(&self, why: &str) -> Result<(), SpoolError> {
        let taken = self.directory.names()?;
        let name = self.name.trim_end_matches(SUFFIX);
        let names = (1..).map(|number| format!("{name}{ASIDE}{number}"));
        let mut free = names.filter(|name| !taken.contains(name));
        let aside = free.next().unwrap_or_default();
        self.directory.rename(&self.name, &aside)?;
        let shown = self.directory.shown();
        self.log.line(format_args!("{shown}/{}: {why}; it is left as {aside}", self.name));
        Ok(())
    }

    /// Everything is in it.
    fn works(&mut self) {
        if self.trouble.clear() {
            self.log.line(format_args!("{} are kept on disk again", self.what));
        }
    }

    fn complain(&mut self, error: impl Display) {
        let message = format!("{} are not kept on disk: {error}", self.what);
        self.trouble.report(&self.log, message);
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
