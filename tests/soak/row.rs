//! The memory, threads and descriptors of a process before and after a load.

use std::fs;

use crate::plug::Plug;

/// What a listener occupies at rest.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    rss: f64,
    pss: f64,
    files: usize,
    threads: usize,
    zombies: usize,
}

impl Figures {
    pub(crate) fn of(plug: &Plug) -> Figures {
        let count =
            |folder: &str| fs::read_dir(format!("/proc/{}/{folder}", plug.pid())).unwrap().count();
        Figures {
            rss: plug.memory("Rss:"),
            pss: plug.memory("Pss:"),
            files: count("fd"),
            threads: count("task"),
            zombies: zombies(plug.pid()),
        }
    }

    /// Whether nothing is left over from work that `before` had not seen.
    pub(crate) fn is_settled(&self, before: &Figures) -> bool {
        let counts = |figures: &Figures| (figures.files, figures.threads, figures.zombies);
        counts(self) == counts(before)
    }
}

/// Children that have ended and that were not waited for.
fn zombies(parent: u32) -> usize {
    let stats = fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let states = stats.filter_map(|stat| {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        Some((fields.next()? == "Z", fields.next()?.parse::<u32>().ok()?))
    });
    states.filter(|state| *state == (true, parent)).count()
}

/// One load.
pub(crate) struct Row {
    pub(crate) title: String,
    /// How much more memory is none, in megabytes.
    pub(crate) bound: f64,
    pub(crate) events: usize,
    pub(crate) restarts: usize,
    pub(crate) mails: usize,
    pub(crate) seconds: f64,
    pub(crate) before: Figures,
    pub(crate) after: Figures,
}

impl Row {
    pub(crate) fn has_grown(&self) -> bool {
        let Row { bound, before, after, .. } = self;
        !after.is_settled(before)
            || after.rss - before.rss > *bound
            || after.pss - before.pss > *bound
    }

    pub(crate) fn text(&self) -> String {
        let Row { title, events, restarts, mails, seconds, before, after, .. } = self;
        let memory = |before: f64, after: f64| format!("{before:.2} -> {after:.2}");
        let count = |before: usize, after: usize| format!("{before} -> {after}");
        format!(
            "{title:<28} {events:>7} {restarts:>8} {mails:>6} {seconds:>8.1} {:>14} {:>14} {:>10} {:>8} \
             {:>8}  {}",
            memory(before.rss, after.rss),
            memory(before.pss, after.pss),
            count(before.files, after.files),
            count(before.threads, after.threads),
            count(before.zombies, after.zombies),
            if self.has_grown() { "GROWN" } else { "the same" }
        )
    }
}

pub(crate) fn head() -> String {
    format!(
        "{:<28} {:>7} {:>8} {:>6} {:>8} {:>14} {:>14} {:>10} {:>8} {:>8}",
        "",
        "events",
        "restarts",
        "mails",
        "seconds",
        "RSS, MB",
        "PSS, MB",
        "files",
        "threads",
        "zombies"
    )
}
