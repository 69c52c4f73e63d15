//! What people see.

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::snapshot::tests::{foreign, row, snapshot, stopped};

const PLAIN: Page = Page { width: None, height: None, colour: false };

fn narrow(width: usize) -> Page {
    Page { width: Some(width), ..PLAIN }
}

#[test]
fn a_process() {
    let lines = render(&snapshot(vec![row("foo", 10, None)]), PLAIN);
    assert_eq!(
        lines,
        [
            "PROCESS  STATE     PID  UPTIME    RSS    PSS  SWAP  RSS/c  PSS/c  SWAP/c",
            "foo      RUNNING  1010      1h  10.0M  1.00M     0  20.0M  2.00M       0",
            "TOTAL                           10.0M  1.00M     0  20.0M  2.00M       0",
            "1 process, 1 running",
            "/c: with all descendants, as memmon -c counts",
        ]
    );
}

#[test]
fn limits_bring_two_columns() {
    let rows = vec![row("foo", 30, Some(20)), stopped("bar:x"), row("baz", 19, Some(20))];
    let lines = render(&snapshot(rows.clone()), PLAIN);
    let ends = ["  LIMIT  HEADROOM", "  20.0M    -10.0M", "      -         -", "  20.0M     1.00M"];
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
    assert_eq!(lines[5], "3 processes, 2 running, 1 over the limit");

    let lines = render(&snapshot(rows), Page { colour: true, ..PLAIN });
    assert!(lines[1].ends_with("  20.0M    \x1b[1;31m-10.0M\x1b[m"), "{}", lines[1]);
    assert!(lines[1].contains("\x1b[1;31m30.0M\x1b[m"), "{}", lines[1]);
    assert!(lines[3].ends_with("     \x1b[33m1.00M\x1b[m"), "{}", lines[3]);
    assert!(lines[5].starts_with("\x1b[1;31m3 processes"), "{}", lines[5]);
}

#[test]
fn a_limit_of_all_together_stands_beside_the_total() {
    let mut snapshot = snapshot(vec![row("foo", 30, Some(40)), row("bar", 5, None)]);
    for (limit, end) in [(31, "  31.0M     1.00M"), (29, "  29.0M    -1.00M")] {
        snapshot.total_limit = Some(limit << 20);
        let lines = render(&snapshot, PLAIN);
        assert!(lines[3].ends_with(end), "{}", lines[3]);
        assert_eq!(lines[5], "the limit of TOTAL leaves out 1 that memmon would not watch");
        let colourful = render(&snapshot, Page { colour: true, ..PLAIN });
        assert_eq!(colourful[4].starts_with("\x1b[1;31m2 processes"), limit == 29);
    }
}

#[test]
fn what_is_compared_is_always_there() {
    for (metric, title) in
        [(Metric::Uss, "USS/c"), (Metric::RssAndSwap, "RSS+SWAP/c"), (Metric::Swap, "SWAP/c")]
    {
        let mut snapshot = snapshot(vec![row("foo", 10, Some(20))]);
        (snapshot.question.metric, snapshot.question.scope) = (metric, Scope::Family);
        for width in [None, Some(32)] {
            let lines = render(&snapshot, Page { width, ..PLAIN });
            assert!(lines[0].split_whitespace().any(|word| word == title), "{lines:?}");
        }
    }
}

#[test]
fn in_a_narrow_terminal_the_most_important_stays() {
    let rows = vec![row("workers:worker_00", 10, Some(20)), row("web", 5, Some(20))];
    let titles = |width| {
        let lines = render(&snapshot(rows.clone()), narrow(width));
        assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:?}");
        lines[0].split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let all = "PROCESS STATE PID UPTIME RSS PSS SWAP RSS/c PSS/c SWAP/c LIMIT HEADROOM";
    for (width, expected) in [
        (120, all),
        (80, "PROCESS STATE UPTIME RSS PSS RSS/c PSS/c LIMIT HEADROOM"),
        (60, "PROCESS STATE RSS PSS/c LIMIT HEADROOM"),
        (42, "PROCESS STATE RSS HEADROOM"),
        (30, "PROCESS RSS HEADROOM"),
        (20, "PROCESS RSS"),
        (12, "PROCESS"),
    ] {
        assert_eq!(titles(width), expected, "{width}");
    }
    let lines = render(&snapshot(rows), narrow(70));
    let note = lines.iter().position(|line| line.starts_with("no room for SWAP, SWAP/c, PID"));
    assert!(note.is_some(), "{lines:?}");
}

