//! What memmon does at a tick.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use superlance_core::alert::Alert;
use superlance_core::clock::asctime_and_zone;
use superlance_core::event::Event;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::log::Complaint;
use superlance_core::restart::Restarts;
use superlance_core::supervisor::{ProcessInfo, State};

use crate::limits::Limits;
use crate::memory::{Memory, Readings};
use crate::options::Options;

/// The listener.
pub(crate) struct Memmon {
    limits: Limits,
    cumulative: bool,
    memory: Memory,
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
}

/// Why a process is restarted, for the mail about it.
#[derive(Debug, Clone, Copy)]
struct Excess {
    pid: u32,
    rss: u64,
    /// How long it had been up, in seconds.
    uptime: i64,
}

impl Memmon {
    pub(crate) fn new(options: Options, own_namespec: Option<String>) -> Self {
        Self {
            limits: Limits::new(&options.programs, &options.groups, options.any),
            cumulative: options.cumulative,
            memory: Memory::of_this_system(options.through_ps),
            uptime: options.uptime,
            name: options.name,
            own_namespec,
            restarts: Restarts::default(),
            unread: HashSet::new(),
            rpc_trouble: Complaint::default(),
            memory_trouble: Complaint::default(),
        }
    }

    fn check(&mut self, ctx: &mut Ctx<'_>) {
        ctx.log.line(self.limits.describe());
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
        let watched: Vec<_> = all.iter().filter(|info| self.watches(info)).collect();
        let readings = self.read(&watched, ctx);
        for info in watched {
            let Some(&rss) = readings.get(&info.pid) else { continue };
            let verdict = self.limits.verdict(info, rss);
            for _ in 0..verdict.compared {
                ctx.log.line(format_args!("RSS of {} is {rss}", info.namespec()));
            }
            if verdict.over {
                // A process that is stopped now might not be started in time.
                if ctx.is_ending() {
                    break;
                }
                self.restart(info, rss, ctx);
            }
        }
    }

    fn watches(&self, info: &ProcessInfo) -> bool {
        let is_self = self.own_namespec.as_ref().is_some_and(|own| *own == info.namespec());
        info.pid != 0 && !is_self && self.limits.concern(info)
    }

    /// The memory of those that can be read. One that cannot has vanished meanwhile, unless the same
    /// is there and cannot be read at the next check, too.
    fn read(&mut self, watched: &[&ProcessInfo], ctx: &Ctx<'_>) -> Readings {
        let pids: Vec<u32> = watched.iter().map(|info| info.pid).collect();
        let readings = match self.memory.read(&pids, self.cumulative) {
            Ok(readings) => readings,
            Err(error) => {
                self.memory_trouble.say(ctx.log, error);
                return Readings::new();
            }
        };
        let missing = pids.into_iter().filter(|pid| !readings.contains_key(pid)).collect();
        let before = std::mem::replace(&mut self.unread, missing);
        let hidden = |pid| before.contains(pid) && self.unread.contains(pid);
        let hidden = watched.iter().filter(|info| hidden(&info.pid));
        let names: Vec<_> =
            hidden.map(|info| format!("{} (pid {})", info.namespec(), info.pid)).collect();
        if names.is_empty() {
            self.memory_trouble.clear();
        } else {
            let message = format!(
                "cannot see the memory of {}: does /proc hide it from this user (hidepid)?",
                names.join(", ")
            );
            self.memory_trouble.say(ctx.log, message);
        }
        readings
    }

    fn restart(&mut self, seen: &ProcessInfo, rss: u64, ctx: &mut Ctx<'_>) {
        let namespec = seen.namespec();
        let info = match ctx.supervisor.info(&namespec) {
            Ok(info) if info.pid == seen.pid && info.state != State::Stopping => info,
            Ok(_) => {
                let message = format!("{namespec} ends or has ended without memmon");
                return ctx.log.line(message);
            }
            Err(error) => {
                let message = format!("Failed to restart process {namespec} (RSS {rss}): {error}");
                return ctx.log.line(message);
            }
        };
        let excess = Excess { pid: info.pid, rss, uptime: info.uptime() };
        ctx.log.line(format_args!("Restarting {namespec}"));
        if let Err(error) = self.restarts.stop(&info, excess, ctx) {
            let message = format!("Failed to stop process {namespec} (RSS {rss}): {error}");
            let subject = format!("failed to stop process {namespec}");
            return self.report("failed to stop", subject, message, &namespec, excess, ctx);
        }
        match self.restarts.start(&namespec, ctx) {
            Ok(()) => self.report_restart(&namespec, excess, ctx),
            Err(error) => {
                let message =
                    format!("Failed to start process {namespec} after stopping it: {error}");
                let subject = format!("failed to start process {namespec}");
                self.report("failed to start", subject, message, &namespec, excess, ctx);
            }
        }
    }

    fn report(
        &self,
        kind: &str,
        subject: String,
        message: String,
        namespec: &str,
        excess: Excess,
        ctx: &mut Ctx<'_>,
    ) {
        ctx.log.line(&message);
        let alert = self.alert(kind, subject, message, namespec, excess, ctx);
        ctx.alerts.raise(alert);
    }

    fn report_restart(&self, namespec: &str, excess: Excess, ctx: &mut Ctx<'_>) {
        let seconds = i64::try_from(self.uptime.unwrap_or(Duration::MAX).as_secs());
        if excess.uptime > seconds.unwrap_or(i64::MAX) {
            return;
        }
        let text = format!(
            "memmon.py restarted the process named {namespec} at {} because it was consuming too \
             much memory ({} bytes RSS)",
            asctime_and_zone(ctx.now()),
            excess.rss
        );
        let subject = format!("process {namespec} restarted");
        let alert = self.alert("restarted", subject, text, namespec, excess, ctx);
        ctx.alerts.raise(alert.done("restart"));
    }

    /// An alert about a process that was over its limit.
    fn alert(
        &self,
        kind: &str,
        subject: String,
        text: String,
        namespec: &str,
        excess: Excess,
        ctx: &Ctx<'_>,
    ) -> Alert {
        let subject = match &self.name {
            Some(name) => format!("memmon [{name}]: {subject}"),
            None => format!("memmon: {subject}"),
        };
        let (group, process) = namespec.split_once(':').unwrap_or((namespec, namespec));
        Alert::new("memmon", kind, ctx.now(), subject, text)
            .about(group, process, Some(excess.pid))
            .measuring("rss", excess.rss)
            .measuring("uptime", excess.uptime)
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
