//! `superlance status`: at a terminal, in a pipe, and without a supervisord.

mod numbers;
mod reach;
mod screen;

use std::process::Command;

use superlance_testing::{Scratch, Supervisord};

use crate::{run_whole as run, tool};

fn status(folder: &Scratch, arguments: &[&str]) -> Command {
    tool("status", folder, arguments)
}

/// What it prints of a supervisord, when all is well.
#[track_caller]
fn printed(supervisord: &Supervisord, arguments: &[&str]) -> String {
    let (printed, said, code) = run(status(supervisord.scratch(), arguments));
    assert_eq!((said.as_str(), code), ("", 0), "{arguments:?}: {printed}");
    printed
}
