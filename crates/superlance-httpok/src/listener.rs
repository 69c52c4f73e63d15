//! The listener `httpok`.

use std::time::{Duration, Instant};

use superlance_core::listener::alert::Alert;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::in_flight::InFlight;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::restart::Record;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::protocol::event::Event;
use superlance_core::spool::journal::Journal;
use superlance_probe::outcome::{Class, Outcome, Verdict};

use crate::gcore::Gcore;
use crate::options::Options;
use crate::processes::Processes;
use crate::report::Failure;

/// Pause before a refused connection is tried again.
const PAUSE: Duration = Duration::from_secs(10);

/// The listener.
pub(crate) struct HttpOk {
    check: Box<dyn FnMut() -> Outcome + Send>,
    /// The URL for messages.
    url: String,
    /// How often a refused connection is tried again.
    retries: u64,
    /// Whether to check when nothing that is watched runs.
    eager: bool,
    name: Option<String>,
    /// A check that was refused and goes on later.
    refused: Option<Refused>,
    /// Whether the last answer was not as it should be.
    ill: bool,
    /// Why the last check could not be made.
    trouble: Option<String>,
    processes: Processes,
}

/// A refused connection.
#[derive(Debug, Clone, Copy)]
struct Refused {
    again: Instant,
    retries_left: u64,
}

impl HttpOk {
    pub(crate) fn new(
        options: Options,
        url: String,
        own_namespec: Option<String>,
        check: impl FnMut() -> Outcome + Send + 'static,
    ) -> Self {
        let blindness = Blindness::new("httpok", options.name.as_deref(), true);
        Self {
            check: Box::new(check),
            url,
            retries: options.timeout.as_secs().saturating_sub(1) / PAUSE.as_secs(),
            eager: !options.not_eager,
            name: options.name,
            refused: None,
            ill: false,
            trouble: None,
            processes: Processes::new(
                options.programs,
                options.any,
                Gcore::new(options.gcore, options.coredir),
                own_namespec,
                blindness,
            ),
        }
    }

    /// Keeps what is owed a start in this journal, for the next listener.
    pub(crate) fn keep(&mut self, journal: (Journal, Vec<Record>), in_flight: &InFlight) {
        self.processes.keep(journal, in_flight);
    }

    fn tick(&mut self, ctx: &mut Ctx<'_>) {
        if self.eager || self.processes.something_runs(ctx) {
            self.check(self.retries, ctx);
        }
    }

    fn check(&mut self, retries_left: u64, ctx: &mut Ctx<'_>) {
        self.refused = None;
        let outcome = (self.check)();
        if !matches!(outcome.verdict, Verdict::Trouble(_)) {
            self.trouble = None;
        }
        let failed = match outcome.verdict {
            Verdict::Good => return self.well(&outcome, ctx),
            Verdict::Trouble(why) => return self.trouble(why, ctx),
            Verdict::Failed(failed) => failed,
        };
        if let (true, 1..) = (failed.refused, retries_left) {
            let (again, retries_left) = (Instant::now() + PAUSE, retries_left - 1);
            self.refused = Some(Refused { again, retries_left });
            return;
        }
        let (kind, what) = match failed.class {
            Class::Body => ("bad-body", "bad body"),
            _ => ("bad-status", "bad status"),
        };
        self.ill = true;
        let subject = self.subject(&format!("{what} returned"));
        let failure = Failure { kind, subject, url: self.url.clone() };
        self.processes.act(failure, failed.text, ctx);
    }
}

impl HttpOk {
    fn subject(&self, what: &str) -> String {
        let name = self.name.as_ref().map(|name| format!(" [{name}]")).unwrap_or_default();
        format!("httpok{name}: {}: {what}", self.url)
    }

    /// Says that a check could not be made, once for each reason. It is never a reason to act.
    fn trouble(&mut self, why: String, ctx: &mut Ctx<'_>) {
        if self.trouble.as_ref() != Some(&why) {
            ctx.log.line(&why);
            let subject = self.subject("cannot be checked");
            ctx.raise(Alert::new("httpok", "trouble", ctx.now(), subject, why.clone()));
            self.trouble = Some(why);
        }
    }

    /// Takes note of a good answer, which is the recovery of what was reported about the URL.
    fn well(&mut self, outcome: &Outcome, ctx: &mut Ctx<'_>) {
        let status = outcome.status.map(|status| format!(": status {status}"));
        let text = format!("{} answers well again{}", self.url, status.unwrap_or_default());
        if std::mem::take(&mut self.ill) {
            ctx.log.line(&text);
        }
        if ctx.alerts.is_unresolved(&self.url) {
            ctx.alerts.resolve(&self.url, &format!("{text}."));
        }
        self.processes.look_again(ctx);
    }
}

impl Listener for HttpOk {
    fn filter(&self) -> Filter {
        Box::new(Interest::in_tick)
    }

    fn introduction(&self) -> Introduction {
        let processes = self.processes.describe();
        Introduction::at_ticks(format!("checks {} for {processes}", self.url))
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        // While a refused connection waits to be tried again, the last tick's check is not over.
        if let (Event::Tick { .. }, None) = (event, self.refused) {
            self.tick(ctx);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let again = self.refused.map(|refused| refused.again);
        [again, self.processes.deadline()].into_iter().flatten().min()
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        self.processes.retry(ctx);
        if let Some(Refused { retries_left, .. }) =
            self.refused.filter(|r| r.again <= Instant::now())
        {
            self.check(retries_left, ctx);
        }
    }

    /// A check that is not over is given up; a start that is owed is not.
    fn finish(&mut self, _: &mut Ctx<'_>) {
        self.refused = None;
        self.processes.hurry();
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
