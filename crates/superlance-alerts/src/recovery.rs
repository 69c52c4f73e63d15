//! `--recovery`: alerts that a reported trouble is over. A crash is over when the process keeps
//! running; other troubles are over when the listener that reported them resolves them.

use std::time::{Duration, Instant, SystemTime};

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use superlance_core::listener::alert::{Alert, Process, Recovers, process_key};
use superlance_core::supervisor::{ProcessInfo, State, Supervisor};
use superlance_core::system::clock::{Moment, log_time};
use superlance_core::system::log::{Log, LogOnce};
use superlance_core::system::order;

/// Troubles that are remembered. Further ones cause no recovery alert.
const MAX_WATCHED: usize = 10_000;

/// The shortest and the longest pause between two looks at a process that has not recovered.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// The kind of recovery alerts.
pub const RECOVERED: &str = "recovered";

/// Troubles that were reported and are not over.
#[derive(Debug)]
pub struct Recovery {
    interval: Duration,
    /// Keys: `process group:name`, or the key under which the listener resolves the trouble.
    watched: LiteMap<String, Watch>,
    /// The listener ends, so supervisord is not asked any more.
    ending: bool,
    complaint: LogOnce,
}

#[derive(Debug)]
struct Watch {
    reported: Instant,
    /// When to ask supervisord next: whether it runs, or where the listener decides, whether it is
    /// still there. Never where it is about no process.
    look: Option<Instant>,
    report: Report,
}

/// The last alert about a process, as far as its recovery needs it. It survives the end of the
/// listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    id: String,
    listener: String,
    host: String,
    process: Option<Process>,
    recovers: Recovers,
    at: SystemTime,
    subject: String,
}

/// What a look at the processes shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// An alert for each process that has recovered.
    pub recovered: Vec<Alert>,
    /// The keys of those that supervisord no longer has.
    pub gone: Vec<String>,
}

/// What a look at a process shows.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Recovered,
    /// The process runs, and must do so for this long.
    Running(Duration),
    Down,
    /// Its listener says when it is over.
    Unresolved,
    Gone,
}

