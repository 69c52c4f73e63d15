//! `superlance status`: at a terminal, in a pipe, and without a supervisord.

mod numbers;
mod reach;
mod screen;

use std::process::{Command, Output};

use superlance_testing::{Scratch, Supervisord};

use crate::ours;

/// `superlance status` with these arguments, and nothing of the environment but `PATH`; to find
/// configurations it begins in `folder`.
fn status(folder: &Scratch, arguments: &[&str]) -> Command {
    let mut command = Command::new(ours());
    command.arg("status").args(arguments).current_dir(folder.path()).env_clear();
    command.envs([("PATH", std::env::var("PATH").unwrap_or_default().as_str()), ("TZ", "UTC")]);
    command
}

/// Runs a command, and returns what it printed, what it said, and its exit status.
#[track_caller]
fn run(mut command: Command) -> (String, String, i32) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = status.code().unwrap_or_else(|| panic!("{command:?}: {status}"));
    (text(stdout), text(stderr), code)
}

/// What it prints of a supervisord, when all is well.
#[track_caller]
fn printed(supervisord: &Supervisord, arguments: &[&str]) -> String {
    let (printed, said, code) = run(status(supervisord.scratch(), arguments));
    assert_eq!((said.as_str(), code), ("", 0), "{arguments:?}: {printed}");
    printed
}
