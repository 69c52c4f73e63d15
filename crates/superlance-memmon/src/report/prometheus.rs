//! A report in the text format of Prometheus, for node_exporter's textfile collector. Pure.

use std::fmt::{Display, Write};

use crate::report::Report;
use crate::report::action_log::Counts;

/// The text. Every series names the memmon it comes from, since several may write files for one
/// collector, and watch the same processes.
pub(crate) fn text(report: &Report, counts: &Counts) -> String {
    let mut text = Text::default();
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
                ("group", &*process.measured.group),
                ("name", &*process.measured.name),
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
        text.sample("process_start_time_seconds", &labels, process.measured.start);
    }
    let help = "Times that a process was acted on or was to be, by what came of it.";
    text.family("actions_total", "counter", help);
    for ((group, name, outcome), count) in counts {
        let labels = [
            ("memmon", memmon),
            ("group", group),
            ("name", name),
            ("action", &report.action),
            ("outcome", outcome),
        ];
        text.sample("actions_total", &labels, count);
    }
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP superlance_memmon_{name} {help}");
        let _ = writeln!(self.0, "# TYPE superlance_memmon_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let label = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", escaped(value));
        let labels: Vec<_> = labels.iter().map(label).collect();
        let _ = writeln!(self.0, "superlance_memmon_{name}{{{}}} {value}", labels.join(","));
    }
}

/// The value of a label: backslashes, quotes and line ends are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::rules::Measured;
    use crate::report::{Process, Total};

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
                measured: Measured {
                    group: "g".to_owned(),
                    name: "p".to_owned(),
                    pid: 7,
                    start: 1_600_000_000,
                    uptime: 3,
                    bytes: 5,
                    limits: vec![],
                },
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
        let counts = Counts::from([(("g".to_owned(), "p".to_owned(), "done"), 3)]);
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
        assert_eq!(text(&report(), &counts), expected);
    }

    #[test]
    fn what_there_may_be_besides() {
        let mut report = report();
        report.trouble = Some("no answer".to_owned());
        report.memory = Some(100);
        report.total.limit = Some(50);
        let text = text(&report, &Counts::default());
        for line in [
            "superlance_memmon_up{memmon=\"memmon:memmon\"} 0\n",
            "superlance_memmon_system_memory_bytes{memmon=\"memmon:memmon\"} 100\n",
            "superlance_memmon_watched_memory_limit_bytes{memmon=\"memmon:memmon\"} 50\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn names_of_all_kinds_are_escaped() {
        let mut report = report();
        report.processes[0].measured.name = "a\"b\\c\nd é".to_owned();
        let line = "group=\"g\",name=\"a\\\"b\\\\c\\nd é\"} 9\n";
        let text = text(&report, &Counts::default());
        assert!(text.contains(line), "{text}");
    }
}
