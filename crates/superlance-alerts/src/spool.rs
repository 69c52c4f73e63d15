//! Alerts on disk until they are delivered, so that they survive the listener and the machine.
//!
//! A directory for each listener, a file for each alert. The file says who has it already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use superlance_core::listener::alert::Alert;
pub(crate) use superlance_core::spool::dir::SpoolError;
use superlance_core::spool::dir::{StateDir, UNFINISHED};
use superlance_core::spool::journal::{self, Journal, Kept};

/// How much is kept.
#[derive(Debug, Clone, Copy)]
struct Limits {
    alerts: usize,
    bytes: u64,
}

const LIMITS: Limits = Limits { alerts: 10_000, bytes: 64 << 20 };

/// Digits of a file's number, so that names sort as numbers do.
const DIGITS: usize = 12;

/// The end of an alert's file name.
const SUFFIX: &str = ".json";

/// The alerts of a listener on disk.
#[derive(Debug)]
pub(crate) struct Spool {
    directory: Arc<StateDir>,
    /// By the alerts' ids.
    files: BTreeMap<String, Place>,
    /// The number of the next file.
    next: u64,
    bytes: u64,
    limits: Limits,
}

/// Where an alert is.
#[derive(Debug)]
struct Place {
    number: u64,
    bytes: u64,
    accepted: BTreeSet<String>,
}

/// An alert that is not delivered to everyone yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Stored {
    /// The alert.
    pub(crate) alert: Alert,
    /// The [`key`]s of those who have it.
    pub(crate) accepted: BTreeSet<String>,
}

/// How [`Stored`] is written.
#[derive(Serialize)]
struct Content<'a> {
    alert: &'a Alert,
    accepted: &'a BTreeSet<String>,
}

/// A spool as it was found.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The spool.
    pub(crate) spool: Spool,
    /// What an earlier listener did not deliver, in the order in which it was raised.
    pub(crate) backlog: Vec<Stored>,
    /// What should be said about files that make no sense. They are left alone.
    pub(crate) strange: Vec<String>,
}

impl Spool {
    /// Opens the spool of the listener `name` (such as `group:name`) below `parent`.
    ///
    /// # Errors
    /// When it cannot be used, or another process uses it. That may be otherwise later.
    pub(crate) fn open(parent: &Path, name: &str) -> Result<Opened, SpoolError> {
        let directory = Arc::new(StateDir::open(parent, &file_name(name))?);
        let shown = directory.shown();
        let (files, limits) = (BTreeMap::new(), LIMITS);
        let mut spool = Self { directory, files, next: 0, bytes: 0, limits };
        let (mut backlog, mut strange) = (Vec::new(), Vec::new());
        for name in spool.directory.names()? {
            match File::of(&name) {
                File::Alert(number) => {
                    spool.next = number.saturating_add(1);
                    match spool.load(&name, number) {
                        Ok(stored) => backlog.push(stored),
                        Err(why) => {
                            let left = "is no alert, and left alone";
                            strange.push(format!("{shown}/{name} {left}: {why}"));
                        }
                    }
                }
                // Opened when it is asked for.
                File::Journal => {}
                File::InFlight => spool.directory.remove(&name)?,
                File::Foreign => {
                    strange.push(format!("{shown}/{name} is not a file of ours, and left alone"));
                }
            }
        }
        Ok(Opened { spool, backlog, strange })
    }

    fn load(&mut self, name: &str, number: u64) -> Result<Stored, String> {
        let content = self
            .directory
            .read(name, self.limits.bytes - self.bytes)
            .map_err(|error| error.to_string())?;
        let stored: Stored = serde_json::from_slice(&content).map_err(|error| error.to_string())?;
        if self.files.contains_key(&stored.alert.id) {
            return Err(format!("its id {:?} is that of another one", stored.alert.id));
        }
        let (bytes, accepted) = (content.len() as u64, stored.accepted.clone());
        self.bytes += bytes;
        self.files.insert(stored.alert.id.clone(), Place { number, bytes, accepted });
        Ok(stored)
    }

    /// Keeps an alert. Afterwards it is on the disk. `false` if it was there already, as after an
    /// event that came again.
    ///
    /// # Errors
    /// When it cannot be kept; nothing of it remains.
    pub(crate) fn put(&mut self, alert: &Alert) -> Result<bool, SpoolError> {
        if self.files.contains_key(&alert.id) {
            return Ok(false);
        }
        let place = Place { number: self.next, bytes: 0, accepted: BTreeSet::new() };
        let bytes = self.write(alert, place.number, &place.accepted)?;
        self.next = self.next.saturating_add(1);
        self.bytes += bytes;
        self.files.insert(alert.id.clone(), Place { bytes, ..place });
        Ok(true)
    }

