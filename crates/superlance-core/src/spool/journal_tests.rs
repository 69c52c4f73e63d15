//! What survives of a journal.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::testing::Recorder;

/// A private directory in a temporary one, and a log.
struct Place {
    parent: TempDir,
    directory: Arc<StateDir>,
    recorder: Recorder,
    log: Arc<Log>,
}

impl Place {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let directory = Arc::new(StateDir::open(parent.path(), "x").unwrap());
        let recorder = Recorder::default();
        let log = Arc::new(Log::new(recorder.clone()));
        Self { parent, directory, recorder, log }
    }

    fn file(&self) -> PathBuf {
        self.parent.path().join("x/lines.journal")
    }

    fn open(&self) -> (Journal, Vec<String>) {
        Journal::open(&self.directory, "lines", "lines", &self.log)
    }

    fn records(&self) -> Vec<String> {
        self.open().1
    }
}

#[test]
fn what_was_added_is_there_until_it_is_settled() {
    let place = Place::new();
    let (mut journal, records) = place.open();
    assert_eq!(records, Vec::<String>::new());
    journal.add(&"one");
    journal.add_soon(&"two\nlines");
    journal.add(&"three");
    assert_eq!(place.records(), ["one", "two\nlines", "three"]);
    journal.rewrite(["three"]);
    journal.add_soon(&"four");
    assert_eq!(place.records(), ["three", "four"]);
    journal.rewrite::<&str>([]);
    assert_eq!(fs::read(place.file()).unwrap(), b"");
    journal.add(&"five");
    assert_eq!(place.records(), ["five"]);
    journal.rewrite::<&str>([]);
    place.open().0.rewrite::<&str>([]);
    assert!(!place.file().exists(), "at the start, an empty one is removed");
    assert!(journal.is_complete());
    assert_eq!(place.recorder.text(), "");
}

/// The paths behind all open descriptors of this process that are below `folder`.
#[cfg(target_os = "linux")]
fn descriptors(folder: &std::path::Path) -> Vec<PathBuf> {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let paths = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    paths.filter(|path| path.starts_with(folder)).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn records_that_are_settled_at_once_occupy_one_descriptor_however_many_wait_for_the_disk() {
    let place = Place::new();
    let mut journal = place.open().0;
    journal.add(&"first");
    let open = descriptors(place.parent.path());
    for _ in 0..2_000 {
        journal.add_soon(&"exited");
        journal.rewrite::<&str>([]);
    }
    assert_eq!(descriptors(place.parent.path()), open);
}

#[test]
fn without_a_disk_nothing_is_kept() {
    let mut journal = Journal::default();
    journal.add(&"one");
    journal.rewrite(["one"]);
    assert!(!journal.is_open() && !journal.is_complete() && !journal.needs_rewriting());
}

#[test]
fn whatever_byte_was_the_last_every_line_before_it_counts_and_new_ones_do() {
    let place = Place::new();
    let mut journal = place.open().0;
    let lines = ["one", "zwölf\n\"", ""];
    lines.iter().for_each(|line| journal.add(line));
    let whole = fs::read(place.file()).unwrap();
    for length in 0..=whole.len() {
        fs::write(place.file(), &whole[..length]).unwrap();
        let ends = whole[..length].iter().filter(|byte| **byte == b'\n').count();
        let (mut journal, records) = place.open();
        assert_eq!(records, &lines[..ends]);
        journal.add(&"new");
        let records = place.records();
        assert_eq!((records.len(), records.last().unwrap().as_str()), (ends + 1, "new"));
    }
    assert_eq!(place.recorder.text(), "");
}

#[test]
fn a_journal_that_makes_no_sense_is_put_aside_and_what_makes_sense_is_kept() {
    let place = Place::new();
    for number in 1..3 {
        let content = "\"one\"\n{\"what\": 1}\n\"two\"\n\u{0}\n";
        fs::write(place.file(), content).unwrap();
        assert_eq!(place.records(), ["one", "two"]);
        let end = format!(
            "lines.journal: 2 lines of it make no sense; it is left as \
             lines.journal.strange-{number}\n"
        );
        let log = place.recorder.text();
        assert!(log.ends_with(&end), "{log}");
        let aside = place.file().with_file_name(format!("lines.journal.strange-{number}"));
        assert_eq!(fs::read_to_string(aside).unwrap(), content);
        assert_eq!(place.records(), ["one", "two"]);
        assert_eq!(place.recorder.text(), log);
    }
}

#[test]
fn a_link_is_not_followed() {
    let place = Place::new();
    let elsewhere = place.parent.path().join("elsewhere");
    fs::write(&elsewhere, "\"secret\"\n").unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.file()).unwrap();
    assert_eq!(place.records(), Vec::<String>::new());
    assert!(place.recorder.text().contains("it is left as lines.journal.strange-1"));
    let (mut journal, _) = place.open();
    std::os::unix::fs::symlink(&elsewhere, place.file()).unwrap();
    journal.add(&"y");
    let log = place.recorder.text();
    assert!(log.contains("lines are not kept on disk: cannot write into "), "{log}");
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "\"secret\"\n");
}

