//! The end of a process's log, read by the listener itself.
//!
//! A program that owns the directory of its log can put something else into its place. supervisord
//! opens that for `tailProcessStdoutLog`: it waits for ever at a FIFO, and follows a link to a file
//! that only its own user may read. So the file is opened here, without waiting and without
//! following what the program may have put there, and it must be one that supervisord has made.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, readlinkat};
use nix::sys::stat::Mode;

use superlance_core::supervisor::LogEnd;

/// Most links in a path, as in the kernel.
const MAX_LINKS: usize = 40;

/// How a directory of the path is opened; on Linux, it need not be readable.
#[cfg(target_os = "linux")]
const DIRECTORY: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);
#[cfg(not(target_os = "linux"))]
const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC);

/// The reason why a log is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRead {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("this listener's user may not read it; --tail-by-rpc lets supervisord read it")]
    Denied,
    #[error("it is not an absolute path")]
    Relative,
    #[error("there is a link on the way that the program may have made")]
    Link,
    #[error("it is not a regular file")]
    Kind,
    #[error("it has {0} names, so it may be another file")]
    Names(u64),
    #[error("it belongs to the user {0}, and supervisord runs as {1}")]
    Owner(u32, u32),
}

impl From<Errno> for NotRead {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ELOOP => Self::Link,
            Errno::EACCES => Self::Denied,
            errno => Self::Io(errno.into()),
        }
    }
}

/// The last `bytes` of the log that a supervisord of the user `owner` writes; empty if it has not
/// begun one.
pub(super) fn read_end(path: &Path, bytes: u32, owner: u32) -> Result<LogEnd, NotRead> {
    let mut file = match open_log(path, owner) {
        Err(NotRead::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(LogEnd::default());
        }
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(NotRead::Kind);
    }
    if metadata.uid() != owner {
        return Err(NotRead::Owner(metadata.uid(), owner));
    }
    if metadata.nlink() > 1 {
        return Err(NotRead::Names(metadata.nlink()));
    }
    let start = metadata.len().saturating_sub(bytes.into());
    file.seek(SeekFrom::Start(start))?;
    let mut text = Vec::new();
    file.take(bytes.into()).read_to_end(&mut text)?;
    Ok(LogEnd { text: String::from_utf8_lossy(&text).into_owned(), cut: start > 0 })
}

/// Opens a log without following a link as its last component.
fn open_log(path: &Path, owner: u32) -> Result<File, NotRead> {
    let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), path.is_absolute())
    else {
        return Err(NotRead::Relative);
    };
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let flags = flags | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    Ok(openat(open_directory(parent, owner)?, name, flags, Mode::empty())?.into())
}

/// Opens a directory step by step. A link is followed only in a directory in which the program
/// cannot have made it.
fn open_directory(path: &Path, owner: u32) -> Result<File, NotRead> {
    let root = || open("/", DIRECTORY, Mode::empty()).map(File::from);
    let mut directory = root()?;
    let mut steps = reversed(path);
    let mut links = 0;
    while let Some(step) = steps.pop() {
        let flags = DIRECTORY | OFlag::O_NOFOLLOW;
        match openat(&directory, step.as_os_str(), flags, Mode::empty()) {
            Ok(next) => directory = next.into(),
            Err(Errno::ENOTDIR | Errno::ELOOP) => {
                let target = match readlinkat(&directory, step.as_os_str()) {
                    Err(Errno::EINVAL) => return Err(Errno::ENOTDIR.into()),
                    target => target?,
                };
                if links == MAX_LINKS || !is_closed(&directory, owner)? {
                    return Err(NotRead::Link);
                }
                links += 1;
                if Path::new(&target).is_absolute() {
                    directory = root()?;
                }
                steps.extend(reversed(Path::new(&target)));
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(directory)
}

/// The components of a path, the last first.
fn reversed(path: &Path) -> Vec<OsString> {
    let steps = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    steps.rev().map(OsStr::to_owned).collect()
}

/// Whether only root and supervisord's user can create files in a directory.
fn is_closed(directory: &File, owner: u32) -> io::Result<bool> {
    let metadata = directory.metadata()?;
    Ok([0, owner].contains(&metadata.uid()) && metadata.mode() & 0o022 == 0)
}

#[cfg(test)]
#[path = "log_file_tests.rs"]
mod tests;
