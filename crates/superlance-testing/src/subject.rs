//! The program under test: ours, or the Python original.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::listener::Listener;
use crate::venv;

/// Whose program it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// This multi-call binary.
    Ours(PathBuf),
    /// The console script in the Python environment.
    Theirs,
}

/// The event listeners in our multi-call binary, as `--list` names them.
///
/// # Panics
/// When it does not list them.
#[must_use]
#[track_caller]
pub fn listeners(binary: &Path) -> Vec<String> {
    let output = Command::new(binary).arg("--list").output().expect("the program should run");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// A program with its arguments and its whole environment, ready to run.
///
/// Nothing of the environment of the tests gets through but `PATH`, so a test says what it needs.
#[derive(Clone, Debug)]
pub struct Subject {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, Option<String>)>,
}

impl Subject {
    /// The program of this name, ours or theirs, as supervisord would start it as a listener.
    #[must_use]
    #[track_caller]
    pub fn new(who: &Who, name: &str) -> Subject {
        let (program, args) = match who {
            Who::Ours(binary) => (binary.clone(), vec![name.to_owned()]),
            Who::Theirs => (venv::program(name), Vec::new()),
        };
        let subject = Subject { name: name.to_owned(), program, args, env: Vec::new() };
        subject
            .env("PATH", &std::env::var("PATH").unwrap_or_default())
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("SUPERVISOR_ENABLED", "1")
            .env("SUPERVISOR_PROCESS_NAME", name)
            .env("SUPERVISOR_GROUP_NAME", name)
    }

    /// Our program, out of the multi-call binary.
    #[must_use]
    pub fn ours(binary: &Path, name: &str) -> Subject {
        Subject::new(&Who::Ours(binary.to_owned()), name)
    }

    /// The original.
    #[must_use]
    #[track_caller]
    pub fn theirs(name: &str) -> Subject {
        Subject::new(&Who::Theirs, name)
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Subject {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Subject {
        self.env.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Removes an environment variable that a listener has otherwise.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Subject {
        self.env.push((name.to_owned(), None));
        self
    }

    /// Tells the program where supervisord is.
    #[must_use]
    pub fn server_url(self, url: &str) -> Subject {
        self.env("SUPERVISOR_SERVER_URL", url)
    }

    /// Lets a shell run this in the same process first, such as `ulimit -f 0`.
    #[must_use]
    pub fn after(mut self, shell: &str) -> Subject {
        let program = std::mem::replace(&mut self.program, PathBuf::from("/bin/sh"));
        let first = ["-c".to_owned(), format!("{shell}; exec \"$@\""), "sh".to_owned()];
        self.args.splice(0..0, first.into_iter().chain([program.display().to_string()]));
        self
    }

    /// The name of the program.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Starts it as a listener.
    #[must_use]
    #[track_caller]
    pub fn spawn(&self) -> Listener {
        Listener::spawn(&self.name, &mut self.command())
    }

    /// Runs it with nothing on standard input, and waits for its end.
    #[track_caller]
    pub fn output(&self, limit: Duration) -> Output {
        let mut listener = Listener::spawn(&self.name, self.command().stdin(Stdio::null()));
        let status = listener.wait_exit(limit);
        let (stdout, stderr) = (listener.stdout().into_bytes(), listener.stderr().into_bytes());
        Output { status, stdout, stderr }
    }

    /// The command as it would be started, for who wants to hold the pipes himself.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().stdin(Stdio::piped());
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}
