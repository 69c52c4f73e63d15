//! Replaces what differs from run to run, so that the rest can be compared.

use regex::Regex;

use crate::smtp::Received;

/// Patterns of what differs, and what stands for it. Without `\b` and the like, for which the
/// tables of Unicode would be needed.
const PATTERNS: &[(&str, &str)] = &[
    (r"RSS of ([^ ]+) is [0-9]+", "RSS of $1 is [RSS]"),
    (r"\([0-9]+ bytes RSS\)", "([RSS] bytes RSS)"),
    (r"\(RSS [0-9]+\)", "(RSS [RSS])"),
    // The abbreviation of the zone that follows is compared.
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}", "[TIME]"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8},[0-9]{3}", "[TIME]"),
    (r"(?m)^Date: [^\r\n]*", "Date: [DATE]"),
    (r"(?m)^Message-ID: [^\r\n]*", "Message-ID: [ID]"),
    (r"pid [0-9]+", "pid [PID]"),
    (r"(127\.0\.0\.1|localhost):[0-9]+", "$1:[PORT]"),
    (r"/tmp/sl-[A-Za-z0-9]+", "[SCRATCH]"),
    // Frames are indented and name lines of the source; the last line says what happened.
    (r"(?m)^Traceback \(most recent call last\):\n(?:[ ].*\n)*", "[TRACEBACK] "),
];

/// All replacements for one run.
#[derive(Debug)]
pub(super) struct Filters {
    literals: Vec<(String, String)>,
    patterns: Vec<(Regex, &'static str)>,
}

impl Filters {
    /// The patterns that always hold, after these literal texts.
    pub(super) fn new(literals: Vec<(String, String)>) -> Filters {
        let compile = |&(pattern, name)| (Regex::new(pattern).expect("a valid pattern"), name);
        Filters { literals, patterns: PATTERNS.iter().map(compile).collect() }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (literal, name) in &self.literals {
            text = text.replace(literal, name);
        }
        for (pattern, name) in &self.patterns {
            text = pattern.replace_all(&text, *name).into_owned();
        }
        text
    }

    pub(super) fn apply_to_mail(&self, mail: &Received) -> Received {
        Received {
            message: self.apply(&mail.message),
            subject: mail.subject.as_ref().map(|subject| self.apply(subject)),
            body: self.apply(&mail.body),
            ..mail.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Filters;

    #[track_caller]
    fn check(text: &str, filtered: &str) {
        let server = ("unix:///run/x".to_owned(), "[SERVER]".to_owned());
        assert_eq!(Filters::new(vec![server]).apply(text), filtered);
    }

    #[test]
    fn what_differs_is_replaced() {
        check("RSS of foo:foo is 12345678\n", "RSS of foo:foo is [RSS]\n");
        check("memory (12345 bytes RSS)", "memory ([RSS] bytes RSS)");
        check(
            "Failed to stop process a:a (RSS 5), exiting",
            "Failed to stop process a:a (RSS [RSS]), exiting",
        );
        check("at Sun Nov 22 17:04:24 2026 UTC because", "at [TIME] UTC because");
        check("at Sun Nov  2 17:04:24 2026 CEST because", "at [TIME] CEST because");
        check("2026-11-22 17:04:24,123 -- crashed", "[TIME] -- crashed");
        check("Process foo (pid 77) died", "Process foo (pid [PID]) died");
        check("at unix:///run/x and 127.0.0.1:4711", "at [SERVER] and 127.0.0.1:[PORT]");
        check("To: a\nDate: now\nMessage-ID: <1@b>\n", "To: a\nDate: [DATE]\nMessage-ID: [ID]\n");
    }

    #[test]
    fn of_a_traceback_the_end_remains() {
        check(
            "before\nTraceback (most recent call last):\n  File \"x\", line 1\n    f()\nKeyError: 'len'\n",
            "before\n[TRACEBACK] KeyError: 'len'\n",
        );
    }

    #[test]
    fn what_matters_stays() {
        let text = "Checking programs foo=200\nstopProcess(foo:foo)\nstatus: 500 Internal\n";
        check(text, text);
    }
}
