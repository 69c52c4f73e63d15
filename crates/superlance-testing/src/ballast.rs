//! Real processes of a known memory size, to be watched and restarted.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::capture::Capture;
use crate::leash::Leash;
use crate::scratch::Scratch;
use crate::venv;
use crate::wait::{SOON, wait_until};

const SOURCE: &str = include_str!("ballast.py");

/// What a process of a known size shall be like. The interpreter adds about 10 MB of its own.
#[derive(Clone, Debug, Default)]
pub struct Ballast {
    options: Vec<String>,
}

impl Ballast {
    /// Of so many megabytes from the start.
    #[must_use]
    pub fn new(mb: u32) -> Ballast {
        Ballast::default().with(&["--mb", &mb.to_string()])
    }

    /// Growing by so many megabytes every so often.
    #[must_use]
    pub fn growing(self, mb: u32, every: Duration) -> Ballast {
        let every = every.as_secs_f64().to_string();
        self.with(&["--grow-mb", &mb.to_string(), "--grow-every", &every])
    }

    /// With children of so many megabytes each, which end with their parent.
    #[must_use]
    pub fn children(self, count: u32, mb: u32) -> Ballast {
        self.with(&["--children", &count.to_string(), "--child-mb", &mb.to_string()])
    }

    /// With so many megabytes more that it shares with its children, as a server that forks after it
    /// has loaded its data.
    #[must_use]
    pub fn sharing(self, mb: u32) -> Ballast {
        self.with(&["--shared-mb", &mb.to_string()])
    }

    /// Deaf to SIGTERM.
    #[must_use]
    pub fn ignoring_term(self) -> Ballast {
        self.with(&["--ignore-term"])
    }

    /// Takes this long to stop after SIGTERM.
    #[must_use]
    pub fn stopping_for(self, time: Duration) -> Ballast {
        self.with(&["--stop-after", &time.as_secs_f64().to_string()])
    }

    /// Exits by itself after this time, with this code.
    #[must_use]
    pub fn exiting(self, after: Duration, code: u8) -> Ballast {
        let after = after.as_secs_f64().to_string();
        self.with(&["--exit-after", &after, "--exit-code", &code.to_string()])
    }

    /// The command for a `[program:x]`; its source goes into the folder.
    #[must_use]
    #[track_caller]
    pub fn command(&self, folder: &Scratch) -> String {
        let source = folder.write("ballast.py", SOURCE);
        let python = venv::python();
        format!("{} {} {}", python.display(), source.display(), self.options.join(" "))
    }

    /// Starts it as a child of the test, and waits until it has its size.
    #[must_use]
    #[track_caller]
    pub fn spawn(&self) -> RunningBallast {
        let mut command = Command::new(venv::python());
        command.args(["-c", SOURCE]).args(&self.options);
        let mut process = Leash::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let stdout = Capture::new(process.child.stdout.take().expect("stdout is a pipe"));
        wait_until("the ballast to be ready", SOON, || stdout.text().contains("ready"));
        RunningBallast { process }
    }

    fn with(mut self, options: &[&str]) -> Ballast {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self
    }
}

/// A running process of a known size; killed when the value goes.
#[derive(Debug)]
pub struct RunningBallast {
    process: Leash,
}

impl RunningBallast {
    /// The process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }
}
