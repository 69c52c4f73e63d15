//! Processes of this machine, from Linux' `/proc`.
//!
//! The few fields are read here, since procfs parses each file as a whole: that is 76 kB of program,
//! and fails at any field that some kernel or sandbox leaves out.

use std::fs;
use std::os::unix::process::parent_id;

/// A process, from its `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
pub struct Stat<'a> {
    pub name: &'a str,
    /// A letter, such as `Z` for one that has ended and is not reaped.
    pub state: &'a str,
    pub parent: u32,
    /// One, where the system does not tell.
    pub threads: u32,
    /// When it was started, in ticks of the clock since the boot.
    pub start: Option<&'a str>,
}

impl<'a> Stat<'a> {
    /// `PID (NAME) STATE PARENT ...`, and a name may have blanks and parentheses itself.
    #[must_use]
    pub fn parse(stat: &'a str) -> Option<Self> {
        let (head, rest) = stat.rsplit_once(") ")?;
        let mut rest = rest.split(' ');
        Some(Self {
            name: head.split_once(" (")?.1,
            state: rest.next()?,
            parent: rest.next()?.parse().ok()?,
            threads: rest.nth(15).and_then(|threads| threads.parse().ok()).unwrap_or(1),
            start: rest.nth(1),
        })
    }

    /// Whether nothing runs any more. The state is that of the first thread, and others may go on when
    /// that has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        "ZX".contains(self.state) && self.threads < 2
    }
}

/// Each process with the text of its `stat`; none where there is no `/proc`.
#[must_use]
pub fn stats() -> Vec<(u32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, read(pid, "stat")?))).collect()
}

/// The user of the process with this id, if it is an ancestor of this one.
#[must_use]
pub fn user_of_ancestor(ancestor: u32) -> Option<u32> {
    let parent = |pid: &u32| Some(Stat::parse(&read(*pid, "stat")?)?.parent);
    let mut ancestors = std::iter::successors(Some(parent_id()), parent);
    effective_user(&read(ancestors.find(|pid| *pid == ancestor)?, "status")?)
}

/// The second number of the line `Uid:` of a `status`. The owner of `/proc/PID` is root if a process
/// has changed its user.
fn effective_user(status: &str) -> Option<u32> {
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_whitespace().nth(1)?.parse().ok()
}

fn read(pid: u32, file: &str) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).ok()?;
    // A program may have given itself a name that is no text.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest() {
        let stat =
            |name, state, parent| Some(Stat { name, state, parent, threads: 1, start: None });
        for (text, expected) in [
            ("7 (cat) S 1 7 7 0 -1", stat("cat", "S", 1)),
            ("7 (a) R 3 (b) Z 12 7 7 0", stat("a) R 3 (b", "Z", 12)),
            ("7 () S 1 7", stat("", "S", 1)),
            ("7 (cat) S", None),
            ("7 cat S 1", None),
            ("", None),
        ] {
            assert_eq!(Stat::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_process_ends_with_its_last_thread() {
        for (state, threads, expected) in
            [("S", 1, false), ("Z", 1, true), ("X", 0, true), ("Z", 2, false)]
        {
            let fields = "7 7 0 -1 4228108 9 8 7 6 5 4 3 2 20 0";
            let text = format!("7 (cat) {state} 1 {fields} {threads} 0 8 0");
            let stat = Stat::parse(&text).unwrap();
            assert_eq!((stat.threads, stat.has_ended()), (threads, expected), "{text}");
            assert_eq!(stat.start, Some("8"));
        }
    }

    #[test]
    fn the_effective_user_is_the_second() {
        let status = "Name:\tcat\nUid:\t1000\t33\t1000\t33\nGid:\t5\t6\t5\t6\n";
        assert_eq!(effective_user(status), Some(33));
        assert_eq!(effective_user("Name:\tUid: 3 4\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_ancestors_count() {
        assert_eq!(user_of_ancestor(parent_id()), Some(nix::unistd::geteuid().as_raw()));
        assert_eq!(user_of_ancestor(std::process::id()), None);
        assert!(stats().iter().any(|(pid, stat)| {
            *pid == std::process::id() && Stat::parse(stat).unwrap().parent == parent_id()
        }));
    }
}
