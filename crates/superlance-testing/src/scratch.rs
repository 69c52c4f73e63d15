//! A temporary folder with a short name, removed on drop.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary folder.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// A new, empty folder.
    #[must_use]
    pub fn new() -> Scratch {
        // Not $TMPDIR: the name of a Unix socket must fit into about a hundred bytes.
        let dir = tempfile::Builder::new().prefix("sl-").tempdir_in("/tmp");
        Scratch(dir.expect("/tmp should be writable"))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a file in it, which need not exist.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, content).expect("a scratch folder should be writable");
        path
    }

    /// Writes an executable file and returns its path.
    pub fn script(&self, name: &str, content: &str) -> PathBuf {
        let path = self.write(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("we own the file");
        path
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}
