//! `make soak`: memory, threads and descriptors before and after more work than a day brings. Not a test,
//! since it takes minutes; it fails when something has grown.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that fails should end"
)]

mod loads;
#[path = "../bench/plug.rs"]
#[allow(dead_code, reason = "the bench needs more of it")]
mod plug;
mod row;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use loads::Loads;

const PROGRAM: &str = env!("CARGO_BIN_EXE_superlance");

fn main() -> ExitCode {
    // `cargo bench … --bench soak -- memmon` has that one alone bear it.
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let loads = Loads::new(PROGRAM);
    println!("{}", row::head());
    let mut grown = false;
    for listener in superlance_testing::listeners(Path::new(PROGRAM)) {
        if !wanted.is_empty() && !wanted.contains(&listener) {
            continue;
        }
        for load in [Loads::flood, Loads::flood_to_disk, Loads::day] {
            let row = load(&loads, &listener);
            println!("{}", row.text());
            grown |= row.has_grown();
        }
    }
    if grown { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
