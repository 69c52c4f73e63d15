//! Linux' `/proc`. PSS, USS and swap are lines of `KEY: N kB` in files that procfs parses as a whole,
//! failing at any field that some kernel or sandbox leaves out.

#[cfg(target_os = "linux")]
pub(crate) use linux::{check, table, usage};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{check, table, usage};

/// The number of bytes in a line `KEY: N kB`.
pub(crate) fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let value = |line: &str| line.strip_prefix(key)?.strip_prefix(':').map(str::to_owned);
    let value = text.lines().find_map(value)?;
    let number: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    number.checked_mul(1024)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::{fs, io};

    use nix::errno::Errno;
    use procfs::ProcError;
    use procfs::process::{Process, all_processes_with_root};

    use super::kilobytes;
    use crate::measure::metric::{Needs, Unavailable, Usage};

    /// Pairs of process id and parent's, of all processes.
    pub(crate) fn table(root: &Path) -> Result<Vec<(u32, u32)>, String> {
        let unreadable = |error| format!("cannot read {}: {error}", root.display());
        let processes = all_processes_with_root(root).map_err(unreadable)?;
        let entry = |process: Result<Process, ProcError>| {
            let stat = process.ok()?.stat().ok()?;
            Some((u32::try_from(stat.pid).ok()?, u32::try_from(stat.ppid).ok()?))
        };
        Ok(processes.filter_map(entry).collect())
    }

    /// What a process uses; `None` if it does not exist.
    pub(crate) fn usage(root: &Path, pid: u32, needs: Needs) -> Option<Usage> {
        let directory = root.join(pid.to_string());
        let process = Process::new_with_root(directory.clone()).ok()?;
        // `statm`, since the number in `stat` lags behind by up to 64 pages per thread.
        let rss = process.statm().ok()?.resident * procfs::page_size();
        let mut usage = Usage::resident(rss, Unavailable::NotAsked);
        if needs.shares {
            (usage.pss, usage.uss) = shares(&directory);
        }
        if needs.swap {
            usage.swap = swap(&directory);
        }
        Some(usage)
    }

    /// PSS and USS.
    fn shares(directory: &Path) -> (Result<u64, Unavailable>, Result<u64, Unavailable>) {
        match read(directory, "smaps_rollup") {
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
    fn swap(directory: &Path) -> Result<u64, Unavailable> {
        let Some(text) = read(directory, "status")? else { return Ok(0) };
        match kilobytes(&text, "VmSwap") {
            Some(bytes) => Ok(bytes),
            // A process that has ended and is not reaped has no memory, and no such lines.
            None if kilobytes(&text, "VmRSS").is_none() => Ok(0),
            None => Err(Unavailable::Kernel),
        }
    }

    /// A file of a process; `None` when the process has no memory (any more).
    fn read(directory: &Path, name: &str) -> Result<Option<String>, Unavailable> {
        match fs::read_to_string(directory.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Unavailable::Permission)
            }
            Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(None),
            // It may have vanished since.
            Err(_) if directory.join("statm").exists() => Err(Unavailable::Kernel),
            Err(_) => Ok(None),
        }
    }

    /// A process that is gone cannot be told from a proc that is not mounted.
    pub(crate) fn check(root: &Path) -> Result<(), String> {
        match root.join("self").symlink_metadata() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("cannot read {}: {error}", root.display())),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::path::Path;

    use crate::measure::metric::{Needs, Usage};

    const MESSAGE: &str = "/proc can be read on Linux only";

    pub(crate) fn table(_: &Path) -> Result<Vec<(u32, u32)>, String> {
        Err(MESSAGE.to_owned())
    }

    pub(crate) fn usage(_: &Path, _: u32, _: Needs) -> Option<Usage> {
        None
    }

    pub(crate) fn check(_: &Path) -> Result<(), String> {
        Err(MESSAGE.to_owned())
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
