//! A look as metrics in the text format of Prometheus. Pure.
//!
//! Those whose names begin with `node_supervisord_` are the ones of node_exporter's supervisord collector,
//! which its version 1.6 called deprecated: the same names, labels, help texts and order.

use superlance_action::report::prometheus::Text;
use superlance_core::options::label::Label;
use superlance_core::supervisor::{ProcessInfo, State};

use crate::listeners::Listener;
use crate::look::{Look, METRICS};
use crate::restarts::Restarts;

/// The text. Restarts are known only to a program that goes on.
pub(crate) fn text(look: &Look, restarts: Option<&Restarts>, labels: &[Label]) -> String {
    let mut text = Text::new("").with(labels);
    let none = Vec::new();
    let processes = look.processes.as_ref().unwrap_or(&none);
    if look.processes.is_ok() {
        of_node_exporter(processes, &mut text);
    }
    text.family("superlance_build_info", "gauge", "The version of superlance, as a label.");
    text.sample("superlance_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    listeners(look.listeners.as_deref().unwrap_or_default(), &mut text);
    memory(look, processes, &mut text);
    if let Some(restarts) = restarts {
        let name = "superlance_process_restarts_total";
        let help =
            "Times that a process was seen to be started again, since superlance metrics began.";
        text.family(name, "counter", help);
        for (group, process, count) in restarts.iter() {
            text.sample(name, &[("group", group), ("name", process)], count);
        }
    }
    text.family("superlance_supervisord_up", "gauge", "Whether supervisord answers.");
    text.sample("superlance_supervisord_up", &[], u8::from(look.processes.is_ok()));
    text.finish()
}

fn of_node_exporter(processes: &[ProcessInfo], text: &mut Text) {
    let families: [Family; 4] = [
        ("exit_status", "gauge", "Process Exit Status", |info| Some(info.exit_status)),
        ("start_time_seconds", "counter", "Process start time", |info| {
            runs(info).then_some(info.start)
        }),
        ("state", "gauge", "Process State", |info| Some(info.state.code())),
        ("up", "gauge", "Process Up", |info| Some(runs(info).into())),
    ];
    for (name, kind, help, value) in families {
        let name = format!("node_supervisord_{name}");
        // A family without samples is left out there.
        let samples: Vec<_> =
            processes.iter().filter_map(|info| Some((info, value(info)?))).collect();
        if samples.is_empty() {
            continue;
        }
        text.family(&name, kind, help);
        for (info, value) in samples {
            text.sample(&name, &[("group", &info.group), ("name", &info.name)], value);
        }
    }
}

/// A name without its beginning, a kind, what it is, and its value for a process.
type Family = (&'static str, &'static str, &'static str, fn(&ProcessInfo) -> Option<i64>);

/// Whether node_exporter takes a process for one that runs.
fn runs(info: &ProcessInfo) -> bool {
    matches!(info.state, State::Starting | State::Running | State::Stopping)
}

fn listeners(listeners: &[Listener], text: &mut Text) {
    if listeners.is_empty() {
        return;
    }
    let name = "superlance_listener_state";
    let help =
        "State of an event listener as node_supervisord_state, or 1000 if it gets no more events.";
    text.family(name, "gauge", help);
    for listener in listeners {
        let labels = [("group", &*listener.group), ("name", &*listener.name)];
        text.sample(name, &labels, listener.state.code());
    }
}

fn memory(look: &Look, processes: &[ProcessInfo], text: &mut Text) {
    let Ok(readings) = &look.memory else { return };
    let name = "superlance_process_memory_bytes";
    let help = "Memory of a process, alone or with all its descendants.";
    text.family(name, "gauge", help);
    for info in processes {
        let reading = readings.get(&info.pid).filter(|reading| !reading.is_empty());
        for (children, usage) in
            reading.iter().flat_map(|reading| [("no", reading.alone), ("yes", reading.family)])
        {
            for metric in METRICS {
                let labels = [
                    ("children", children),
                    ("group", &*info.group),
                    ("metric", metric.name()),
                    ("name", &*info.name),
                ];
                if let Ok(bytes) = usage.get(metric) {
                    text.sample(name, &labels, bytes);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use superlance_core::testing::ScriptedSupervisor;
    use superlance_measure::{Reading, Readings, Unavailable, Usage};

    use super::*;

    fn look() -> Look {
        let mut processes =
            ScriptedSupervisor::at(1_000).with("web:a", 7).with("once:once", 0).processes;
        processes[1].state = State::Exited;
        processes[1].exit_status = 4;
        let alone = Usage { rss: 3, pss: Ok(2), uss: Ok(1), swap: Ok(0) };
        let family = Usage::resident(9, Unavailable::Permission);
        let memory = Readings::from([(7, Reading { alone, family })]);
        let (group, name) = ("memmon".to_owned(), "memmon".to_owned());
        let listeners = Ok(vec![Listener { group, name, state: State::Unknown }]);
        Look { processes: Ok(processes), memory: Ok(memory), listeners }
    }

    #[test]
    fn all_of_it() {
        let look = look();
        let mut restarts = Restarts::default();
        restarts.note(look.processes.as_ref().unwrap());
        let expected = "\
# HELP node_supervisord_exit_status Process Exit Status
# TYPE node_supervisord_exit_status gauge
node_supervisord_exit_status{group=\"web\",name=\"a\"} 0
node_supervisord_exit_status{group=\"once\",name=\"once\"} 4
# HELP node_supervisord_start_time_seconds Process start time
# TYPE node_supervisord_start_time_seconds counter
node_supervisord_start_time_seconds{group=\"web\",name=\"a\"} 990
# HELP node_supervisord_state Process State
# TYPE node_supervisord_state gauge
node_supervisord_state{group=\"web\",name=\"a\"} 20
node_supervisord_state{group=\"once\",name=\"once\"} 100
# HELP node_supervisord_up Process Up
# TYPE node_supervisord_up gauge
node_supervisord_up{group=\"web\",name=\"a\"} 1
node_supervisord_up{group=\"once\",name=\"once\"} 0
# HELP superlance_build_info The version of superlance, as a label.
# TYPE superlance_build_info gauge
superlance_build_info{version=\"VERSION\"} 1
# HELP superlance_listener_state State of an event listener as node_supervisord_state, or 1000 if it gets no more events.
# TYPE superlance_listener_state gauge
superlance_listener_state{group=\"memmon\",name=\"memmon\"} 1000
# HELP superlance_process_memory_bytes Memory of a process, alone or with all its descendants.
# TYPE superlance_process_memory_bytes gauge
superlance_process_memory_bytes{children=\"no\",group=\"web\",metric=\"rss\",name=\"a\"} 3
superlance_process_memory_bytes{children=\"no\",group=\"web\",metric=\"pss\",name=\"a\"} 2
superlance_process_memory_bytes{children=\"no\",group=\"web\",metric=\"uss\",name=\"a\"} 1
superlance_process_memory_bytes{children=\"no\",group=\"web\",metric=\"swap\",name=\"a\"} 0
superlance_process_memory_bytes{children=\"yes\",group=\"web\",metric=\"rss\",name=\"a\"} 9
# HELP superlance_process_restarts_total Times that a process was seen to be started again, since superlance metrics began.
# TYPE superlance_process_restarts_total counter
superlance_process_restarts_total{group=\"once\",name=\"once\"} 0
superlance_process_restarts_total{group=\"web\",name=\"a\"} 0
# HELP superlance_supervisord_up Whether supervisord answers.
# TYPE superlance_supervisord_up gauge
superlance_supervisord_up 1
";
        let expected = expected.replace("VERSION", env!("CARGO_PKG_VERSION"));
        assert_eq!(text(&look, Some(&restarts), &[]), expected);
    }

    #[test]
    fn what_is_known_without_an_answer() {
        let look = Look {
            processes: Err("no".to_owned()),
            memory: Ok(Readings::new()),
            listeners: Ok(Vec::new()),
        };
        let text = text(&look, None, &[]);
        assert!(text.ends_with("\nsuperlance_supervisord_up 0\n"), "{text}");
        assert!(text.contains("\nsuperlance_build_info{version="), "{text}");
        assert!(!text.contains("node_"), "{text}");
    }

    #[test]
    fn processes_whose_memory_cannot_be_read_are_there() {
        let look = Look { memory: Err("no".to_owned()), ..look() };
        let text = text(&look, None, &[]);
        assert!(!text.contains("memory_bytes") && text.contains("node_supervisord_up{"), "{text}");
    }

    #[test]
    fn given_labels_are_at_every_sample() {
        let text = text(&look(), None, &["supervisor=blue".parse().unwrap()]);
        let mut samples = text.lines().filter(|line| !line.starts_with('#'));
        assert!(samples.all(|line| line.contains("supervisor=\"blue\"}")), "{text}");
        assert!(text.contains("\nsuperlance_supervisord_up{supervisor=\"blue\"} 1\n"), "{text}");
    }
}
