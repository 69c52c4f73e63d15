//! What findings ask about the machine beside what supervisord asks.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::{Group, User};
use superlance_config::{Host, ThisHost};
use superlance_measure::SystemMemory;

/// The machine that the configuration is for.
pub(crate) trait Machine: Host {
    /// Whether a file may be executed.
    fn is_executable(&self, path: &Path) -> bool;
    /// The text of a small file, if it is one.
    fn text(&self, path: &Path) -> Option<String>;
    /// Whether a command that has another name is a link to our program.
    fn leads_to_us(&self, program: &str) -> bool;
    /// Whether a user is in a group, both by their names.
    fn is_member(&self, user: &str, group: &str) -> bool;
    /// The user that a file belongs to.
    fn owner(&self, path: &Path) -> Option<String>;
    /// The name of process 1.
    fn init(&self) -> Option<String>;
    /// The number of a user.
    fn user_id(&self, user: &str) -> Option<u32>;
    /// The memory that processes can have, in bytes.
    fn memory(&self) -> Option<u64>;
    fn is_container(&self) -> bool;

    /// The file that supervisord runs for a word: a path, or the first in `path`.
    fn find_command(&self, word: &str, path: Option<&str>) -> Option<PathBuf> {
        if word.contains('/') {
            return Some(PathBuf::from(word)).filter(|path| self.exists(path));
        }
        let own = self.variable("PATH");
        // The same default as supervisord's.
        let path = path.or(own.as_deref()).unwrap_or("/bin:/usr/bin:/usr/local/bin");
        path.split(':').map(|folder| Path::new(folder).join(word)).find(|path| self.exists(path))
    }
}

/// The largest script that is read.
const SCRIPT: u64 = 64 << 10;

impl Machine for ThisHost {
    fn is_executable(&self, path: &Path) -> bool {
        let metadata = fs::metadata(path);
        metadata.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }

    fn text(&self, path: &Path) -> Option<String> {
        let is_small = fs::metadata(path).ok().filter(|found| found.is_file())?.len() <= SCRIPT;
        let mut text = String::new();
        let file = File::open(path).ok().filter(|_| is_small)?;
        file.take(SCRIPT).read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn leads_to_us(&self, program: &str) -> bool {
        let path = self.find_command(program, None);
        let target = path.and_then(|path| fs::canonicalize(path).ok());
        target.is_some_and(|target| target.file_name().is_some_and(|name| name == "superlance"))
    }

    fn is_member(&self, user: &str, group: &str) -> bool {
        let (Ok(Some(user)), Ok(Some(group))) = (User::from_name(user), Group::from_name(group))
        else {
            return false;
        };
        user.gid == group.gid || group.mem.contains(&user.name)
    }

    fn owner(&self, path: &Path) -> Option<String> {
        let owner = fs::metadata(path).ok()?.uid();
        User::from_uid(owner.into()).ok()?.map(|user| user.name)
    }

    fn init(&self) -> Option<String> {
        fs::read_to_string("/proc/1/comm").ok().map(|name| name.trim().to_owned())
    }

    fn user_id(&self, user: &str) -> Option<u32> {
        let by_name = || User::from_name(user).ok().flatten().map(|user| user.uid.as_raw());
        user.parse().ok().or_else(by_name)
    }

    fn memory(&self) -> Option<u64> {
        SystemMemory::default().memory().ok()
    }

    fn is_container(&self) -> bool {
        ["/.dockerenv", "/run/.containerenv"].iter().any(|path| Path::new(path).exists())
            || self.init().as_deref() == Some("supervisord")
    }
}
