//! `exitmon` as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    superlance_exitmon::APPLET.main(std::env::args_os())
}
