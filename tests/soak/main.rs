//! `make soak`: what a listener occupies before and after more work than a day brings. Not a test, since
//! it takes minutes; it fails when something has grown.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::exit,
    reason = "a measurement that fails should end"
)]

mod loads;
#[path = "../bench/plug.rs"]
#[allow(dead_code, reason = "the bench needs more of it")]
mod plug;
mod row;

use loads::Loads;

fn main() {
    let loads = Loads::new(env!("CARGO_BIN_EXE_superlance"));
    println!("{}", row::head());
    let mut grown = false;
    for listener in
        ["memmon", "httpok", "crashmail", "crashmailbatch", "fatalmailbatch", "crashsms"]
    {
        for row in [loads.flood(listener), loads.day(listener)] {
            println!("{}", row.text());
            grown |= row.has_grown();
        }
    }
    std::process::exit(i32::from(grown));
}
