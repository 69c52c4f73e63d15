//! What was said about programs that are not started, so that it is said once until it changes. Pure.

use std::time::{Duration, Instant};

use litemap::LiteMap;

/// Programs that wait, by their places in the graph.
#[derive(Debug)]
pub(crate) struct Troubles {
    timeout: Option<Duration>,
    waits: LiteMap<usize, Wait>,
}

#[derive(Debug)]
struct Wait {
    since: Instant,
    /// What was said about processes that are FATAL now.
    blocked: Option<String>,
    /// Whether it was said that it waits for long.
    is_long: bool,
    /// Whether anything was said, since a process leaves FATAL before it runs.
    is_told: bool,
}

/// What there is to say about a program that waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// This sentence, which is new: what it waits for has failed.
    Blocked(String),
    /// It has waited for so long.
    Long(Duration),
}

impl Troubles {
    pub(crate) fn new(timeout: Option<Duration>) -> Self {
        Self { timeout, waits: LiteMap::new() }
    }

    /// A program waits; `blocked` says for which failed process, if for one.
    pub(crate) fn waits(&mut self, at: usize, blocked: Option<String>, now: Instant) -> Vec<News> {
        let wait = Wait { since: now, blocked: None, is_long: false, is_told: false };
        let wait = self.waits.entry(at).or_insert(wait);
        let is_new = blocked != wait.blocked;
        wait.blocked.clone_from(&blocked);
        let waited = now.saturating_duration_since(wait.since);
        let is_long = !wait.is_long && self.timeout.is_some_and(|timeout| waited >= timeout);
        wait.is_long |= is_long;
        let blocked = blocked.filter(|_| is_new).map(News::Blocked);
        wait.is_told |= blocked.is_some() || is_long;
        blocked.into_iter().chain(is_long.then_some(News::Long(waited))).collect()
    }

    /// Only these programs wait still; those that were said to wait, and do not any more, are returned.
    pub(crate) fn retain(&mut self, waiting: &[usize]) -> Vec<usize> {
        let over = self.waits.iter().filter(|(at, wait)| !waiting.contains(at) && wait.is_told);
        let over = over.map(|(at, _)| *at).collect();
        self.waits.retain(|at, _| waiting.contains(at));
        over
    }

    /// When a program will have waited for long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let timeout = self.timeout?;
        let due = self.waits.values().filter(|wait| !wait.is_long);
        due.filter_map(|wait| wait.since.checked_add(timeout)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_trouble_is_news_once_until_it_changes() {
        let (mut troubles, start) = (Troubles::new(Some(5 * SECOND)), Instant::now());
        let fatal = |name: &str| Some(format!("{name} is FATAL"));
        let said = |name: &str| vec![News::Blocked(fatal(name).unwrap())];
        assert_eq!(troubles.waits(1, None, start), []);
        assert_eq!(troubles.deadline(), Some(start + 5 * SECOND));
        assert_eq!(troubles.waits(1, fatal("a"), start + SECOND), said("a"));
        assert_eq!(troubles.waits(1, fatal("a"), start + 2 * SECOND), []);
        assert_eq!(troubles.waits(1, fatal("b"), start + 3 * SECOND), said("b"));
        assert_eq!(troubles.waits(1, None, start + 5 * SECOND), [News::Long(5 * SECOND)]);
        assert_eq!(troubles.waits(1, fatal("b"), start + 9 * SECOND), said("b"));
        assert_eq!(troubles.deadline(), None);
        assert!(troubles.retain(&[1]).is_empty());
        assert_eq!(troubles.retain(&[]), [1]);
        assert_eq!(troubles.waits(1, fatal("b"), start + 10 * SECOND), said("b"));
    }

    #[test]
    fn what_was_told_is_over_also_when_the_process_has_left_fatal_before() {
        let (mut troubles, start) = (Troubles::new(None), Instant::now());
        assert_eq!(troubles.waits(1, Some("a is FATAL".to_owned()), start).len(), 1);
        assert_eq!(troubles.waits(1, None, start), []);
        assert_eq!(troubles.retain(&[]), [1]);
    }

    #[test]
    fn a_wait_that_nothing_was_said_about_ends_in_silence() {
        let mut troubles = Troubles::new(None);
        assert_eq!(troubles.waits(7, None, Instant::now()), []);
        assert_eq!((troubles.deadline(), troubles.retain(&[])), (None, vec![]));
    }
}
