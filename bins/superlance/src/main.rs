//! The program: every command of the suite.

use std::process::ExitCode;

fn main() -> ExitCode {
    superlance::main(std::env::args_os().collect())
}
