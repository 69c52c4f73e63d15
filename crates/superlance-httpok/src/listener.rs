//! The listener `httpok`.

use std::time::{Duration, Instant};

use superlance_core::listener::in_flight::InFlight;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::restart::Record;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::protocol::event::Event;
use superlance_core::spool::journal::Journal;
use superlance_core::supervisor::ProcessInfo;

use crate::options::Options;
use crate::plan::Probed;
use crate::processes::Listed;
use crate::responder::Responder;

/// Pause before a refused connection is tried again.
const PAUSE: Duration = Duration::from_secs(10);

/// What the files say at last.
const ENDED: &str = "httpok has ended";

/// The checks of a tick: with `--each` a round of them for each of these processes, and otherwise one.
pub(crate) type Ask = Box<dyn FnMut(&[&ProcessInfo]) -> Vec<Vec<Probed>> + Send>;

/// The listener.
pub(crate) struct HttpOk {
    ask: Ask,
    /// The URL for messages.
    url: String,
    /// How often a refused connection is tried again.
    retries: u64,
    /// Whether to check when nothing that is watched runs.
    eager: bool,
    /// A check that was refused and goes on later.
    refused: Option<Refused>,
    /// Whether no event will come any more.
    has_ended: bool,
    responder: Responder,
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
        any_url: bool,
        ask: Ask,
    ) -> Self {
        Self {
            ask,
            url,
            retries: options.timeout.as_secs().saturating_sub(1) / PAUSE.as_secs(),
            eager: !options.not_eager,
            refused: None,
            has_ended: false,
            responder: Responder::new(options, own_namespec, any_url),
        }
    }

    /// Keeps what is owed a start in this journal, for the next listener.
    pub(crate) fn keep(&mut self, journal: (Journal, Vec<Record>), in_flight: &InFlight) {
        self.responder.actor.restarts.keep(journal, in_flight);
    }

    fn tick(&mut self, ctx: &mut Ctx<'_>) {
        if self.eager && !self.responder.each {
            return self.check(self.retries, None, ctx);
        }
        let listed = match self.responder.processes.look(ctx) {
            Ok(listed) => listed,
            Err(error) => return self.responder.report_none(Some(&error.to_string()), ctx),
        };
        let something_runs = listed.running().next().is_some();
        match self.responder.each {
            // The others need not wait for a connection that is refused.
            true if self.eager || something_runs => self.check(0, Some(listed), ctx),
            false if something_runs => self.check(self.retries, None, ctx),
            // With -E nothing is checked now.
            _ => {
                self.responder.report_none(None, ctx);
                ctx.alerts.ticked(true);
            }
        }
    }

    fn check(&mut self, retries_left: u64, listed: Option<Listed>, ctx: &mut Ctx<'_>) {
        self.refused = None;
        let running: Vec<_> = listed.iter().flat_map(Listed::running).collect();
        let rounds = (self.ask)(&running);
        let failed = rounds.iter().flatten().filter_map(Probed::failed);
        if failed.clone().any(|failed| failed.refused) && retries_left > 0 {
            let (again, retries_left) = (Instant::now() + PAUSE, retries_left - 1);
            self.refused = Some(Refused { again, retries_left });
            return;
        }
        self.responder.respond(rounds, listed, ctx);
    }
}

impl Listener for HttpOk {
    fn filter(&self) -> Filter {
        Box::new(Interest::in_tick)
    }

    fn introduction(&self) -> Introduction {
        let processes = self.responder.processes.describe();
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
        [again, self.responder.actor.deadline()].into_iter().flatten().min()
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        self.responder.actor.retry(ctx);
        if self.has_ended {
            self.responder.report_none(Some(ENDED), ctx);
        }
        if let Some(Refused { retries_left, .. }) =
            self.refused.filter(|r| r.again <= Instant::now())
        {
            self.check(retries_left, None, ctx);
        }
    }

    /// A check that is not over is given up; a start that is owed is not.
    fn finish(&mut self, ctx: &mut Ctx<'_>) {
        (self.refused, self.has_ended) = (None, true);
        self.responder.actor.restarts.hurry();
        // The files would show the last checks for ever.
        self.responder.report_none(Some(ENDED), ctx);
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "policy_tests.rs"]
mod policy;
