//! The machine that a configuration is read for: its files, folders and users.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};
use superlance_core::system::surroundings::{variables, working_folder};

/// What supervisor asks the system while it reads a configuration.
pub trait Host {
    /// The text of a file.
    ///
    /// # Errors
    /// When there is no such file, or it may not be read.
    fn read(&self, path: &Path) -> io::Result<String>;
    /// The names of what is in a folder; none where it cannot be read.
    fn list(&self, folder: &Path) -> Vec<String>;
    fn exists(&self, path: &Path) -> bool;
    fn is_folder(&self, path: &Path) -> bool;
    /// Whether there is a user of this name or number.
    fn has_user(&self, user: &str) -> bool;
    fn has_group(&self, group: &str) -> bool;
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    fn variables(&self) -> Vec<(String, String)>;
    fn node_name(&self) -> String;
    /// The folder that relative paths begin in.
    fn working_folder(&self) -> PathBuf;
}

/// The machine that we run on.
#[derive(Debug, Clone)]
pub struct ThisHost {
    pub working_folder: PathBuf,
    pub variables: Vec<(String, String)>,
}

impl ThisHost {
    /// With the surroundings of this program.
    #[must_use]
    pub fn here() -> Self {
        Self { working_folder: working_folder(), variables: variables() }
    }
}

impl Host for ThisHost {
    fn read(&self, path: &Path) -> io::Result<String> {
        // Python takes bytes that are no text for some text or other where the locale is plain.
        fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn has_user(&self, user: &str) -> bool {
        let found = match user.trim().parse() {
            Ok(number) => User::from_uid(Uid::from_raw(number)),
            Err(_) => User::from_name(user),
        };
        found.is_ok_and(|user| user.is_some())
    }

    fn has_group(&self, group: &str) -> bool {
        let found = match group.trim().parse() {
            Ok(number) => Group::from_gid(Gid::from_raw(number)),
            Err(_) => Group::from_name(group),
        };
        found.is_ok_and(|group| group.is_some())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    fn node_name(&self) -> String {
        superlance_core::system::host_name::host_name()
    }

    fn working_folder(&self) -> PathBuf {
        self.working_folder.clone()
    }
}
