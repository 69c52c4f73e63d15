//! memmon beside the original, and under a real supervisord.

mod deviations;
mod deviations_of_all;
mod transcripts;
mod under_supervisord;

use superlance_testing::{Ballast, FakeProcess, RunningBallast, Transcript};

/// The calls of a check that restarts `foo`.
const RESTART: [&str; 4] = [
    "getAllProcessInfo()",
    "getProcessInfo(foo:foo)",
    "stopProcess(foo:foo)",
    "startProcess(foo:foo)",
];

/// A process of about twenty megabytes.
fn twenty_megabytes(namespec: &str) -> (RunningBallast, FakeProcess) {
    let ballast = Ballast::new(10).spawn();
    let process = FakeProcess::running(namespec, ballast.pid());
    (ballast, process)
}

/// A memmon with these arguments that sees `processes`.
fn memmon(title: &str, arguments: &[&str], processes: &[FakeProcess]) -> Transcript {
    Transcript::new("memmon", title)
        .args(arguments.iter().copied())
        .processes(processes.iter().cloned())
}

/// The same, and it gets one tick.
fn one_tick(title: &str, arguments: &[&str], processes: &[FakeProcess]) -> Transcript {
    memmon(title, arguments, processes).event("TICK_60", "when:1201063880")
}
