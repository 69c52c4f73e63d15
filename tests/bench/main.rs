//! `make bench`: what watching costs, ours beside Python's beside the floor, in one run.
//!
//! A real supervisord runs as many processes as a row says; the listener under test is a child of the
//! bench, which sends it ticks and reads the clock when the last process has been looked at.
//! Prints a table, and writes `bench.json` into the target folder and `docs/bench.svg`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that fails should end"
)]

mod floor;
mod picture;
mod plug;
mod rows;
mod table;

use std::path::Path;
use std::{env, fs};

use rows::Bench;
use table::Row;

const PROGRAM: &str = env!("CARGO_BIN_EXE_superlance");

/// Processes under supervisord, and how often the original and ours look at them.
const SIZES: [(usize, [usize; 2]); 5] =
    [(1, [7, 15]), (10, [7, 15]), (100, [3, 15]), (500, [2, 11]), (1_000, [1, 7])];

fn main() {
    let args: Vec<String> = env::args().collect();
    if args.get(1).is_some_and(|arg| arg == "floor") {
        return floor::run(args.get(2).map(String::as_str));
    }
    let (bench, mut rows) = (Bench::new(PROGRAM), Vec::new());
    println!("{}", table::head());
    let mut show = |measured: Vec<Row>| {
        measured.iter().for_each(|row| println!("{}", row.text()));
        rows.extend(measured);
    };
    // `cargo bench … -- 500` measures that row alone, and writes nothing.
    let wanted: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    if !wanted.is_empty() {
        for (processes, rounds) in SIZES.iter().filter(|(size, _)| wanted.contains(size)) {
            show(bench.ticks(*processes, *rounds));
        }
        return;
    }
    show(bench.size());
    show(bench.start());
    show(bench.idle());
    show(bench.httpok());
    show(bench.crashmail());
    show(bench.batch());
    for (processes, rounds) in SIZES {
        show(bench.ticks(processes, rounds));
    }
    // The program is in target/release, wherever that is.
    let target = Path::new(PROGRAM).ancestors().nth(2).unwrap();
    let json: Vec<_> = rows.iter().map(Row::json).collect();
    fs::write(target.join("bench.json"), format!("[\n{}\n]\n", json.join(",\n"))).unwrap();
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bench.svg");
    fs::write(picture, picture::draw(&rows)).unwrap();
}
