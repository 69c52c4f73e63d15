//! Failed checks: a listener that cannot reach supervisord, and the log lines and alerts about
//! that.

use std::time::{Duration, Instant};

use crate::listener::Ctx;
use crate::listener::alert::{Alert, Recovers};
use crate::supervisor::RpcError;
use crate::system::clock::log_time;

/// The kind of alerts that a listener cannot do its work.
pub const BLIND: &str = "blind";

/// Failed checks in a row before an alert.
const PATIENCE: u32 = 3;

/// The shortest tick. Failures of a listener that asks again by itself count as one within it.
const TICK: Duration = Duration::from_secs(5);

/// The longest time for which the same complaint is logged once.
const REPEAT: Duration = Duration::from_secs(60 * 60);

/// The checks of one listener.
#[derive(Debug)]
pub struct Blindness {
    listener: &'static str,
    /// The beginning of subjects, such as `memmon [web]`.
    title: String,
    tells: bool,
    checks: Checks,
    complaint: Complaint,
    /// Whether supervisord did not answer the last question.
    is_away: bool,
}

/// Failed checks in a row. Pure.
#[derive(Debug, Default)]
struct Checks {
    failed: u32,
    /// When the last of them was counted.
    last: Option<Instant>,
    /// Whether there was an alert about them.
    told: bool,
}

impl Checks {
    /// Counts a failed check; `true` if it is time for an alert.
    fn fail(&mut self, now: Instant) -> bool {
        self.last = Some(now);
        self.failed = self.failed.saturating_add(1);
        let is_time = self.failed >= PATIENCE && !self.told;
        self.told |= is_time;
        is_time
    }

    /// Whether a tick may have come since the last failed check.
    fn is_next(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.saturating_duration_since(last) >= TICK)
    }

    /// Counts a successful check; `true` if there was an alert about failed ones.
    fn succeed(&mut self) -> bool {
        std::mem::take(self).told
    }
}

/// The last complaint, and when it was logged. Pure.
#[derive(Debug, Default)]
struct Complaint(Option<(String, Instant)>);

impl Complaint {
    /// Whether to log this: it is new, or was logged long ago.
    fn is_due(&mut self, message: &str, now: Instant) -> bool {
        let is_due = self.0.as_ref().is_none_or(|(last, at)| {
            last != message || now.saturating_duration_since(*at) >= REPEAT
        });
        if is_due {
            self.0 = Some((message.to_owned(), now));
        }
        is_due
    }
}

impl Blindness {
    /// The checks of `listener`, such as `memmon`, which may have a name (`-n`). Without `tells`,
    /// they cause no alerts.
    #[must_use]
    pub fn new(listener: &'static str, name: Option<&str>, tells: bool) -> Self {
        let title = match name {
            Some(name) => format!("{listener} [{name}]"),
            None => listener.to_owned(),
        };
        let (checks, complaint) = (Checks::default(), Complaint::default());
        Self { listener, title, tells, checks, complaint, is_away: false }
    }

