//! How the SMTP server answers if not as it usually does: a folder of rules that it reads again at
//! each moment, so that a rule holds as soon as it is written.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::scratch::Scratch;

/// What an SMTP server does at some moment, most of it bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmtpAnswer {
    /// Refuses with this code; nothing is done.
    Code(u16),
    /// Closes the connection; nothing is done.
    Close,
    /// Does what it was told, and closes the connection instead of an answer.
    CloseAfter,
    /// Never answers; nothing is done.
    Never,
    /// Does what it was told after this time.
    Slow(Duration),
    /// Does what it was told, and pauses for this time after each byte of the answer.
    Drip(Duration),
}

/// One answer for one moment: for good, or for the next time only.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) once: bool,
    pub(super) moment: String,
    pub(super) answer: SmtpAnswer,
}

impl Rule {
    fn to_text(&self) -> String {
        let seconds = |time: &Duration| time.as_secs_f64().to_string();
        let (action, argument) = match &self.answer {
            SmtpAnswer::Code(code) => ("code", code.to_string()),
            SmtpAnswer::Close => ("close", String::new()),
            SmtpAnswer::CloseAfter => ("close-after", String::new()),
            SmtpAnswer::Never => ("never", String::new()),
            SmtpAnswer::Slow(time) => ("slow", seconds(time)),
            SmtpAnswer::Drip(pause) => ("drip", seconds(pause)),
        };
        let lasts = if self.once { "once" } else { "always" };
        format!("{lasts}\n{}\n{action}\n{argument}\n", self.moment)
    }
}

/// The rules of a server, in its folder.
#[derive(Debug, Default)]
pub(super) struct Rules {
    count: AtomicU32,
}

impl Rules {
    pub(super) fn add(&self, folder: &Scratch, rule: &Rule) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        // The server reads a rule that is complete, or none.
        let draft = folder.write(&format!("rules/.{number}"), rule.to_text());
        let rule = folder.join(&format!("rules/{number:06}"));
        fs::rename(draft, rule).expect("a scratch folder should be writable");
    }

    pub(super) fn clear(&self, folder: &Scratch) {
        let rules = fs::read_dir(folder.join("rules")).expect("the folder lives with its server");
        for rule in rules.flatten() {
            // The server was faster if it is gone.
            let _ = fs::remove_file(rule.path());
        }
    }
}
