//! Servers in Python: scripts that print the port they listen at, and end with their standard
//! input.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::capture::Capture;
use crate::leash::Leash;
use crate::venv;
use crate::wait::{SOON, wait_for};

/// A running server; killed when the value goes.
#[derive(Debug)]
pub(crate) struct PythonServer {
    /// Where it listens.
    pub(crate) port: u16,
    _process: Leash,
}

impl PythonServer {
    /// Starts a script that gets the port, or 0 for any, as its first argument.
    #[track_caller]
    pub(crate) fn spawn<S: AsRef<OsStr>>(
        source: &str,
        port: u16,
        args: impl IntoIterator<Item = S>,
    ) -> PythonServer {
        let mut command = Command::new(venv::python());
        command.args(["-W", "ignore", "-c", source, &port.to_string()]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Leash::spawn(&mut command);
        let stdout = Capture::new(process.child.stdout.take().expect("stdout is a pipe"));
        let port = wait_for("a server in Python to listen", SOON, || {
            let status = process.child.try_wait().expect("a child can be asked for");
            assert!(status.is_none(), "a server in Python ended at once, see its error above");
            stdout.text().strip_suffix('\n')?.parse().ok()
        });
        PythonServer { port, _process: process }
    }
}
