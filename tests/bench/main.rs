//! `make bench`: what watching costs, ours beside Python's, measured in one run and interleaved.
//!
//! A real supervisord runs as many processes as a row says; the listener under test is a child of the
//! bench, which sends it ticks and reads the clock when the last process has been looked at.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that fails should end"
)]

mod measure;

use std::env;
use std::path::Path;

use superlance_testing::{Supervisord, Who};

use measure::{Cost, Idle, median};

/// Processes under supervisord, row by row, and how often each is measured.
const SIZES: [(usize, usize); 4] = [(1, 9), (10, 9), (100, 5), (500, 3)];

fn main() {
    let ours = Who::Ours(Path::new(env!("CARGO_BIN_EXE_superlance")).to_owned());
    let both = [Who::Theirs, ours];
    println!("{:<44} {:>12} {:>12} {:>9}", "", "Python's", "ours", "ratio");

    let starts = both.each_ref().map(|who| median((0..7).map(|_| measure::start(who))));
    row("memmon, start to first READY", starts.map(|s| s * 1e3), "ms");
    let idle = both.each_ref().map(measure::idle);
    row("memmon, idle, resident memory", idle.each_ref().map(|Idle { rss, .. }| *rss), "MB");
    row("memmon, idle, proportional memory", idle.each_ref().map(|Idle { pss, .. }| *pss), "MB");

    for cumulative in [false, true] {
        for (processes, rounds) in SIZES {
            let supervisord = supervisord_with(processes);
            let mut costs: [Vec<Cost>; 2] = Default::default();
            for _ in 0..rounds {
                for (who, costs) in both.iter().zip(&mut costs) {
                    costs.push(measure::tick(who, &supervisord, processes, cumulative));
                }
            }
            let of = |cost: fn(&Cost) -> f64| costs.each_ref().map(|c| median(c.iter().map(cost)));
            let what = format!("{processes} processes{}", if cumulative { ", -c" } else { "" });
            row(&format!("memmon, tick over {what}"), of(|cost| cost.time * 1e3), "ms");
            row(&format!("memmon, CPU of that tick, {what}"), of(|cost| cost.cpu * 1e3), "ms");
        }
    }
}

fn supervisord_with(processes: usize) -> Supervisord {
    let count = processes.to_string();
    let lines = [
        ("numprocs", count.as_str()),
        ("process_name", "%(program_name)s_%(process_num)03d"),
        ("startsecs", "0"),
        ("stdout_logfile", "NONE"),
        ("stderr_logfile", "NONE"),
    ];
    let supervisord = Supervisord::builder()
        .main("minfds", "8192")
        .program("sleep", "/bin/sleep 100000", &lines)
        .start();
    supervisord.wait_state(&format!("sleep:sleep_{:03}", processes - 1), "RUNNING");
    supervisord
}

fn row(what: &str, [theirs, ours]: [f64; 2], unit: &str) {
    let with_unit = |value: f64| format!("{value:.2} {unit}");
    let (theirs_text, ours_text) = (with_unit(theirs), with_unit(ours));
    println!("{what:<44} {theirs_text:>12} {ours_text:>12} {:>8.0}x", theirs / ours);
}
