//! The memory of processes in Linux' `/proc`: numbers of pages, and lines of `KEY: N kB`.

#[cfg(target_os = "linux")]
pub(crate) use linux::Proc;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::Proc;

/// The number of bytes in a line `KEY: N kB`.
pub(crate) fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let value = |line: &str| line.strip_prefix(key)?.strip_prefix(':').map(str::to_owned);
    let value = text.lines().find_map(value)?;
    let number: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    number.checked_mul(1024)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::borrow::Cow;
    use std::fs::{self, File};
    use std::io::{self, Read as _};
    use std::path::Path;

    use nix::errno::Errno;
    use nix::fcntl::{OFlag, openat};
    use nix::sys::stat::Mode;
    use nix::unistd::{SysconfVar, sysconf};

    use superlance_core::system::process::Stat;

    use super::kilobytes;
    use crate::metric::{Needs, Unavailable, Usage};

    /// More than most files of a process have.
    const ROOM: usize = 4096;

    /// The files of processes in a procfs, read one after the other into one buffer.
    pub(crate) struct Proc<'a> {
        root: &'a Path,
        /// The root, so that a path begins below it.
        folder: File,
        text: Vec<u8>,
        /// In bytes.
        page: u64,
    }

    impl<'a> Proc<'a> {
        /// The procfs that is mounted here.
        pub(crate) fn new(root: &'a Path) -> Result<Self, String> {
            // A process that is gone cannot be told from a proc that is not mounted.
            let mounted = root.join("self").symlink_metadata().and_then(|_| File::open(root));
            let folder = mounted.map_err(|error| unreadable(root, &error))?;
            let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
            let page = page.and_then(|page| page.try_into().ok());
            let page = page.ok_or("the system does not tell the size of its pages")?;
            Ok(Self { root, folder, text: vec![0; ROOM], page })
        }

        /// Pairs of process id and parent's, of all processes.
        pub(crate) fn table(&mut self) -> Result<Vec<(u32, u32)>, String> {
            let entries = fs::read_dir(self.root).map_err(|error| unreadable(self.root, &error))?;
            let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            Ok(pids.filter_map(|pid| Some((pid, self.parent(pid)?))).collect())
        }

        fn parent(&mut self, pid: u32) -> Option<u32> {
            Some(Stat::parse(&self.read(pid, "stat").ok()?)?.parent)
        }

        /// What a process uses; `None` if it does not exist. When its first thread has ended, the
        /// others still show its memory.
        pub(crate) fn usage(&mut self, pid: u32, needs: Needs) -> Option<Usage> {
            let usage = self.usage_of_thread(pid, needs)?;
            if !usage.is_empty() {
                return Some(usage);
            }
            let threads = fs::read_dir(self.root.join(format!("{pid}/task"))).into_iter().flatten();
            let threads =
                threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            let mut others = threads.filter_map(|thread| self.usage_of_thread(thread, needs));
            Some(others.find(|usage| !usage.is_empty()).unwrap_or(usage))
        }

        fn usage_of_thread(&mut self, pid: u32, needs: Needs) -> Option<Usage> {
            // `statm`, since the number in `stat` lags behind by up to 64 pages per thread.
            let statm = self.read(pid, "statm").ok()?;
            let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
            let rss = pages.saturating_mul(self.page);
            let mut usage = Usage::resident(rss, Unavailable::NotAsked);
            if needs.shares {
                (usage.pss, usage.uss) = self.shares(pid);
            }
            if needs.swap {
                usage.swap = self.swap(pid);
            }
            Some(usage)
        }

        /// PSS and USS.
        fn shares(&mut self, pid: u32) -> (Result<u64, Unavailable>, Result<u64, Unavailable>) {
            match self.read_if_any(pid, "smaps_rollup") {
                Ok(Some(text)) => {
                    let number = |key| kilobytes(&text, key).ok_or(Unavailable::Kernel);
                    let unique = number("Private_Clean")
                        .and_then(|clean| Ok(clean.saturating_add(number("Private_Dirty")?)));
                    (number("Pss"), unique)
                }
                Ok(None) => (Ok(0), Ok(0)),
                Err(unavailable) => (Err(unavailable), Err(unavailable)),
            }
        }

        /// `VmSwap` of `status`, which everyone may read; `SwapPss` of `smaps_rollup` would need the
        /// permission to trace the process.
        fn swap(&mut self, pid: u32) -> Result<u64, Unavailable> {
            let Some(text) = self.read_if_any(pid, "status")? else { return Ok(0) };
            match kilobytes(&text, "VmSwap") {
                Some(bytes) => Ok(bytes),
                // A process that has ended and is not reaped has no memory, and no such lines.
                None if kilobytes(&text, "VmRSS").is_none() => Ok(0),
                None => Err(Unavailable::Kernel),
            }
        }

        /// A file of a process; `None` when the process has no memory (any more).
        fn read_if_any(
            &mut self,
            pid: u32,
            name: &str,
        ) -> Result<Option<Cow<'_, str>>, Unavailable> {
            let statm = self.root.join(format!("{pid}/statm"));
            match self.read(pid, name) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    Err(Unavailable::Permission)
                }
                Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(None),
                // It may have vanished since.
                Err(_) if statm.exists() => Err(Unavailable::Kernel),
                Err(_) => Ok(None),
            }
        }

        /// A file of a process, by three calls to the system: the kernel gives one whole at the first
        /// read if there is room for it, so a read that leaves room was the last.
        fn read(&mut self, pid: u32, name: &str) -> io::Result<Cow<'_, str>> {
            let path = format!("{pid}/{name}");
            let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
            let mut file = File::from(openat(&self.folder, path.as_str(), flags, Mode::empty())?);
            let mut length = 0;
            loop {
                length += file.read(self.text.get_mut(length..).unwrap_or_default())?;
                if length < self.text.len() {
                    break;
                }
                self.text.resize(2 * length, 0);
            }
            // A program may have given itself a name that is no text.
            Ok(String::from_utf8_lossy(self.text.get(..length).unwrap_or_default()))
        }
    }

    fn unreadable(root: &Path, error: &io::Error) -> String {
        format!("cannot read {}: {error}", root.display())
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::path::Path;

    use crate::metric::{Needs, Usage};

    pub(crate) struct Proc;

    impl Proc {
        pub(crate) fn new(_: &Path) -> Result<Self, String> {
            Err("/proc can be read on Linux only".to_owned())
        }

        pub(crate) fn table(&mut self) -> Result<Vec<(u32, u32)>, String> {
            Ok(Vec::new())
        }

        pub(crate) fn usage(&mut self, _: u32, _: Needs) -> Option<Usage> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_whole_key() {
        let text = "562b-7ffd ---p 0 00:00 0 [rollup]\nPss_Dirty:  116 kB\nPss:   289 kB\n";
        assert_eq!(kilobytes(text, "Pss"), Some(289 << 10));
        assert_eq!(kilobytes(text, "Swap"), None);
        assert_eq!(kilobytes("VmSwap:\t 5 pages", "VmSwap"), None);
    }
}
