//! A private directory: no other user can look into it, no other listener uses it, and no link in
//! it is followed. A user who could write into it could make the listener send and overwrite files.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::dir::{Dir, Entry};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, Flock, FlockArg, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, fsync, geteuid, unlinkat};

use super::sync::{Request, Syncer};
use crate::system::log::Log;
use crate::system::order;

/// The lock file, held while the directory is in use.
const LOCK: &str = "lock";

/// The suffix of a file that is being written.
pub const UNFINISHED: &str = ".new";

/// The reason why something cannot be stored. The text is the same for every alert, so that it is
/// logged once.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A system error.
    #[error("cannot {what} {path}: {error}")]
    Io {
        /// The operation.
        what: &'static str,
        /// The directory, not the file in it.
        path: String,
        error: io::Error,
    },
    /// Another process uses it.
    #[error("{0} is in use by another process")]
    InUse(String),
    /// Another user could change it.
    #[error("{0} is not a directory of the user whom the listener runs as")]
    NotOurs(String),
    /// It is full.
    #[error("{0} is full: no more than 10000 alerts or 64 MiB are kept there")]
    Full(String),
}

/// The directory, locked until the value is dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// The base of all operations, so that the directory cannot be exchanged for another.
    directory: Arc<File>,
    syncer: Syncer,
    _lock: Flock<File>,
}

