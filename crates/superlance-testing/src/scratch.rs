//! A temporary folder with a short name, removed on drop.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    ///
    /// install(1) writes it, not this process: what is open for writing cannot be run ("Text file busy"), and a
    /// child that another test starts meanwhile inherits what is open here until it runs its own program.
    pub fn executable(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        let mut install = Command::new("install");
        install.args(["-m", "755", "/dev/stdin"]).arg(&path).stdin(Stdio::piped());
        let mut install = install.spawn().expect("install(1) should be there");
        let mut pipe = install.stdin.take().expect("it was asked for");
        pipe.write_all(content.as_ref()).expect("install(1) should read all");
        drop(pipe);
        assert!(install.wait().is_ok_and(|status| status.success()), "{name} was not written");
        path
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}
