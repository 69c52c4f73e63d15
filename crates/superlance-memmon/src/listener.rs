//! The listener `memmon`: at a tick it samples, decides, acts, and writes its files.

use std::time::Instant;

use superlance_action::decide::rules::{Rules, SkipReason};
use superlance_action::report::action_log::ActionLog;
use superlance_core::listener::alert::process_of_key;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::in_flight::InFlight;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::restart::{Record, Restarts};
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::protocol::event::Event;
use superlance_core::spool::journal::Journal;

use crate::act::Actor;
use crate::act::alerts::AlertWriter;
use crate::act::case::Case;
use crate::decide::measured::{Excess, Measured, total_bytes};
use crate::decide::{Check, Decision, Memory, decide};
use crate::options::Options;
use crate::report::Memories;
use crate::report::history::Histories;
use crate::report::reporter::Reporter;
use crate::sampler::{Sample, Sampler};
use crate::watch::Watch;

/// The listener.
pub(crate) struct Memmon {
    introduction: Introduction,
    sampler: Sampler,
    rules: Rules,
    memory: Memory,
    histories: Histories,
    actor: Actor,
    reporter: Reporter,
    /// Whether no event will come any more.
    has_ended: bool,
}

impl Memmon {
    pub(crate) fn new(options: Options, own_namespec: Option<String>) -> Self {
        let watch = Watch::new(&options);
        let writer = AlertWriter {
            name: options.name.clone(),
            metric: watch.metric(),
            action: options.action,
            uptime: options.uptime,
        };
        let rules = options.rules();
        let reporter = Reporter::new(&options, own_namespec.clone());
        let blindness = Blindness::new("memmon", options.name.as_deref(), !options.dry_run);
        Self {
            introduction: Introduction::at_ticks(options.task()),
            actor: Actor {
                writer,
                dry_run: options.dry_run,
                restarts: Restarts::new(own_namespec.clone()),
                actions: ActionLog::default(),
                before: options.before.clone().filter(|command| !command.trim().is_empty()),
            },
            sampler: Sampler::new(watch, options.memory(), own_namespec, blindness),
            rules,
            memory: Memory::default(),
            histories: Histories::new(options.history.unwrap_or(0).into()),
            reporter,
            has_ended: false,
        }
    }

    /// Keeps what is owed a start in this journal, for the next listener.
    pub(crate) fn keep(&mut self, journal: (Journal, Vec<Record>), in_flight: &InFlight) {
        self.actor.restarts.keep(journal, in_flight);
    }

    fn check(&mut self, ctx: &mut Ctx<'_>) {
        let sample = self.sampler.sample(ctx);
        // A look that failed is no check: nothing that is remembered of earlier ones is to be forgotten.
        if sample.trouble.is_none() {
            self.decide_and_act(&sample, ctx);
            self.forget_others(&sample, ctx);
            ctx.alerts.ticked(true);
        }
        self.report(&sample, ctx);
    }

    /// An earlier listener may have watched other processes.
    fn forget_others(&self, sample: &Sample, ctx: &mut Ctx<'_>) {
        let blind = self.sampler.blindness.key();
        let is_owed = |process: &str| self.actor.restarts.owed().any(|owed| owed == process);
        ctx.alerts.retain(&|key| match process_of_key(key) {
            Some(process) => is_owed(process) || sample.watches(process),
            None => key == blind,
        });
    }