impl StateDir {
    /// Opens the directory `name` in `parent`. Both are created if they are missing.
    pub fn open(parent: &Path, name: &str) -> Result<Self, SpoolError> {
        let path = parent.join(name);
        let failed = |what, error| SpoolError::Io { what, path: shown(&path), error };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|error| failed("create the parent of", error))?;
        let above = File::open(parent).map_err(|error| failed("open the parent of", error))?;
        match mkdirat(&above, name, Mode::S_IRWXU) {
            // Its name must survive the machine's end, as its files do.
            Ok(()) => fsync(&above).map_err(|errno| failed("create", errno.into()))?,
            Err(Errno::EEXIST) => {}
            Err(errno) => return Err(failed("create", errno.into())),
        }
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let directory = match openat(&above, name, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::ELOOP | Errno::ENOTDIR) => return Err(SpoolError::NotOurs(shown(&path))),
            Err(errno) => return Err(failed("open", errno.into())),
        };
        let metadata = directory.metadata().map_err(|error| failed("open", error))?;
        if metadata.uid() != geteuid().as_raw() {
            return Err(SpoolError::NotOurs(shown(&path)));
        }
        if metadata.mode() & 0o777 != 0o700 {
            let closed = fs::Permissions::from_mode(0o700);
            directory.set_permissions(closed).map_err(|error| failed("close to others", error))?;
        }
        let flags = OFlag::O_CREAT | OFlag::O_RDWR;
        let lock = open_in(&directory, LOCK, flags).map_err(|error| failed("lock", error))?;
        match Flock::lock(lock, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => {
                let (directory, syncer) = (Arc::new(directory), Syncer::default());
                Ok(Self { path, directory, syncer, _lock: lock })
            }
            Err((_, Errno::EWOULDBLOCK)) => Err(SpoolError::InUse(shown(&path))),
            Err((_, errno)) => Err(failed("lock", errno.into())),
        }
    }

    /// The path, for messages.
    pub fn shown(&self) -> String {
        shown(&self.path)
    }

    /// The names of its files, sorted, without the lock.
    pub fn names(&self) -> Result<Vec<String>, SpoolError> {
        let list = || {
            let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
            let mut directory = Dir::openat(&self.directory, ".", flags, Mode::empty())?;
            directory.iter().map(|entry| Ok(name(&entry?))).collect::<nix::Result<Vec<_>>>()
        };
        let mut names = list().map_err(|errno| self.failed("read", errno.into()))?;
        names.retain(|name| ![LOCK, ".", ".."].contains(&name.as_str()));
        order::sort(&mut names);
        Ok(names)
    }

    /// Reads a file. A file that is not ours, or longer than `limit`, is an error.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        // Opening a FIFO would wait for a writer.
        let file = open_in(&self.directory, name, OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
        let metadata = file.metadata()?;
        let expected = if !metadata.is_file() {
            "not a file"
        } else if metadata.uid() != geteuid().as_raw() {
            "the file of another user"
        } else if metadata.len() > limit {
            "too long"
        } else {
            let mut bytes = Vec::new();
            file.take(limit).read_to_end(&mut bytes)?;
            return Ok(bytes);
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, expected))
    }

    /// Writes a file, or a new one in its place: at any moment, the old or the new one is there,
    /// whole. Afterwards it is on the disk.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), SpoolError> {
        let unfinished = format!("{name}{UNFINISHED}");
        let written = self.write_anew(&unfinished, bytes).and_then(|()| {
            renameat(&self.directory, unfinished.as_str(), &self.directory, name)?;
            self.directory.sync_all()
        });
        if written.is_err() {
            let _ = unlinkat(&self.directory, unfinished.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        written.map_err(|error| self.failed("write into", error))
    }

    fn write_anew(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match unlinkat(&self.directory, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY;
        let mut file = open_in(&self.directory, name, flags)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Opens a file to append to it, and creates it if it is missing.
    pub fn append_to(&self, name: &str) -> Result<File, SpoolError> {
        let flags = OFlag::O_CREAT | OFlag::O_WRONLY | OFlag::O_APPEND;
        open_in(&self.directory, name, flags).map_err(|error| self.failed("write into", error))
    }

    /// Whether the name still stands for this open file: someone may have deleted, moved or replaced it.
    pub fn has(&self, name: &str, file: &File) -> bool {
        let named = match fstatat(&self.directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(named) => named,
            Err(errno) => return errno != Errno::ENOENT,
        };
        file.metadata().is_ok_and(|data| data.ino() == named.st_ino)
    }

    /// Requests a sync of `file`, and of the names in the directory.
    pub fn sync_soon(&self, file: &Arc<File>, names: bool, log: &Arc<Log>) -> io::Result<()> {
        let directory = names.then(|| Arc::clone(&self.directory));
        self.syncer.request(Request { file: Arc::clone(file), directory }, log)
    }

    /// Waits until `file` and the names in the directory are synced.
    pub fn sync(&self, file: &File, names: bool) -> io::Result<()> {
        file.sync_data()?;
        if names { self.directory.sync_all() } else { Ok(()) }
    }

    /// Renames a file.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), SpoolError> {
        let renamed = renameat(&self.directory, from, &self.directory, to);
        let synced = renamed.map_err(io::Error::from).and_then(|()| self.directory.sync_all());
        synced.map_err(|error| self.failed("rename a file in", error))
    }

    /// Removes a file. It may be gone already, and may come back if the machine crashes now.
    pub fn remove(&self, name: &str) -> Result<(), SpoolError> {
        match unlinkat(&self.directory, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(self.failed("remove a file from", errno.into())),
        }
    }

    pub fn failed(&self, what: &'static str, error: io::Error) -> SpoolError {
        SpoolError::Io { what, path: self.shown(), error }
    }
}

fn name(entry: &Entry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

/// Opens a file in a directory, unless it is a link.
fn open_in(directory: &File, name: &str, flags: OFlag) -> io::Result<File> {
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = openat(directory, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
    Ok(File::from(file))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_open_directory_after_its_path_leads_elsewhere() {
        let parent = tempfile::tempdir().unwrap();
        let directory = StateDir::open(parent.path(), "x").unwrap();
        ["b", "a"].iter().for_each(|name| directory.write(name, b"").unwrap());
        fs::rename(parent.path().join("x"), parent.path().join("y")).unwrap();
        fs::create_dir(parent.path().join("x")).unwrap();
        fs::write(parent.path().join("x/other"), "").unwrap();
        for _ in 0..2 {
            assert_eq!(directory.names().unwrap(), ["a", "b"]);
        }
    }
}
