//! Shows two texts side by side or as one, with the lines that differ marked.

use similar::{Algorithm, capture_diff_slices};

/// Both texts in columns; lines that are only in one of them are marked with `!`.
pub(super) fn side_by_side(left_title: &str, left: &str, right_title: &str, right: &str) -> String {
    let widest = left.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = widest.clamp(left_title.len(), 90);
    let row = |mark: char, left: &str, right: &str| format!("{mark} {left:width$} | {right}\n");
    let rows = pairs(left, right).into_iter().map(|(left, right)| {
        let mark = if left == right { ' ' } else { '!' };
        row(mark, left.unwrap_or_default(), right.unwrap_or_default())
    });
    row(' ', left_title, right_title) + &rows.collect::<String>()
}

/// Both texts in one, lines that are only in the first marked with `-`, in the second with `+`.
pub(super) fn changes(first: &str, second: &str) -> String {
    let line = |mark: char, line: &str| format!("{mark} {line}").trim_end().to_owned() + "\n";
    let (mut text, mut added) = (String::new(), String::new());
    for (left, right) in pairs(first, second) {
        if left == right {
            text += &std::mem::take(&mut added);
            text += &line(' ', left.unwrap_or_default());
            continue;
        }
        text.extend(left.map(|left| line('-', left)));
        added.extend(right.map(|right| line('+', right)));
    }
    text + &added
}

/// The lines of two texts, equal ones beside each other.
fn pairs<'a>(left: &'a str, right: &'a str) -> Vec<(Option<&'a str>, Option<&'a str>)> {
    let (left, right): (Vec<_>, Vec<_>) = (left.lines().collect(), right.lines().collect());
    let mut pairs = Vec::new();
    for change in capture_diff_slices(Algorithm::Myers, &left, &right) {
        let (left, right) = (&left[change.old_range()], &right[change.new_range()]);
        let rows = 0..left.len().max(right.len());
        pairs.extend(rows.map(|row| (left.get(row).copied(), right.get(row).copied())));
    }
    pairs
}
