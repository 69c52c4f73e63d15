//! What tests of deviations have in common, whichever listener they are about.

use superlance_testing::{Outcome, Transcript, theirs_is_under_test};

use crate::ours;

/// Arguments that send mail into the mailbox.
pub(crate) const MAIL: [&str; 4] = ["-m", "bob@example.com", "-s", "{mailbox}"];

/// Runs both, has `judge` look at them, and insists that ours is well. The original, where it is in our
/// place, must at least live up to the end of its events, of which it dies (D20).
#[track_caller]
pub(crate) fn deviates(
    number: &str,
    transcript: &Transcript,
    judge: impl FnOnce(&Outcome, &Outcome),
) {
    superlance_testing::deviates(transcript, ours(), number, |theirs, ours| {
        judge(theirs, ours);
        assert_alive(ours);
        if !theirs_is_under_test() {
            assert_well(ours);
        }
    });
}

#[track_caller]
pub(crate) fn assert_well(outcome: &Outcome) {
    assert_alive(outcome);
    assert_eq!(outcome.exit, Some(0), "{outcome:#?}");
}

#[track_caller]
fn assert_alive(outcome: &Outcome) {
    assert!(outcome.alive && !outcome.unknown, "{outcome:#?}");
}

#[track_caller]
pub(crate) fn assert_died(outcome: &Outcome, of: &str) {
    assert!(!outcome.alive && outcome.log.contains(of), "{outcome:#?}");
}