    /// Whether there is an alert with this id.
    #[must_use]
    pub(crate) fn has(&self, id: &str) -> bool {
        self.files.contains_key(id)
    }

    /// Notes that whoever has this [`key`] has the alert. Nothing is noted of an alert that is not
    /// kept.
    ///
    /// # Errors
    /// When that cannot be written. A later listener would deliver it to him again.
    pub(crate) fn accept(&mut self, alert: &Alert, key: &str) -> Result<(), SpoolError> {
        let Some(mut place) = self.files.remove(&alert.id) else { return Ok(()) };
        place.accepted.insert(key.to_owned());
        // What is written takes the place of what is there.
        self.bytes = self.bytes.saturating_sub(place.bytes);
        let written = self.write(alert, place.number, &place.accepted);
        if let Ok(bytes) = written {
            place.bytes = bytes;
        }
        self.bytes = self.bytes.saturating_add(place.bytes);
        self.files.insert(alert.id.clone(), place);
        written.map(drop)
    }

    /// Forgets an alert: everyone has it, or it was given up.
    ///
    /// # Errors
    /// When its file cannot be removed. A later listener would deliver it again.
    pub(crate) fn remove(&mut self, id: &str) -> Result<(), SpoolError> {
        let Some(place) = self.files.get(id) else { return Ok(()) };
        self.directory.remove(&file_of(place.number))?;
        self.bytes = self.bytes.saturating_sub(place.bytes);
        self.files.remove(id);
        Ok(())
    }

    /// The journal `name` (a plain word) beside the alerts, with what an earlier listener left there.
    ///
    /// # Errors
    /// When it cannot be read, or not be put aside if it makes no sense.
    pub(crate) fn journal<T: DeserializeOwned>(&self, name: &str) -> Result<Kept<T>, SpoolError> {
        Journal::open(&self.directory, name)
    }

    fn write(
        &self,
        alert: &Alert,
        number: u64,
        accepted: &BTreeSet<String>,
    ) -> Result<u64, SpoolError> {
        let full = || SpoolError::Full(self.directory.shown());
        let content = serde_json::to_vec(&Content { alert, accepted })
            .map_err(|error| self.directory.failed("write into", error.into()))?;
        let bytes = content.len() as u64;
        let Limits { alerts: most, bytes: most_bytes } = self.limits;
        if self.files.len() >= most || self.bytes.saturating_add(bytes) > most_bytes {
            return Err(full());
        }
        self.directory.write(&file_of(number), &content)?;
        Ok(bytes)
    }
}

/// What stands for a recipient in the spool: the address of a webhook is a secret.
#[must_use]
pub(crate) fn key(recipient: &str) -> String {
    format!("{:016x}", fnv(recipient))
}

/// FNV-1a: the same in every version, as std's hash is not.
fn fnv(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// What a file is by its name.
enum File {
    Alert(u64),
    /// A journal, or one that was put aside.
    Journal,
    /// One of these, being written when the listener was killed.
    InFlight,
    Foreign,
}

impl File {
    fn of(name: &str) -> Self {
        let number = name.strip_suffix(SUFFIX).and_then(|number| number.parse::<u64>().ok());
        match number.filter(|number| file_of(*number) == name) {
            Some(number) => Self::Alert(number),
            None if name.ends_with(journal::SUFFIX) || name.contains(journal::ASIDE) => {
                Self::Journal
            }
            None => match name.strip_suffix(UNFINISHED).map(Self::of) {
                Some(Self::Alert(_) | Self::Journal) => Self::InFlight,
                _ => Self::Foreign,
            },
        }
    }
}

fn file_of(number: u64) -> String {
    format!("{number:0DIGITS$}{SUFFIX}")
}

/// A file name for a listener's name, another one for each.
fn file_name(name: &str) -> String {
    let mut safe = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'-' => {
                safe.push(char::from(byte));
            }
            b'.' if !safe.is_empty() => safe.push('.'),
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    // A name may have 255 bytes, all of them ASCII here.
    if safe.is_empty() || safe.len() > 200 {
        safe.truncate(180);
        safe.push_str(&format!("%{}", key(name)));
    }
    safe
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
