//! What memmon does at a tick.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use superlance_core::clock::asctime_and_zone;
use superlance_core::event::Event;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::log::Complaint;
use superlance_core::mail::Mail;
use superlance_core::restart::Restarts;
use superlance_core::supervisor::{ProcessInfo, State};

use crate::limits::verdict;
use crate::machine::Machine;
use crate::memory::Memory;
use crate::metric::Withheld;
use crate::options::Options;
use crate::watch::Watch;

/// The listener.
pub(crate) struct Memmon {
    watch: Watch,
    memory: Memory,
    machine: Machine,
    email: Option<String>,
    /// Longest uptime for which a restart is mailed.
    uptime: Option<Duration>,
    name: Option<String>,
    /// `group:name` of memmon itself, which it never restarts.
    own_namespec: Option<String>,
    restarts: Restarts<Excess>,
    /// Process ids whose memory could not be read at the last check.
    unread: HashSet<u32>,
    rpc_trouble: Complaint,
    memory_trouble: Complaint,
    machine_trouble: Complaint,
    idle_selectors: Complaint,
}

/// Why a process is restarted, for the mail about it.
#[derive(Debug, Clone, Copy)]
struct Excess {
    bytes: u64,
    /// How long it had been up, in seconds.
    uptime: i64,
}

impl Memmon {
    pub(crate) fn new(options: Options, own_namespec: Option<String>) -> Self {
        Self {
            watch: Watch::new(&options),
            memory: options.memory(),
            machine: Machine::default(),
            email: options.email.filter(|address| !address.is_empty()),
            uptime: options.uptime,
            name: options.name,
            own_namespec,
            restarts: Restarts::default(),
            unread: HashSet::new(),
            rpc_trouble: Complaint::default(),
            memory_trouble: Complaint::default(),
            machine_trouble: Complaint::default(),
            idle_selectors: Complaint::default(),
        }
    }

    fn check(&mut self, ctx: &mut Ctx<'_>) {
        let memory = self.memory_there_is(ctx);
        ctx.log.line(self.watch.limits.describe(memory).join("\n"));
        let all = match ctx.supervisor.all() {
            Ok(all) => all,
            Err(error) => {
                let message = format!("Cannot check: {error}");
                return self.rpc_trouble.say(ctx.log, message);
            }
        };
        if self.rpc_trouble.clear() {
            ctx.log.line("supervisord answers again");
        }
        self.name_idle_selectors(&all, ctx);
        let watched: Vec<_> = all.iter().filter(|info| self.watches(info)).collect();
        let readings = self.read(&watched, ctx);
        for info in watched {
            let Some(&bytes) = readings.get(&info.pid) else { continue };
            let limits = self.watch.limits.of(info);
            let limits: Vec<u64> =
                limits.iter().filter_map(|limit| limit.amount.bytes(memory)).collect();
            let verdict = verdict(&limits, bytes);
            let label = self.watch.metric().label();
            for _ in 0..verdict.compared {
                ctx.log.line(format_args!("{label} of {} is {bytes}", info.namespec()));
            }
            if verdict.over.is_some() {
                // A process that is stopped now might not be started in time.
                if ctx.is_ending() {
                    break;
                }
                self.restart(info, bytes, ctx);
            }
        }
    }

    /// How much memory there is, if a limit is a part of it.
    fn memory_there_is(&mut self, ctx: &Ctx<'_>) -> Option<u64> {
        if !self.watch.needs_memory() {
            return None;
        }
        match self.machine.memory() {
            Ok(memory) => {
                self.machine_trouble.clear();
                Some(memory)
            }
            Err(error) => {
                let message = format!("Limits in percent do not count: {error}");
                self.machine_trouble.say(ctx.log, message);
                None
            }
        }
    }

    fn name_idle_selectors(&mut self, all: &[ProcessInfo], ctx: &Ctx<'_>) {
        let idle = self.watch.idle_selectors(all).join(", ");
        if !idle.is_empty() {
            let message = format!(
                "Nothing that supervisord knows is meant by {idle}: compare with supervisorctl status"
            );
            self.idle_selectors.say(ctx.log, message);
        } else if self.idle_selectors.clear() {
            ctx.log.line("Every option means a process now");
        }
    }

    fn watches(&self, info: &ProcessInfo) -> bool {
        let is_self = self.own_namespec.as_ref().is_some_and(|own| *own == info.namespec());
        info.pid != 0 && !is_self && self.watch.concerns(info)
    }

