//! What was measured, and how it is shown.

use std::fmt::Write as _;

/// Measurements of one kind by the original, by ours, and by the floor; any may be missing.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    /// Theirs, ours, floor.
    pub(crate) samples: [Vec<f64>; 3],
    pub(crate) targets: Vec<Target>,
}

/// What is wanted of a row. More is better for values per second, less for all others.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// So many times better than the original.
    Better(f64),
    /// At most so many times the floor's cost, or at least the inverse of its speed.
    Floor(f64),
    /// At most this.
    AtMost(f64),
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, samples: [Vec<f64>; 3]) -> Row {
        Row { what: what.into(), unit, samples, targets: Vec::new() }
    }

    pub(crate) fn target(mut self, target: Target) -> Row {
        self.targets.push(target);
        self
    }

    /// How many times better ours is than `other` (0: theirs, 2: the floor).
    pub(crate) fn better_than(&self, other: usize) -> Option<f64> {
        let (ours, other) = (median(&self.samples[1])?, median(&self.samples[other])?);
        Some(if self.unit.ends_with("/s") { ours / other } else { other / ours })
    }

    /// What is wanted, and whether it is so.
    fn verdicts(&self) -> Vec<(String, bool)> {
        let verdict = |target: &Target| {
            Some(match *target {
                Target::Better(times) => (format!(">= {times}x"), self.better_than(0)? >= times),
                Target::Floor(times) => {
                    (format!("<= {times} floors"), self.better_than(2)? >= 1.0 / times)
                }
                Target::AtMost(most) => (format!("<= {most}"), median(&self.samples[1])? <= most),
            })
        };
        self.targets.iter().filter_map(verdict).collect()
    }

    /// The row as text, for print.
    pub(crate) fn text(&self) -> String {
        let [theirs, ours, floor] = self.samples.each_ref().map(|values| cell(values));
        let ratio = self.better_than(0).map_or("-".to_owned(), |times| format!("{times:.1}x"));
        let floors =
            self.better_than(2).map_or("-".to_owned(), |times| format!("{:.2}", 1.0 / times));
        let mut line = format!(
            "{:<47} {:<8} {theirs:>16} {ours:>16} {floor:>16} {ratio:>9} {floors:>6}",
            self.what, self.unit
        );
        for (wanted, met) in self.verdicts() {
            let _ = write!(line, "  {wanted}: {}", if met { "met" } else { "NOT MET" });
        }
        line
    }

    /// The row as a JSON object. No name in it needs an escape.
    pub(crate) fn json(&self) -> String {
        let [theirs, ours, floor] = self.samples.each_ref().map(|values| format!("{values:?}"));
        let targets: Vec<_> = self.verdicts();
        let targets: Vec<_> = targets
            .iter()
            .map(|(wanted, met)| format!("{{\"wanted\": \"{wanted}\", \"met\": {met}}}"))
            .collect();
        format!(
            "{{\"what\": \"{}\", \"unit\": \"{}\", \"theirs\": {theirs}, \"ours\": {ours}, \
             \"floor\": {floor}, \"targets\": [{}]}}",
            self.what,
            self.unit,
            targets.join(", ")
        )
    }
}

/// The head of the table.
pub(crate) fn head() -> String {
    format!(
        "{:<47} {:<8} {:>16} {:>16} {:>16} {:>9} {:>6}  target",
        "medians and their spread", "unit", "Python's", "ours", "floor", "better", "floors"
    )
}

/// The median of some numbers.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The median, and in percent how far the values lie apart.
fn cell(values: &[f64]) -> String {
    let Some(median) = median(values) else { return "-".to_owned() };
    let most = values.iter().copied().fold(f64::MIN, f64::max);
    let least = values.iter().copied().fold(f64::MAX, f64::min);
    let digits = if median >= 100.0 { 0 } else { 2 };
    match values.len() {
        1 => format!("{median:.digits$}"),
        _ => format!("{median:.digits$} ±{:.0}%", (most - least) / median * 50.0),
    }
}
