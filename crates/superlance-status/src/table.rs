//! Columns of text, fitted into a width. Pure.

use superlance_core::system::log::is_terminal_control;
pub(crate) use superlance_core::system::paint::Style;
use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: usize = 2;

/// The first column is not cut to less than this while there are others.
const NARROWEST: usize = 8;

/// A text in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Cell {
    /// Texts come from elsewhere: what a terminal would obey becomes `?`.
    pub(crate) fn new(text: impl AsRef<str>, style: Style) -> Self {
        let printable = |c: char| if c.is_control() || is_terminal_control(c) { '?' } else { c };
        Self { text: text.as_ref().chars().map(printable).collect(), style }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Numbers are aligned to the right.
    pub(crate) is_number: bool,
    /// Of the columns that do not fit, those with the lowest rank go first. The first column stays.
    pub(crate) rank: u8,
    pub(crate) cells: Vec<Cell>,
}

impl Column {
    fn width(&self) -> usize {
        let widths = self.cells.iter().map(|cell| cell.text.width());
        widths.chain([self.title.width()]).max().unwrap_or(0)
    }
}

/// Takes columns away until the rest fits into `width`; returns the titles of those taken away.
pub(crate) fn fit(columns: &mut Vec<Column>, width: Option<usize>) -> Vec<&'static str> {
    let mut dropped = Vec::new();
    let Some(width) = width else { return dropped };
    let total = |columns: &[Column]| {
        let gaps = GAP * columns.len().saturating_sub(1);
        columns.iter().map(Column::width).sum::<usize>() + gaps
    };
    let first = |columns: &[Column]| columns.first().map_or(0, Column::width);
    // Names may take two fifths before they are cut.
    let needed = |columns: &[Column]| {
        total(columns) - first(columns) + first(columns).min(NARROWEST.max(width * 2 / 5))
    };
    while columns.len() > 1 && needed(columns) > width {
        let ranks = columns.iter().enumerate().skip(1);
        let Some((lowest, _)) = ranks.min_by_key(|(_, column)| column.rank) else { break };
        dropped.push(columns.remove(lowest).title);
    }
    let excess = total(columns).saturating_sub(width);
    if let Some(column) = columns.first_mut() {
        let left = column.width().saturating_sub(excess);
        column.cells.iter_mut().for_each(|cell| cell.text = shorten(&cell.text, left));
    }
    dropped
}

/// The lines of a table: the titles, then one for each row of cells.
pub(crate) fn lines(columns: &[Column], colour: bool) -> Vec<String> {
    let height = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
    let widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let line = |cells: &mut dyn Iterator<Item = (&str, Style)>| {
        let mut line = String::new();
        for ((text, style), (column, width)) in cells.zip(columns.iter().zip(&widths)) {
            let padding = " ".repeat(width.saturating_sub(text.width()));
            let text = style.paint(text, colour);
            line.push_str(&if column.is_number { padding + &text } else { text + &padding });
            line.push_str(&" ".repeat(GAP));
        }
        line.trim_end().to_owned()
    };
    let titles = line(&mut columns.iter().map(|column| (column.title, Style::Strong)));
    let rows = (0..height).map(|row| {
        let empty = ("", Style::Plain);
        line(&mut columns.iter().map(|column| {
            column.cells.get(row).map_or(empty, |cell| (cell.text.as_str(), cell.style))
        }))
    });
    std::iter::once(titles).chain(rows).collect()
}

/// `text` in at most `width` columns, with `~` for what is left out in its middle: names often differ
/// at their ends.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    // From the longest on; the width of a text is not the sum of its characters'.
    let ends = text.char_indices().map(|(index, _)| text.split_at(index));
    let head = ends.clone().map(|(head, _)| head).rfind(|head| head.width() <= room - room / 2);
    let tail = ends.map(|(_, tail)| tail).find(|tail| tail.width() <= room / 2);
    format!("{}~{}", head.unwrap_or_default(), tail.unwrap_or_default())
}

/// `text` in lines of at most `width` columns, broken at blanks; a word that is longer is cut.
pub(crate) fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let mut lines = vec![String::new()];
    for word in text.split(' ').map(|word| shorten(word, width)) {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
