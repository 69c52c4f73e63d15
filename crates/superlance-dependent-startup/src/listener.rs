//! The listener `dependent-startup`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::protocol::event::{Event, ProcessState};
use superlance_core::supervisor::RpcError;
use superlance_core::system::log::{About, LogOnce};
use superlance_probe::outcome::Verdict;

use crate::alerts;
use crate::decide::{Ready, Waiting, decide};
use crate::fault::Fault;
use crate::graph::{Graph, Reading};
use crate::health::Health;
use crate::level::Level;
use crate::options::Options;
use crate::program::Program;
use crate::starts::Starts;
use crate::states::States;
use crate::texts;
use crate::troubles::{News, Troubles};

const NAME: &str = "dependent-startup";

/// Pause after a question without an answer.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) struct DependentStartup {
    reading: Reading,
    level: Level,
    /// What is said at the start.
    file: String,
    states: States,
    troubles: Troubles,
    blindness: Blindness,
    starts: Starts,
    health: Health,
    /// What was said of programs that are not healthy, by their places in the graph.
    ill: BTreeMap<usize, LogOnce>,
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
    /// All are started, and events do not matter any more.
    Done,
}

impl DependentStartup {
    pub(crate) fn new(reading: Reading, file: &Path, options: &Options) -> Self {
        Self {
            health: Health::new(&reading.graph.programs),
            ill: BTreeMap::new(),
            reading,
            level: options.log_level,
            file: file.display().to_string(),
            states: States::default(),
            troubles: Troubles::new(options.timeout),
            blindness: Blindness::new(NAME, None, true),
            starts: Starts::default(),
            look: Some(Instant::now()),
            said: String::new(),
            phase: Phase::Begins,
        }
    }

    fn graph(&self) -> &Graph {
        &self.reading.graph
    }

    fn handled(&self) -> impl Iterator<Item = &Program> {
        self.graph().programs.iter().filter(|program| program.handled)
    }

