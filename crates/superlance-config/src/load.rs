//! A configuration with all that it includes, read in the order in which supervisord reads it.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::configuration::{Configuration, Place};
use crate::expand::{BadExpansion, Item, Names, expand, variable_names};
use crate::glob;
use crate::host::{Host, ThisHost};
use crate::ini::{Comment, Ini};
use crate::program::Kind;
use crate::refusal::{Cause, Refusal};

/// What was read, up to where supervisord would give up.
#[derive(Debug, Default)]
pub struct Loaded {
    pub configuration: Configuration,
    /// The file that was named, and those that it includes.
    pub files: Vec<SourceFile>,
    pub includes: Vec<Include>,
    pub refusal: Option<Refusal>,
    /// A variable of the environment that the `[include]` needs and that is not set here.
    pub unset: Option<String>,
}

/// A file that was read.
#[derive(Debug)]
pub struct SourceFile {
    pub path: PathBuf,
    pub comments: Vec<Comment>,
}

/// A pattern in `[include] files=`.
#[derive(Debug)]
pub struct Include {
    pub pattern: PathBuf,
    pub place: Place,
    pub matched: usize,
    /// What it matches and this user cannot read; supervisord passes over it in silence.
    pub unreadable: Vec<PathBuf>,
}

/// The folder that `%(here)s` stands for.
#[must_use]
pub fn here(file: &Path, host: &dyn Host) -> PathBuf {
    let path = host.working_folder().join(file);
    crate::paths::normal(path.parent().unwrap_or(&path))
}

/// The groups that a configuration makes event listeners, which supervisord does not tell; `None` if it
/// cannot be read as supervisord would.
#[must_use]
pub fn listener_groups(file: &Path) -> Option<HashSet<String>> {
    let working_folder = file.parent()?.to_owned();
    let loaded = load(file, &ThisHost { working_folder, variables: Vec::new() });
    let names =
        loaded.configuration.sections().iter().filter_map(|section| Kind::of(&section.name));
    let listeners = names.filter(|(kind, _)| *kind == Kind::EventListener);
    let listeners = listeners.map(|(_, name)| name.to_owned()).collect();
    loaded.refusal.is_none().then_some(listeners)
}

/// Reads a configuration and what it includes.
pub fn load(file: &Path, host: &dyn Host) -> Loaded {
    let mut loaded = Loaded::default();
    let result = loaded.add(file, host).and_then(|()| loaded.include(file, host));
    loaded.refusal = result.err();
    loaded
}

impl Loaded {
    fn add(&mut self, file: &Path, host: &dyn Host) -> Result<(), Refusal> {
        let text = host.read(file).map_err(|error| {
            let reason = match error.kind() {
                ErrorKind::NotFound => "could not find config file",
                _ => "could not read config file",
            };
            Refusal::of_file(Cause::Unreadable, file, 1, format!("{reason} {}", file.display()))
        })?;
        self.add_text(&text, file)
    }

    fn add_text(&mut self, text: &str, file: &Path) -> Result<(), Refusal> {
        let parsed = Ini::parse(text)
            .map_err(|bad| Refusal::of_file(Cause::Syntax, file, bad.line, bad.reason(file)));
        let comments = parsed.as_ref().map(|ini| ini.comments.clone()).unwrap_or_default();
        self.files.push(SourceFile { path: file.to_owned(), comments });
        self.configuration.add(parsed?, file);
        Ok(())
    }

    fn include(&mut self, file: &Path, host: &dyn Host) -> Result<(), Refusal> {
        let Some(section) = self.configuration.section("include") else { return Ok(()) };
        let place = section.place().cloned();
        let here = here(file, host);
        self.configuration.expand_here(&here.display().to_string());
        let Some(files) = self.configuration.get("include", "files").cloned() else {
            let reason = ".ini file has [include] section, but no files setting";
            return Err(Refusal::new(Cause::Include, place, reason).about("include", None));
        };
        let refuse = |error: BadExpansion| {
            let reason = format!("include.files: {error}");
            Refusal::new(Cause::Expansion, Some(files.place.clone()), reason)
                .about("include", Some("files"))
        };
        let mut names: Names = variable_names(host.variables());
        names.insert("here".to_owned(), Item::Text(here.display().to_string()));
        names.insert("host_node_name".to_owned(), Item::Text(host.node_name()));
        let patterns = match expand(&files.text, &names) {
            Err(BadExpansion::Variable(name)) => {
                self.unset = Some(name.trim_start_matches("ENV_").to_owned());
                return Ok(());
            }
            other => other.map_err(refuse)?,
        };
        for pattern in patterns.split_whitespace() {
            self.include_pattern(here.join(pattern), files.place.clone(), host)?;
        }
        Ok(())
    }

    fn include_pattern(
        &mut self,
        pattern: PathBuf,
        place: Place,
        host: &dyn Host,
    ) -> Result<(), Refusal> {
        let paths = glob::matches(&pattern, host);
        let mut unreadable = Vec::new();
        for path in &paths {
            match host.read(path) {
                Err(_) => unreadable.push(path.clone()),
                Ok(text) => self.add_text(&text, path)?,
            }
            self.configuration.expand_here(&self::here(path, host).display().to_string());
        }
        self.includes.push(Include { pattern, place, matched: paths.len(), unreadable });
        Ok(())
    }
}
