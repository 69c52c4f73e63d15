//! Checks of the programs whose health is waited for. They run beside each other and beside the starts,
//! so that one that hangs holds up no other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use litemap::LiteMap;
use superlance_core::system::order;
use superlance_probe::check::{Check, Settings};
use superlance_probe::outcome::Verdict;
use superlance_probe::tls::{Tls, TlsOptions};

use crate::program::Program;

/// Time for an answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Pause between two checks of a program.
const PAUSE: Duration = Duration::from_secs(2);

/// How often it is seen whether an outcome has come.
const LOOK: Duration = Duration::from_millis(100);

/// The check of a URL, or of a command behind `exec:`.
///
/// # Errors
/// When it is none. The error says what was expected.
pub(crate) fn check(text: &str) -> Result<Check, String> {
    let tls = Arc::new(Tls::new(TlsOptions::default())?);
    // It suffices that a file is there.
    let max_age = Some(Duration::MAX);
    let settings = Settings { whole: Some(LIMIT), max_age, ..Settings::new(LIMIT, tls) };
    match text.trim().strip_prefix("exec:").map(str::trim) {
        Some("") => Err("expected a command behind exec:".to_owned()),
        Some(command) => Ok(Check::of_command(command.to_owned(), Vec::new(), &settings)),
        None => Check::of_url(text, &settings),
    }
}

/// The checks, by the places of their programs in the graph.
#[derive(Debug)]
pub(crate) struct Health {
    checks: LiteMap<usize, Check>,
    under_way: BTreeSet<usize>,
    /// When to ask next; `None` while nothing waits for health.
    next: Option<Instant>,
    send: Sender<Outcome>,
    receive: Receiver<Outcome>,
}

/// What a check found.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) at: usize,
    /// When the program had been started that was checked.
    pub(crate) start: i64,
    pub(crate) verdict: Verdict,
}

impl Health {
    pub(crate) fn new(programs: &[Program]) -> Self {
        let programs = programs.iter().enumerate();
        // What is wrong with a check is a fault of the programs that wait for it.
        let checks = programs.filter_map(|(at, program)| {
            let text = program.check.as_ref()?.as_ref().ok()?;
            Some((at, check(text).ok()?))
        });
        let (send, receive) = mpsc::channel();
        let (under_way, next) = (BTreeSet::new(), None);
        Self { checks: order::map(checks), under_way, next, send, receive }
    }

    /// Begins the checks of these programs, if it is time, but for those that are under way. For each
    /// program it is given when that was started.
    pub(crate) fn ask(&mut self, wanted: &LiteMap<usize, i64>, now: Instant) {
        if wanted.is_empty() {
            self.next = None;
            return;
        }
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = Some(now + PAUSE);
        for (at, start) in wanted.iter().map(|(at, start)| (*at, *start)) {
            let Some(check) = self.checks.get(&at).cloned() else { continue };
            if !self.under_way.insert(at) {
                continue;
            }
            let send = self.send.clone();
            // The receiver is gone once the listener has ended.
            let run = move || drop(send.send(Outcome { at, start, verdict: check.run().verdict }));
            if let Err(error) = thread::Builder::new().name("check".to_owned()).spawn(run) {
                let verdict = Verdict::Trouble(format!("cannot start a thread: {error}"));
                drop(self.send.send(Outcome { at, start, verdict }));
            }
        }
    }

    /// The outcomes that have come.
    pub(crate) fn outcomes(&mut self) -> Vec<Outcome> {
        let outcomes: Vec<_> = self.receive.try_iter().collect();
        for outcome in &outcomes {
            self.under_way.remove(&outcome.at);
        }
        outcomes
    }

    /// When to ask next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.next
    }

    /// When to see whether an outcome has come.
    pub(crate) fn look(&self) -> Option<Instant> {
        (!self.under_way.is_empty()).then(|| Instant::now() + LOOK)
    }

    /// The same at the end, as long as commands run: without us they have no limit.
    pub(crate) fn rest(&self) -> Option<Instant> {
        let mut checks = self.under_way.iter().filter_map(|at| self.checks.get(at));
        self.look().filter(|_| checks.any(Check::is_command))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn kinds_of_checks() {
        for good in [
            "http://h/",
            "https://h:8443/up",
            "tcp://localhost:5432",
            "file:///x",
            "exec: test -e /x",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for (bad, said) in [
            ("localhost:5432", "has no scheme"),
            ("ftp://h/", "a scheme other than"),
            ("tcp://localhost", "expected tcp://HOST:PORT"),
            ("exec:", "expected a command behind exec:"),
        ] {
            let error = check(bad).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_check_that_hangs_holds_up_no_other() {
        let programs = ["exec: sleep 60", "exec: true", "exec: false"]
            .map(|text| Program { check: Some(Ok(text.to_owned())), ..Program::default() });
        let mut health = Health::new(&programs);
        let (start, all) = (Instant::now(), LiteMap::from_iter([(0, 7), (1, 7), (2, 7)]));
        health.ask(&all, start);
        assert_eq!(health.due(), Some(start + PAUSE));
        let mut outcomes = HashMap::new();
        while outcomes.len() < 2 {
            let new = health.outcomes().into_iter();
            outcomes.extend(new.map(|outcome| (outcome.at, outcome.verdict)));
            assert!(start.elapsed() < LIMIT, "{outcomes:?}");
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(outcomes[&1], Verdict::Good);
        assert!(matches!(outcomes[&2], Verdict::Failed(_)));
        // The first is not begun again.
        health.ask(&all, start + PAUSE);
        assert_eq!((health.under_way.len(), health.look().is_some()), (3, true));
        assert!(health.rest().is_some());
        health.ask(&LiteMap::new(), start + PAUSE);
        assert_eq!(health.due(), None);
    }
}
