//! The end of `make compat`: prints what the tests have compared, and judges it.
//!
//! `compat TABLE` prints how many cases are the same and how many deviate, by number; `compat TABLE all`
//! also what is different in each of them, and `compat TABLE D3` only those of one number.
#![allow(
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a program that prints a table, for those who build this"
)]

mod report;

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use superlance_testing::{Case, headings};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    let Some(table) = args.get(1) else {
        eprintln!("compat: expected the file that the tests have written");
        return ExitCode::from(2);
    };
    let (cases, headings) = (Case::read(Path::new(table)), headings());
    let report = report::Report { cases: &cases, headings: &headings };
    let mut text = String::new();
    if let Some(wanted) = args.get(2).map(String::as_str).filter(|wanted| !wanted.is_empty()) {
        if wanted != "all" && !headings.iter().any(|heading| heading.number == wanted) {
            eprintln!("compat: docs/compatibility.md has no heading {wanted}");
            return ExitCode::from(2);
        }
        text += &report.differences(wanted);
    }
    text += &report.table();
    // A reader that has seen enough, such as head, is no failure.
    let _ = io::stdout().write_all(text.as_bytes());
    let faults = report.faults();
    faults.iter().for_each(|fault| eprintln!("compat: {fault}"));
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
