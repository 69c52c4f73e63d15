//! Widths, and what is left out for want of them.

use proptest::prelude::*;

use super::*;

fn column(title: &'static str, rank: u8, texts: &[&str]) -> Column {
    let cells = texts.iter().map(|text| Cell::new(text, Style::Plain)).collect();
    Column { title, is_number: title != "NAME", rank, cells }
}

fn three() -> Vec<Column> {
    vec![
        column("NAME", 0, &["foo", "a-longer-name"]),
        column("A", 2, &["1", "22"]),
        column("B", 1, &["333", "4"]),
    ]
}

#[track_caller]
fn check(width: usize, expected: &[&str], left_out: &[&str]) {
    let mut columns = three();
    assert_eq!(fit(&mut columns, Some(width)), left_out, "{width}");
    assert_eq!(lines(&columns, false), expected, "{width}");
}

#[test]
fn columns_leave_by_rank_and_then_names_are_cut() {
    let whole = [
        "NAME            A    B", //
        "foo             1  333",
        "a-longer-name  22    4",
    ];
    assert_eq!(lines(&three(), false), whole);
    check(22, &whole, &[]);
    check(21, &["NAME           A    B", "foo            1  333", "a-long~-name  22    4"], &[]);
    check(17, &["NAME       A    B", "foo        1  333", "a-lo~ame  22    4"], &[]);
    check(16, &["NAME           A", "foo            1", "a-long~-name  22"], &["B"]);
    check(12, &["NAME       A", "foo        1", "a-lo~ame  22"], &["B"]);
    check(11, &["NAME", "foo", "a-lon~-name"], &["B", "A"]);
    check(4, &["NAME", "foo", "a-~e"], &["B", "A"]);
}

#[test]
fn wide_characters_take_two_columns() {
    let mut columns = vec![column("NAME", 0, &["日本", "é"]), column("A", 1, &["1", "2"])];
    assert_eq!(lines(&columns, false), ["NAME  A", "日本  1", "é     2"]);
    fit(&mut columns, Some(6));
    assert_eq!(shorten("日本語日本語", 6), "日~語");
    assert_eq!(shorten("日本", 0), "");
}

#[test]
fn what_a_terminal_obeys_is_not_shown() {
    let columns = [column("NAME", 0, &["a\x1b[2J\u{9b}\r\n\tb", "gpj\u{202e}exe\u{2066}\u{2028}"])];
    assert_eq!(lines(&columns, false), ["NAME", "a?[2J????b", "gpj?exe??"]);
}

#[test]
fn styles_do_not_count() {
    let cells = vec![Cell::new("a\x1b[2Jb", Style::Bad), Cell::new("", Style::Good)];
    let columns = [
        Column { title: "NAME", is_number: false, rank: 0, cells: cells.clone() },
        Column { title: "A", is_number: true, rank: 0, cells },
    ];
    assert_eq!(
        lines(&columns, true),
        [
            "\x1b[1mNAME\x1b[m         \x1b[1mA\x1b[m",
            "\x1b[1;31ma?[2Jb\x1b[m  \x1b[1;31ma?[2Jb\x1b[m",
            "",
        ]
    );
}

#[test]
fn texts_are_broken_at_blanks() {
    assert_eq!(wrap("a bc def ghij", Some(6)), ["a bc", "def", "ghij"]);
    assert_eq!(wrap("abcdefgh i", Some(6)), ["abc~gh", "i"]);
    assert_eq!(wrap("a b", None), ["a b"]);
}

proptest! {
    #[test]
    fn nothing_is_wider_than_the_terminal(
        names in proptest::collection::vec("\\PC{0,30}", 1..5),
        width in 0usize..60,
    ) {
        let texts: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut columns =
            vec![column("NAME", 0, &texts), column("A", 2, &["1"]), column("BBBBBB", 1, &["2"])];
        fit(&mut columns, Some(width));
        let lines = lines(&columns, false);
        prop_assert_eq!(lines.len(), names.len() + 1);
        for line in lines {
            prop_assert!(line.width() <= width.max(4), "{:?}", line);
        }
    }
}
