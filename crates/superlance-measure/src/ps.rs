//! The process table through ps(1), for systems without Linux' `/proc`.

use std::process::{Command, Stdio};

/// A process in ps' table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) bytes: u64,
}

/// Columns in an order and a form that Linux, macOS and the BSDs agree on: one `-o` for each, since
/// FreeBSD takes all of `"pid= ppid= rss="` for the title of the first (the original's mistake).
const ARGUMENTS: [&str; 7] = ["-ax", "-o", "pid=", "-o", "ppid=", "-o", "rss="];

/// All processes.
///
/// # Errors
/// When ps is missing, fails, or prints what is not understood (BusyBox does, without `-o ppid`).
pub(crate) fn table() -> Result<Vec<Entry>, String> {
    let run = Command::new("ps").args(ARGUMENTS).stdin(Stdio::null()).output();
    let output = run.map_err(|error| format!("cannot run ps, which tells memory here: {error}"))?;
    let (text, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let table = parse(&text);
    if table.is_empty() {
        let command = ARGUMENTS.join(" ");
        let said = errors.trim().lines().next().unwrap_or("it printed no processes");
        return Err(format!("ps {command} does not tell how much memory processes use: {said}"));
    }
    Ok(table)
}

/// Lines of three numbers: process id, parent's, kilobytes.
fn parse(text: &str) -> Vec<Entry> {
    let line = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let (pid, parent) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        let kilobytes = numbers.next()?.ok()?;
        Some(Entry {
            pid: u32::try_from(pid).ok()?,
            parent: u32::try_from(parent).ok()?,
            bytes: kilobytes.saturating_mul(1024),
        })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ps_prints_is_understood() {
        let linux = "      1       0 11204\n      2       0     0\n  16777215 1 4\n";
        let expected = [(1, 0, 11204 << 10), (2, 0, 0), (16_777_215, 1, 4096)];
        let expected = expected.map(|(pid, parent, bytes)| Entry { pid, parent, bytes });
        assert_eq!(parse(linux), expected);
        assert_eq!(parse("PID USER COMMAND\n 1 root init\n"), []);
    }

    #[test]
    fn this_very_process_is_in_the_table() {
        let own = std::process::id();
        let entry = table().unwrap().into_iter().find(|entry| entry.pid == own).unwrap();
        assert!(entry.bytes > 100 << 10 && entry.parent > 0, "{entry:?}");
    }
}
