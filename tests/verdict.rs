//! Helpers of the tests of deviations, for all listeners.

use superlance_testing::{Answer, Outcome, Transcript, theirs_is_under_test};

use crate::ours;

/// Arguments that send mail into the mailbox.
pub(crate) const MAIL: [&str; 4] = ["-m", "bob@example.com", "-s", "{mailbox}"];

/// A bad answer to one question, by name; the last words of the original, and what ours says of it:
/// nothing where it asks again at once.
type BadAnswer = (&'static str, fn() -> Answer, &'static str, Option<&'static str>);

const NONSENSE: Option<&str> = Some("cannot understand the answer of supervisord at [SERVER]");
const STATUS: Option<&str> = Some("supervisord at [SERVER] answered HTTP 500");

/// Answers of supervisord that make no sense, and those that break off.
pub(crate) const BAD_ANSWERS: [BadAnswer; 5] = [
    ("HTML", || Answer::Garbage(b"<html><br></html>".to_vec()), "ExpatError", NONSENSE),
    ("an empty answer", || Answer::Garbage(Vec::new()), "ExpatError", NONSENSE),
    ("HTTP 500", || Answer::Http(500, "oops".to_owned()), "ProtocolError", STATUS),
    ("no answer", || Answer::CloseBefore, "RemoteDisconnected", None),
    ("half an answer", || Answer::CloseMiddle, "IncompleteRead", None),
];

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
