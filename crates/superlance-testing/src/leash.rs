//! Child processes that end with the test that started them.
//!
//! A process group is not enough: supervisord and our mail commands make groups of their own. So
//! every tree carries a mark in its environment, and what carries it is killed at the end.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::wait::{SOON, try_wait};

const MARK: &str = "SUPERLANCE_TEST";

/// A child process, killed with all its descendants when the value goes.
#[derive(Debug)]
pub struct Leash {
    pub child: Child,
    mark: String,
}

impl Leash {
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Leash {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let spawned = command.env(MARK, &mark).process_group(0).spawn();
        let child = match spawned {
            Ok(child) => child,
            Err(error) => panic!("cannot run {:?}: {error}", command.get_program()),
        };
        Leash { child, mark }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process ID fits"))
    }

    pub fn signal(&self, signal: Signal) {
        // A process that is gone already is what a signal would have led to.
        let _ = kill(self.pid(), signal);
    }

    /// Kills the child and everything it left behind.
    pub fn kill_all(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
        let quiet = try_wait(SOON, || {
            let left = self.descendants();
            for pid in &left {
                let _ = kill(*pid, Signal::SIGKILL);
            }
            left.is_empty().then_some(())
        });
        if quiet.is_none() {
            eprintln!("cannot get rid of processes {:?}", self.descendants());
        }
    }

    /// Every living process that carries the mark.
    pub fn descendants(&self) -> Vec<Pid> {
        let mark = format!("{MARK}={}\0", self.mark).into_bytes();
        let marked = |environ: &[u8]| environ.windows(mark.len()).any(|part| part == mark);
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid: &i32| {
                fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| marked(&environ))
            })
            .map(Pid::from_raw)
            .collect()
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.kill_all();
    }
}
