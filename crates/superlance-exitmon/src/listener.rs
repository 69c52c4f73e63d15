//! The listener `exitmon`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use superlance_core::listener::alert::Alert;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::options::selector::Names;
use superlance_core::protocol::event::{Event, ProcessState};
use superlance_core::protocol::state::State;
use superlance_core::supervisor::RpcError;
use superlance_core::system::replace::replace;
use superlance_crash::postmortem::{Ending, PostMortem};

use crate::look::Eyes;
use crate::options::Options;
use crate::rule::{Cause, Judgement, Rules, Seen, Watch};
use crate::shutdown::shut_down;
use crate::status::StatusRule;
use crate::texts::{How, has_failed, headline, sentence};

/// The event before supervisord stops everything, to end or to start anew.
const STOPPING: &str = "SUPERVISOR_STATE_CHANGE_STOPPING";

/// How long alerts may take before supervisord ends.
const TELLING: Duration = Duration::from_secs(8);

/// How often it is seen whether alerts have arrived.
const LOOK_AT_ALERTS: Duration = Duration::from_millis(50);

/// Pause after a question without an answer, and after an end that could not be begun.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) struct Exitmon {
    rules: Rules,
    /// Whether supervisord can be asked.
    sees: bool,
    eyes: Eyes,
    watch: Watch,
    blindness: Blindness,
    post_mortem: PostMortem,
    status: StatusRule,
    exit_file: Option<PathBuf>,
    /// The process id of `superlance run`.
    run: Option<i32>,
    dry_run: bool,
    task: String,
    phase: Phase,
}

/// What exitmon is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It watches; the next look is due at this time, if not before.
    Watching { look: Option<Instant> },
    /// Alerts are on their way, until this time at most; they are looked at again at `next`.
    Telling { until: Instant, next: Instant },
    /// Supervisord is to end, and is told so at this time.
    Ending { at: Instant },
    /// Supervisord ends, or exitmon does.
    Done,
}

impl Exitmon {
    pub(crate) fn new(
        options: &Options,
        sees: bool,
        eyes: Eyes,
        exit_file: Option<PathBuf>,
        run: Option<i32>,
    ) -> Self {
        let (rules, selected) = (options.rules(sees), options.selected());
        let task = format!("ends supervisord when of {} {}", selected.describe(), rules.describe());
        Self {
            rules,
            sees,
            eyes,
            watch: Watch::default(),
            blindness: Blindness::new("exitmon", None, !options.dry_run),
            post_mortem: PostMortem::new(0, false),
            status: options.status,
            exit_file,
            run,
            dry_run: options.dry_run,
            task,
            phase: Phase::Watching { look: sees.then(Instant::now) },
        }
    }

    fn hear(&mut self, change: &ProcessState, ctx: &mut Ctx<'_>) {
        let names = Names { group: &change.group, process: &change.process };
        let Some(role) = self.eyes.role(names) else { return };
        if self.watch.hear(&self.rules, change, role, ctx.arrived.instant) {
            goes_on(change, Some(change.state), ctx);
        }
    }

