//! The memory of the processes of a supervisord, if they are processes of this machine. They are not
//! when it runs on another machine or in a container: then its process ids mean other processes here.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use superlance_core::system::process::Stat;

use crate::{Memory, Metric, Readings};

/// The memory of processes under a supervisord that may be elsewhere.
#[derive(Debug, Clone)]
pub struct Local {
    pub memory: Memory,
    pub processes: Processes,
}

impl Local {
    /// On this system.
    #[must_use]
    pub fn of_this_system() -> Self {
        Self { memory: Memory::of_this_system(), processes: Processes::of_this_system() }
    }

    /// The memory of those of `pids` that run here, each with its descendants. `supervisord` is its
    /// own process id; `None` if it cannot be on this machine.
    ///
    /// # Errors
    /// When nothing can be read, for a reason that is for people.
    pub fn read(
        &self,
        pids: impl IntoIterator<Item = u32>,
        supervisord: Option<u32>,
        metrics: &[Metric],
    ) -> Result<Readings, String> {
        let supervisord = supervisord.ok_or(
            "supervisord is on another machine, and the memory of its processes is to be seen there \
             only",
        )?;
        let running: HashSet<u32> = pids.into_iter().filter(|pid| *pid != 0).collect();
        let ours = running.iter().copied();
        let ours: Vec<u32> =
            ours.filter(|pid| self.processes.is_child(*pid, supervisord)).collect();
        if ours.is_empty() && !running.is_empty() {
            return Err(format!(
                "supervisord (pid {supervisord}) counts processes otherwise than is done here, so it is \
                 in a container or on another machine; their memory is to be seen there only"
            ));
        }
        self.memory.read(&ours, metrics, true)
    }
}

/// The source of process data.
#[derive(Debug, Clone)]
pub struct Processes {
    proc: PathBuf,
}

impl Processes {
    /// Those of this system.
    #[must_use]
    pub fn of_this_system() -> Self {
        Self { proc: PathBuf::from("/proc") }
    }

    /// Whether `pid` is a child of the supervisord with process id `supervisord`. All that it starts
    /// are; a stranger is not.
    fn is_child(&self, pid: u32, supervisord: u32) -> bool {
        self.parent(pid).is_none_or(|parent| parent == supervisord) && self.can_be(supervisord)
    }

    /// Process 1 is the parent of many. It is a supervisord in a container, seen from inside.
    fn can_be(&self, supervisord: u32) -> bool {
        let command = |path: &Path| std::fs::read(path).unwrap_or_default();
        let names_it = |command: Vec<u8>| {
            String::from_utf8_lossy(&command).to_ascii_lowercase().contains("supervisor")
        };
        supervisord != 1 || names_it(command(&self.proc.join("1/cmdline")))
    }

    /// The parent of a process; `None` when this system does not tell.
    fn parent(&self, pid: u32) -> Option<u32> {
        let stat = std::fs::read(self.proc.join(format!("{pid}/stat"))).ok()?;
        Some(Stat::parse(&String::from_utf8_lossy(&stat))?.parent)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn children_are_known_by_their_parents() {
        let here = Processes::of_this_system();
        let (own, parent) = (std::process::id(), std::os::unix::process::parent_id());
        assert!(here.is_child(own, parent));
        assert!(!here.is_child(own, own));
        // One that has ended meanwhile has no memory, which will be seen when it is read.
        assert!(here.is_child(u32::MAX, parent));
    }

    #[test]
    fn process_1_is_a_supervisord_only_if_it_is_called_so() {
        let proc = tempfile::tempdir().unwrap();
        let processes = Processes { proc: proc.path().to_owned() };
        fs::create_dir(proc.path().join("1")).unwrap();
        for (command, expected) in [
            ("/usr/bin/python3\0/usr/bin/supervisord\0-n\0", true),
            ("/sbin/init\0", false),
            ("", false),
        ] {
            fs::write(proc.path().join("1/cmdline"), command).unwrap();
            assert_eq!(processes.is_child(7, 1), expected, "{command:?}");
        }
    }
}
