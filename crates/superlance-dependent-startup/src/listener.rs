//! The listener `dependent-startup`.

use std::path::Path;
use std::time::{Duration, Instant};

use litemap::LiteMap;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::in_flight::InFlight;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::restart::{Record, Restarts};
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::protocol::event::{Event, ProcessState};
use superlance_core::spool::journal::Journal;
use superlance_core::supervisor::RpcError;
use superlance_core::system::order;
use superlance_probe::outcome::{Class, Verdict};

use crate::NAME;
use crate::alerts;
use crate::decide::{Ready, Waiting, decide};
use crate::dependents::Dependents;
use crate::graph::{Graph, Reading};
use crate::health::{Health, Outcome};
use crate::level::Level;
use crate::opening::{self, about};
use crate::options::Options;
use crate::program::Program;
use crate::starts::Starts;
use crate::states::States;
use crate::texts;
use crate::troubles::{News, Troubles};
use crate::unknown::Unknown;

/// Pause after a question without an answer.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) struct DependentStartup {
    reading: Reading,
    level: Level,
    /// What is said at the start.
    file: String,
    states: States,
    troubles: Troubles,
    unknown: Unknown,
    blindness: Blindness,
    starts: Starts,
    dependents: Dependents,
    health: Health,
    /// The programs that were said not to be healthy, by their places in the graph, and in which way.
    ill: LiteMap<usize, Option<Class>>,
    /// When to look next, if not at an event.
    look: Option<Instant>,
    /// The last line about those that wait.
    said: String,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was looked at yet.
    Begins,
    Starts,
    /// All are started, and what follows on changes is left to do.
    Follows,
    /// All are started, and events do not matter any more.
    Done,
    /// The listener ends, and starts what it has stopped where it may.
    Ends,
}

impl Phase {
    /// Whether changes of processes matter.
    fn listens(self) -> bool {
        matches!(self, Self::Begins | Self::Starts | Self::Follows)
    }
}

impl DependentStartup {
    pub(crate) fn new(
        reading: Reading,
        file: &Path,
        options: &Options,
        own_namespec: Option<String>,
    ) -> Self {
        Self {
            health: Health::new(&reading.graph.programs),
            ill: LiteMap::new(),
            reading,
            level: options.log_level,
            file: file.display().to_string(),
            states: States::default(),
            troubles: Troubles::new(options.timeout),
            unknown: Unknown::default(),
            blindness: Blindness::new(NAME, None, true),
            starts: Starts::default(),
            dependents: Dependents {
                restart: options.restart_dependents,
                stop: options.stop_dependents,
                level: options.log_level,
                restarts: Restarts::new(own_namespec).without_waiting(),
                refused: LiteMap::new(),
            },
            look: Some(Instant::now()),
            said: String::new(),
            phase: Phase::Begins,
        }
    }

    /// Keeps what is owed a start in this journal, for the next listener.
    pub(crate) fn keep(&mut self, journal: (Journal, Vec<Record>), in_flight: &InFlight) {
        self.dependents.restarts.keep(journal, in_flight);
    }

    fn graph(&self) -> &Graph {
        &self.reading.graph
    }

    fn handled(&self) -> impl Iterator<Item = &Program> {
        self.graph().programs.iter().filter(|program| program.handled)
    }

