//! `dependent-startup` as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    superlance_dependent_startup::APPLET.main(std::env::args_os())
}