impl Recovery {
    /// A process has recovered when it has been running for `interval`, without another alert.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        let (watched, complaint) = (LiteMap::new(), LogOnce::default());
        Self { interval, watched, ending: false, complaint }
    }

    /// Registers an alert: its process must recover from now on, even if it was about to. Returns
    /// the record for the journal.
    pub fn note(&mut self, alert: &Alert, now: Moment) -> Option<&Report> {
        let report = Report {
            id: alert.id.clone(),
            listener: alert.listener.clone(),
            host: alert.host.clone(),
            process: alert.process.clone(),
            recovers: alert.recovers.clone(),
            at: alert.at,
            subject: alert.subject.clone(),
        };
        self.watch(report, now)
    }

    /// Watches a process again that an earlier listener reported, unless this one has reported it
    /// since.
    pub fn restore(&mut self, report: Report, now: Moment) {
        if report.key().is_none_or(|key| !self.watched.contains_key(&key)) {
            self.watch(report, now);
        }
    }

    fn watch(&mut self, report: Report, now: Moment) -> Option<&Report> {
        let key = report.key()?;
        if self.watched.len() >= MAX_WATCHED && !self.watched.contains_key(&key) {
            return None;
        }
        let pause = match report.recovers {
            Recovers::WhenRunning => Some(self.interval),
            _ => (report.process_key().as_ref() == Some(&key)).then_some(PAUSES[1]),
        };
        let look = pause.map(|pause| now.after(pause));
        self.watched.insert(key.clone(), Watch { reported: now.instant, look, report });
        self.watched.get(&key).map(|watch| &watch.report)
    }

    /// Whether the listener decides when this is over.
    #[must_use]
    pub fn is_unresolved(&self, key: &str) -> bool {
        self.watched.get(key).is_some_and(|watch| !watch.report.is_over_when_running())
    }

    /// The keys of the troubles whose listener decides when they are over.
    pub fn unresolved(&self) -> impl Iterator<Item = &str> {
        let watched = self.watched.iter().filter(|(_, watch)| !watch.report.is_over_when_running());
        watched.map(|(key, _)| key.as_str())
    }

    /// Forgets a trouble whose listener tells itself that it is over. Returns whether it was watched.
    pub fn forget(&mut self, key: &str) -> bool {
        self.watched.remove(key).is_some()
    }

    /// The recovery alert for this key, if a trouble was reported and it is time.
    pub fn resolve(&mut self, key: &str, text: &str, now: Moment) -> Option<Alert> {
        let watch = self.watched.get(key)?;
        let Recovers::WhenResolved { at_once, .. } = watch.report.recovers else { return None };
        if !at_once && now.instant.saturating_duration_since(watch.reported) < self.interval {
            return None;
        }
        let Watch { report, .. } = self.watched.remove(key)?;
        Some(report.recovery(key, text, now.wall))
    }

    /// The records of all watched processes, for a later listener.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.watched.values().map(|watch| &watch.report)
    }

    /// Leaves the looks to the next listener; what is reported or resolved meanwhile counts.
    pub fn stop_looking(&mut self) {
        self.ending = true;
    }

    /// When to [`look`](Self::look) next.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.ending {
            return None;
        }
        self.watched.values().filter_map(|watch| watch.look).min()
    }

    /// Looks at the processes if it is time to.
    #[must_use]
    pub fn look(&mut self, supervisor: &mut dyn Supervisor, now: Moment, log: &Log) -> Looked {
        if self.deadline().is_none_or(|deadline| deadline > now.instant) {
            return Looked::default();
        }
        // One request, however many processes there are.
        let processes = match supervisor.all() {
            Ok(processes) => processes,
            Err(error) => {
                // A shutdown is no trouble, and the next listener goes on watching.
                if !error.is_shutdown() {
                    let message = format!("cannot see whether processes have recovered: {error}");
                    self.complaint.report(log, message);
                }
                let pause = self.pause();
                let looks = self.watched.iter_mut().filter_map(|(_, watch)| watch.look.as_mut());
                looks.for_each(|look| *look = (*look).max(now.after(pause)));
                return Looked::default();
            }
        };
        self.complaint.clear();
        self.judge(&processes, now)
    }

    fn judge(&mut self, processes: &[ProcessInfo], now: Moment) -> Looked {
        let processes = processes.iter();
        let processes = processes.map(|info| (process_key(&info.group, &info.name), info));
        let processes = order::map(processes);
        let (interval, pause) = (self.interval, self.pause());
        let mut looked = Looked::default();
        let mut over = Vec::new();
        for (key, watch) in self.watched.iter_mut() {
            if watch.look.is_none_or(|look| look > now.instant) {
                continue;
            }
            let info = processes.get(key).copied();
            let finding = match watch.report.is_over_when_running() {
                true => finding(info, now.instant - watch.reported, interval),
                false => info.map_or(Finding::Gone, |_| Finding::Unresolved),
            };
            match finding {
                Finding::Recovered => {
                    looked
                        .recovered
                        .extend(info.map(|info| watch.report.running(key, info, now.wall)));
                    over.push(key.clone());
                }
                Finding::Running(left) => watch.look = Some(now.after(left)),
                Finding::Down => watch.look = Some(now.after(pause)),
                Finding::Unresolved => watch.look = Some(now.after(PAUSES[1])),
                Finding::Gone => {
                    looked.gone.push(key.clone());
                    over.push(key.clone());
                }
            }
        }
        // They have come in the order of their keys.
        self.watched.retain(|key, _| over.binary_search(key).is_err());
        looked
    }

    fn pause(&self) -> Duration {
        let [shortest, longest] = PAUSES;
        self.interval.clamp(shortest, longest)
    }
}

/// The rule: running for the interval by supervisord's clock, and not reported for as long by ours.
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
    /// The key of what has to recover, if anything.
    fn key(&self) -> Option<String> {
        self.recovers.key(self.process.as_ref())
    }

    fn process_key(&self) -> Option<String> {
        self.process.as_ref().map(|process| process_key(&process.group, &process.name))
    }

    fn is_over_when_running(&self) -> bool {
        self.recovers == Recovers::WhenRunning
    }

    fn running(&self, key: &str, info: &ProcessInfo, at: SystemTime) -> Alert {
        let (namespec, pid, uptime) = (info.namespec(), info.pid, info.uptime());
        let text = format!(
            "Process {namespec} (pid {pid}) is RUNNING, and has been for {uptime} seconds."
        );
        let alert = self.recovery(key, &text, at).measuring("uptime", uptime);
        alert.about(&info.group, &info.name, Some(pid))
    }

    fn recovery(&self, key: &str, text: &str, at: SystemTime) -> Alert {
        let Self { listener, subject, .. } = self;
        let text = format!("{text} It was reported last at {}:\n\n{subject}", log_time(self.at));
        let subject = format!("{listener}: {key} recovered");
        let alert = Alert::new(listener, RECOVERED, at, subject, text);
        let (id, host) = (format!("{}.{RECOVERED}", self.id), self.host.clone());
        let recovers = Recovers::Recovered { key: key.to_owned() };
        Alert { id, host, process: self.process.clone(), recovers, ..alert }
    }
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
