//! The alert rules and the dashboard of docs/examples/prometheus: they name metrics that there are, and
//! promtool understands them and has each alert fire, where `make prometheus` has fetched it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use superlance_testing::Scratch;

use crate::docs::file;

const EXAMPLES: &str = "docs/examples/prometheus";

const PROMTOOL: &str = "target/prometheus/usr/bin/promtool";

fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap()
}

/// The queries of the dashboard, those of its variables left out.
fn queries() -> Vec<String> {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read(&format!("{EXAMPLES}/grafana.json"))).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// What begins like a metric of ours.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("superlance_") || word.starts_with("node_supervisord_"))
        .collect()
}

#[test]
fn rules_and_dashboard_name_metrics_that_there_are() {
    let sources = [
        "superlance-action/src/report/action_log.rs",
        "superlance-httpok/src/reporter.rs",
        "superlance-memmon/src/report/prometheus.rs",
        "superlance-metrics/src/exposition.rs",
    ];
    let sources: String = sources.iter().map(|path| read(&format!("crates/{path}"))).collect();
    let prefixes = ["node_supervisord_", "superlance_memmon_", "superlance_httpok_"];
    let exists = |name: &&str| {
        let own = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
        sources.contains(&format!("\"{}\"", own.unwrap_or(name)))
    };
    let rules = read(&format!("{EXAMPLES}/superlance.rules.yml"));
    let queries = queries().join("\n");
    for text in [&rules, &queries] {
        let (known, unknown): (Vec<_>, Vec<_>) = names(text).into_iter().partition(exists);
        assert!(known.len() > 8, "{known:?}");
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn promtool_understands_them_and_each_alert_fires() {
    if !file(PROMTOOL).exists() {
        eprintln!(
            "left out: alert rules and dashboard by promtool, which is not there: make prometheus"
        );
        return;
    }
    let promtool = |words: &[&str], path: &Path| {
        let output = Command::new(file(PROMTOOL)).args(words).arg(path).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{words:?} {}:\n{said}", path.display());
    };
    promtool(&["check", "config"], &file(&format!("{EXAMPLES}/prometheus.yml")));
    promtool(&["test", "rules"], &file("tests/fleet/rules.yml"));
    let queries = queries();
    assert!(queries.len() > 10, "{queries:?}");
    let rules = queries.iter().enumerate().map(|(number, query)| {
        format!("      - {{record: 'q{number}', expr: '{}'}}\n", query.replace('\'', "''"))
    });
    let folder = Scratch::new();
    let text = format!("groups:\n  - name: dashboard\n    rules:\n{}", rules.collect::<String>());
    promtool(&["check", "rules"], &folder.write("dashboard.yml", &text));
    // It does refuse.
    let bad = folder.write("bad.yml", text.replacen("expr: '", "expr: '((", 1));
    let output = Command::new(file(PROMTOOL)).args(["check", "rules"]).arg(bad).output().unwrap();
    assert!(!output.status.success());
}
