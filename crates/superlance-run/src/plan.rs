//! The decisions of `superlance run`: when the end begins and when it is cut short, and the exit status.
//! Pure.

use std::time::{Duration, Instant};

use crate::options::Map;

/// Signals from outside within this time are one request: timeout(1) sends SIGTERM to its child, and then
/// to the process group, in which that is as well.
const ONE_REQUEST: Duration = Duration::from_millis(200);

/// Who wants the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Someone who is no descendant: `docker stop`, a terminal.
    Outside,
    /// A descendant: exitmon.
    Inside,
}

/// What a signal that asks for the end leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The end begins.
    Stop,
    /// What is left is killed.
    Kill,
    /// It has begun already.
    Nothing,
}

/// The course of the end.
#[derive(Debug)]
pub(crate) struct Plan {
    timeout: Duration,
    /// Who began the end, and when time is up.
    stop: Option<(Origin, Instant)>,
    /// When the first signal from outside came.
    outside: Option<Instant>,
}

impl Plan {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, stop: None, outside: None }
    }

    /// A signal asks for the end. The second request from outside cuts the time short; exitmon's request
    /// is none from outside.
    pub(crate) fn told(&mut self, from: Origin, now: Instant) -> Step {
        let is_outside = from == Origin::Outside;
        let is_second = is_outside && self.outside.is_some_and(|first| now >= first + ONE_REQUEST);
        if is_outside {
            self.outside.get_or_insert(now);
        }
        match &mut self.stop {
            None => {
                self.stop = Some((from, now + self.timeout));
                Step::Stop
            }
            Some((_, deadline)) if is_second => {
                *deadline = now;
                Step::Kill
            }
            Some(_) => Step::Nothing,
        }
    }

    /// When time is up, once the end has begun.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.stop.map(|(_, deadline)| deadline)
    }

    /// Whether the exit file has a say: the status is that of what began the end.
    pub(crate) fn counts_exit_file(&self) -> bool {
        self.stop.is_none_or(|(from, _)| from == Origin::Inside)
    }
}

/// The number in an exit file; `None` for an empty one.
///
/// # Errors
/// When it holds something else.
pub(crate) fn exit_file(text: &str) -> Result<Option<u8>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    // What is too large even for parse is larger than 255.
    let status = is_number.then(|| text.parse().unwrap_or(u8::MAX));
    status.map(Some).ok_or_else(|| format!("expected a number, not {text:?}"))
}

/// The exit status, after `--map`.
pub(crate) fn mapped(status: u8, maps: &[Map]) -> u8 {
    maps.iter().find(|map| map.from == status).map_or(status, |map| map.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_signal_from_outside_cuts_it_short() {
        use Origin::{Inside, Outside};
        use Step::{Kill, Nothing, Stop};
        for (told, steps, file) in [
            (&[Outside][..], &[Stop][..], false),
            (&[Outside, Outside], &[Stop, Kill], false),
            (&[Outside, Inside], &[Stop, Nothing], false),
            (&[Inside, Inside], &[Stop, Nothing], true),
            (&[Inside, Outside], &[Stop, Nothing], true),
            (&[Inside, Outside, Outside], &[Stop, Nothing, Kill], true),
        ] {
            let (mut plan, now) = (Plan::new(Duration::from_secs(8)), Instant::now());
            assert!(plan.counts_exit_file() && plan.deadline().is_none());
            let times = (0..).map(|number| now + number * ONE_REQUEST);
            let taken: Vec<_> =
                told.iter().zip(times).map(|(from, at)| plan.told(*from, at)).collect();
            assert_eq!((taken.as_slice(), plan.counts_exit_file()), (steps, file), "{told:?}");
            let cut_short = steps.iter().zip(0..).find(|(step, _)| **step == Kill);
            let left = cut_short.map_or(Duration::from_secs(8), |(_, number)| number * ONE_REQUEST);
            assert_eq!(plan.deadline(), Some(now + left));
        }
    }

    #[test]
    fn two_signals_at_one_moment_are_one_request() {
        let (mut plan, now) = (Plan::new(Duration::from_secs(8)), Instant::now());
        let at = |milliseconds| now + Duration::from_millis(milliseconds);
        let steps = [0, 1, 199, 200].map(|time| plan.told(Origin::Outside, at(time)));
        assert_eq!(steps, [Step::Stop, Step::Nothing, Step::Nothing, Step::Kill]);
    }

    #[test]
    fn exit_files() {
        for (text, status) in [
            ("", None),
            ("\n", None),
            ("0\n", Some(0)),
            (" 139\n", Some(139)),
            ("256", Some(255)),
            ("99999999999999999999", Some(255)),
        ] {
            assert_eq!(exit_file(text), Ok(status), "{text:?}");
        }
        assert_eq!(exit_file("-1\n").unwrap_err(), "expected a number, not \"-1\"");
    }

    #[test]
    fn maps_replace_one_status() {
        let maps = [Map { from: 143, to: 0 }, Map { from: 0, to: 7 }];
        assert_eq!([143, 0, 1].map(|status| mapped(status, &maps)), [0, 7, 1]);
    }
}