    /// Says what the configuration has, and what is wrong with it.
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        opening::say(&self.reading, &self.file, self.level, ctx);
        self.phase = Phase::Starts;
        if self.handled().next().is_none() {
            self.level.say(Level::Info, ctx.log, "Found no services to start");
            self.phase = Phase::Done;
        }
    }

    /// Looks at all processes, and starts what may start, until nothing more may.
    fn look(&mut self, ctx: &mut Ctx<'_>) {
        self.look = None;
        loop {
            if ctx.is_ending() {
                return;
            }
            let started = ctx.supervisor.all().and_then(|all| {
                self.states.look(&all);
                self.blindness.succeeded(ctx);
                self.starts.settle(&self.states, ctx);
                let (graph, states) = (&self.reading.graph, &self.states);
                self.dependents.go_on(graph, states, ctx);
                Ok(self.dependents.stop(graph, states, &all, ctx)? || self.start(ctx)?)
            });
            match started {
                Ok(true) => {}
                Ok(false) => return self.report(ctx),
                Err(error) if error.is_shutdown() => return,
                Err(error) => {
                    self.blindness.unanswered_again(&error, ctx);
                    self.look = Some(Instant::now() + RETRY);
                    return;
                }
            }
        }
    }

    /// Starts what may start now; whether anything was.
    fn start(&mut self, ctx: &mut Ctx<'_>) -> Result<bool, RpcError> {
        let now = Instant::now();
        let mut has_started = false;
        for Ready { program, processes } in decide(&self.reading.graph, &self.states).ready {
            let due = processes.into_iter().filter(|namespec| self.starts.is_due(namespec, now));
            let due: Vec<_> = due.collect();
            if due.iter().any(|namespec| !self.starts.is_refused(namespec)) {
                let text = texts::starting(program, &self.states);
                self.level.say(Level::Info, ctx.log, &text);
            }
            for namespec in due {
                has_started |= self.starts.start(&program.name, namespec, self.level, ctx)?;
            }
        }
        Ok(has_started)
    }

    /// Says what waits and why, and whether all is done.
    fn report(&mut self, ctx: &mut Ctx<'_>) {
        let decision = decide(&self.reading.graph, &self.states);
        let (now, mut news) = (Instant::now(), Vec::new());
        for waiting in &decision.waiting {
            let blocked = (!waiting.failed.is_empty()).then(|| texts::blocked(waiting));
            let fresh = self.troubles.waits(waiting.at, blocked, now);
            news.extend(fresh.into_iter().map(|news| (waiting, news)));
        }
        let still: Vec<_> = decision.waiting.iter().map(|waiting| waiting.at).collect();
        let over = self.troubles.retain(&still);
        for (waiting, news) in news {
            self.tell(waiting, news, ctx);
        }
        for program in over.into_iter().filter_map(|at| self.graph().get(at)) {
            let text = format!("{} does not wait any more.", program.label());
            ctx.alerts.resolve(&alerts::key(&program.label()), &text);
        }
        // An earlier listener may have told what is over, or of what the configuration had then.
        let lasts = alerts::lasting(&decision, self.starts.refused());
        let blind = self.blindness.key();
        ctx.alerts.retain(&|key| key == blind || lasts.iter().any(|lasts| lasts == key));
        let waiting = decision.waiting.iter().map(|waiting| waiting.program);
        let line = texts::not_yet_running(waiting.clone());
        if !decision.waiting.is_empty() && line != self.said && self.level.shows(Level::Info) {
            ctx.log.routine(&line);
        }
        self.said = line;
        // Those that were stopped, or are to be restarted, wait for health as well.
        let again = self.handled().filter(|it| self.dependents.waits(it, &self.states));
        let asked = self.health_of(waiting.chain(again));
        self.health.ask(&asked, now);
        let ready = decision.ready.iter().flat_map(|ready| ready.processes.iter().copied());
        let owed = self.dependents.deadline(&self.reading.graph, &self.states);
        if self.phase == Phase::Starts {
            self.unknown.report(&decision.unknown, &self.file, self.level, now, ctx);
        }
        let (unknown, long) = (self.unknown.deadline(), self.troubles.deadline());
        let due = [self.starts.deadline(ready), long, owed, self.health.due(), unknown];
        self.look = due.into_iter().flatten().min();
        if decision.is_done && self.phase == Phase::Starts {
            let (next, phase) = match self.dependents.follow() {
                true => ("following their dependents", Phase::Follows),
                false => ("ignoring all future events", Phase::Done),
            };
            let text = format!("No more processes to start for initial startup, {next}.");
            self.level.say(Level::Info, ctx.log, &text);
            self.phase = phase;
        }
    }

    /// The programs whose health these wait for, each with the time of its start.
    fn health_of<'a>(&self, programs: impl Iterator<Item = &'a Program>) -> LiteMap<usize, i64> {
        let conditions = programs.flat_map(|program| &program.conditions);
        let run = conditions.filter(|condition| condition.healthy && self.states.run(condition));
        let parents = run.flat_map(|condition| &condition.parents);
        order::map(parents.filter_map(|at| Some((*at, self.start_of(self.graph().get(*at)?)))))
    }

    /// When the last process of a program was started.
    fn start_of(&self, program: &Program) -> i64 {
        let starts = program.processes.iter().map(|process| self.states.start(process));
        starts.max().unwrap_or_default()
    }

    fn tell(&self, waiting: &Waiting<'_>, news: News, ctx: &mut Ctx<'_>) {
        let program = waiting.program;
        let (kind, sentence) = match news {
            News::Blocked(sentence) => ("blocked", sentence),
            News::Long(time) => ("waiting", texts::waited(waiting, time, &self.states)),
        };
        self.level.say(Level::Warning, about(program, ctx), &sentence);
        ctx.raise(alerts::waits(kind, waiting, &sentence, self.graph(), ctx.now()));
    }

    /// Takes note of the outcomes of checks; whether there were any.
    fn examine(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let outcomes = self.health.outcomes();
        for Outcome { at, start, verdict } in &outcomes {
            let program = self.reading.graph.get(*at);
            let Some(program) = program.filter(|it| self.start_of(it) == *start) else { continue };
            for process in &program.processes {
                self.states.examine(process, *verdict == Verdict::Good);
            }
            let (log, name) = (about(program, ctx), &program.name);
            let is_shown = self.level.shows(Level::Info);
            match texts::illness(verdict) {
                None if self.ill.remove(at).is_some() => {
                    log.line(format_args!("{name} is healthy"));
                }
                // What a command prints may be different each time.
                Some((class, why)) if is_shown && self.ill.insert(*at, class) != Some(class) => {
                    log.line(format_args!("{name} is not healthy: {why}"));
                }
                _ => {}
            }
        }
        !outcomes.is_empty()
    }

    fn hear(&mut self, change: &ProcessState, ctx: &Ctx<'_>) {
        let namespec = format!("{}:{}", change.group, change.process);
        self.states.hear(&namespec, change.state);
        if self.level.shows(Level::Info) {
            ctx.log.about(&change.group, &change.process, change.pid).routine(format_args!(
                "New event: Service {} went from {} to {}",
                change.process,
                change.from_state,
                change.state.name()
            ));
        }
    }
}

