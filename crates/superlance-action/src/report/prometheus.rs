//! The text format of Prometheus, for node_exporter's textfile collector. Pure.

use std::fmt::{Display, Write};

use superlance_core::options::label::Label;

/// A text under construction: families, each followed by its samples.
#[derive(Debug)]
pub struct Text {
    prefix: &'static str,
    /// Labels that every sample has, as they are written.
    common: Vec<String>,
    text: String,
}

impl Text {
    /// A text whose names begin with `prefix`, such as `superlance_memmon_`.
    #[must_use]
    pub fn new(prefix: &'static str) -> Self {
        Self { prefix, common: Vec::new(), text: String::new() }
    }

    /// The same with these labels at every sample.
    #[must_use]
    pub fn with(self, labels: &[Label]) -> Self {
        let common = labels.iter().map(|Label { name, value }| label(&(name, value))).collect();
        Self { common, ..self }
    }

    /// Begins a family of `kind`, such as `gauge`.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let prefix = self.prefix;
        let _ = writeln!(self.text, "# HELP {prefix}{name} {help}");
        let _ = writeln!(self.text, "# TYPE {prefix}{name} {kind}");
    }

    /// Adds a sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(label).chain(self.common.iter().cloned()).collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.text, "{}{name}{labels} {value}", self.prefix);
    }

    /// The whole text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

/// A label: in its value backslashes, quotes and line ends are escaped.
fn label((name, value): &(&str, &str)) -> String {
    let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_kinds_are_escaped() {
        let mut text = Text::new("x_");
        text.family("up", "gauge", "Whether.");
        text.sample("up", &[("a", "1"), ("name", "a\"b\\c\nd é")], 9);
        let expected = "# HELP x_up Whether.\n# TYPE x_up gauge\n\
                        x_up{a=\"1\",name=\"a\\\"b\\\\c\\nd é\"} 9\n";
        assert_eq!(text.finish(), expected);
    }
}
