//! What memmon does at a tick: it looks, decides, acts, and writes down how things are.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::restart::Restarts;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::options::quantity::size;
use superlance_core::options::units::duration_text;
use superlance_core::protocol::event::Event;
use superlance_core::system::clock::unix_seconds;
use superlance_core::system::log::LogOnce;

use crate::act::Actor;
use crate::act::alerts::{AlertWriter, recovery_key};
use crate::act::case::Case;
use crate::decide::rules::{Excess, Measured, Rules, SkipReason};
use crate::decide::tracker::Tracker;
use crate::decide::{Check, Decision, decide};
use crate::options::Options;
use crate::report::action_log::ActionLog;
use crate::report::files;
use crate::report::history::Histories;
use crate::report::prometheus;
use crate::report::{Process, Report, Total};
use crate::sampler::{Sample, Sampler};
use crate::watch::Watch;

/// The listener.
pub(crate) struct Memmon {
    introduction: Introduction,
    sampler: Sampler,
    rules: Rules,
    tracker: Tracker,
    histories: Histories,
    actor: Actor,
    status_file: Option<PathBuf>,
    metrics_file: Option<PathBuf>,
    status_trouble: LogOnce,
    metrics_trouble: LogOnce,
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
        let blindness = Blindness::new("memmon", options.name.as_deref(), !options.dry_run);
        Self {
            introduction: Introduction::at_ticks(options.task()),
            actor: Actor {
                writer,
                dry_run: options.dry_run,
                restarts: Restarts::default(),
                actions: ActionLog::default(),
                before: options.before.clone().filter(|command| !command.trim().is_empty()),
            },
            sampler: Sampler::new(watch, options.memory(), own_namespec, blindness),
            rules,
            tracker: Tracker::default(),
            histories: Histories::new(options.history.unwrap_or(0).into()),
            status_file: options.status_file,
            metrics_file: options.metrics_file,
            status_trouble: LogOnce::default(),
            metrics_trouble: LogOnce::default(),
        }
    }

    fn check(&mut self, ctx: &mut Ctx<'_>) {
        let sample = self.sampler.sample(ctx);
        // A look that failed is no check: nothing that is remembered of earlier ones is to be forgotten.
        if sample.trouble.is_none() {
            self.decide_and_act(&sample, ctx);
        }
        self.write_files(&sample, ctx);
    }

    fn decide_and_act(&mut self, sample: &Sample, ctx: &mut Ctx<'_>) {
        let total = self.sampler.watch.total(sample.memory);
        let processes = &sample.processes;
        self.histories.note(ctx.arrived, processes);
        let mut down = sample.down.clone();
        let owed = self.actor.restarts.owed().filter_map(|namespec| namespec.split_once(':'));
        down.extend(owed.map(|(group, name)| (group.to_owned(), name.to_owned())));
        let check = Check { now: ctx.arrived.instant, processes, total, down: &down };
        let decisions = decide(&self.rules, &mut self.tracker, check);
        if total.is_none_or(|total| total_bytes(processes) <= total) {
            processes.iter().for_each(|process| self.resolve(process, ctx));
        }
        for decision in &decisions {
            // A process that is stopped now might not be started in time.
            if matches!(decision, Decision::Act { .. }) && ctx.is_ending() {
                break;
            }
            self.follow(decision, processes, ctx);
        }
    }

    /// What was reported about a process that is below its limits is over.
    fn resolve(&self, process: &Measured, ctx: &mut Ctx<'_>) {
        let key = recovery_key(process);
        if process.limits.iter().any(|limit| process.bytes > *limit)
            || !ctx.alerts.is_unresolved(&key)
        {
            return;
        }
        let (namespec, pid, label) =
            (process.namespec(), process.pid, self.actor.writer.metric.label());
        let limit = process.limits.iter().min();
        let limit = limit.map(|limit| format!(", below its limit of {}", size(*limit)));
        let (uses, limit) = (size(process.bytes), limit.unwrap_or_default());
        let text = format!("Process {namespec} (pid {pid}) uses {uses} {label}{limit}.");
        ctx.alerts.resolve(&key, &text);
    }

    fn follow(&mut self, decision: &Decision, processes: &[Measured], ctx: &mut Ctx<'_>) {
        let label = self.sampler.watch.metric().label();
        let case = |process: &usize, excess: Excess| {
            let process = processes.get(*process)?;
            let growth = self.histories.growth(&process.namespec());
            Some(Case { process: process.clone(), excess, growth, output: None })
        };
        match decision {
            Decision::Compared { process, times } => {
                let Some(process) = processes.get(*process) else { return };
                let line = format!("{label} of {} is {}", process.namespec(), process.bytes);
                for _ in 0..*times {
                    ctx.log.line(&line);
                }
            }
            Decision::Total { sum, limit, checks } => {
                let of = self.rules.checks;
                ctx.log.line(match checks {
                    0 => format!("{label} of everything watched is {sum}"),
                    _ if *checks < of => format!(
                        "{label} of everything watched is {sum}, over {limit}: check {checks} of {of}"
                    ),
                    _ => format!("{label} of everything watched is {sum}, over {limit}"),
                });
            }
            Decision::Spare { process, why } => {
                let Some(process) = processes.get(*process) else { return };
                let why = words(*why, &self.rules);
                ctx.log.line(format_args!("{} is over its limit, {why}", process.namespec()));
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

    fn write_files(&mut self, sample: &Sample, ctx: &Ctx<'_>) {
        if self.status_file.is_none() && self.metrics_file.is_none() {
            return;
        }
        let report = self.report(sample, ctx);
        if let Some(path) = &self.status_file {
            write(path, &report.json(), &mut self.status_trouble, ctx);
        }
        if let Some(path) = &self.metrics_file {
            let text = prometheus::text(&report, self.actor.actions.counts());
            write(path, &text, &mut self.metrics_trouble, ctx);
        }
    }

    fn report(&self, sample: &Sample, ctx: &Ctx<'_>) -> Report {
        let (watch, writer) = (&self.sampler.watch, &self.actor.writer);
        let process = |process: &Measured| {
            let namespec = process.namespec();
            let readings = self.histories.readings(&namespec);
            let limit = process.limits.iter().min().copied();
            Process {
                measured: process.clone(),
                limit,
                headroom: limit.map(|limit| i128::from(limit) - i128::from(process.bytes)),
                checks_over: self.tracker.checks(&namespec),
                history: readings.map(|(at, bytes)| (unix_seconds(at.wall), bytes)).collect(),
            }
        };
        Report {
            listener: self.sampler.own_namespec.clone(),
            name: writer.name.clone(),
            time: unix_seconds(ctx.arrived.wall),
            trouble: sample.trouble.clone(),
            metric: watch.metric().name(),
            cumulative: watch.cumulative(),
            action: writer.action.to_string(),
            dry_run: self.actor.dry_run,
            memory: sample.memory,
            total: Total {
                bytes: total_bytes(&sample.processes),
                limit: watch.total(sample.memory),
            },
            processes: sample.processes.iter().map(process).collect(),
            actions: self.actor.actions.recent().cloned().collect(),
        }
    }
}

fn total_bytes(processes: &[Measured]) -> u64 {
    processes.iter().fold(0, |sum, process| sum.saturating_add(process.bytes))
}

/// Why nothing is done about a process, for the log.
fn words(why: SkipReason, rules: &Rules) -> String {
    match why {
        SkipReason::Young { uptime } => {
            let (uptime, grace) = (u64::try_from(uptime).unwrap_or(0), duration_text(rules.grace));
            let uptime = duration_text(Duration::from_secs(uptime));
            format!("but up for {uptime} only (--grace {grace})")
        }
        SkipReason::Waiting { checks } => format!("check {checks} of {}", rules.checks),
        SkipReason::Staggered => {
            "but another one of its group comes first or does not run (--stagger)".to_owned()
        }
        SkipReason::LeftAlone { rest } => {
            format!("but left alone for {} (--max-restarts)", duration_text(rest))
        }
    }
}

fn write(path: &Path, text: &str, trouble: &mut LogOnce, ctx: &Ctx<'_>) {
    match files::replace(path, text) {
        Ok(()) => drop(trouble.clear()),
        Err(error) => trouble.report(ctx.log, format!("cannot write {}: {error}", path.display())),
    }
}

impl Listener for Memmon {
    fn filter(&self) -> Filter {
        Box::new(|frame| {
            if frame.name.starts_with("TICK") { Interest::WhenIdle } else { Interest::Nothing }
        })
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
    }

    fn finish(&mut self, _: &mut Ctx<'_>) {
        self.actor.restarts.hurry();
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "options_tests.rs"]
mod option_tests;