impl Listener for DependentStartup {
    fn filter(&self) -> Filter {
        Box::new(|frame| match frame.name.starts_with("PROCESS_STATE_") {
            true => Interest::in_change(frame, |_| true),
            false => Interest::Nothing,
        })
    }

    fn introduction(&self) -> Introduction {
        let handled = self.handled().count();
        let task = match handled {
            1 => "starts 1 program when what it waits for is there".to_owned(),
            _ => format!("starts {handled} programs, each when what it waits for is there"),
        };
        Introduction { task, events: vec!["PROCESS_STATE".to_owned()] }
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        match event {
            Event::ProcessState(change) if self.phase.listens() => {
                self.hear(change, ctx);
                // Events that have come meanwhile are heard before the next look.
                self.look = Some(Instant::now());
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Done => None,
            Phase::Ends => {
                let owed = self.dependents.deadline(self.graph(), &self.states);
                [owed, self.health.rest()].into_iter().flatten().min()
            }
            _ => [self.look, self.health.look()].into_iter().flatten().min(),
        }
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        if self.phase == Phase::Begins {
            self.begin(ctx);
        }
        let is_due = self.look.is_some_and(|due| due <= Instant::now());
        if self.phase == Phase::Ends {
            drop(self.health.outcomes());
            self.dependents.go_on(&self.reading.graph, &self.states, ctx);
        } else if self.phase.listens() && (self.examine(ctx) || is_due) {
            self.look(ctx);
        }
    }

    /// The next listener begins with what supervisord says.
    fn finish(&mut self, _: &mut Ctx<'_>) {
        self.phase = Phase::Ends;
        self.dependents.restarts.hurry();
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
