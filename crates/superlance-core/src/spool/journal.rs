//! Records that are appended to a file one by one, each on the disk before the next is begun.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dir::{SpoolError, StateDir};

/// Bytes of a journal that are read at the start; more than a listener ever writes.
const MAX_BYTES: u64 = 64 << 20;

/// Bytes beyond which a journal is worth writing anew, if it is twice as long as it was then.
const LONG: u64 = 1 << 20;

/// The end of a journal's name.
pub const SUFFIX: &str = ".journal";

/// What is added to it, with a number, when the journal is put aside.
pub const ASIDE: &str = ".journal.strange-";

/// A file of records, a line of JSON each.
///
/// Its owner appends what happens, and writes it anew with what is left when something is settled.
#[derive(Debug)]
pub struct Journal {
    directory: Arc<StateDir>,
    name: String,
    /// Open since something was appended.
    file: Option<File>,
    length: u64,
    /// Its length when it was last written anew.
    base: u64,
    /// Something could not be appended.
    lacks: bool,
}

/// What is in a journal at the start.
#[derive(Debug)]
pub struct Kept<T> {
    /// The journal, to go on with.
    pub journal: Journal,
    /// What was kept, in order.
    pub records: Vec<T>,
    /// What should be said about it, if anything.
    pub strange: Option<String>,
}

impl Journal {
    /// Reads a journal. A line that ends before its end was being written when the listener was
    /// killed, and was not acknowledged: it is dropped. A journal with other lines that make no
    /// sense is put aside, and what does make sense is kept.
    pub fn open<T: DeserializeOwned>(
        directory: &Arc<StateDir>,
        name: &str,
    ) -> Result<Kept<T>, SpoolError> {
        let name = format!("{name}{SUFFIX}");
        let (directory, file) = (Arc::clone(directory), None);
        let mut journal = Self { directory, name, file, length: 0, base: 0, lacks: false };
        let bytes = match journal.directory.read(&journal.name, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let strange = Some(journal.put_aside(&error.to_string())?);
                return Ok(Kept { journal, records: Vec::new(), strange });
            }
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        let sensible = lines.iter().filter(|line| serde_json::from_slice::<T>(line).is_ok());
        let sensible: Vec<&[u8]> = sensible.copied().collect();
        let records = sensible.iter().filter_map(|line| serde_json::from_slice(line).ok());
        let records = records.collect();
        let nonsense = lines.len() - sensible.len();
        let strange = match nonsense {
            0 => None,
            _ => Some(journal.put_aside(&format!("{nonsense} lines of it make no sense"))?),
        };
        journal.length = bytes.len() as u64;
        if nonsense > 0 || whole < bytes.len() {
            journal.write_lines(&sensible)?;
        }
        journal.base = journal.length;
        Ok(Kept { journal, records, strange })
    }

    /// Appends a record. Afterwards it is on the disk.
    ///
    /// # Errors
    /// When that is not possible; then it may or may not be found by a later listener, until the
    /// journal is written anew.
    pub fn append(&mut self, record: &impl Serialize) -> Result<(), SpoolError> {
        let line = self.line(record)?;
        let lacked = std::mem::replace(&mut self.lacks, true);
        let length = self.length;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.directory.append_to(&self.name)?),
        };
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // What comes after half a line would be lost with it.
            if file.set_len(length).is_err() {
                let _ = file.write_all(b"\n");
            }
            return Err(self.directory.failed("write into", error));
        }
        self.length += line.len() as u64;
        self.lacks = lacked;
        Ok(())
    }

    /// Writes the journal anew with these records: either the old or the new one is there, whole.
    ///
    /// # Errors
    /// When that is not possible; the old one remains.
    pub fn rewrite<T: Serialize>(
        &mut self,
        records: impl IntoIterator<Item = T>,
    ) -> Result<(), SpoolError> {
        let lines = records.into_iter().map(|record| self.line(&record));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let lines: Vec<_> = lines.iter().map(|line| line.trim_ascii_end()).collect();
        self.write_lines(&lines)?;
        self.base = self.length;
        self.lacks = false;
        Ok(())
    }

    /// Whether it should be written anew although nothing was settled: it is long, or lacks something
    /// that could not be appended.
    #[must_use]
    pub fn needs_rewriting(&self) -> bool {
        self.lacks || self.length > LONG.max(self.base * 2)
    }

    fn line(&self, record: &impl Serialize) -> Result<Vec<u8>, SpoolError> {
        let mut line = serde_json::to_vec(record)
            .map_err(|error| self.directory.failed("write into", error.into()))?;
        line.push(b'\n');
        Ok(line)
    }

    fn write_lines(&mut self, lines: &[&[u8]]) -> Result<(), SpoolError> {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        // The file that was appended to is another one now.
        self.file = None;
        if bytes.is_empty() {
            self.directory.remove(&self.name)?;
        } else {
            self.directory.write(&self.name, &bytes)?;
        }
        self.length = bytes.len() as u64;
        Ok(())
    }

    /// Leaves the journal to whoever wants to look at it, under a name that is free.
    fn put_aside(&self, why: &str) -> Result<String, SpoolError> {
        let taken = self.directory.names()?;
        let name = self.name.trim_end_matches(SUFFIX);
        let names = (1..).map(|number| format!("{name}{ASIDE}{number}"));
        let mut free = names.filter(|name| !taken.contains(name));
        let aside = free.next().unwrap_or_default();
        self.directory.rename(&self.name, &aside)?;
        let shown = self.directory.shown();
        Ok(format!("{shown}/{}: {why}; it is left as {aside}", self.name))
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
