//! `superlance metrics`: once, and again and again into a file.

mod file;
mod once;

use std::process::{Command, Output};

use superlance_testing::Scratch;

use crate::ours;

/// `superlance metrics` with these arguments, and nothing of the environment but `PATH`; to find
/// configurations it begins in `folder`.
fn metrics(folder: &Scratch, arguments: &[&str]) -> Command {
    let mut command = Command::new(ours());
    command.arg("metrics").args(arguments).current_dir(folder.path()).env_clear();
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
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

/// The value of a series, such as `node_supervisord_up{group="foo",name="foo"}`.
fn value(text: &str, series: &str) -> Option<f64> {
    let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(value)
}
