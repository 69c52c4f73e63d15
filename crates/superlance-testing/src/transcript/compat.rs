//! The verdicts of a comparison: the same, or different as a numbered deviation says.
//!
//! `SUPERLANCE_UNDER_TEST=theirs` puts the original into our place: what is said to be the same must
//! then come out of the original twice, and what is said to deviate must be false of it.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use super::diff::side_by_side;
use super::sections::{Shown, differences};
use super::stage::{Progress, Stage};
use super::{Outcome, Transcript};
use crate::cases::{Case, has_heading};
use crate::subject::Who;

/// Whether the original is in our place, as `SUPERLANCE_UNDER_TEST` says.
///
/// # Panics
/// When it says neither `ours` nor `theirs`.
#[must_use]
#[track_caller]
pub fn theirs_is_under_test() -> bool {
    match env::var("SUPERLANCE_UNDER_TEST").as_deref() {
        Err(_) | Ok("" | "ours") => false,
        Ok("theirs") => true,
        Ok(other) => panic!("SUPERLANCE_UNDER_TEST is {other:?}, expected ours or theirs"),
    }
}

/// Who is compared with the original.
#[track_caller]
fn under_test(ours: &Path) -> Who {
    match theirs_is_under_test() {
        true => Who::Theirs,
        false => Who::Ours(ours.to_owned()),
    }
}

/// Plays a transcript with both, and insists that the outcomes are equal, and that both live: when both
/// have died, equal outcomes show little.
#[track_caller]
pub fn same(transcript: &Transcript, ours: &Path) {
    let Transcript { program, title, .. } = transcript;
    // Ours gets the time to do everything that theirs did at a step before the next one.
    let mut pace = Vec::new();
    let theirs = play(transcript, &Who::Theirs, &mut pace);
    let ours = play(transcript, &under_test(ours), &mut pace).without(&transcript.additions);
    let [theirs_text, ours_text] =
        [&theirs, &ours].map(|outcome| outcome.clone().compared_in(transcript).to_text());
    if theirs_text != ours_text {
        note("unexplained", program, title, &theirs, &ours);
        let columns = side_by_side("theirs", &theirs_text, "ours", &ours_text);
        panic!("{program} differs, {title}:\n{columns}");
    }
    assert!(theirs.alive && !theirs.unknown, "{program} has died, {title}:\n{theirs_text}");
    Case::new("same", program, title).write();
}

/// Plays a transcript with both, and has the test check both: a deviation with this number in
/// docs/compatibility.md.
///
/// With the original under test it is played with that twice. Both outcomes must be equal, and the
/// check must fail: what is true of the original is no deviation.
#[track_caller]
pub fn deviates(
    transcript: &Transcript,
    ours: &Path,
    deviation: &str,
    check: impl FnOnce(&Outcome, &Outcome),
) {
    let Transcript { program, title, .. } = transcript;
    let theirs = transcript.run(&Who::Theirs);
    let ours = transcript.run(&under_test(ours));
    let verdict = catch_unwind(AssertUnwindSafe(|| check(&theirs, &ours)));
    if !theirs_is_under_test() {
        let explained = verdict.is_ok() && has_heading(deviation);
        note(if explained { deviation } else { "unexplained" }, program, title, &theirs, &ours);
        verdict.unwrap_or_else(|panic| resume_unwind(panic));
        assert!(explained, "docs/compatibility.md has no heading {deviation}");
        return;
    }
    let [once, twice] =
        [&theirs, &ours].map(|outcome| outcome.clone().compared_in(transcript).to_text());
    let columns = || side_by_side("once", &once, "twice", &twice);
    assert!(once == twice, "{program} is not the same twice, {title}:\n{}", columns());
    assert!(verdict.is_err(), "{program} does what {deviation} says of ours: {title}");
    note(deviation, program, title, &theirs, &ours);
}

/// Notes a comparison that a test has made in its own way and that only the test can show.
///
/// # Panics
/// When the verdict is a number, and docs/compatibility.md has no heading for it.
#[track_caller]
pub fn record(verdict: &str, program: &str, title: &str) {
    if counts(verdict) {
        Case::new(verdict, program, title).write();
    }
}

/// Like [`record`], with what came out of both.
///
/// # Panics
/// As [`record`].
#[track_caller]
pub fn record_both(
    verdict: &str,
    program: &str,
    title: &str,
    theirs: &dyn Shown,
    ours: &dyn Shown,
) {
    if counts(verdict) {
        note(verdict, program, title, theirs, ours);
    }
}

/// Whether the verdict of a test is one; such a test always runs ours.
#[track_caller]
fn counts(verdict: &str) -> bool {
    let numbered = verdict.strip_prefix('D').is_some_and(|number| number.parse::<u32>().is_ok());
    assert!(!numbered || has_heading(verdict), "docs/compatibility.md has no heading {verdict}");
    !theirs_is_under_test()
}

fn play(transcript: &Transcript, who: &Who, pace: &mut Vec<Progress>) -> Outcome {
    Stage::new(transcript, who).play(pace)
}

fn note(verdict: &str, program: &str, title: &str, theirs: &dyn Shown, ours: &dyn Shown) {
    let [mut theirs, mut ours] = [theirs.sections(), ours.sections()];
    // How the original ends when its events do is shown under its own number, and nowhere else.
    if verdict != "D20" {
        for (title, text) in theirs.iter_mut().chain(&mut ours) {
            match title.as_str() {
                "exit status after the end of the events" => text.clear(),
                "log after the end of the events" => {
                    *text = text.replace("[TRACEBACK] KeyError: 'len'\n", "");
                }
                _ => {}
            }
        }
    }
    let differences = differences(&theirs, &ours);
    Case::new(verdict, program, title).showing(differences).write();
}