#[test]
fn one_that_was_deleted_says_so_and_is_written_anew() {
    let place = Place::new();
    let mut journal = place.open().0;
    let aside = place.parent.path().join("aside");
    let remove = || fs::remove_file(place.file()).unwrap();
    let rename = || fs::rename(place.file(), &aside).unwrap();
    for delete in [&remove as &dyn Fn(), &rename] {
        journal.rewrite::<&str>([]);
        journal.add(&"one");
        delete();
        journal.add_soon(&"two");
        assert_eq!(place.records(), ["two"], "not lost with the old file");
        assert!(journal.needs_rewriting() && !journal.is_complete());
        journal.rewrite(["one", "two"]);
        assert_eq!(place.records(), ["one", "two"]);
        assert!(!journal.needs_rewriting() && journal.is_complete());
    }
    let said = format!(
        "lines are not kept on disk: {}/lines.journal was deleted, and is written anew\n\
         lines are kept on disk again\n",
        place.directory.shown()
    );
    assert_eq!(place.recorder.text(), said.repeat(2));
    // Of an empty one nothing is lost.
    journal.rewrite::<&str>([]);
    journal.add(&"three");
    journal.rewrite::<&str>([]);
    remove();
    journal.add(&"four");
    assert_eq!((place.records(), journal.needs_rewriting()), (vec!["four".to_owned()], false));
    assert_eq!(place.recorder.text(), said.repeat(2));
}

#[test]
fn one_that_has_grown_says_so_until_it_is_written_anew() {
    let place = Place::new();
    let mut journal = place.open().0;
    let line = "x".repeat(300_000);
    (0..3).for_each(|_| journal.add(&line));
    assert!(!journal.needs_rewriting());
    journal.add(&line);
    assert!(journal.needs_rewriting());
    journal.rewrite(vec![line; 4]);
    assert!(!journal.needs_rewriting());
}

/// The disk is full: a limit for the size of files ends writes as that does, in the middle. It is a
/// limit of a process, so the test runs itself once more in one of its own.
#[test]
fn a_full_disk_leaves_nothing_half_written_and_is_said_once() {
    const CHILD: &str = "SUPERLANCE_TEST_FULL_DISK";
    if std::env::var(CHILD).is_ok() {
        return on_a_full_disk();
    }
    let name = "spool::journal::tests::a_full_disk_leaves_nothing_half_written_and_is_said_once";
    // Eight blocks of 512 or 1024 bytes, as the shell has it.
    let child = Command::new("/bin/sh")
        .args(["-c", "ulimit -f 8; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success() && output.contains("1 passed"), "{child:?}");
}

fn on_a_full_disk() {
    // Without this the limit is deadly.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).unwrap();
    let place = Place::new();
    let mut journal = place.open().0;
    let huge = "x".repeat(100_000);
    journal.add(&"one");
    assert!(!journal.needs_rewriting() && journal.is_complete());
    journal.add(&huge);
    journal.add_soon(&huge);
    journal.add(&"two");
    assert!(journal.needs_rewriting() && !journal.is_complete(), "it lacks a line");
    assert_eq!(place.records(), ["one", "two"]);
    journal.rewrite([&huge]);
    assert_eq!(place.records(), ["one", "two"]);
    journal.rewrite(["one", "three"]);
    assert!(!journal.needs_rewriting() && journal.is_complete());
    assert_eq!(place.records(), ["one", "three"]);
    let trouble = format!(
        "lines are not kept on disk: cannot write into {}: File too large (os error 27)\n\
         lines are kept on disk again\n",
        place.directory.shown()
    );
    assert_eq!(place.recorder.text(), trouble);
    journal.add(&huge);
    journal.rewrite::<&str>([]);
    assert!(!journal.is_complete(), "no record shows that the disk works");
    journal.add(&"four");
    assert!(journal.is_complete());
    assert_eq!(place.recorder.text(), trouble.repeat(2));
}
