//! What tests of deviations have in common, whichever listener they are about.

use superlance_testing::{Outcome, Transcript};

use crate::ours;

/// Arguments that send mail into the mailbox.
pub(crate) const MAIL: [&str; 4] = ["-m", "bob@example.com", "-s", "{mailbox}"];

/// Runs both, has `judge` look at them, and insists that ours is well.
#[track_caller]
pub(crate) fn deviates(
    number: &str,
    transcript: &Transcript,
    judge: impl FnOnce(&Outcome, &Outcome),
) {
    superlance_testing::deviates(transcript, ours(), number, |theirs, ours| {
        judge(theirs, ours);
        assert_well(ours);
    });
}

#[track_caller]
pub(crate) fn assert_well(outcome: &Outcome) {
    assert!(outcome.alive && !outcome.unknown, "{outcome:#?}");
    assert_eq!(outcome.exit, Some(0), "{outcome:#?}");
}

#[track_caller]
pub(crate) fn assert_died(outcome: &Outcome, of: &str) {
    assert!(!outcome.alive && outcome.log.contains(of), "{outcome:#?}");
}
