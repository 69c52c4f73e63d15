//! Tells when a process that was reported runs again and goes on running.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use superlance_core::listener::alert::{Alert, Process};
use superlance_core::supervisor::{Fault, ProcessInfo, State, Supervisor};
use superlance_core::system::clock::{Moment, log_time};
use superlance_core::system::log::{Log, LogOnce};

/// Processes that are watched at a time. Of any further ones no recovery is told.
const MAX_WATCHED: usize = 10_000;

/// The shortest and the longest pause between two looks at a process that does not run.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// The kind of the alerts that tell a recovery.
pub const RECOVERED: &str = "recovered";

/// The kinds of alerts after which there is nothing to recover from: about processes that run all the
/// time, start, or have ended as they should.
pub const NO_TROUBLE: [&str; 7] =
    ["over", "signalled", "left-alone", "starting", "running", "stopping", "expected"];

/// The processes that were reported and have not recovered yet.
#[derive(Debug)]
pub struct Recovery {
    interval: Duration,
    /// By group and name.
    watched: BTreeMap<(String, String), Watch>,
    complaint: LogOnce,
}

#[derive(Debug)]
struct Watch {
    reported: Instant,
    look: Instant,
    report: Report,
}

/// The last alert about a process, as far as its recovery is concerned. It is to survive the end of
/// the listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    id: String,
    listener: String,
    host: String,
    process: Process,
    at: SystemTime,
    subject: String,
}

/// What a look at a process shows.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Recovered,
    /// It runs, and has to do so for this time yet.
    Running(Duration),
    Down,
    Gone,
}

impl Recovery {
    /// A process has recovered when it has been running for `interval`, without another alert.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { interval, watched: BTreeMap::new(), complaint: LogOnce::default() }
    }

    /// Takes note of an alert. If it is about a process, that has to recover from now on, even if it
    /// was about to; what is to survive the listener is returned.
    pub fn note(&mut self, alert: &Alert, now: Moment) -> Option<&Report> {
        let process = alert.process.clone()?;
        if alert.kind == RECOVERED || NO_TROUBLE.contains(&&*alert.kind) {
            return None;
        }
        let report = Report {
            id: alert.id.clone(),
            listener: alert.listener.clone(),
            host: alert.host.clone(),
            process,
            at: alert.at,
            subject: alert.subject.clone(),
        };
        self.watch(report, now)
    }

    /// Watches a process again that an earlier listener reported.
    pub fn restore(&mut self, report: Report, now: Moment) {
        self.watch(report, now);
    }

    fn watch(&mut self, report: Report, now: Moment) -> Option<&Report> {
        let name = (report.process.group.clone(), report.process.name.clone());
        if self.watched.len() >= MAX_WATCHED && !self.watched.contains_key(&name) {
            return None;
        }
        let look = now.after(self.interval);
        let watch = Watch { reported: now.instant, look, report };
        self.watched.insert(name.clone(), watch);
        self.watched.get(&name).map(|watch| &watch.report)
    }

    /// What is watched now, to be restored by a later listener.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.watched.values().map(|watch| &watch.report)
    }

    /// When to [`look`](Self::look) next.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.watched.values().map(|watch| watch.look).min()
    }

    /// Forgets everything: the listener is about to end.
    pub fn finish(&mut self) {
        self.watched.clear();
    }

    /// Looks at the processes if it is time to, and returns an alert for each that has recovered.
    #[must_use]
    pub fn look(&mut self, supervisor: &mut dyn Supervisor, now: Moment, log: &Log) -> Vec<Alert> {
        if self.deadline().is_none_or(|deadline| deadline > now.instant) {
            return Vec::new();
        }
        // One question, however many processes there are.
        let processes = match supervisor.all() {
            Ok(processes) => processes,
            Err(error) if error.fault_code() == Some(Fault::SHUTDOWN_STATE) => {
                self.finish();
                return Vec::new();
            }
            Err(error) => {
                let message = format!("cannot see whether processes have recovered: {error}");
                self.complaint.report(log, message);
                let pause = self.pause();
                for watch in self.watched.values_mut() {
                    watch.look = watch.look.max(now.after(pause));
                }
                return Vec::new();
            }
        };
        self.complaint.clear();
        self.judge(&processes, now)
    }

    fn judge(&mut self, processes: &[ProcessInfo], now: Moment) -> Vec<Alert> {
        let named = |info: &ProcessInfo| (info.group.clone(), info.name.clone());
        let processes: BTreeMap<_, _> = processes.iter().map(|info| (named(info), info)).collect();
        let (interval, pause) = (self.interval, self.pause());
        let mut recovered = Vec::new();
        self.watched.retain(|name, watch| {
            if watch.look > now.instant {
                return true;
            }
            let info = processes.get(name).copied();
            match finding(info, now.instant - watch.reported, interval) {
                Finding::Recovered => {
                    recovered.extend(info.map(|info| watch.report.recovery(info, now.wall)));
                    return false;
                }
                Finding::Running(left) => watch.look = now.after(left),
                Finding::Down => watch.look = now.after(pause),
                Finding::Gone => return false,
            }
            true
        });
        recovered
    }

    fn pause(&self) -> Duration {
        let [shortest, longest] = PAUSES;
        self.interval.clamp(shortest, longest)
    }
}

/// The rule: up for the interval, by supervisord's clock, and not reported for as long, by ours.
fn finding(info: Option<&ProcessInfo>, quiet: Duration, interval: Duration) -> Finding {
    match info {
        None => Finding::Gone,
        Some(info) if info.state == State::Running => {
            let up = Duration::from_secs(u64::try_from(info.uptime()).unwrap_or_default());
            match interval.saturating_sub(up.min(quiet)) {
                Duration::ZERO => Finding::Recovered,
                left => Finding::Running(left),
            }
        }
        Some(_) => Finding::Down,
    }
}

impl Report {
    fn recovery(&self, info: &ProcessInfo, at: SystemTime) -> Alert {
        let Self { listener, subject, .. } = self;
        let (namespec, pid, uptime) = (info.namespec(), info.pid, info.uptime());
        let text = format!(
            "Process {namespec} (pid {pid}) is RUNNING, and has been for {uptime} seconds. \
             It was reported last at {}:\n\n{subject}",
            log_time(self.at)
        );
        let subject = format!("{listener}: process {namespec} recovered");
        let alert = Alert::new(listener, RECOVERED, at, subject, text);
        let alert = alert.about(&info.group, &info.name, Some(pid)).measuring("uptime", uptime);
        Alert { id: format!("{}.{RECOVERED}", self.id), host: self.host.clone(), ..alert }
    }
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
