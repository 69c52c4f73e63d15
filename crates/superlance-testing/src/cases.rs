//! The comparisons that `make compat` counts; each is written down by the test that made it.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::thread;

use serde::{Deserialize, Serialize};

const COMPATIBILITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");

/// A comparison of ours with the original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// `same`, `added`, `unexplained`, or the number of a heading such as `D3`.
    pub verdict: String,
    /// The name of the program.
    pub program: String,
    /// What was compared.
    pub title: String,
    /// The test that did it.
    pub test: String,
    /// What is different; empty where nothing is, or where only the test can tell.
    pub differences: String,
}

/// A section of docs/compatibility.md about one deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Such as `D3`.
    pub number: String,
    /// The rest of the line.
    pub title: String,
    /// The text under it.
    pub text: String,
}

impl Case {
    pub(crate) fn new(verdict: &str, program: &str, title: &str) -> Case {
        Case {
            verdict: verdict.to_owned(),
            program: program.to_owned(),
            title: title.to_owned(),
            test: thread::current().name().unwrap_or_default().to_owned(),
            differences: String::new(),
        }
    }

    pub(crate) fn showing(self, differences: String) -> Case {
        Case { differences, ..self }
    }

    /// Adds it to the file that `SUPERLANCE_COMPAT_TABLE` names, if it names one.
    #[track_caller]
    pub(crate) fn write(&self) {
        let Some(table) = env::var_os("SUPERLANCE_COMPAT_TABLE") else {
            return;
        };
        let line = serde_json::to_string(self).expect("texts can be written as JSON") + "\n";
        // One write in append mode: tests of several threads share the file.
        let table = OpenOptions::new().create(true).append(true).open(table);
        table
            .and_then(|mut table| table.write_all(line.as_bytes()))
            .expect("the table is writable");
    }

    /// The cases in a file.
    ///
    /// # Panics
    /// When the file cannot be read, or has anything else in it.
    #[must_use]
    #[track_caller]
    pub fn read(table: &Path) -> Vec<Case> {
        let text = fs::read_to_string(table)
            .unwrap_or_else(|error| panic!("{}: {error}", table.display()));
        let case = |line| serde_json::from_str(line).expect("a line of the table is a case");
        text.lines().map(case).collect()
    }
}

/// The deviations in docs/compatibility.md, in their order.
///
/// # Panics
/// When there is no such file.
#[must_use]
#[track_caller]
pub fn headings() -> Vec<Heading> {
    parse(&fs::read_to_string(COMPATIBILITY).expect("docs/compatibility.md should be readable"))
}

#[track_caller]
pub(crate) fn has_heading(number: &str) -> bool {
    headings().iter().any(|heading| heading.number == number)
}

fn parse(text: &str) -> Vec<Heading> {
    let sections = text.split("\n## ").skip(1).filter_map(|section| {
        let (line, text) = section.split_once('\n')?;
        let (number, title) = line.split_once(' ')?;
        number.strip_prefix('D')?.parse::<u32>().ok()?;
        let text = text.trim().to_owned();
        Some(Heading { number: number.to_owned(), title: title.to_owned(), text })
    });
    sections.collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn headings_with_a_number_are_deviations() {
        let text = "# Title\n\n## Differences\n\n## D1 One\n\n- a\n- b\n\n## D12 Two\nc\n";
        let headings = parse(text);
        assert_eq!(headings.len(), 2);
        assert_eq!((&*headings[0].title, &*headings[0].text), ("One", "- a\n- b"));
        assert_eq!((&*headings[1].number, &*headings[1].text), ("D12", "c"));
    }
}
