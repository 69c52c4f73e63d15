//! The result of a run as titled texts, for messages of failed tests.

use std::process::Output;

use super::diff::changes;
use crate::smtp::Received;

/// A title, and the text under it.
pub(super) type Section = (String, String);

/// What can be shown beside another of its kind.
pub trait Shown {
    /// Its texts, each with a title.
    fn sections(&self) -> Vec<(String, String)>;
}

#[derive(Default)]
pub(super) struct Sections(pub(super) Vec<Section>);

impl Sections {
    pub(super) fn text(&mut self, title: &str, text: &str) {
        self.0.push((title.to_owned(), text.to_owned()));
    }

    pub(super) fn lines(&mut self, title: &str, lines: &[String]) {
        self.text(title, &lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    }

    pub(super) fn mails(&mut self, when: &str, mails: &[String], received: &[Received]) {
        for (number, mail) in (1..).zip(mails) {
            self.text(&format!("mail {number}{when}"), mail);
        }
        for (number, mail) in (1..).zip(received) {
            self.text(&format!("mail {number} by SMTP{when}"), &mail.to_text());
        }
    }
}

/// A program that was run to its end.
impl Shown for Output {
    fn sections(&self) -> Vec<Section> {
        let mut all = Sections::default();
        all.text("standard output", &String::from_utf8_lossy(&self.stdout));
        all.text("standard error", &String::from_utf8_lossy(&self.stderr));
        all.text("exit status", &exit(self.status.code()));
        all.0
    }
}

pub(super) fn exit(code: Option<i32>) -> String {
    code.map_or("killed\n".to_owned(), |code| format!("{code}\n"))
}

/// All sections as one text.
pub(super) fn to_text(sections: &[Section]) -> String {
    let mut text = String::new();
    for (title, body) in sections {
        text += &format!("== {title}\n");
        // A missing line end at the end must be seen.
        text += &body.replace('\t', "\\t");
        text += if body.ends_with('\n') || body.is_empty() { "" } else { "\\no line end\n" };
    }
    text
}

/// The sections that differ, what is only theirs marked with `-`, what is only ours with `+`.
pub(super) fn differences(theirs: &[Section], ours: &[Section]) -> String {
    let body = |sections: &[Section], title: &str| {
        let found = sections.iter().find(|section| section.0 == title);
        found.map(|section| section.1.clone()).unwrap_or_default()
    };
    let more = ours.iter().filter(|section| !theirs.iter().any(|other| other.0 == section.0));
    let mut text = String::new();
    for (title, _) in theirs.iter().chain(more) {
        let (theirs, ours) = (body(theirs, title), body(ours, title));
        if theirs != ours {
            let [theirs, ours] = with_ends(theirs, ours);
            text += &format!("{title}\n{}", changes(&theirs, &ours));
        }
    }
    text
}

/// Where only one of two texts ends its last line, that of the other is marked.
fn with_ends(theirs: String, ours: String) -> [String; 2] {
    let [theirs_ends, ours_ends] = [&theirs, &ours].map(|text| text.ends_with('\n'));
    [(theirs, ours_ends), (ours, theirs_ends)].map(|(text, other_ends)| {
        let marked = other_ends && !text.ends_with('\n') && !text.is_empty();
        if marked { text + "\\no line end" } else { text }
    })
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn what_is_equal_is_not_shown() {
        let section = |title: &str, text: &str| (title.to_owned(), text.to_owned());
        let theirs = [section("calls", "stop\nstop\n"), section("log", "x\n")];
        let ours = [section("calls", "stop\n"), section("log", "x\n"), section("mail", "hello")];
        let expected = "calls\n  stop\n- stop\nmail\n+ hello\n";
        assert_eq!(differences(&theirs, &ours), expected);
        let [theirs, ours] = [[section("log", "x")], [section("log", "x\n")]];
        assert_eq!(differences(&theirs, &ours), "log\n- x\\no line end\n+ x\n");
    }
}