    /// Says what the configuration has, and what is wrong with it.
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        let log = ctx.log;
        self.level.say(
            Level::Info,
            log,
            "supervisord-dependent-startup event listener starting...",
        );
        self.level.say(Level::Info, log, &format!("Reading supervisor config: {}", self.file));
        for (name, section, fault) in &self.reading.ignored {
            let text = fault.text(name, section);
            let text = match fault {
                Fault::States(_) => format!("Ignoring {text}"),
                _ => text,
            };
            self.level.say(Level::Warning, log, &text);
            if let Fault::Unknown(unknown) = fault {
                let text = format!("Removing dependency '{unknown}' from service {name}");
                self.level.say(Level::Warning, log, &text);
            }
        }
        let programs = &self.graph().programs;
        for (at, program) in programs.iter().enumerate() {
            // A cycle is told of once.
            let mut earlier = programs.iter().take(at);
            let is_told = program.is_in_cycle() && earlier.any(|it| it.faults == program.faults);
            if !program.faults.is_empty() && !is_told {
                self.misconfigured(at, program, ctx);
            }
        }
        if self.handled().next().is_none() {
            self.level.say(Level::Info, ctx.log, "Found no services to start");
            self.phase = Phase::Done;
        } else {
            self.phase = Phase::Starts;
        }
    }

    fn misconfigured(&self, at: usize, program: &Program, ctx: &mut Ctx<'_>) {
        let log = about(program, ctx);
        let faults = texts::faults(program);
        let is_started_by_supervisord =
            program.faults.iter().any(|fault| matches!(fault, Fault::Autostart { .. }));
        for (fault, text) in program.faults.iter().zip(&faults) {
            let (level, text) = match (fault, &program.place) {
                (Fault::Cycle(_), _) => (Level::Error, text.clone()),
                (Fault::Autostart { .. }, Some(place)) => {
                    let file = place.file.display();
                    (Level::Warning, format!("Error when reading config '{file}': {text}"))
                }
                _ => (Level::Warning, text.clone()),
            };
            self.level.say(level, log, &text);
        }
        let what = match is_started_by_supervisord {
            true => {
                let name = &program.name;
                self.level.say(Level::Warning, log, &format!("Disable handling service '{name}'"));
                "is started by supervisord itself, and waits for nothing"
            }
            false => "is not started until its keys in the configuration are right",
        };
        let sentence = format!("{} {what}", program.label());
        self.level.say(Level::Warning, log, &sentence);
        ctx.raise(alerts::misconfigured(at, program, &sentence, self.graph(), ctx.now()));
    }

    /// When to look next.
    fn due(&self) -> Option<Instant> {
        let (starts, troubles) = (self.starts.deadline(), self.troubles.deadline());
        [self.look, starts, troubles, self.health.due()].into_iter().flatten().min()
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
                self.start(ctx)
            });
            match started {
                Ok(true) => {}
                Ok(false) => return self.report(ctx),
                Err(error) if error.is_shutdown() => return,
                Err(error) => {
                    self.blindness.unanswered(&error, ctx);
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
            if !due.is_empty() {
                self.level.say(Level::Info, ctx.log, &texts::starting(program));
            }
            for namespec in due {
                let warns = Level::Warning >= self.level;
                has_started |= self.starts.start(&program.name, namespec, warns, ctx)?;
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
        let names: Vec<_> =
            decision.waiting.iter().map(|waiting| waiting.program.name.as_str()).collect();
        let names = format!("Services not yet running ({}): {}", names.len(), names.join(", "));
        if !still.is_empty() && names != self.said && Level::Info >= self.level {
            ctx.log.routine(&names);
        }
        self.said = names;
        let wanted = decision.waiting.iter().flat_map(|waiting| &waiting.program.conditions);
        let wanted = wanted.filter(|condition| condition.healthy && self.states.run(condition));
        let wanted = wanted.flat_map(|condition| &condition.parents).copied().collect();
        self.health.ask(&wanted, now);
        if decision.is_done {
            let text =
                "No more processes to start for initial startup, ignoring all future events.";
            self.level.say(Level::Info, ctx.log, text);
            self.phase = Phase::Done;
        }
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
        for (at, verdict) in &outcomes {
            let Some(program) = self.reading.graph.get(*at) else { continue };
            for process in &program.processes {
                self.states.examine(process, *verdict == Verdict::Good);
            }
            let (log, name) = (about(program, ctx), &program.name);
            let said = self.ill.entry(*at).or_default();
            match texts::illness(verdict) {
                None if said.clear() => {
                    self.level.say(Level::Info, log, &format!("{name} is healthy"))
                }
                None => {}
                Some(_) if Level::Info < self.level => {}
                Some(why) => said.report_about(log, format!("{name} is not healthy: {why}")),
            }
        }
        !outcomes.is_empty()
    }

    fn hear(&mut self, change: &ProcessState, ctx: &Ctx<'_>) {
        let namespec = format!("{}:{}", change.group, change.process);
        self.states.hear(&namespec, change.state);
        if Level::Info >= self.level {
            ctx.log.about(&change.group, &change.process, change.pid).routine(format_args!(
                "New event: Service {} went from {} to {}",
                change.process,
                change.from_state,
                change.state.name()
            ));
        }
    }
}

/// The log, for messages about a program of one process.
fn about<'a>(program: &'a Program, ctx: &'a Ctx<'_>) -> About<'a> {
    match program.processes.as_slice() {
        [process] => match process.split_once(':') {
            Some((group, name)) => ctx.log.about(group, name, None),
            None => ctx.log.into(),
        },
        _ => ctx.log.into(),
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
        if let (Event::ProcessState(change), Phase::Begins | Phase::Starts) = (event, self.phase) {
            self.hear(change, ctx);
            // Events that have come meanwhile are heard before the next look.
            self.look = Some(Instant::now());
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let deadline = [self.due(), self.health.look()].into_iter().flatten().min();
        deadline.filter(|_| self.phase != Phase::Done)
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        if self.phase == Phase::Begins {
            self.begin(ctx);
        }
        let is_due = self.due().is_some_and(|due| due <= Instant::now());
        if self.phase == Phase::Starts && (self.examine(ctx) || is_due) {
            self.look(ctx);
        }
    }

    /// The next listener begins with what supervisord says.
    fn finish(&mut self, _: &mut Ctx<'_>) {
        self.phase = Phase::Done;
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
