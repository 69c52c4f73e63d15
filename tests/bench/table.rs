//! What was measured, and how it is shown.

/// Measurements of one kind by the original, by ours, and by the floor; any may be missing.
pub(crate) struct Row {
    pub(crate) what: String,
    /// `ms`, `MB`, or `1/s`, where more is better.
    pub(crate) unit: &'static str,
    /// Theirs, ours, floor.
    pub(crate) samples: [Vec<f64>; 3],
    /// Whether the README shows it.
    pub(crate) headline: bool,
    targets: Vec<Target>,
}

/// What is wanted of a row.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// So many times better than the original.
    Better(f64),
    /// At most so many times the floor's cost, or at least this part of its speed.
    OfFloor(f64),
    /// At most this.
    AtMost(f64),
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, samples: [Vec<f64>; 3]) -> Row {
        Row { what: what.into(), unit, samples, headline: false, targets: Vec::new() }
    }

    pub(crate) fn target(mut self, target: Target) -> Row {
        self.targets.push(target);
        self
    }

    pub(crate) fn headline(mut self) -> Row {
        self.headline = true;
        self
    }

    fn is_rate(&self) -> bool {
        self.unit.ends_with("/s")
    }

    /// How many times better ours is than the original.
    pub(crate) fn better(&self) -> Option<f64> {
        let (theirs, ours) = (median(&self.samples[0])?, median(&self.samples[1])?);
        Some(if self.is_rate() { ours / theirs } else { theirs / ours })
    }

    /// What part of the floor's ours is.
    fn of_floor(&self) -> Option<f64> {
        Some(median(&self.samples[1])? / median(&self.samples[2])?)
    }

    /// What is wanted, and whether it is so.
    fn verdicts(&self) -> Vec<(String, bool)> {
        let verdict = |target: &Target| match *target {
            Target::Better(times) => (format!(">= {times}x"), self.better() >= Some(times)),
            Target::OfFloor(part) if self.is_rate() => {
                (format!(">= {part} of the floor"), self.of_floor() >= Some(part))
            }
            Target::OfFloor(times) => {
                let met = self.of_floor().is_some_and(|ours| ours <= times);
                (format!("<= {times} floors"), met)
            }
            Target::AtMost(most) => {
                let met = median(&self.samples[1]).is_some_and(|ours| ours <= most);
                (format!("<= {}", value(most, self.unit)), met)
            }
        };
        self.targets.iter().map(verdict).collect()
    }

    /// Medians.
    pub(crate) fn values(&self) -> [String; 3] {
        self.samples.each_ref().map(|values| {
            median(values).map_or_else(|| "-".to_owned(), |median| value(median, self.unit))
        })
    }

    /// Medians, and in percent how far the measurements lie from the middle between them.
    pub(crate) fn cells(&self) -> [String; 3] {
        let mut cells = self.values();
        for (cell, values) in cells.iter_mut().zip(&self.samples).filter(|(_, v)| v.len() > 1) {
            let most = values.iter().copied().fold(f64::MIN, f64::max);
            let least = values.iter().copied().fold(f64::MAX, f64::min);
            *cell += &format!(" ±{:.0}%", (most - least) / (most + least) * 100.0);
        }
        cells
    }

    /// `89x`, as precise as it is worth.
    pub(crate) fn better_text(&self) -> String {
        self.better().map_or_else(|| "-".to_owned(), |times| format!("{}x", digits(times)))
    }

    pub(crate) fn floor_text(&self) -> String {
        self.of_floor().map_or_else(|| "-".to_owned(), |part| format!("{part:.2}"))
    }

    pub(crate) fn target_text(&self) -> String {
        let said = |(wanted, met)| format!("{wanted}: {}", if met { "met" } else { "not met" });
        self.verdicts().into_iter().map(said).collect::<Vec<_>>().join(", ")
    }

    /// The row as text, for print.
    pub(crate) fn text(&self) -> String {
        let [theirs, ours, floor] = self.cells();
        let (better, part, target) = (self.better_text(), self.floor_text(), self.target_text());
        columns([&self.what, &theirs, &ours, &floor, &better, &part, &target])
    }

    /// The row as a JSON object. No name in it needs an escape.
    pub(crate) fn json(&self) -> String {
        let [theirs, ours, floor] = self.samples.each_ref().map(|values| format!("{values:?}"));
        let object = |(wanted, met): &_| format!("{{\"wanted\": \"{wanted}\", \"met\": {met}}}");
        let targets: Vec<_> = self.verdicts().iter().map(object).collect();
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
    let heads = ["medians, spread", "superlance 2.0.0", "this", "floor", "better", "of floor"];
    let [what, theirs, ours, floor, better, part] = heads;
    columns([what, theirs, ours, floor, better, part, "target"])
}

fn columns([what, theirs, ours, floor, better, part, target]: [&str; 7]) -> String {
    format!("{what:<50} {theirs:>16} {ours:>16} {floor:>16} {better:>7} {part:>8}  {target}")
        .trim_end()
        .to_owned()
}

/// The median of some numbers.
fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    // Of an even number, the two in the middle.
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

/// A number with its unit, as people say it.
fn value(number: f64, unit: &str) -> String {
    match unit {
        "ms" if number >= 1_000.0 => format!("{} s", digits(number / 1_000.0)),
        "1/s" => format!("{}/s", digits(number)),
        _ => format!("{} {unit}", digits(number)),
    }
}

/// A number with two or three digits that count.
fn digits(number: f64) -> String {
    match number {
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        ..1_000.0 => format!("{number:.0}"),
        _ => {
            let thousands = (number / 1_000.0).floor();
            format!("{thousands:.0},{:03.0}", (number - thousands * 1_000.0).floor())
        }
    }
}
