//! The writer of the status and metrics files.

use std::time::SystemTime;

use superlance_action::report::Files;
use superlance_core::listener::Ctx;
use superlance_core::system::clock::unix_seconds;

use crate::decide::measured::{Measured, total_bytes};
use crate::options::Options;
use crate::report::prometheus;
use crate::report::{Memories, Process, Report, Total};
use crate::sampler::Sample;
use crate::watch::Watch;

/// The files, and what they say at every check alike.
#[derive(Debug)]
pub(crate) struct Reporter {
    listener: Option<String>,
    name: Option<String>,
    action: String,
    dry_run: bool,
    pub(crate) files: Files,
}

impl Reporter {
    pub(crate) fn new(options: &Options, own_namespec: Option<String>) -> Self {
        Self {
            listener: own_namespec,
            name: options.name.clone(),
            action: options.action.to_string(),
            dry_run: options.dry_run,
            files: Files::new(options.status_file.clone(), options.metrics_file.clone()),
        }
    }

    /// Writes how things are.
    pub(crate) fn write(
        &mut self,
        watch: &Watch,
        sample: &Sample,
        memories: Memories<'_>,
        ctx: &Ctx<'_>,
    ) {
        if self.files.are_wanted() {
            let report = self.report(watch, sample, memories, ctx.arrived.wall);
            let metrics = || prometheus::text(&report, memories.actions);
            self.files.write(&report, metrics, ctx.log);
        }
    }

    fn report(
        &self,
        watch: &Watch,
        sample: &Sample,
        memories: Memories<'_>,
        at: SystemTime,
    ) -> Report {
        let process = |measured: &Measured| {
            let name = |(group, name): &(String, String)| {
                (group, name) == (&measured.instance.group, &measured.instance.name)
            };
            Process::new(measured, sample.stopping.iter().any(name), memories)
        };
        let is_measured = sample.trouble.is_none();
        Report {
            listener: self.listener.clone(),
            name: self.name.clone(),
            time: unix_seconds(at),
            trouble: sample.trouble.clone(),
            metric: watch.metric().name(),
            cumulative: watch.cumulative(),
            action: self.action.clone(),
            dry_run: self.dry_run,
            memory: sample.memory,
            total: Total {
                bytes: is_measured.then(|| total_bytes(&sample.processes)),
                limit: watch.total(sample.memory),
            },
            processes: sample.processes.iter().map(process).collect(),
            actions: memories.actions.recent().cloned().collect(),
        }
    }
}