#[test]
fn a_low_terminal_loses_explanations_then_rows_then_remarks() {
    let rows: Vec<_> = (0..50).map(|n| row(&format!("web:{n:02}"), 50 - n, None)).collect();
    let mut snapshot = snapshot(rows);
    snapshot.idle = vec!["-p nix".to_owned()];
    let page = |height| Page { height: Some(height), ..PLAIN };
    assert_eq!(render(&snapshot, page(55)).len(), 55);
    for height in 0..60 {
        assert!(render(&snapshot, page(height)).len() <= height);
    }
    let firsts = |height| {
        let lines = render(&snapshot, page(height));
        lines.iter().map(|line| line[..6].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(firsts(54)[49..], ["web:48", "web:49", "TOTAL ", "50 pro", "-p nix"]);
    assert_eq!(firsts(7), ["PROCES", "web:00", "web:01", "48 mor", "TOTAL ", "50 pro", "-p nix"]);
    assert_eq!(firsts(4), ["PROCES", "web:00", "49 mor", "TOTAL "]);
}

#[test]
fn numbers_that_are_not_known_are_not_zero() {
    let lines = render(&snapshot(vec![foreign("foo", 10), row("bar", 10, None)]), PLAIN);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&lines[1])[4..], ["10.0M", "-", "0", "10.0M", "-", "0"]);
    assert_eq!(words(&lines[3]), ["TOTAL", "20.0M", ">1.00M", "0", "30.0M", ">2.00M", "0"]);
    let note = "-: PSS of a process is told only to root and to the user that it runs as: try sudo";
    assert_eq!(lines[5], note);

    let lines = render(&snapshot(vec![foreign("foo", 10)]), PLAIN);
    assert_eq!(words(&lines[2]), ["TOTAL", "10.0M", "-", "0", "10.0M", "-", "0"]);
}

#[test]
fn without_any_memory_one_reason_is_enough() {
    let mut snapshot = snapshot(vec![foreign("foo", 10)]);
    snapshot.rows[0].reading = None;
    snapshot.blind = Some("far away".to_owned());
    let lines = render(&snapshot, PLAIN);
    assert!(lines.contains(&"-: far away".to_owned()), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("-:")).count(), 1);
}

#[test]
fn nothing_is_no_table() {
    let mut snapshot = snapshot(Vec::new());
    snapshot.unknown = vec!["foo".to_owned()];
    assert_eq!(
        render(&snapshot, PLAIN),
        ["0 processes, 0 running", "supervisord has no process foo"]
    );
}

#[test]
fn names_cannot_command_the_terminal() {
    let lines = render(&snapshot(vec![row("a\x1b]0;b", 1, None)]), PLAIN);
    assert!(lines[1].starts_with("a?]0;b"), "{lines:?}");
}

proptest! {
    #[test]
    fn nothing_is_wider_or_higher_than_the_terminal(
        names in proptest::collection::vec("\\PC{1,30}", 0..12),
        limit in proptest::option::of(0u64..40),
        width in 8usize..140,
        height in 1usize..30,
    ) {
        let rows = names.iter().enumerate().map(|(n, name)| row(name, n as u64, limit)).collect();
        let mut snapshot = snapshot(rows);
        snapshot.unknown = names.clone();
        let page = Page { width: Some(width), height: Some(height), colour: false };
        let lines = render(&snapshot, page);
        prop_assert!(lines.len() <= height, "{:?}", lines);
        for line in lines {
            prop_assert!(line.width() <= width, "{:?}", line);
        }
    }
}