    /// The memory of those that can be read, by process id. One that cannot has vanished meanwhile,
    /// unless the same is there and cannot be read at the next check, too.
    fn read(&mut self, watched: &[&ProcessInfo], ctx: &Ctx<'_>) -> HashMap<u32, u64> {
        let pids: Vec<u32> = watched.iter().map(|info| info.pid).collect();
        let (metric, cumulative) = (self.watch.metric(), self.watch.cumulative());
        let readings = match self.memory.read(&pids, &[metric], cumulative) {
            Ok(readings) => readings,
            Err(error) => {
                self.memory_trouble.say(ctx.log, error);
                return HashMap::new();
            }
        };
        let missing = pids.into_iter().filter(|pid| !readings.contains_key(pid)).collect();
        let before = std::mem::replace(&mut self.unread, missing);
        let hidden = |pid| before.contains(pid) && self.unread.contains(pid);
        let hidden = watched.iter().filter(|info| hidden(&info.pid));
        let hidden: Vec<_> =
            hidden.map(|info| format!("{} (pid {})", info.namespec(), info.pid)).collect();

        let mut numbers = HashMap::new();
        let mut withheld: Vec<(String, Withheld)> = Vec::new();
        for info in watched {
            let reading = readings.get(&info.pid);
            match reading.map(|reading| reading.of(metric, cumulative)) {
                Some(Ok(bytes)) => drop(numbers.insert(info.pid, bytes)),
                Some(Err(why)) => withheld.push((info.namespec(), why)),
                None => {}
            }
        }
        let names = |names: Vec<String>| names.join(", ");
        if !hidden.is_empty() {
            let message = format!(
                "cannot see the memory of {}: does /proc hide it from this user (hidepid)?",
                names(hidden)
            );
            self.memory_trouble.say(ctx.log, message);
        } else if let Some((_, why)) = withheld.first() {
            let (label, why) = (metric.label(), why.explain());
            let names = names(withheld.iter().map(|(name, _)| name.clone()).collect());
            let message = format!("cannot read the {label} of {names}: {why}");
            self.memory_trouble.say(ctx.log, message);
        } else {
            self.memory_trouble.clear();
        }
        numbers
    }

    fn restart(&mut self, seen: &ProcessInfo, bytes: u64, ctx: &mut Ctx<'_>) {
        let namespec = seen.namespec();
        let label = self.watch.metric().label();
        let info = match ctx.supervisor.info(&namespec) {
            Ok(info) if info.pid == seen.pid && info.state != State::Stopping => info,
            Ok(_) => {
                let message = format!("{namespec} ends or has ended without memmon");
                return ctx.log.line(message);
            }
            Err(error) => {
                let message =
                    format!("Failed to restart process {namespec} ({label} {bytes}): {error}");
                return ctx.log.line(message);
            }
        };
        let excess = Excess { bytes, uptime: info.uptime() };
        ctx.log.line(format_args!("Restarting {namespec}"));
        if let Err(error) = self.restarts.stop(&info, excess, ctx) {
            let message = format!("Failed to stop process {namespec} ({label} {bytes}): {error}");
            return self.report(&format!("failed to stop process {namespec}"), message, ctx);
        }
        match self.restarts.start(&namespec, ctx) {
            Ok(()) => self.report_restart(&namespec, excess, ctx),
            Err(error) => {
                let message =
                    format!("Failed to start process {namespec} after stopping it: {error}");
                self.report(&format!("failed to start process {namespec}"), message, ctx);
            }
        }
    }

    fn report(&self, subject: &str, message: String, ctx: &mut Ctx<'_>) {
        ctx.log.line(&message);
        self.mail(subject, message, ctx);
    }

    fn report_restart(&self, namespec: &str, excess: Excess, ctx: &mut Ctx<'_>) {
        let seconds = i64::try_from(self.uptime.unwrap_or(Duration::MAX).as_secs());
        if excess.uptime > seconds.unwrap_or(i64::MAX) {
            return;
        }
        let text = format!(
            "memmon.py restarted the process named {namespec} at {} because it was consuming too \
             much memory ({} bytes {})",
            asctime_and_zone(ctx.now()),
            excess.bytes,
            self.watch.metric().label()
        );
        self.mail(&format!("process {namespec} restarted"), text, ctx);
    }

    fn mail(&self, subject: &str, text: String, ctx: &mut Ctx<'_>) {
        let Some(to) = self.email.clone() else { return };
        let subject = match &self.name {
            Some(name) => format!("memmon [{name}]: {subject}"),
            None => format!("memmon: {subject}"),
        };
        ctx.mailer.send(Mail { to, subject, text }, None);
    }
}

impl Listener for Memmon {
    fn filter(&self) -> Filter {
        Box::new(|frame| {
            if frame.name.starts_with("TICK") { Interest::WhenIdle } else { Interest::Nothing }
        })
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        if let Event::Tick { .. } = event {
            self.check(ctx);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.restarts.deadline()
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        for (namespec, excess) in self.restarts.retry(ctx) {
            self.report_restart(&namespec, excess, ctx);
        }
    }

    fn finish(&mut self, _: &mut Ctx<'_>) {
        self.restarts.hurry();
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
