//! The alerts of memmon. The texts about restarts are the original's.

use std::time::{Duration, SystemTime};

use superlance_action::action::{Action, Intervention};
use superlance_action::decide::rules::Budget;
use superlance_core::listener::alert::{Alert, Recovers, process_key};
use superlance_core::options::units::duration_text;
use superlance_core::system::clock::asctime_and_zone;

use crate::act::case::Case;
use crate::decide::measured::{Excess, Measured};
use superlance_measure::Metric;

/// Writes alerts.
#[derive(Debug)]
pub(crate) struct AlertWriter {
    /// The name of this memmon, for subjects.
    pub(crate) name: Option<String>,
    pub(crate) metric: Metric,
    pub(crate) action: Action,
    /// Longest uptime with which people are told of what was done.
    pub(crate) uptime: Option<Duration>,
}

impl AlertWriter {
    /// What was done about a process that was too large; nothing if it had been up for long and people
    /// want to hear of others only.
    pub(crate) fn done(&self, case: &Case, at: SystemTime) -> Option<Alert> {
        let uptime = u64::try_from(case.process.instance.uptime).unwrap_or(0);
        if self.uptime.is_some_and(|longest| uptime > longest.as_secs()) {
            return None;
        }
        let (namespec, time) = (case.namespec(), asctime_and_zone(at));
        let why = self.why(case);
        let (kind, subject, text) = match self.action {
            Action::Intervene(Intervention::Restart) => (
                "restarted",
                format!("process {namespec} restarted"),
                format!("memmon.py restarted the process named {namespec} at {time} because {why}"),
            ),
            Action::Intervene(Intervention::Stop) => (
                "stopped",
                format!("process {namespec} stopped"),
                format!("memmon.py stopped the process named {namespec} at {time} because {why}"),
            ),
            Action::Intervene(Intervention::Signal(signal)) => (
                "signalled",
                format!("process {namespec} got {signal}"),
                format!(
                    "memmon.py sent {signal} to the process named {namespec} at {time} because {why}"
                ),
            ),
            Action::Alert => (
                "over",
                format!("process {namespec} uses too much memory"),
                format!(
                    "memmon.py did nothing about the process named {namespec} at {time} but tell \
                     you that {why}"
                ),
            ),
        };
        let alert = self.alert(kind, subject, text, case, at);
        Some(match self.action {
            Action::Alert => alert,
            Action::Intervene(_) => alert.action(&self.action.to_string()),
        })
    }

    /// That something was to be done and could not be: `what` is stop, start or signal.
    pub(crate) fn failed(&self, what: &str, text: String, case: &Case, at: SystemTime) -> Alert {
        let subject = format!("failed to {what} process {}", case.namespec());
        self.alert(&format!("failed-to-{what}"), subject, text, case, at)
    }

    /// That enough was done about a process.
    pub(crate) fn left_alone(
        &self,
        case: &Case,
        budget: Option<Budget>,
        rest: Duration,
        at: SystemTime,
    ) -> Alert {
        let (namespec, time) = (case.namespec(), asctime_and_zone(at));
        let often = budget.map_or_else(String::new, |budget| budget.to_string());
        let text = format!(
            "memmon.py left the process named {namespec} alone at {time} although {}: that was done \
             {often}, and is not done again for {}",
            self.why(case),
            duration_text(rest)
        );
        self.alert("left-alone", format!("process {namespec} left alone"), text, case, at)
    }

    fn why(&self, case: &Case) -> String {
        let (label, bytes) = (self.metric.label(), case.process.bytes);
        match case.excess {
            Excess::Own { .. } => {
                format!("it was consuming too much memory ({bytes} bytes {label})")
            }
            Excess::Total { sum, .. } => format!(
                "everything watched was consuming too much memory together ({sum} bytes {label}), \
                 and it the most ({bytes} bytes)"
            ),
        }
    }

    fn alert(
        &self,
        kind: &str,
        subject: String,
        text: String,
        case: &Case,
        at: SystemTime,
    ) -> Alert {
        let subject = match &self.name {
            Some(name) => format!("memmon [{name}]: {subject}"),
            None => format!("memmon: {subject}"),
        };
        let Measured { instance: process, bytes, .. } = &case.process;
        let mut alert = Alert::new("memmon", kind, at, subject, text)
            .about(&process.group, &process.name, Some(process.pid))
            .recovers(Recovers::WhenResolved { key: recovery_key(&case.process), at_once: false })
            .measuring(self.metric.name(), bytes)
            .measuring("limit", case.excess.limit())
            .measuring("uptime", process.uptime);
        if let Excess::Total { sum, .. } = case.excess {
            alert = alert.measuring("sum", sum);
        }
        if let Some(growth) = &case.growth {
            let title = format!("{} of {}", self.metric.label(), case.namespec());
            alert = alert.attach(title, growth.text());
        }
        match &case.output {
            Some((title, output)) => alert.attach(title, output),
            None => alert,
        }
    }
}

/// What recovers when a process is below its limits again.
pub(crate) fn recovery_key(process: &Measured) -> String {
    process_key(&process.instance.group, &process.instance.name)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use superlance_action::instance::Instance;

    use super::*;

    fn case(excess: Excess) -> Case {
        let (group, name) = ("g".to_owned(), "p".to_owned());
        let instance = Instance { group, name, pid: 7, start: 0, uptime: 60 };
        let process = Measured { instance, bytes: 5, limits: vec![3] };
        Case { process, excess, growth: None, output: None }
    }

    fn writer(action: Action) -> AlertWriter {
        AlertWriter { name: None, metric: Metric::Pss, action, uptime: None }
    }

    #[test]
    fn an_alert_says_what_was_measured_and_done() {
        let case = case(Excess::Total { sum: 9, limit: 8 });
        let alert =
            writer(Action::Intervene(Intervention::Restart)).done(&case, UNIX_EPOCH).unwrap();
        let measured = [("pss", "5"), ("limit", "8"), ("uptime", "60"), ("sum", "9")];
        let measured = measured.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!((alert.measured, alert.action.as_deref()), (measured.to_vec(), Some("restart")));
        let process = alert.process.unwrap();
        assert_eq!((&*process.group, &*process.name, process.pid), ("g", "p", Some(7)));
        let end = "because everything watched was consuming too much memory together (9 bytes PSS), \
                   and it the most (5 bytes)";
        assert!(alert.text.ends_with(end), "{}", alert.text);
    }
}
