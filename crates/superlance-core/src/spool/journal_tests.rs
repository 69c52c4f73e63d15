//! What survives of a journal.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A private directory in a temporary one.
fn place() -> (TempDir, Arc<StateDir>, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let directory = Arc::new(StateDir::open(parent.path(), "x").unwrap());
    let file = parent.path().join("x/lines.journal");
    (parent, directory, file)
}

fn open(directory: &Arc<StateDir>) -> Kept<String> {
    Journal::open(directory, "lines").unwrap()
}

#[test]
fn what_was_appended_is_there_until_it_is_settled() {
    let (_parent, directory, file) = place();
    let mut kept = open(&directory);
    assert_eq!((&kept.records, kept.strange), (&vec![], None));
    for line in ["one", "two\nlines", "three"] {
        kept.journal.append(&line).unwrap();
    }
    assert_eq!(open(&directory).records, ["one", "two\nlines", "three"]);
    kept.journal.rewrite(["three"]).unwrap();
    kept.journal.append(&"four").unwrap();
    assert_eq!(open(&directory).records, ["three", "four"]);
    kept.journal.rewrite::<&str>([]).unwrap();
    assert!(!file.exists());
    kept.journal.append(&"five").unwrap();
    assert_eq!(open(&directory).records, ["five"]);
}

#[test]
fn whatever_byte_was_the_last_every_line_before_it_counts_and_new_ones_do() {
    let (_parent, directory, file) = place();
    let mut journal = open(&directory).journal;
    let lines = ["one", "zwölf\n\"", ""];
    lines.iter().for_each(|line| journal.append(line).unwrap());
    let whole = fs::read(&file).unwrap();
    for length in 0..=whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let ends = whole[..length].iter().filter(|byte| **byte == b'\n').count();
        let mut kept = open(&directory);
        assert_eq!((&kept.records[..], kept.strange), (&lines.map(String::from)[..ends], None));
        kept.journal.append(&"new").unwrap();
        let records = open(&directory).records;
        assert_eq!((records.len(), records.last().unwrap().as_str()), (ends + 1, "new"));
    }
}

#[test]
fn a_journal_that_makes_no_sense_is_put_aside_and_what_makes_sense_is_kept() {
    let (_parent, directory, file) = place();
    for number in 1..3 {
        let content = "\"one\"\n{\"what\": 1}\n\"two\"\n\u{0}\n";
        fs::write(&file, content).unwrap();
        let kept = open(&directory);
        let strange = kept.strange.unwrap();
        let end = format!(
            "lines.journal: 2 lines of it make no sense; it is left as \
             lines.journal.strange-{number}"
        );
        assert!(strange.ends_with(&end), "{strange}");
        let aside = file.with_file_name(format!("lines.journal.strange-{number}"));
        assert_eq!(fs::read_to_string(aside).unwrap(), content);
        let again = open(&directory);
        assert_eq!((again.records, again.strange), (vec!["one".into(), "two".into()], None));
    }
}

#[test]
fn a_link_is_not_followed() {
    let (parent, directory, file) = place();
    let elsewhere = parent.path().join("elsewhere");
    fs::write(&elsewhere, "\"secret\"\n").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let mut kept = open(&directory);
    assert_eq!(kept.records, Vec::<String>::new());
    assert!(kept.strange.is_some());
    kept.journal.append(&"x").unwrap();
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let mut another = Journal { file: None, ..kept.journal };
    let error = another.append(&"y").unwrap_err().to_string();
    assert!(error.starts_with("cannot write into "), "{error}");
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "\"secret\"\n");
}

#[test]
fn one_that_has_grown_says_so_until_it_is_written_anew() {
    let (_parent, directory, _) = place();
    let mut journal = open(&directory).journal;
    let line = "x".repeat(300_000);
    (0..3).for_each(|_| journal.append(&line).unwrap());
    assert!(!journal.needs_rewriting());
    journal.append(&line).unwrap();
    assert!(journal.needs_rewriting());
    journal.rewrite(vec![line; 4]).unwrap();
    assert!(!journal.needs_rewriting());
}
