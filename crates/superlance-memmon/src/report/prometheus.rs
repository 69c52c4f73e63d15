//! A report as metrics. Pure.

use superlance_action::report::action_log::ActionLog;
use superlance_action::report::prometheus::Text;

use crate::act::Cause;
use crate::report::Report;

/// The text. Every series names the memmon it comes from, since several may write files for one
/// collector, and watch the same processes.
pub(crate) fn text(report: &Report, actions: &ActionLog<Cause>) -> String {
    let mut text = Text::new("superlance_memmon_");
    let memmon = report.listener.as_deref().unwrap_or("memmon");
    let own = [("memmon", memmon)];

    text.family("up", "gauge", "Whether the last check could measure anything.");
    text.sample("up", &own, u8::from(report.trouble.is_none()));
    text.family("last_check_timestamp_seconds", "gauge", "When memmon checked last.");
    text.sample("last_check_timestamp_seconds", &own, report.time);
    if let Some(memory) = report.memory {
        text.family("system_memory_bytes", "gauge", "Memory that limits in percent are a part of.");
        text.sample("system_memory_bytes", &own, memory);
    }
    if let Some(bytes) = report.total.bytes {
        text.family("watched_memory_bytes", "gauge", "Memory of all watched processes together.");
        let measured = [("memmon", memmon), ("metric", report.metric)];
        text.sample("watched_memory_bytes", &measured, bytes);
    }
    if let Some(limit) = report.total.limit {
        text.family("watched_memory_limit_bytes", "gauge", "Limit for all of them together.");
        text.sample("watched_memory_limit_bytes", &own, limit);
    }

    let processes = || {
        report.processes.iter().map(|process| {
            let labels = [
                ("memmon", memmon),
                ("group", &*process.measured.instance.group),
                ("name", &*process.measured.instance.name),
            ];
            (labels, process)
        })
    };
    text.family("process_memory_bytes", "gauge", "Memory of a watched process.");
    for (labels, process) in processes() {
        let labels = [&labels[..], &[("metric", report.metric)]].concat();
        text.sample("process_memory_bytes", &labels, process.measured.bytes);
    }
    text.family("process_memory_limit_bytes", "gauge", "The lowest limit of a watched process.");
    for (labels, process) in processes() {
        if let Some(limit) = process.limit {
            text.sample("process_memory_limit_bytes", &labels, limit);
        }
    }
    let help = "When a watched process was started.";
    text.family("process_start_time_seconds", "gauge", help);
    for (labels, process) in processes() {
        text.sample("process_start_time_seconds", &labels, process.measured.instance.start);
    }
    actions.add_to(&mut text, "memmon", memmon);
    text.finish()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use superlance_action::instance::Instance;
    use superlance_action::report::action_log::Outcome;

    use super::*;
    use crate::decide::measured::Measured;
    use crate::report::{Process, Total};

    fn instance() -> Instance {
        let (group, name) = ("g".to_owned(), "p".to_owned());
        Instance { group, name, pid: 7, start: 1_600_000_000, uptime: 3 }
    }

    fn report() -> Report {
        Report {
            listener: Some("memmon:memmon".to_owned()),
            name: None,
            time: 1_700_000_000,
            trouble: None,
            metric: "rss",
            cumulative: false,
            action: "restart".to_owned(),
            dry_run: false,
            memory: None,
            total: Total { bytes: Some(5), limit: None },
            processes: vec![Process {
                measured: Measured { instance: instance(), bytes: 5, limits: vec![] },
                limit: Some(9),
                headroom: Some(4),
                checks_over: 0,
                stopping: false,
                history: vec![],
            }],
            actions: vec![],
        }
    }

    #[test]
    fn every_family_is_described_and_every_series_labelled() {
        let mut actions = ActionLog::default();
        for _ in 0..3 {
            let cause = Cause { bytes: 5, limit: 4 };
            actions.note(&instance(), "restart", cause, Outcome::Done, UNIX_EPOCH);
        }
        let expected = "\
# HELP superlance_memmon_up Whether the last check could measure anything.
# TYPE superlance_memmon_up gauge
superlance_memmon_up{memmon=\"memmon:memmon\"} 1
# HELP superlance_memmon_last_check_timestamp_seconds When memmon checked last.
# TYPE superlance_memmon_last_check_timestamp_seconds gauge
superlance_memmon_last_check_timestamp_seconds{memmon=\"memmon:memmon\"} 1700000000
# HELP superlance_memmon_watched_memory_bytes Memory of all watched processes together.
# TYPE superlance_memmon_watched_memory_bytes gauge
superlance_memmon_watched_memory_bytes{memmon=\"memmon:memmon\",metric=\"rss\"} 5
# HELP superlance_memmon_process_memory_bytes Memory of a watched process.
# TYPE superlance_memmon_process_memory_bytes gauge
superlance_memmon_process_memory_bytes{memmon=\"memmon:memmon\",group=\"g\",name=\"p\",metric=\"rss\"} 5
# HELP superlance_memmon_process_memory_limit_bytes The lowest limit of a watched process.
# TYPE superlance_memmon_process_memory_limit_bytes gauge
superlance_memmon_process_memory_limit_bytes{memmon=\"memmon:memmon\",group=\"g\",name=\"p\"} 9
# HELP superlance_memmon_process_start_time_seconds When a watched process was started.
# TYPE superlance_memmon_process_start_time_seconds gauge
superlance_memmon_process_start_time_seconds{memmon=\"memmon:memmon\",group=\"g\",name=\"p\"} 1600000000
# HELP superlance_memmon_actions_total Times that a process was acted on or was to be, by what came of it.
# TYPE superlance_memmon_actions_total counter
superlance_memmon_actions_total{memmon=\"memmon:memmon\",group=\"g\",name=\"p\",action=\"restart\",outcome=\"done\"} 3
";
        assert_eq!(text(&report(), &actions), expected);
    }

    #[test]
    fn what_there_may_be_besides() {
        let mut report = report();
        report.trouble = Some("no answer".to_owned());
        report.memory = Some(100);
        report.total.limit = Some(50);
        let text = text(&report, &ActionLog::default());
        for line in [
            "superlance_memmon_up{memmon=\"memmon:memmon\"} 0\n",
            "superlance_memmon_system_memory_bytes{memmon=\"memmon:memmon\"} 100\n",
            "superlance_memmon_watched_memory_limit_bytes{memmon=\"memmon:memmon\"} 50\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
