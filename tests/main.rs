//! The suite as its users meet it: the real program with fake and real supervisords, beside the Python
//! original.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_names,
    clippy::cloned_ref_to_slice_refs,
    clippy::single_element_loop,
    reason = "tests: a failure should end the test, and lists of one grow"
)]

mod alerts;
mod architecture;
mod check;
mod command_line;
mod completions;
mod crash;
mod dependencies;
mod dependent_startup;
mod docs;
mod examples;
mod exitmon;
mod faults;
mod httpok;
mod log;
mod memmon;
mod metrics;
mod names;
mod protocol;
mod reliability;
mod run;
mod security;
mod shared_deviations;
mod signals;
mod silence;
mod status;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use superlance_testing::{Scratch, listeners};

/// The program under test.
fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_superlance"))
}

/// A tool such as `superlance status` with these arguments, and nothing of the environment but `PATH`;
/// to find configurations it begins in `folder`.
fn tool(name: &str, folder: &Scratch, arguments: &[&str]) -> Command {
    let mut command = Command::new(ours());
    command.arg(name).args(arguments).current_dir(folder.path()).env_clear();
    command.envs([("PATH", std::env::var("PATH").unwrap_or_default().as_str()), ("TZ", "UTC")]);
    command
}

/// Runs a command, and returns what it printed, what it said, and its exit status.
#[track_caller]
fn run_whole(mut command: Command) -> (String, String, i32) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = status.code().unwrap_or_else(|| panic!("{command:?}: {status}"));
    (text(stdout), text(stderr), code)
}

/// A folder in which our programs have the names of the originals, for the `PATH` of a supervisord.
fn links() -> (Scratch, PathBuf) {
    let folder = Scratch::new();
    for name in listeners(ours()) {
        std::os::unix::fs::symlink(ours(), folder.join(&name)).unwrap();
    }
    let path = folder.path().to_owned();
    (folder, path)
}
