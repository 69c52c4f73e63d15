//! The metrics of node_exporter's supervisord collector, beside our own of the same supervisord: everyday
//! with what node_exporter 1.5.0 said of a fake one, and with the real node_exporter where `make prometheus`
//! has fetched it.

use std::collections::BTreeMap;
use std::fs;

use superlance_testing::{
    FakeProcess, FakeSupervisor, ProcessState, SOON, Scratch, Supervisord, wait_for,
};

use super::{get, metrics, port, run};
use crate::docs::file;

/// What node_exporter said; `SUPERLANCE_WRITE=1` writes it anew.
const RECORDED: &str = "tests/metrics/node_exporter.prom";

const EXPORTER: &str = "target/prometheus/usr/bin/prometheus-node-exporter";

/// Series and their values, with families and what they are.
type Metrics = BTreeMap<String, String>;

/// Those of the collector, with labels and numbers in one form.
fn of_collector(text: &str) -> Metrics {
    let lines = text.lines().filter(|line| line.contains("node_supervisord_"));
    lines
        .map(|line| match line.rsplit_once(' ') {
            Some((series, value)) if !line.starts_with('#') => {
                (series.to_owned(), value.parse::<f64>().unwrap().to_string())
            }
            _ => (line.to_owned(), String::new()),
        })
        .collect()
}

/// Processes in each state, and at the same times whenever this runs.
fn fake() -> FakeSupervisor {
    let fake = FakeSupervisor::unix();
    let states = [
        ("stopped", ProcessState::Stopped, 0),
        ("starting", ProcessState::Starting, 0),
        ("running", ProcessState::Running, 0),
        ("backoff", ProcessState::Backoff, 1),
        ("stopping", ProcessState::Stopping, 0),
        ("exited", ProcessState::Exited, 4),
        ("killed", ProcessState::Exited, -1),
        ("fatal", ProcessState::Fatal, 0),
        ("unknown", ProcessState::Unknown, 0),
        ("web:quoted \"name\" \\ é", ProcessState::Running, 0),
    ];
    for (name, state, status) in states {
        let mut process = FakeProcess::running(name, 7);
        (process.state, process.exitstatus, process.start) = (state, status, 1_795_591_985);
        fake.add(process);
    }
    fake
}

fn ours(url: &str) -> Metrics {
    let folder = Scratch::new();
    let (printed, _, code) = run(metrics(&folder, &["-s", url]));
    assert_eq!(code, 0, "{printed}");
    of_collector(&printed)
}

#[test]
fn of_a_fake_supervisord_as_recorded() {
    let fake = fake();
    let recorded = fs::read_to_string(file(RECORDED)).unwrap();
    let recorded = of_collector(&recorded);
    // Four families of two lines; a series for each process in three of them, and for each that runs.
    assert_eq!(recorded.len(), 8 + 3 * 10 + 4, "{recorded:#?}");
    assert_eq!(ours(&fake.server_url()), recorded);
}

#[test]
fn of_a_real_supervisord_beside_the_real_node_exporter() {
    let exporter = file(EXPORTER);
    if !exporter.exists() {
        eprintln!(
            "left out: metrics beside the real node_exporter, which is not there: make prometheus"
        );
        return;
    }
    let fake = fake();
    let command = |url: &str, port: u16| {
        format!(
            "{} --collector.disable-defaults --collector.supervisord --collector.supervisord.url={url} \
             --web.listen-address=127.0.0.1:{port}",
            exporter.display()
        )
    };
    let ports = [port(), port()];
    let once = [("startsecs", "0"), ("autorestart", "false")];
    let supervisord = Supervisord::builder()
        .program("real", &command("unix://%(here)s/s.sock", ports[0]), &[])
        .program("fake", &command(&fake.server_url(), ports[1]), &[])
        .program("pool", "sleep 1000", &[("numprocs", "2"), ("process_name", "%(process_num)d")])
        .program("idle", "sleep 1000", &[("autostart", "false")])
        .program("once", "/bin/sh -c 'exit 4'", &once)
        .program("killed", "/bin/sh -c 'kill -9 $$'", &once)
        .program("bad", "/bin/sh -c 'exit 3'", &[("startretries", "0")])
        .start();
    for (name, state) in [("once", "EXITED"), ("killed", "EXITED"), ("bad", "FATAL")] {
        supervisord.wait_state(name, state);
    }
    for name in ["real", "fake", "pool:1"] {
        supervisord.wait_state(name, "RUNNING");
    }
    let theirs = |port| {
        wait_for("node_exporter to answer", SOON, || {
            let answer = get(port, "/metrics")?;
            answer.contains("node_supervisord_up{").then_some(answer)
        })
    };
    let real = of_collector(&theirs(ports[0]));
    assert!(real.len() > 20, "{real:#?}");
    assert_eq!(ours(&supervisord.server_url()), real);
    let text = theirs(ports[1]);
    let lines = text.lines().filter(|line| line.contains("node_supervisord_"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    if std::env::var_os("SUPERLANCE_WRITE").is_some() {
        fs::write(file(RECORDED), &text).unwrap();
    }
    assert_eq!(of_collector(&text), ours(&fake.server_url()));
    assert_eq!(text, fs::read_to_string(file(RECORDED)).unwrap());
}
