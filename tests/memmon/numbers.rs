//! Sizes and times on the command line, as the original reads them: one Python for a whole table.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use superlance_core::options::units::{parse_duration, parse_size};
use superlance_testing::{record, venv};

/// Prints what memmon makes of each text, as a size and as a time; a refusal is an empty field.
const THEIRS: &str = r#"
import sys
from superlance.memmon import byte_size, seconds_size

def read(function, text):
    try:
        return function(text)
    except ValueError:
        return ""

for text in sys.stdin.read().split("\n"):
    print(read(byte_size, text), read(seconds_size, text), sep=",")
"#;

const NUMBERS: [&str; 14] =
    ["0", "1", "5", "05", "10000", "+5", " 5 ", "-5", "-0", "", "x", "5.5", "1 0", "99999999999"];
const SUFFIXES: [&str; 26] = [
    "", " ", "KB", "kb", "Kb", "MB", "mb", " MB", "MB ", "GB", "gb", "B", "K", "TB", "KiB", "XB",
    "s", "S", "m", "M", "h", "H", "d", " d", "d ", "w",
];

/// What the original has not: decimals, other suffixes, and blanks after the suffix.
fn is_addition(text: &str) -> bool {
    let suffix = text.trim_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '+');
    text.ends_with(' ') || text.contains('.') || ["B", "K", "M", "m", "TB", "KiB"].contains(&suffix)
}

/// What became of a text: `same`, `added`, or the number of a deviation.
#[track_caller]
fn verdict(what: &str, text: &str, theirs: &str, ours: Option<u64>) -> &'static str {
    let theirs: Option<i128> = (!theirs.is_empty()).then(|| theirs.parse().unwrap());
    match (theirs, ours) {
        (Some(theirs), Some(ours)) if theirs == i128::from(ours) => "same",
        (None, None) => "same",
        // Negative, or beyond 64 bits.
        (Some(theirs), None) if text.starts_with('-') || theirs > i128::from(u64::MAX) => "D23",
        (None, Some(_)) if is_addition(text) => "added",
        _ => panic!("{text:?} as a {what}: {theirs:?} for the original, {ours:?} for ours"),
    }
}

#[test]
fn sizes_and_times_are_read_the_same() {
    let texts: Vec<_> = NUMBERS
        .into_iter()
        .flat_map(|number| SUFFIXES.map(|suffix| format!("{number}{suffix}")))
        .collect();
    let mut python = Command::new(venv::python())
        .args(["-c", THEIRS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(texts.join("\n").as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), texts.len());
    let mut verdicts = BTreeMap::<_, usize>::new();
    for (text, theirs) in texts.iter().zip(theirs.lines()) {
        let (size, time) = theirs.split_once(',').unwrap();
        let size = verdict("size", text, size, parse_size(text).ok());
        let seconds = parse_duration(text).ok().as_ref().map(Duration::as_secs);
        let time = verdict("time", text, time, seconds);
        *verdicts.entry((size, "sizes")).or_default() += 1;
        *verdicts.entry((time, "times")).or_default() += 1;
    }
    for ((verdict, what), count) in verdicts {
        record(verdict, "memmon", &format!("{count} texts as {what}"));
    }
}
