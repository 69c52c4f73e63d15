//! A real supervisord, out of the Python environment, with everything it needs in a scratch
//! folder.

mod config;
mod rpc;
mod start;

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

pub use config::{Builder, Http};
use rpc::Client;

use crate::leash::Leash;
use crate::scratch::Scratch;
use crate::venv;
use crate::wait::{SOON, try_wait};

/// One of the outputs of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Channel {
    Stdout,
    Stderr,
}

/// A running supervisord; killed, with everything it started, when the value goes.
#[derive(Debug)]
pub struct Supervisord {
    process: Leash,
    client: Option<Client>,
    scratch: Scratch,
}

impl Supervisord {
    /// A configuration to fill in and start.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The folder with its configuration, its logs and its socket.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Its URL, as its listeners see it.
    ///
    /// # Panics
    /// When it has no http server.
    #[must_use]
    #[track_caller]
    pub fn server_url(&self) -> String {
        self.client().address.url()
    }

    /// Its own log.
    #[must_use]
    pub fn log(&self) -> String {
        self.read("supervisord.log")
    }

    /// What the processes of a `[program:x]` or `[eventlistener:x]` have written; with
    /// `numprocs`, all of them.
    #[must_use]
    pub fn process_log(&self, name: &str, channel: Channel) -> String {
        self.read(&config::log_name(name, channel))
    }

    /// Runs supervisorctl.
    #[track_caller]
    pub fn ctl(&self, args: &[&str]) -> Output {
        let mut command = Command::new(venv::program("supervisorctl"));
        command.arg("-c").arg(self.scratch.join("supervisord.conf")).args(args);
        command.output().expect("supervisorctl should run")
    }

    /// The process ID of a process; 0 if it does not run.
    #[must_use]
    #[track_caller]
    pub fn pid_of(&self, namespec: &str) -> u32 {
        let pid = self.client().info(namespec, "pid");
        pid.parse().expect("a process ID is a number")
    }

    /// The state of a process in supervisord's words, like `RUNNING`.
    #[must_use]
    #[track_caller]
    pub fn state_of(&self, namespec: &str) -> String {
        self.client().info(namespec, "statename")
    }

    /// Waits for a state of a process.
    #[track_caller]
    pub fn wait_state(&self, namespec: &str, state: &str) {
        self.wait(&format!("{namespec} to be {state}"), SOON, || self.state_of(namespec) == state);
    }

    /// Waits until a process runs under another process ID than this, and returns that.
    #[track_caller]
    pub fn wait_restart(&self, namespec: &str, old_pid: u32) -> u32 {
        let restarted = || {
            let pid = self.pid_of(namespec);
            pid != 0 && pid != old_pid && self.state_of(namespec) == "RUNNING"
        };
        self.wait(&format!("the restart of {namespec}"), SOON, restarted);
        self.pid_of(namespec)
    }

    /// Calls a method with texts as arguments, and returns the answer's XML.
    #[track_caller]
    pub fn call(&self, method: &str, args: &[&str]) -> String {
        match self.client().call(method, args) {
            Ok(answer) => answer,
            Err(error) => panic!("no answer to {method}: {error}\n{}", self.log()),
        }
    }

    /// Waits until its own log contains a text.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        self.wait(&format!("{text:?} in the log"), SOON, || self.log().contains(text));
    }

    /// Waits until the log of a process contains a text.
    #[track_caller]
    pub fn wait_for_process_log(&self, name: &str, channel: Channel, text: &str) {
        let log = || self.process_log(name, channel);
        match try_wait(SOON, || log().contains(text).then_some(())) {
            Some(()) => {}
            None => panic!("no {text:?} in the log of {name}:\n{}\n{}", log(), self.log()),
        }
    }

    /// The process ID of supervisord itself.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// What it and its wrapper have printed.
    #[must_use]
    pub fn output(&self) -> String {
        self.read("supervisord.out")
    }

    /// Sends it a signal, or its wrapper if it has one.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for the end of supervisord, or of its wrapper: the exit status.
    #[track_caller]
    pub fn wait_exit(&mut self) -> Option<i32> {
        let ended = try_wait(SOON, || self.process.child.try_wait().expect("it is our child"));
        let status = ended.unwrap_or_else(|| panic!("no end\n{}\n{}", self.output(), self.log()));
        status.code()
    }

    /// Whether supervisord has ended.
    #[track_caller]
    pub fn has_ended(&mut self) -> bool {
        self.process.child.try_wait().expect("supervisord is our child").is_some()
    }

    /// Kills supervisord alone; its children find out for themselves.
    pub fn kill9(&mut self) {
        self.process.signal(Signal::SIGKILL);
        self.process.child.wait().expect("supervisord is our child");
    }

    /// Stops supervisord and with it all processes, and says how long that took.
    #[track_caller]
    pub fn stop(&mut self) -> Duration {
        let start = Instant::now();
        self.process.signal(Signal::SIGTERM);
        let ended = try_wait(Duration::from_secs(60), || {
            self.process.child.try_wait().expect("supervisord is our child")
        });
        assert!(ended.is_some(), "supervisord does not stop\n{}", self.log());
        start.elapsed()
    }

    #[track_caller]
    fn wait(&self, what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
        if try_wait(limit, || holds().then_some(())).is_none() {
            panic!("waited {limit:?} in vain for {what}\n{}", self.log());
        }
    }

    #[track_caller]
    fn client(&self) -> &Client {
        self.client.as_ref().expect("this supervisord was started with Http::None")
    }

    fn read(&self, name: &str) -> String {
        // Not there yet is as good as empty.
        let bytes = fs::read(self.scratch.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