    fn decide_and_act(&mut self, sample: &Sample, ctx: &mut Ctx<'_>) {
        let total = self.sampler.watch.total(sample.memory);
        let processes = &sample.processes;
        self.histories.note(ctx.arrived, processes);
        if self.reporter.files.are_wanted() {
            for (group, name) in &sample.watched {
                self.actor.expect(group, name);
            }
        }
        let mut down = sample.down.clone();
        let owed = self.actor.restarts.owed().filter_map(|namespec| namespec.split_once(':'));
        down.extend(owed.map(|(group, name)| (group.to_owned(), name.to_owned())));
        let (now, stopping) = (ctx.arrived.instant, &sample.stopping);
        let check = Check { now, processes, total, down: &down, stopping };
        let decisions = decide(&self.rules, &mut self.memory, check);
        if total.is_none_or(|total| total_bytes(processes) <= total) {
            processes.iter().for_each(|process| self.actor.resolve(process, ctx));
        }
        let is_comparison = |decision: &Decision| matches!(decision, Decision::Compared { .. });
        for decisions in decisions.chunk_by(|a, b| is_comparison(a) && is_comparison(b)) {
            self.tell_compared(decisions, processes, ctx);
            for decision in decisions {
                // A process that is stopped now might not be started in time.
                if matches!(decision, Decision::Act { .. }) && ctx.is_ending() {
                    return;
                }
                self.follow(decision, processes, ctx);
            }
        }
    }

    /// Says of processes that follow one another what they use, once for each limit.
    fn tell_compared(&self, decisions: &[Decision], processes: &[Measured], ctx: &Ctx<'_>) {
        let label = self.sampler.watch.metric().label();
        let lines = decisions.iter().filter_map(|decision| {
            let Decision::Compared { process, times } = decision else { return None };
            let process = processes.get(*process)?;
            let line = format!("{label} of {} is {}", process.namespec(), process.bytes);
            Some(std::iter::repeat_n((process.instance.log(ctx), line), *times))
        });
        ctx.log.routine_all(lines.flatten());
    }

    fn follow(&mut self, decision: &Decision, processes: &[Measured], ctx: &mut Ctx<'_>) {
        let label = self.sampler.watch.metric().label();
        let case = |process: &usize, excess: Excess| {
            let process = processes.get(*process)?;
            let growth = self.histories.growth(&process.namespec());
            Some(Case { process: process.clone(), excess, growth, output: None })
        };
        match decision {
            // Told already, with its neighbours.
            Decision::Compared { .. } => {}
            Decision::Total { sum, limit, checks } => {
                let of = self.rules.threshold.failures;
                let line = format!("{label} of everything watched is {sum}");
                match checks {
                    0 => ctx.log.routine(line),
                    _ if *checks < of => {
                        let check = SkipReason::Waiting { checks: *checks }.explain(&self.rules);
                        ctx.log.line(format_args!("{line}, over {limit}: {check}"));
                    }
                    _ => ctx.log.line(format_args!("{line}, over {limit}")),
                }
            }
            Decision::Spare { process, why } => {
                let Some(process) = processes.get(*process) else { return };
                let why = why.explain(&self.rules);
                let line = format_args!("{} is over its limit, {why}", process.namespec());
                process.instance.log(ctx).line(line);
            }
            Decision::Act { process, excess } => {
                if let Some(case) = case(process, *excess) {
                    self.actor.act(case, ctx);
                }
            }
            Decision::GiveUp { process, excess, rest } => {
                if let Some(case) = case(process, *excess) {
                    self.actor.give_up(case, self.rules.budget, *rest, ctx);
                }
            }
        }
    }

    fn report(&mut self, sample: &Sample, ctx: &Ctx<'_>) {
        let memories = Memories {
            rules: &self.rules,
            decided: &self.memory,
            histories: &self.histories,
            actions: &self.actor.actions,
        };
        self.reporter.write(&self.sampler.watch, sample, memories, ctx);
    }

    /// The files would show the readings of the last check for ever.
    fn report_end(&mut self, ctx: &Ctx<'_>) {
        let trouble = Some("memmon has ended".to_owned());
        self.report(&Sample { trouble, ..Sample::default() }, ctx);
    }
}

impl Listener for Memmon {
    fn filter(&self) -> Filter {
        Box::new(Interest::in_tick)
    }

    fn introduction(&self) -> Introduction {
        self.introduction.clone()
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        if let Event::Tick { .. } = event {
            self.check(ctx);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.actor.deadline()
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        self.actor.retry(ctx);
        if self.has_ended {
            self.report_end(ctx);
        }
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>) {
        self.has_ended = true;
        self.actor.restarts.hurry();
        self.report_end(ctx);
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "options_tests.rs"]
mod option_tests;
