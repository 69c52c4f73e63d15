//! Values of sections as supervisord takes them, with what it refuses.

use std::path::Path;

use crate::configuration::{Configuration, Place, Section};
use crate::expand::{BadExpansion, Item, Names, expand};
use crate::host::Host;
use crate::paths;
use crate::refusal::{Cause, Refusal};
use crate::values::Convert;

/// A variable of the environment that a value needs and that is not set here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    pub variable: String,
    pub section: String,
    pub key: String,
    pub place: Place,
}

/// An expanded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) text: String,
    pub(crate) place: Place,
    /// Whether a variable that is not set here has been taken for an empty one.
    pub(crate) is_guess: bool,
}

/// Reads sections, and collects what is refused.
pub(crate) struct Reader<'a> {
    pub(crate) configuration: &'a Configuration,
    pub(crate) host: &'a dyn Host,
    /// The names that every value may contain.
    pub(crate) names: Names,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) unset: Vec<Unset>,
}

impl Reader<'_> {
    /// Notes that supervisord refuses a key, or a section without it.
    pub(crate) fn refuse(&mut self, cause: Cause, section: &Section, key: &str, reason: String) {
        let value = self.configuration.get(&section.name, key);
        let place = value.map(|value| &value.place).or(section.place()).cloned();
        let refusal = Refusal::new(cause, place, reason).about(&section.name, Some(key));
        self.refusals.push(refusal);
    }

    /// A value as it is written.
    pub(crate) fn raw(&self, section: &Section, key: &str) -> Option<Given> {
        let value = self.configuration.get(&section.name, key)?;
        Some(Given { text: value.text.clone(), place: value.place.clone(), is_guess: false })
    }

    /// A value with its names expanded.
    pub(crate) fn text(&mut self, section: &Section, key: &str, names: &Names) -> Option<Given> {
        let given = self.raw(section, key)?;
        self.expand(given, section, key, names)
    }

    /// `given` with its names expanded.
    pub(crate) fn expand(
        &mut self,
        given: Given,
        section: &Section,
        key: &str,
        names: &Names,
    ) -> Option<Given> {
        let mut known = names.clone();
        let mut is_guess = given.is_guess;
        loop {
            match expand(&given.text, &known) {
                Ok(text) => return Some(Given { text, place: given.place, is_guess }),
                Err(BadExpansion::Variable(name)) => {
                    self.note_unset(&name, section, key, &given.place);
                    known.insert(name, Item::Text(String::new()));
                    is_guess = true;
                }
                Err(error) => {
                    self.refuse(Cause::Expansion, section, key, format!("{key}: {error}"));
                    return None;
                }
            }
        }
    }

    fn note_unset(&mut self, name: &str, section: &Section, key: &str, place: &Place) {
        let unset = Unset {
            variable: name.trim_start_matches("ENV_").to_owned(),
            section: section.name.clone(),
            key: key.to_owned(),
            place: place.clone(),
        };
        if !self.unset.contains(&unset) {
            self.unset.push(unset);
        }
    }

    /// A value that is converted; `default` where there is none, or a wrong one.
    pub(crate) fn get<T>(
        &mut self,
        section: &Section,
        key: &str,
        names: &Names,
        default: T,
        convert: Convert<T>,
    ) -> T {
        let given = self.text(section, key, names).filter(|given| !given.is_guess);
        let Some(given) = given else { return default };
        convert(&given.text).unwrap_or_else(|reason| {
            self.refuse(Cause::Value, section, key, reason);
            default
        })
    }

    /// The path that a relative one or one with `~` means.
    pub(crate) fn absolute(&self, path: &str) -> std::path::PathBuf {
        let path = paths::expand_home(path, self.host.variable("HOME"));
        paths::normal(&self.host.working_folder().join(path))
    }

    /// Notes it when the folder of a file is missing.
    pub(crate) fn need_folder_of(&mut self, section: &Section, key: &str, file: &str) {
        let path = paths::expand_home(file, self.host.variable("HOME"));
        let folder =
            path.rsplit_once('/').map(|(folder, _)| if folder.is_empty() { "/" } else { folder });
        if folder.is_some_and(|folder| !self.is_folder(folder)) {
            let reason = format!("The directory named as part of the path {file} does not exist");
            self.refuse(Cause::Folder, section, key, reason);
        }
    }

    /// Notes it when a folder is missing.
    pub(crate) fn need_folder(&mut self, section: &Section, key: &str, folder: &str) {
        if !self.is_folder(folder) {
            let reason = format!("{folder} is not an existing directory");
            self.refuse(Cause::Folder, section, key, reason);
        }
    }

    fn is_folder(&self, folder: &str) -> bool {
        self.host.is_folder(Path::new(&self.absolute(folder)))
    }

    /// A user that must exist.
    pub(crate) fn user(&mut self, section: &Section, names: &Names) -> Option<String> {
        let user = self.text(section, "user", names).filter(|user| !user.is_guess)?.text;
        if !self.host.has_user(&user) {
            let what = if user.trim().parse::<i64>().is_ok() { "id" } else { "name" };
            self.refuse(Cause::User, section, "user", format!("Invalid user {what} {user}"));
        }
        Some(user)
    }

    /// A `user` or `user:group` that must exist.
    pub(crate) fn owner(&mut self, section: &Section, key: &str, names: &Names) -> Option<String> {
        let owner = self.text(section, key, names).filter(|owner| !owner.is_guess)?.text;
        let (user, group) = match owner.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (owner.as_str(), None),
        };
        if !self.host.has_user(user) || group.is_some_and(|group| !self.host.has_group(group)) {
            // supervisor calls that of a server by another name than its key.
            let key_said = if key == "chown" { "sockchown" } else { key };
            let reason = format!("Invalid {key_said} value {owner}");
            self.refuse(Cause::User, section, key, reason);
        }
        Some(owner)
    }
}
