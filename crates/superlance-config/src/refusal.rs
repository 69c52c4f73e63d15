//! What supervisord refuses to start with.

use std::path::Path;

use crate::configuration::Place;
use crate::ini::BadLine;
use superlance_core::system::python::repr;

/// The kind of what is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The file that was named cannot be read.
    Unreadable,
    /// A line is neither a section nor part of one.
    Syntax,
    /// `[include]` without `files=`.
    Include,
    /// There is no `[supervisord]`.
    NoSupervisord,
    /// A `%` that expands to nothing.
    Expansion,
    /// A value that is none, such as a number that is no number.
    Value,
    /// A folder, or the folder of a log, that does not exist.
    Folder,
    /// A user or a group that does not exist.
    User,
    /// A program without a command.
    NoCommand,
    /// A malformed `environment=`.
    Environment,
    /// `events=` is missing, or names an event that there is not.
    Events,
    /// `buffer_size` below one.
    BufferSize,
    /// `redirect_stderr` on an event listener.
    RedirectStderr,
    /// `numprocs` above one, and names that would all be the same.
    ProcessNum,
    /// `stopasgroup` without `killasgroup`.
    KillAsGroup,
    /// A `[group:x]` of programs that there are not.
    Group,
    /// A name or a password alone.
    Credentials,
    /// A server without an address.
    Server,
    /// A plugin without its factory.
    Plugin,
}

impl Cause {
    /// Whether another machine may have what is missing.
    #[must_use]
    pub fn is_about_the_machine(self) -> bool {
        matches!(self, Self::Folder | Self::User)
    }
}

/// Something that supervisord refuses to start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub cause: Cause,
    /// Where; not known where something is missing from the whole.
    pub place: Option<Place>,
    pub section: Option<String>,
    pub key: Option<String>,
    /// What supervisord says, in its own words where they help.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn new(cause: Cause, place: Option<Place>, reason: impl Into<String>) -> Self {
        Self { cause, place, section: None, key: None, reason: reason.into() }
    }

    pub(crate) fn of_file(cause: Cause, file: &Path, line: usize, reason: String) -> Self {
        Self::new(cause, Some(Place { file: file.into(), line }), reason)
    }

    pub(crate) fn about(self, section: &str, key: Option<&str>) -> Self {
        Self { section: Some(section.to_owned()), key: key.map(str::to_owned), ..self }
    }
}

impl BadLine {
    /// What Python says of it.
    pub(crate) fn reason(&self, file: &Path) -> String {
        let file = repr(&file.display().to_string());
        match self.expected.contains("before") {
            true => format!("File contains no section headers. file: {file}, line: {}", self.line),
            false => format!("Source contains parsing errors: {file} [line {:2}]", self.line),
        }
    }
}
