//! The sampler: processes and their memory at one moment, and what cannot be measured.

use std::collections::{HashMap, HashSet};

use superlance_action::decide::is_down;
use superlance_action::instance::Instance;
use superlance_action::uptime::Uptimes;
use superlance_core::listener::Ctx;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::selection::IdleSelectors;
use superlance_core::supervisor::{ProcessInfo, State};
use superlance_core::system::log::LogOnce;

use crate::decide::measured::Measured;
use crate::watch::Watch;
use superlance_measure::{Memory, Readings, SystemMemory, Unavailable};

/// Who looks.
#[derive(Debug)]
pub(crate) struct Sampler {
    pub(crate) watch: Watch,
    pub(crate) memory: Memory,
    pub(crate) machine: SystemMemory,
    /// `group:name` of memmon itself, which it never touches.
    pub(crate) own_namespec: Option<String>,
    uptimes: Uptimes,
    /// Process ids whose memory could not be read at the last check.
    unread: HashSet<u32>,
    pub(crate) blindness: Blindness,
    memory_trouble: LogOnce,
    machine_trouble: LogOnce,
    idle_selectors: IdleSelectors,
}

/// What there is to see.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// How much memory there is, if a limit is a part of it.
    pub(crate) memory: Option<u64>,
    /// Who is watched, and could be measured.
    pub(crate) processes: Vec<Measured>,
    /// Group and name of all that are watched, whether they run or not.
    pub(crate) watched: Vec<(String, String)>,
    /// Group and name of those that do not run, and should.
    pub(crate) down: Vec<(String, String)>,
    /// Group and name of those that are being stopped.
    pub(crate) stopping: Vec<(String, String)>,
    /// Why none could be.
    pub(crate) trouble: Option<String>,
}

impl Sample {
    /// Whether the process `group:name` is watched, running or not.
    pub(crate) fn watches(&self, namespec: &str) -> bool {
        let mut watched = self.watched.iter();
        watched.any(|(group, name)| namespec.split_once(':') == Some((group, name)))
    }
}

impl Sampler {
    pub(crate) fn new(
        watch: Watch,
        memory: Memory,
        own_namespec: Option<String>,
        blindness: Blindness,
    ) -> Self {
        Self {
            watch,
            memory,
            machine: SystemMemory::default(),
            own_namespec,
            uptimes: Uptimes::default(),
            unread: HashSet::new(),
            blindness,
            memory_trouble: LogOnce::default(),
            machine_trouble: LogOnce::default(),
            idle_selectors: IdleSelectors::default(),
        }
    }

    /// Looks once.
    pub(crate) fn sample(&mut self, ctx: &mut Ctx<'_>) -> Sample {
        let memory = self.memory_there_is(ctx);
        let all = match ctx.supervisor.all() {
            Ok(all) => all,
            Err(error) => {
                self.blindness.unanswered(&error, ctx);
                let trouble = Some(error.to_string());
                return Sample { memory, trouble, ..Sample::default() };
            }
        };
        let watched: Vec<_> = all.iter().filter(|info| self.concerns(info)).collect();
        let running: Vec<_> = watched.iter().copied().filter(|info| info.pid != 0).collect();
        self.uptimes.note(&running, ctx.arrived.instant);
        let pids: Vec<u32> = running.iter().map(|info| info.pid).collect();
        let (metric, cumulative) = (self.watch.metric(), self.watch.cumulative());
        let readings = match self.memory.read(&pids, &[metric], cumulative) {
            Ok(readings) => readings,
            Err(error) => {
                self.blindness.failed(&error, ctx);
                return Sample { memory, trouble: Some(error), ..Sample::default() };
            }
        };
        let (bytes, trouble) = self.bytes(&running, &readings);
        match trouble {
            Some(why) if bytes.is_empty() => {
                self.blindness.failed(&why, ctx);
                return Sample { memory, trouble: Some(why), ..Sample::default() };
            }
            Some(why) => self.memory_trouble.report(ctx.log, why),
            None => drop(self.memory_trouble.clear()),
        }
        // The original's lines, of checks that are made.
        ctx.log.routine(self.watch.describe(memory));
        self.blindness.succeeded(ctx);
        self.idle_selectors.report(self.watch.idle_selectors(&all), ctx.log);
        let measured = |info: &&ProcessInfo| {
            Some(Measured {
                instance: Instance::new(info, self.uptimes.of(info, ctx.arrived.instant)),
                bytes: *bytes.get(&info.pid)?,
                limits: self.watch.limits(info, memory),
            })
        };
        let down = all.iter().filter(|info| is_down(info.state));
        let stopping = all.iter().filter(|info| info.state == State::Stopping);
        Sample {
            memory,
            processes: running.iter().filter_map(measured).collect(),
            watched: watched.into_iter().map(group_and_name).collect(),
            down: down.map(group_and_name).collect(),
            stopping: stopping.map(group_and_name).collect(),
            trouble: None,
        }
    }

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
                self.machine_trouble.report(ctx.log, message);
                None
            }
        }
    }

    /// Whether the process is watched when it runs.
    fn concerns(&self, info: &ProcessInfo) -> bool {
        let is_self = self.own_namespec.as_ref().is_some_and(|own| info.has_namespec(own));
        !is_self && self.watch.concerns(info)
    }

    /// The memory of those that can be read, by process id, and why others cannot. One that cannot has vanished meanwhile,
    /// unless the same is there and cannot be read at the next check, too.
    fn bytes(
        &mut self,
        watched: &[&ProcessInfo],
        readings: &Readings,
    ) -> (HashMap<u32, u64>, Option<String>) {
        let (metric, cumulative) = (self.watch.metric(), self.watch.cumulative());
        let pids = watched.iter().map(|info| info.pid);
        let missing = pids.filter(|pid| !readings.contains_key(pid)).collect();
        let before = std::mem::replace(&mut self.unread, missing);
        let hidden = |pid| before.contains(pid) && self.unread.contains(pid);
        let hidden = watched.iter().filter(|info| hidden(&info.pid));
        let hidden = hidden.map(|info| format!("{} (pid {})", info.namespec(), info.pid));
        let hidden = hidden.collect::<Vec<_>>().join(", ");

        let mut bytes = HashMap::new();
        let mut unavailable: Vec<(String, Unavailable)> = Vec::new();
        for info in watched {
            let reading = readings.get(&info.pid);
            match reading.map(|reading| reading.of(metric, cumulative)) {
                Some(Ok(number)) => drop(bytes.insert(info.pid, number)),
                // It starts or ends; 0 would be no reading.
                Some(Err(Unavailable::NoMemory)) | None => {}
                Some(Err(why)) => unavailable.push((info.namespec(), why)),
            }
        }
        let trouble = if !hidden.is_empty() {
            Some(format!(
                "cannot see the memory of {hidden}: does /proc hide it from this user (hidepid)?"
            ))
        } else {
            let names: Vec<_> = unavailable.iter().map(|(name, _)| name.as_str()).collect();
            let (label, names) = (metric.label(), names.join(", "));
            let why = unavailable.first().map(|(_, why)| why.explain());
            why.map(|why| format!("cannot read the {label} of {names}: {why}"))
        };
        (bytes, trouble)
    }
}

fn group_and_name(info: &ProcessInfo) -> (String, String) {
    (info.group.clone(), info.name.clone())
}
