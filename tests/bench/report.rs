//! The tables in the documents: what stands between two comments is replaced.

use std::fs;
use std::path::Path;

use crate::table::Row;

const BEGIN: &str = "<!-- make bench writes what follows -->\n";
const END: &str = "<!-- as far as here -->\n";

/// Puts `table` into the document.
pub(crate) fn fill(document: &Path, table: &str) {
    let text = fs::read_to_string(document).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    fs::write(document, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
}

/// All rows, with floors and targets.
pub(crate) fn whole(rows: &[Row]) -> String {
    let mut text = "| | superlance 2.0.0 | this | floor | better | of the floor | target |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let [theirs, ours, floor] = row.cells();
        let (better, of_floor, target) = (row.better_text(), row.floor_text(), row.target_text());
        let cells = [&row.what, &theirs, &ours, &floor, &better, &of_floor, &target];
        text += &line(&cells.map(String::as_str));
    }
    text
}

/// The rows that most people care for.
pub(crate) fn headlines(rows: &[Row]) -> String {
    let mut text = "| | superlance 2.0.0 | this | better |\n|---|---|---|---|\n".to_owned();
    for row in rows.iter().filter(|row| row.headline) {
        let [theirs, ours, _] = row.values();
        text += &line(&[&row.what, &theirs, &ours, &row.better_text()]);
    }
    text
}

fn line(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}
