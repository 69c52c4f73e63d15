//! The cases as a table, and in full.

use std::collections::BTreeSet;

use superlance_testing::{Case, Heading};

/// Fewer than this, and something was not run.
const LEAST_CASES: usize = 200;

/// Longer lines are cut: a test of lengths has lines of 100,000 letters.
const LONGEST_LINE: usize = 300;

/// Everything there is to say.
pub(crate) struct Report<'a> {
    pub(crate) cases: &'a [Case],
    pub(crate) headings: &'a [Heading],
}

impl Report<'_> {
    /// How many cases of each verdict, by program.
    pub(crate) fn table(&self) -> String {
        let programs: BTreeSet<&str> =
            self.cases.iter().map(|case| case.program.as_str()).collect();
        let head = programs.iter().map(|program| format!("  {program}")).collect::<String>();
        let mut text = format!("{:<40}{head}  all\n", "");
        let mut row = |title: &str, wanted: &dyn Fn(&Case) -> bool| {
            text += &format!("{title:<40}");
            let found: Vec<&Case> = self.cases.iter().filter(|case| wanted(case)).collect();
            for program in &programs {
                let count = found.iter().filter(|case| case.program == *program).count();
                let count = if count == 0 { ".".to_owned() } else { count.to_string() };
                text += &format!("  {count:>width$}", width = program.len());
            }
            text += &format!("  {:>3}\n", found.len());
        };
        row("the same", &|case| case.verdict == "same");
        for Heading { number, title, .. } in self.headings {
            row(&format!("{number:<3} {title}"), &|case| case.verdict == *number);
        }
        row("added, where the original refuses", &|case| case.verdict == "added");
        row("unexplained", &|case| case.verdict == "unexplained");
        row("cases", &|_| true);
        text
    }

    /// What is different in the cases of one number, or in all.
    pub(crate) fn differences(&self, wanted: &str) -> String {
        let shown = |number: &str| wanted == "all" || wanted == number;
        let mut text = "Lines with - are the original's, lines with + are ours.\n\n".to_owned();
        for heading in self.headings.iter().filter(|heading| shown(&heading.number)) {
            text += &format!("{} {}\n\n{}\n\n", heading.number, heading.title, heading.text);
            text += &self.cases_of(&heading.number);
        }
        if wanted == "all" {
            text += &format!("Added\n\n{}", self.cases_of("added"));
        }
        text
    }

    fn cases_of(&self, verdict: &str) -> String {
        let cases = self.cases.iter().filter(|case| case.verdict == verdict);
        cases.map(shown).collect()
    }

    /// What keeps this from being a proof.
    pub(crate) fn faults(&self) -> Vec<String> {
        let count = self.cases.len();
        let mut faults = Vec::new();
        if count < LEAST_CASES {
            faults.push(format!("{count} cases, expected at least {LEAST_CASES}"));
        }
        for case in self.cases.iter().filter(|case| case.verdict == "unexplained") {
            faults.push(format!("unexplained:\n\n{}", shown(case)));
        }
        let shown = |number: &str| self.cases.iter().any(|case| case.verdict == number);
        for heading in self.headings.iter().filter(|heading| !shown(&heading.number)) {
            faults.push(format!("no test has shown {} {}", heading.number, heading.title));
        }
        faults
    }
}

/// A case in full. Of the differences, `-` marks what only the original says, `+` what only ours says.
fn shown(case: &Case) -> String {
    let Case { program, title, test, differences, .. } = case;
    if differences.is_empty() {
        return format!("    {program}: {title}\n        shown by the test {test}\n\n");
    }
    let mut text = format!("    {program}: {title}\n");
    for line in differences.lines() {
        let kept: String = line.chars().take(LONGEST_LINE).collect();
        let cut = if kept.len() < line.len() { " [...]" } else { "" };
        text += format!("        {kept}{cut}").trim_end();
        text += "\n";
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(verdict: &str, program: &str, differences: &str) -> Case {
        let [verdict, program, differences] = [verdict, program, differences].map(str::to_owned);
        Case { verdict, program, title: "a title".to_owned(), test: "t".to_owned(), differences }
    }

    fn heading(number: &str) -> Heading {
        let [title, text] = ["A title", "- Original: x"].map(str::to_owned);
        Heading { number: number.to_owned(), title, text }
    }

    #[test]
    fn the_table_counts() {
        let cases =
            [case("same", "memmon", ""), case("D1", "httpok", "- x\n"), case("D1", "memmon", "")];
        let headings = [heading("D1")];
        let report = Report { cases: &cases, headings: &headings };
        let table = report.table();
        let row = |start: &str| {
            let line = table.lines().find(|line| line.starts_with(start)).expect("a row");
            line[40..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row("  "), ["httpok", "memmon", "all"]);
        assert_eq!(row("the same"), [".", "1", "1"]);
        assert_eq!(row("D1  A title"), ["1", "1", "2"]);
        assert_eq!(row("cases"), ["1", "2", "3"]);
    }

    #[test]
    fn a_deviation_is_shown_with_its_heading() {
        let long = format!("log\n- {}\n+ y\n", "x".repeat(1_000));
        let cases = [case("D1", "httpok", &long), case("D2", "memmon", "")];
        let headings = [heading("D1"), heading("D2")];
        let report = Report { cases: &cases, headings: &headings };
        let text = report.differences("D1");
        let start = "D1 A title\n\n- Original: x\n\n    httpok: a title\n        log\n- xxx";
        assert!(text.contains(&start.replace("- x", "        - x")), "{text}");
        assert!(text.contains("xxx [...]\n        + y\n") && text.len() < 500, "{text}");
        assert!(report.differences("all").contains("shown by the test t\n"));
    }

    #[test]
    fn what_is_missing_or_unexplained_is_a_fault() {
        let mut cases = vec![case("same", "memmon", ""); 198];
        cases.push(case("unexplained", "memmon", "- x\n"));
        let headings = [heading("D1")];
        let faults = Report { cases: &cases, headings: &headings }.faults();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert_eq!(faults[0], "199 cases, expected at least 200");
        assert!(faults[1].contains("memmon: a title\n        - x\n"), "{}", faults[1]);
        assert_eq!(faults[2], "no test has shown D1 A title");
        cases.retain(|case| case.verdict == "same");
        cases.extend([case("D1", "memmon", ""), case("added", "memmon", "")]);
        assert!(Report { cases: &cases, headings: &headings }.faults().is_empty());
    }
}
