//! The end of supervisord: who is asked for it, and how.

use std::fs;
use std::os::unix::process::parent_id;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use superlance_core::supervisor::Supervisor;
use superlance_core::system::process::user_of_ancestor;

/// Begins the end of supervisord, by the best way that works: `superlance run`, which stops quickly;
/// supervisord; a signal to the parent. Says what was done.
///
/// # Errors
/// When none works: why.
pub(crate) fn shut_down(
    supervisor: &mut dyn Supervisor,
    run: Option<i32>,
) -> Result<String, String> {
    let mut reasons = Vec::new();
    if let Some(pid) = run {
        match ask_run(pid) {
            Ok(()) => return Ok(format!("superlance run (pid {pid}) was asked to end")),
            Err(reason) => reasons.push(format!("superlance run (pid {pid}): {reason}")),
        }
    }
    match supervisor.shut_down() {
        Err(error) if !error.is_shutdown() => reasons.push(error.to_string()),
        _ => return Ok("supervisord was told to shut down".to_owned()),
    }
    let parent = parent_id();
    let is_supervisord = supervisor.pid().is_ok_and(|pid| pid == parent) || is_supervisord(parent);
    let signalled = match is_supervisord {
        true => terminate(parent),
        false => Err("the parent of exitmon is no supervisord".to_owned()),
    };
    signalled.map(|()| format!("SIGTERM was sent to supervisord (pid {parent})")).map_err(
        |reason| {
            reasons.push(reason);
            reasons.join("; ")
        },
    )
}

/// A process with this id may be another one by now, but no ancestor.
fn ask_run(pid: i32) -> Result<(), String> {
    let pid = u32::try_from(pid).map_err(|error| error.to_string())?;
    user_of_ancestor(pid).ok_or("it is no ancestor of exitmon")?;
    terminate(pid)
}

fn terminate(pid: u32) -> Result<(), String> {
    let pid = i32::try_from(pid).map_err(|error| error.to_string())?;
    kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(|errno| errno.desc().to_owned())
}

/// Whether a process is called supervisord, or runs a script of this name.
fn is_supervisord(pid: u32) -> bool {
    let read = |file| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let words = read("cmdline");
    let mut words = words.split(|byte| *byte == 0);
    read("comm").trim_ascii_end() == b"supervisord"
        || words.any(|word| word.ends_with(b"supervisord"))
}
