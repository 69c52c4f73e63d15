//! The memory that percentages refer to: physical memory, or the limit of memmon's cgroup
//! when that is lower, as it is in a container.

use std::fs;
use std::path::{Path, PathBuf};

use crate::proc::kilobytes;

/// Where a system tells about itself.
#[derive(Debug, Clone)]
pub struct SystemMemory {
    /// Where procfs is mounted.
    pub proc: PathBuf,
    /// Below which the hierarchies of cgroups are mounted.
    pub cgroup: PathBuf,
}

/// The limit of a cgroup, in a hierarchy of its own (version 1).
const V1: &str = "memory.limit_in_bytes";

/// The same, in the one hierarchy of all controllers (version 2).
const V2: &str = "memory.max";

impl Default for SystemMemory {
    fn default() -> Self {
        Self { proc: PathBuf::from("/proc"), cgroup: PathBuf::from("/sys/fs/cgroup") }
    }
}

impl SystemMemory {
    /// How many bytes of memory programs can have here.
    ///
    /// # Errors
    /// When physical memory cannot be read (it can on Linux only), for a reason that is for people.
    pub fn memory(&self) -> Result<u64, String> {
        let path = self.proc.join("meminfo");
        let unreadable = |why: &str| format!("cannot read how much memory there is: {why}");
        let text = fs::read_to_string(&path)
            .map_err(|error| unreadable(&format!("{}: {error}", path.display())))?;
        let physical = kilobytes(&text, "MemTotal")
            .ok_or_else(|| unreadable(&format!("{} has no MemTotal", path.display())))?;
        // Unlimited is `max`, or (version 1) a number beyond every memory.
        Ok(self.limits().into_iter().fold(physical, u64::min))
    }

    /// The limits of our cgroup and of all that it is in: the lowest counts.
    fn limits(&self) -> Vec<u64> {
        let groups = fs::read_to_string(self.proc.join("self/cgroup")).unwrap_or_default();
        groups.lines().flat_map(|line| self.limits_of(line).unwrap_or_default()).collect()
    }

    /// By a line of `/proc/self/cgroup`, which is `NUMBER:CONTROLLERS:PATH`; version 2 names no
    /// controllers.
    fn limits_of(&self, line: &str) -> Option<Vec<u64>> {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let (mount, file) = match controllers {
            "" => (self.cgroup.clone(), V2),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (self.cgroup.join("memory"), V1)
            }
            _ => return None,
        };
        Some(limits_on_the_way(&mount, path, file))
    }
}

/// The limits from a cgroup up to the root. In a container the path may be the host's, of which only the
/// root is mounted; so what is not there is skipped.
fn limits_on_the_way(mount: &Path, path: &str, file: &str) -> Vec<u64> {
    let inside = mount.join(path.trim_start_matches('/'));
    let folders = inside.ancestors().take_while(|folder| folder.starts_with(mount));
    let limit = |folder: &Path| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok();
    // 0 forbids new memory and is no amount; a part of it would be less than any process uses.
    folders.filter_map(limit).filter(|limit| *limit > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine of 24 GiB with these lines in `/proc/self/cgroup`, and these files of cgroups.
    fn machine(lines: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, SystemMemory) {
        let root = tempfile::tempdir().unwrap();
        let machine = SystemMemory {
            proc: root.path().join("proc"),
            cgroup: root.path().join("sys/fs/cgroup"),
        };
        let meminfo = "MemTotal:       25165824 kB\nMemFree:         8921948 kB\n";
        let proc = [("meminfo", meminfo), ("self/cgroup", lines)];
        let proc = proc.map(|(path, text)| (machine.proc.join(path), text));
        let files = files.iter().map(|(path, text)| (machine.cgroup.join(path), *text));
        for (path, text) in proc.into_iter().chain(files) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (root, machine)
    }

    const GIB: u64 = 1 << 30;

    #[track_caller]
    fn check(lines: &str, files: &[(&str, &str)], expected: u64) {
        let (_root, machine) = machine(lines, files);
        assert_eq!(machine.memory().unwrap(), expected, "{lines:?} {files:?}");
    }

    #[test]
    fn physical_memory_where_nothing_limits_it() {
        check("", &[], 24 * GIB);
        check("0::/user.slice\n", &[("user.slice/memory.max", "max\n")], 24 * GIB);
        let v1 = "9:name=systemd:/x\n4:memory:/x\n0::/\n";
        check(v1, &[("memory/x/memory.limit_in_bytes", "9223372036854771712\n")], 24 * GIB);
    }

    #[test]
    fn the_limit_of_a_cgroup_of_version_2() {
        check("0::/a\n", &[("a/memory.max", "2147483648\n")], 2 * GIB);
        check("0::/a\n", &[("a/memory.max", "0\n")], 24 * GIB);
        // In a container, whose cgroup is the root that it sees.
        check("0::/\n", &[("memory.max", "2147483648\n")], 2 * GIB);
    }

    #[test]
    fn the_limit_of_a_cgroup_of_version_1() {
        let lines = "5:devices:/a\n4:cpu,memory:/a\n1:name=systemd:/a\n";
        check(lines, &[("memory/a/memory.limit_in_bytes", "2147483648\n")], 2 * GIB);
        // In a container, which sees the host's path and its own files.
        let lines = "4:memory:/docker/0123456789ab\n";
        check(lines, &[("memory/memory.limit_in_bytes", "2147483648\n")], 2 * GIB);
        // Version 2 is there, too, without the memory controller.
        let lines = "4:memory:/a\n0::/a\n";
        check(lines, &[("memory/a/memory.limit_in_bytes", "2147483648\n")], 2 * GIB);
    }

    #[test]
    fn of_nested_cgroups_the_tightest_counts() {
        let outer = [("a/memory.max", "2147483648\n"), ("a/b/c/memory.max", "max\n")];
        check("0::/a/b/c\n", &outer, 2 * GIB);
        let inner = [("a/memory.max", "4294967296\n"), ("a/b/memory.max", "1073741824\n")];
        check("0::/a/b\n", &inner, GIB);
        check("0::/a\n", &inner, 4 * GIB);
    }

    #[test]
    fn without_proc_it_says_so() {
        let machine = SystemMemory { proc: PathBuf::from("/no/such"), ..SystemMemory::default() };
        let message = machine.memory().unwrap_err();
        let expected = "cannot read how much memory there is: /no/such/meminfo: ";
        assert!(message.starts_with(expected), "{message}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_some() {
        let memory = SystemMemory::default().memory().unwrap();
        assert!(memory > 16 << 20, "{memory}");
    }
}
