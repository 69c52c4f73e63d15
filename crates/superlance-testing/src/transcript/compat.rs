//! The two verdicts: the same, or different in a way that has a number.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::diff::side_by_side;
use super::stage::Stage;
use super::{Outcome, Transcript};
use crate::subject::Who;

/// Plays a transcript with both, and insists that the outcomes are equal.
#[track_caller]
pub fn same(transcript: &Transcript, ours: &Path) {
    let Transcript { program, title, .. } = transcript;
    // Whatever theirs got done at a step, ours gets the time to do as well before the next one.
    let mut pace = Vec::new();
    let theirs = Stage::new(transcript, &Who::Theirs).play(&mut pace);
    let theirs = theirs.compared_in(transcript).to_text();
    let ours = Stage::new(transcript, &Who::Ours(ours.to_owned())).play(&mut pace);
    let ours = ours.without(&transcript.additions).compared_in(transcript).to_text();
    if theirs != ours {
        let columns = side_by_side("theirs", &theirs, "ours", &ours);
        panic!("{program} differs, {title}:\n{columns}");
    }
    record("same", program, title);
}

/// Plays a transcript with both, and has the test check both: a deviation with this number in
/// docs/compatibility.md.
#[track_caller]
pub fn deviates(
    transcript: &Transcript,
    ours: &Path,
    deviation: &str,
    check: impl FnOnce(&Outcome, &Outcome),
) {
    let theirs = transcript.run(&Who::Theirs);
    let ours = transcript.run(&Who::Ours(ours.to_owned()));
    check(&theirs, &ours);
    println!("{deviation} {}: {}", transcript.program, transcript.title);
    record(deviation, &transcript.program, &transcript.title);
}

/// Notes a comparison, made here or otherwise, in the table that `SUPERLANCE_COMPAT_TABLE` names.
///
/// # Panics
/// When the table cannot be written.
#[track_caller]
pub fn record(verdict: &str, program: &str, title: &str) {
    let Some(table) = env::var_os("SUPERLANCE_COMPAT_TABLE") else {
        return;
    };
    let line = format!("{verdict}\t{program}\t{title}\n");
    // One write in append mode: tests of several processes may share the table.
    let table = OpenOptions::new().create(true).append(true).open(table);
    table.and_then(|mut table| table.write_all(line.as_bytes())).expect("the table is writable");
}
