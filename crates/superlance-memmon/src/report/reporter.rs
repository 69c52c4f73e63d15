//! The writer of the status and metrics files.

use std::time::SystemTime;

use superlance_action::report::json;
use superlance_action::report::output_file::OutputFile;
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
    status_file: Option<OutputFile>,
    metrics_file: Option<OutputFile>,
}

impl Reporter {
    pub(crate) fn new(options: &Options, own_namespec: Option<String>) -> Self {
        Self {
            listener: own_namespec,
            name: options.name.clone(),
            action: options.action.to_string(),
            dry_run: options.dry_run,
            status_file: options.status_file.clone().map(OutputFile::new),
            metrics_file: options.metrics_file.clone().map(OutputFile::new),
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
        if self.status_file.is_none() && self.metrics_file.is_none() {
            return;
        }
        let report = self.report(watch, sample, memories, ctx.arrived.wall);
        if let Some(file) = &mut self.status_file {
            file.write(&json(&report), ctx.log);
        }
        if let Some(file) = &mut self.metrics_file {
            file.write(&prometheus::text(&report, memories.actions), ctx.log);
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
