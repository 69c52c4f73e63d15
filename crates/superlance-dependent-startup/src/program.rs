//! A program, what it waits for and what is wrong with that. Pure.

use std::collections::BTreeSet;

use superlance_config::Place;
use superlance_core::system::order;

use crate::condition::Condition;
use crate::fault::Fault;

/// A `[program:x]` or `[fcgi-program:x]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    pub name: String,
    pub group: String,
    pub section: String,
    pub place: Option<Place>,
    /// `group:name` of each process.
    pub processes: Vec<String>,
    /// Whether dependent-startup is to start it.
    pub handled: bool,
    /// Its own, or the least of it and those of its parents if it inherits.
    pub priority: i64,
    pub inherits: bool,
    /// How many programs stand before it, at most, each waiting for the one before.
    pub depth: usize,
    pub conditions: Vec<Condition>,
    /// The URL or command that tells whether it is healthy, or what is wrong with that.
    pub check: Option<Result<String, String>>,
    /// What is wrong with its keys.
    pub faults: Vec<Fault>,
}

impl Program {
    /// `group:name`, or the program's name where it has several processes.
    #[must_use]
    pub fn label(&self) -> String {
        match self.processes.as_slice() {
            [process] => process.clone(),
            processes => format!("{} ({} processes)", self.name, processes.len()),
        }
    }

    /// Whether it is to be started by dependent-startup, and can be.
    #[must_use]
    pub fn is_startable(&self) -> bool {
        self.handled && self.faults.is_empty()
    }

    /// The places of the programs that it waits for.
    pub fn parents(&self) -> BTreeSet<usize> {
        order::gather(self.conditions.iter().flat_map(|condition| &condition.parents).copied())
    }

    /// What goes before what, of programs that may start at the same time.
    #[must_use]
    pub fn turn(&self) -> (i64, usize, &str) {
        (self.priority, self.depth, &self.name)
    }
}

/// The parts of `group:name`.
#[must_use]
pub(crate) fn names(namespec: &str) -> (&str, &str) {
    namespec.split_once(':').unwrap_or((namespec, namespec))
}