    /// Whether supervisord did not answer the last question.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.is_away
    }

    /// A check failed because supervisord gave no usable answer.
    pub fn unanswered(&mut self, error: &RpcError, ctx: &mut Ctx<'_>) {
        self.complain(&format!("Cannot check: {error}"), ctx);
        self.not_acting(error, ctx);
    }

    /// Like `unanswered`, for a listener that asks again by itself, and not only at ticks.
    pub fn unanswered_again(&mut self, error: &RpcError, ctx: &mut Ctx<'_>) {
        if self.checks.is_next(ctx.arrived.instant) {
            return self.unanswered(error, ctx);
        }
        self.complain(&format!("Cannot check: {error}"), ctx);
        self.is_away = true;
    }

    /// Like `failed`, where the listener has logged it itself.
    pub fn not_acting(&mut self, error: &RpcError, ctx: &mut Ctx<'_>) {
        self.is_away = true;
        // While supervisord ends, a failure is normal.
        if !error.is_shutdown() {
            self.count(&error.to_string(), ctx);
        }
    }

    /// A check failed although supervisord answered; `message` is for the log.
    pub fn failed(&mut self, message: &str, ctx: &mut Ctx<'_>) {
        self.answered(ctx);
        self.complain(message, ctx);
        self.count(message, ctx);
    }

    /// A check succeeded.
    pub fn succeeded(&mut self, ctx: &mut Ctx<'_>) {
        self.answered(ctx);
        self.complaint = Complaint::default();
        let key = self.key();
        // An earlier listener may have told that it could not.
        if self.checks.succeed() || ctx.alerts.is_unresolved(&key) {
            let text = format!("{} checks again since {}.", self.title, log_time(ctx.now()));
            let recovered = ("recovered", Recovers::Recovered { key });
            self.raise(recovered, "can check again", text, ctx);
        }
    }

    fn answered(&mut self, ctx: &Ctx<'_>) {
        if std::mem::take(&mut self.is_away) {
            ctx.log.line("supervisord answers again");
        }
    }

    fn complain(&mut self, message: &str, ctx: &Ctx<'_>) {
        if self.complaint.is_due(message, ctx.arrived.instant) {
            ctx.log.line(message);
        }
    }

    fn count(&mut self, why: &str, ctx: &mut Ctx<'_>) {
        ctx.alerts.ticked(false);
        if self.checks.fail(ctx.arrived.instant) {
            let text = format!(
                "{} could not check anything {PATIENCE} times in a row, and watches nothing until it can:\n\n{why}",
                self.title
            );
            let blind = (BLIND, Recovers::WhenResolved { key: self.key(), at_once: true });
            self.raise(blind, "cannot check anything", text, ctx);
        }
    }

    /// The key of its recovery.
    #[must_use]
    pub fn key(&self) -> String {
        format!("checks of {}", self.title)
    }

    fn raise(
        &self,
        (kind, recovers): (&str, Recovers),
        what: &str,
        text: String,
        ctx: &mut Ctx<'_>,
    ) {
        if self.tells {
            let subject = format!("{}: {what}", self.title);
            let alert = Alert::new(self.listener, kind, ctx.now(), subject, text);
            ctx.raise(alert.recovers(recovers));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::Fault;
    use crate::testing::{ScriptedSupervisor, World};

    fn lost() -> RpcError {
        RpcError::NoAnswer("connection lost".to_owned())
    }

    fn kinds(world: &World) -> Vec<&str> {
        world.alerts.iter().map(|alert| alert.kind.as_str()).collect()
    }

    #[test]
    fn three_failures_in_a_row_are_told_once_and_so_is_their_end() {
        let mut world = World::new(ScriptedSupervisor::at(1000));
        let mut blindness = Blindness::new("memmon", Some("web"), true);
        for expected in [0, 0, 1, 1, 1] {
            world.with_ctx(|ctx| blindness.unanswered(&lost(), ctx));
            assert_eq!(world.alerts.len(), expected);
        }
        world.with_ctx(|ctx| blindness.succeeded(ctx));
        world.with_ctx(|ctx| blindness.succeeded(ctx));
        assert_eq!(kinds(&world), ["blind", "recovered"]);
        let subjects: Vec<_> = world.alerts.iter().map(|alert| alert.subject.as_str()).collect();
        assert_eq!(
            subjects,
            ["memmon [web]: cannot check anything", "memmon [web]: can check again"]
        );
        assert!(world.alerts[0].text.ends_with(":\n\nconnection lost"), "{:?}", world.alerts);
        assert_eq!(world.log(), "Cannot check: connection lost\nsupervisord answers again\n");
    }

    #[test]
    fn one_that_asks_again_by_itself_is_not_blind_before_ticks_would_make_it_so() {
        let mut world = World::new(ScriptedSupervisor::at(1000));
        let (mut blindness, start) = (Blindness::new("exitmon", None, true), Instant::now());
        let mut told = Vec::new();
        for second in 0..15 {
            world.with_ctx(|ctx| {
                ctx.arrived.instant = start + Duration::from_secs(second);
                blindness.unanswered_again(&lost(), ctx);
            });
            told.push(world.alerts.len());
        }
        assert_eq!(told, [[0; 10].as_slice(), [1; 5].as_slice()].concat());
        assert_eq!(world.log(), "Cannot check: connection lost\n");
    }

    #[test]
    fn a_check_that_is_made_begins_the_count_anew() {
        let mut world = World::new(ScriptedSupervisor::at(1000));
        let mut blindness = Blindness::new("httpok", None, true);
        for _ in 0..3 {
            world.with_ctx(|ctx| blindness.not_acting(&lost(), ctx));
            world.with_ctx(|ctx| blindness.failed("no /proc", ctx));
            world.with_ctx(|ctx| blindness.succeeded(ctx));
        }
        assert_eq!(kinds(&world), Vec::<&str>::new());
    }

    #[test]
    fn what_ends_is_no_news_and_neither_is_anything_to_who_tells_nothing() {
        let mut world = World::new(ScriptedSupervisor::at(1000));
        let mut ending = Blindness::new("memmon", None, true);
        let mut quiet = Blindness::new("memmon", None, false);
        let text = "SHUTDOWN_STATE".to_owned();
        let fault = RpcError::Fault(Fault { code: Fault::SHUTDOWN_STATE, text });
        for _ in 0..4 {
            world.with_ctx(|ctx| ending.unanswered(&fault, ctx));
            world.with_ctx(|ctx| quiet.unanswered(&lost(), ctx));
        }
        assert_eq!(kinds(&world), Vec::<&str>::new());
    }

    #[test]
    fn a_complaint_is_repeated_when_it_changes_and_every_hour() {
        let (mut complaint, start) = (Complaint::default(), Instant::now());
        let minutes = [("a", 0), ("a", 59), ("b", 59), ("b", 118), ("b", 119), ("b", 120)];
        let due = minutes.map(|(message, minute)| {
            complaint.is_due(message, start + Duration::from_secs(minute * 60))
        });
        assert_eq!(due, [true, false, true, false, true, false]);
    }
}
