//! A counter of equal events in the last hour. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use superlance_core::options::quantity::ordinal;

/// The span that counts as recent.
const SPAN: Duration = Duration::from_secs(60 * 60);

/// Events that are remembered.
const MOST: usize = 1_000;

/// The events of the last hour.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// The events with their times, the oldest first.
    happened: VecDeque<(String, Instant)>,
    /// The time of the last event that was forgotten for want of room.
    forgotten: Option<Instant>,
}

/// How often an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// The count, including the last one.
    pub(crate) count: usize,
    /// Whether there may have been more.
    pub at_least: bool,
}

impl Recent {
    /// Records an event, and returns how often it happened in the last hour.
    pub(crate) fn note(&mut self, what: &str, now: Instant) -> Times {
        let old = |then: Instant| now.saturating_duration_since(then) > SPAN;
        while self.happened.front().is_some_and(|(_, then)| old(*then)) {
            self.happened.pop_front();
        }
        if self.happened.len() == MOST {
            self.forgotten = self.happened.pop_front().map(|(_, then)| then);
        }
        self.happened.push_back((what.to_owned(), now));
        Times {
            count: self.happened.iter().filter(|(other, _)| other == what).count(),
            at_least: self.forgotten.is_some_and(|then| !old(then)),
        }
    }
}

impl Times {
    /// The count in words; empty for a single event.
    #[must_use]
    pub(crate) fn text(self) -> Option<String> {
        let Self { count, at_least } = self;
        let at_least = if at_least { "at least " } else { "" };
        (count > 1).then(|| format!("{at_least}the {} time in the last hour", ordinal(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_hour_is_counted() {
        let (mut recent, start) = (Recent::default(), Instant::now());
        let mut note = |what, minutes: u32| recent.note(what, start + minutes * MINUTE).count;
        assert_eq!((note("a", 0), note("b", 1), note("a", 2), note("a", 60)), (1, 1, 2, 3));
        assert_eq!((note("a", 61), note("a", 63), note("a", 200)), (3, 3, 1));
    }

    #[test]
    fn what_is_forgotten_is_not_denied() {
        let (mut recent, now) = (Recent::default(), Instant::now());
        for _ in 0..MOST {
            assert!(!recent.note("a", now).at_least);
        }
        assert_eq!(recent.note("b", now), Times { count: 1, at_least: true });
        assert_eq!(recent.note("a", now), Times { count: MOST - 1, at_least: true });
        assert_eq!(recent.note("a", now + 61 * MINUTE), Times { count: 1, at_least: false });
    }

    #[test]
    fn ordinals() {
        let text = |count| Times { count, at_least: false }.text();
        assert_eq!(text(1), None);
        for (count, nth) in [
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (12, "12th"),
            (21, "21st"),
            (113, "113th"),
        ] {
            assert_eq!(text(count).unwrap(), format!("the {nth} time in the last hour"));
        }
        let more = Times { count: 999, at_least: true }.text();
        assert_eq!(more.unwrap(), "at least the 999th time in the last hour");
    }
}