    /// Looks at all processes, and ends supervisord if that is what the rule says. Returns whether they
    /// were seen.
    fn look(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let seen = match self.sees {
            true => self.eyes.look(ctx),
            false => Ok(self.watch.heard()),
        };
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                self.not_seen(&error, ctx);
                return false;
            }
        };
        if self.sees {
            self.blindness.succeeded(ctx);
        }
        self.phase = Phase::Watching { look: None };
        let Judgement { going_on, end } = self.watch.judge(&self.rules, &seen, Instant::now());
        for (change, state) in going_on {
            goes_on(&change, state, ctx);
        }
        if let Some(cause) = end.filter(|_| !ctx.is_ending()) {
            self.end(&cause, ctx);
        }
        true
    }

    fn not_seen(&mut self, error: &RpcError, ctx: &mut Ctx<'_>) {
        if error.is_shutdown() {
            return self.supervisord_stops();
        }
        self.blindness.unanswered_again(error, ctx);
        self.phase = Phase::Watching { look: Some(Instant::now() + RETRY) };
    }

    fn supervisord_stops(&mut self) {
        self.watch.forget();
        self.phase = Phase::Done;
    }

    fn end(&mut self, cause: &Cause, ctx: &mut Ctx<'_>) {
        let changes = match cause {
            Cause::One { change, .. } | Cause::TooOften { change, .. } => vec![change.clone()],
            Cause::All { processes, .. } => processes.iter().map(Seen::change).collect(),
        };
        let hows: Vec<_> = changes.iter().map(|change| self.how(change, ctx)).collect();
        let decisive = match cause {
            Cause::All { processes, failed } => {
                { processes.iter().zip(&hows).find(|(seen, _)| Some(*seen) == failed.as_ref()) }
                    .map(|(_, how)| how)
            }
            _ => hows.first(),
        };
        let ending = decisive.and_then(|how| how.ending.as_ref());
        let status = self.status.status(has_failed(cause), ending);
        let what = sentence(cause, &hows);
        let does =
            if self.dry_run { "would shut supervisord down" } else { "shutting supervisord down" };
        let text = format!("{what}: {does}, status {status}");
        let about = changes.first().filter(|_| changes.len() == 1);
        match about {
            Some(change) => ctx.log.about(&change.group, &change.process, change.pid).line(&text),
            None => ctx.log.line(&text),
        }
        if !self.dry_run {
            self.write_status(status, ctx);
        }
        let (kind, done) = match self.dry_run {
            true => ("would-shut-down", "would shut supervisord down"),
            false => ("shutting-down", "supervisord shut down"),
        };
        let subject = format!("exitmon: {}, {done}", headline(cause));
        let mut alert = Alert::new("exitmon", kind, ctx.now(), subject, text);
        if let Some(change) = about {
            alert = alert.about(&change.group, &change.process, change.pid);
        }
        alert = alert.measuring("status", status);
        ctx.raise(if self.dry_run { alert } else { alert.action("shutdown") });
        self.phase = match self.dry_run {
            // Others may have ended as well.
            true => Phase::Watching { look: Some(Instant::now()) },
            false => Phase::Telling { until: Instant::now() + TELLING, next: Instant::now() },
        };
    }

    fn write_status(&self, status: u8, ctx: &Ctx<'_>) {
        let Some(path) = &self.exit_file else { return };
        if let Err(error) = replace(path, &format!("{status}\n")) {
            ctx.log.line(format_args!(
                "the exit status cannot be handed on: cannot write {}: {error}",
                path.display()
            ));
        }
    }

    /// How a process came to its end.
    fn how(&mut self, change: &ProcessState, ctx: &mut Ctx<'_>) -> How {
        if !self.sees {
            return How::default();
        }
        let ending = self.post_mortem.gather(change, ctx).ending;
        let namespec = format!("{}:{}", change.group, change.process);
        let details = ctx.supervisor.details(&namespec).ok();
        let details = details.filter(|details| details.info.state == change.state);
        let status = details.as_ref().map(|details| details.info.exit_status);
        match (change.state, ending, status) {
            (State::Exited, None, Some(status)) => match u32::try_from(status) {
                Ok(status) => How { ending: Some(Ending::Status(status)), words: None },
                Err(_) => How { ending: None, words: Some("terminated by a signal".to_owned()) },
            },
            (State::Fatal, ending, _) => {
                let words = details.map(|details| details.spawn_error);
                How { ending, words: words.filter(|words| !words.is_empty()) }
            }
            (_, ending, _) => How { ending, words: None },
        }
    }

    fn shut_down(&mut self, ctx: &mut Ctx<'_>) {
        self.phase = match shut_down(ctx.supervisor, self.run) {
            Ok(done) => {
                ctx.log.line(done);
                Phase::Done
            }
            Err(error) => {
                let message = format!("Cannot shut supervisord down: {error}; tried again");
                self.blindness.failed(&message, ctx);
                Phase::Ending { at: Instant::now() + RETRY }
            }
        };
    }
}

fn goes_on(change: &ProcessState, state: Option<State>, ctx: &Ctx<'_>) {
    let log = ctx.log.about(&change.group, &change.process, None);
    let name = format!("{}:{}", change.group, change.process);
    match state {
        Some(state) => log.line(format_args!("{name} is {} again, going on", state.name())),
        None => log.line(format_args!("{name} is gone from the configuration, going on")),
    }
}

impl Listener for Exitmon {
    fn filter(&self) -> Filter {
        let sees = self.sees;
        Box::new(move |frame| match frame.name.as_str() {
            STOPPING => Interest::Every,
            name if name.starts_with("PROCESS_STATE_") => Interest::in_change(frame, |_| true),
            _ if sees => Interest::in_tick(frame),
            _ => Interest::Nothing,
        })
    }

    fn introduction(&self) -> Introduction {
        let mut events = self.rules.events();
        if !self.sees {
            events.push(STOPPING.to_owned());
        }
        Introduction { task: self.task.clone(), events }
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        if !matches!(self.phase, Phase::Watching { .. }) {
            return;
        }
        match event {
            Event::ProcessState(change) => self.hear(change, ctx),
            Event::Tick { .. } => {
                if self.look(ctx) {
                    ctx.alerts.ticked(true);
                }
            }
            Event::Other { name } if name == STOPPING => self.supervisord_stops(),
            Event::Other { .. } => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Watching { look } => {
                look.into_iter().chain(self.watch.deadline(&self.rules)).min()
            }
            Phase::Telling { next, .. } => Some(next),
            Phase::Ending { at } => Some(at),
            Phase::Done => None,
        }
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        match self.phase {
            Phase::Watching { .. } => {
                self.look(ctx);
            }
            Phase::Telling { until, .. } => {
                let now = Instant::now();
                if ctx.in_flight.is_empty() || now >= until {
                    return self.shut_down(ctx);
                }
                self.phase = Phase::Telling { until, next: now + LOOK_AT_ALERTS };
            }
            Phase::Ending { .. } => self.shut_down(ctx),
            Phase::Done => {}
        }
    }

    /// supervisord may be ending as well; if not, the next exitmon looks anew.
    fn finish(&mut self, _: &mut Ctx<'_>) {
        self.phase = Phase::Done;
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
