//! memmon beside the original, and under a real supervisord.

mod deviations;
mod deviations_of_all;
mod transcripts;
mod under_supervisord;

use superlance_testing::{Ballast, FakeProcess, Outcome, RunningBallast, Transcript};

use crate::ours;

/// The calls of a check that restarts `foo`.
const RESTART: [&str; 4] = [
    "getAllProcessInfo()",
    "getProcessInfo(foo:foo)",
    "stopProcess(foo:foo)",
    "startProcess(foo:foo)",
];

/// Arguments that send mail into the mailbox.
const MAIL: [&str; 4] = ["-m", "bob@example.com", "-s", "{mailbox}"];

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

/// Runs both, has `judge` look at them, and insists that ours is well.
#[track_caller]
fn deviates(number: &str, transcript: &Transcript, judge: impl FnOnce(&Outcome, &Outcome)) {
    superlance_testing::deviates(transcript, ours(), number, |theirs, ours| {
        judge(theirs, ours);
        assert!(ours.alive && !ours.unknown, "{ours:#?}");
        assert_eq!(ours.exit, Some(0), "{ours:#?}");
    });
}

#[track_caller]
fn assert_died(outcome: &Outcome, of: &str) {
    assert!(!outcome.alive && outcome.log.contains(of), "{outcome:#?}");
}
