//! `make bench`: what watching costs, ours beside Python's beside the floor, in one run.
//!
//! A real supervisord runs as many processes as a row says; the listener under test is a child of the
//! bench, which sends it events and reads the clock. Prints a table as it goes. A whole run writes
//! `bench.json` into the target folder, and its tables into README.md and docs/performance.md.
//! `cargo bench -p superlance --bench bench -- idle 500` measures these groups alone and writes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that fails should end"
)]

mod floor;
mod memory;
mod plug;
mod report;
mod rows;
mod stop;
mod table;
mod tick;

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs};

use rows::Bench;
use table::Row;

/// The program under test: that of SUPERLANCE_BENCH, or the one that cargo built with the bench, which is
/// larger, since crates have the features that the tests need, too.
fn program() -> PathBuf {
    env::var_os("SUPERLANCE_BENCH")
        .map_or_else(|| env!("CARGO_BIN_EXE_superlance").into(), PathBuf::from)
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "floor") {
        return floor::run(args.get(1).map(String::as_str));
    }
    // Cargo adds an option of its own.
    let wanted: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let (bench, started, mut rows) = (Bench::new(program()), Instant::now(), Vec::new());
    let mut run = |name: &str, measure: &dyn Fn() -> Vec<Row>| {
        if wanted.is_empty() || wanted.iter().any(|wanted| *wanted == name) {
            let measured = measure();
            measured.iter().for_each(|row| println!("{}", row.text()));
            rows.extend(measured);
        }
    };
    println!("{}", table::head());
    run("size", &|| bench.size());
    run("start", &|| bench.start());
    run("idle", &|| bench.idle());
    run("events", &|| bench.events());
    run("batch", &|| bench.batch());
    run("httpok", &|| bench.httpok());
    run("stop", &stop::stop);
    run("at-once", &|| bench.answered_at_once());
    for size in tick::SIZES {
        run(&size.processes.to_string(), &|| bench.ticks(size));
    }
    println!("{:.0} minutes", started.elapsed().as_secs_f64() / 60.0);
    if wanted.is_empty() {
        write(&rows);
    } else if rows.is_empty() {
        panic!(
            "no such group; there are: size start idle events batch httpok at-once 1 10 100 500 1000"
        );
    }
}

fn write(rows: &[Row]) {
    // The bench is in target/release/deps, wherever that is.
    let own = env::current_exe().unwrap();
    let target = own.ancestors().nth(3).unwrap();
    let json: Vec<_> = rows.iter().map(Row::json).collect();
    fs::write(target.join("bench.json"), format!("[\n{}\n]\n", json.join(",\n"))).unwrap();
    let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    report::fill(&project.join("docs/performance.md"), &report::whole(rows));
    report::fill(&project.join("README.md"), &report::headlines(rows));
}
