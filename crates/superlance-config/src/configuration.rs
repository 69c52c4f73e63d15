//! The sections of one file or several, the later ones over the earlier ones. Pure.

use std::path::Path;
use std::sync::Arc;

use crate::ini::{BadLine, Ini};

/// The section whose values every section has unless it says otherwise.
const DEFAULTS: &str = "DEFAULT";

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: Arc<Path>,
    pub line: usize,
}

/// What counts for a key: of several values the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub text: String,
    pub place: Place,
    /// What a `;` or `#` cut off from it.
    pub comment: Option<String>,
    /// The values that do not count.
    pub earlier: Vec<Place>,
}

/// A section, with the keys in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    /// Where its name stands, more than once if it is continued elsewhere.
    pub places: Vec<Place>,
    values: Vec<(String, Value)>,
}

impl Section {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), places: Vec::new(), values: Vec::new() }
    }

    /// Where it begins.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.places.first()
    }

    /// A value that is written in this section itself.
    #[must_use]
    pub fn own(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// What is written in this section itself.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    fn set(&mut self, key: String, value: Value) {
        match self.values.iter_mut().find(|(own, _)| *own == key) {
            None => self.values.push((key, value)),
            Some((_, old)) => {
                let mut earlier = std::mem::take(&mut old.earlier);
                earlier.push(old.place.clone());
                *old = Value { earlier, ..value };
            }
        }
    }
}

/// The sections of a configuration in the order in which they first come.
#[derive(Debug)]
pub struct Configuration {
    sections: Vec<Section>,
    defaults: Section,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { sections: Vec::new(), defaults: Section::new(DEFAULTS) }
    }
}

impl Configuration {
    /// Reads the text of one file.
    ///
    /// # Errors
    /// When a line is neither a section nor part of one.
    pub fn parse(text: &str, file: &Path) -> Result<Self, BadLine> {
        let mut configuration = Self::default();
        configuration.add(Ini::parse(text)?, file);
        Ok(configuration)
    }

    /// Adds what stands in one more file.
    pub(crate) fn add(&mut self, ini: Ini, file: &Path) {
        let file: Arc<Path> = file.into();
        let place = |line| Place { file: Arc::clone(&file), line };
        for head in ini.heads {
            self.section_mut(&head.section).places.push(place(head.line));
        }
        for entry in ini.entries {
            let value = Value {
                text: entry.value,
                place: place(entry.line),
                comment: entry.comment,
                earlier: Vec::new(),
            };
            self.section_mut(&entry.section).set(entry.key, value);
        }
    }

    fn section_mut(&mut self, name: &str) -> &mut Section {
        if name == DEFAULTS {
            return &mut self.defaults;
        }
        let known = self.sections.iter().position(|section| section.name == name);
        let index = known.unwrap_or_else(|| {
            self.sections.push(Section::new(name));
            self.sections.len() - 1
        });
        // The index was just found or made.
        self.sections.get_mut(index).unwrap_or(&mut self.defaults)
    }

    /// Replaces `%(here)s` in all values, as supervisor does after each file as soon as there is an
    /// `[include]`.
    pub(crate) fn expand_here(&mut self, here: &str) {
        const HERE: &str = "%(here)s";
        let inherited: Vec<_> = self
            .defaults
            .values
            .iter()
            .filter(|(_, value)| value.text.contains(HERE))
            .cloned()
            .collect();
        for section in &mut self.sections {
            for (key, value) in &inherited {
                if section.own(key).is_none() {
                    section.values.push((key.clone(), value.clone()));
                }
            }
            for (_, value) in &mut section.values {
                value.text = value.text.replace(HERE, here);
            }
        }
    }

    /// All sections but `[DEFAULT]`.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// `[DEFAULT]`.
    #[must_use]
    pub fn defaults(&self) -> &Section {
        &self.defaults
    }

    /// The section of this name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The value that counts for a key of a section, its own or that of `[DEFAULT]`.
    #[must_use]
    pub fn get(&self, section: &str, key: &str) -> Option<&Value> {
        let section = self.section(section)?;
        section.own(key).or_else(|| self.defaults.own(key))
    }
}

#[cfg(test)]
#[path = "configuration_tests.rs"]
mod tests;
