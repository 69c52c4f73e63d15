//! The structure that docs/architecture.md describes: which crate may need which, the order of the
//! folders in superlance-core, and what is called pure.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::dependencies::{list, metadata, text};
use crate::docs::file;

/// The folders of superlance-core by floors: each may use those below it.
const FLOORS: [&[&str]; 5] = [
    &["system"],
    &["options", "protocol", "spool"],
    &["supervisor", "mail"],
    &["listener"],
    &["run"],
];

/// Values in, values out: files, and folders with a slash at their end.
const PURE: &[&str] = &[
    "superlance-core/src/options/",
    "superlance-core/src/protocol/event.rs",
    "superlance-core/src/protocol/frame.rs",
    "superlance-core/src/protocol/headers.rs",
    "superlance-core/src/supervisor/deaf.rs",
    "superlance-core/src/system/order.rs",
    "superlance-action/src/action.rs",
    "superlance-action/src/decide/",
    "superlance-action/src/decide.rs",
    "superlance-action/src/report/action_log.rs",
    "superlance-action/src/report/prometheus.rs",
    "superlance-action/src/uptime.rs",
    "superlance-alerts/src/schedule.rs",
    "superlance-alerts/src/kinds.rs",
    "superlance-alerts/src/throttle.rs",
    "superlance-alerts/src/transport/webhook/services.rs",
    "superlance-check/src/codes.rs",
    "superlance-check/src/command/words.rs",
    "superlance-check/src/known.rs",
    "superlance-check/src/report/",
    "superlance-check/src/rules/",
    "superlance-config/src/configuration.rs",
    "superlance-config/src/environment.rs",
    "superlance-config/src/events.rs",
    "superlance-config/src/expand.rs",
    "superlance-config/src/ini.rs",
    "superlance-config/src/paths.rs",
    "superlance-config/src/refusal.rs",
    "superlance-config/src/values.rs",
    "superlance-crash/src/batch/pending.rs",
    "superlance-crash/src/postmortem/cause.rs",
    "superlance-crash/src/postmortem/recent.rs",
    "superlance-crash/src/postmortem/tail.rs",
    "superlance-crash/src/trigger.rs",
    "superlance-dependent-startup/src/alerts.rs",
    "superlance-dependent-startup/src/condition.rs",
    "superlance-dependent-startup/src/cycles.rs",
    "superlance-dependent-startup/src/decide.rs",
    "superlance-dependent-startup/src/fault.rs",
    "superlance-dependent-startup/src/follow.rs",
    "superlance-dependent-startup/src/plan.rs",
    "superlance-dependent-startup/src/program.rs",
    "superlance-dependent-startup/src/states.rs",
    "superlance-dependent-startup/src/texts.rs",
    "superlance-dependent-startup/src/troubles.rs",
    "superlance-dependent-startup/src/wait_for.rs",
    "superlance-exitmon/src/rule.rs",
    "superlance-exitmon/src/status.rs",
    "superlance-exitmon/src/texts.rs",
    "superlance-httpok/src/memory.rs",
    "superlance-httpok/src/round.rs",
    "superlance-httpok/src/target.rs",
    "superlance-memmon/src/decide.rs",
    "superlance-memmon/src/decide/",
    "superlance-measure/src/metric.rs",
    "superlance-measure/src/tree.rs",
    "superlance-memmon/src/report/history.rs",
    "superlance-memmon/src/report/prometheus.rs",
    "superlance-memmon/src/watch.rs",
    "superlance-metrics/src/exposition.rs",
    "superlance-metrics/src/restarts.rs",
    "superlance-probe/src/expectation.rs",
    "superlance-probe/src/http/redirect.rs",
    "superlance-probe/src/json.rs",
    "superlance-probe/src/outcome.rs",
    "superlance-probe/src/search.rs",
    "superlance-probe/src/template.rs",
    "superlance-run/src/plan.rs",
    "superlance-run/src/tiers.rs",
    "superlance-status/src/snapshot.rs",
    "superlance-status/src/table.rs",
    "superlance-status/src/view.rs",
];

const IMPURE: [&str; 5] = ["std::env", "std::fs", "std::net", "std::process", "std::thread"];

/// Where the environment is read, besides main.rs; and `TZ`, where times are written.
const ENVIRONMENT: [&str; 6] = [
    "superlance-check/src/lib.rs",
    "superlance-core/src/listener/environment.rs",
    "superlance-core/src/system/clock.rs",
    "superlance-core/src/system/surroundings.rs",
    "superlance-run/src/lib.rs",
    "superlance-status/src/lib.rs",
];

const LONGEST: usize = 350;

/// A file of the product, less its tests.
struct Source {
    /// From the folder `crates` or `bins` on.
    path: String,
    /// Its crate, and its modules.
    module: Vec<String>,
    lines: usize,
    code: String,
}

impl Source {
    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.path == *place || place.ends_with('/') && self.path.starts_with(place)
        })
    }

    /// All paths in it, with the braces of `use` taken apart.
    fn paths(&self) -> BTreeSet<String> {
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let words = self.code.split(|c| !is_path(c)).filter(|word| word.contains("::"));
        let mut paths: BTreeSet<_> = words.map(str::to_owned).collect();
        for rest in self.code.split("use ").skip(1) {
            let tree: String = rest.split(';').next().unwrap().split_whitespace().collect();
            expand("", &tree, &mut paths);
        }
        paths
    }

    /// Where in its crate a path leads to, as seen from here.
    fn resolve(&self, path: &str) -> Vec<String> {
        let mut module = self.module.clone();
        for word in path.split("::") {
            match word {
                "crate" => module.truncate(1),
                "super" => module.truncate(module.len().saturating_sub(1).max(1)),
                "self" => {}
                word => module.push(word.to_owned()),
            }
        }
        module
    }
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expand(prefix: &str, tree: &str, paths: &mut BTreeSet<String>) {
    let Some((start, rest)) = tree.split_once('{') else {
        paths.insert(format!("{prefix}{tree}"));
        return;
    };
    let prefix = format!("{prefix}{start}");
    let (mut depth, mut part) = (0, String::new());
    for c in rest.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                expand(&prefix, &std::mem::take(&mut part), paths);
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
}

/// The product's files. Fakes and doors for fuzzers are support for tests.
fn product() -> Vec<Source> {
    let mut found = Vec::new();
    for place in ["crates", "bins"] {
        for entry in fs::read_dir(file(place)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name != "superlance-testing" {
                let root = file(place).join(&name).join("src");
                collect(&root, &format!("{name}/src/"), &[name], &mut found);
            }
        }
    }
    assert!(found.len() > 100, "the sources are elsewhere");
    found
}

fn collect(folder: &Path, path: &str, module: &[String], found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let stem = name.trim_end_matches(".rs");
        if stem.ends_with("_tests") || ["fuzz", "scripted", "testing"].contains(&stem) {
            continue;
        }
        let mut module = module.to_vec();
        if !["lib", "main", "mod"].contains(&stem) {
            module.push(stem.to_owned());
        }
        let path = format!("{path}{name}");
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), &module, found);
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let tests = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\n#[path"];
        let end = tests.iter().filter_map(|tests| text.find(tests)).min().unwrap_or(text.len());
        let lines = text[..end].lines();
        let code = lines.clone().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.map(|line| format!("{line}\n")).collect();
        found.push(Source { path, module, lines: lines.count(), code });
    }
}

/// How far above the ground a crate is: it may need those below it.
fn floor(name: &str) -> usize {
    match name {
        "superlance-core" => 0,
        "superlance-action" | "superlance-alerts" | "superlance-config" | "superlance-measure"
        | "superlance-probe" => 1,
        "superlance-crash" => 2,
        "superlance-status" | "superlance-check" | "superlance-metrics" | "superlance-run" => 4,
        _ if name.starts_with("superlance-") => 3,
        _ => 5,
    }
}

/// Crates that would be reached on a wrong way.
const NEVER: [(&str, &str); 7] = [
    ("superlance-check", "superlance-crash"),
    ("superlance-memmon", "superlance-crash"),
    ("superlance-httpok", "superlance-crash"),
    ("superlance-metrics", "superlance-crash"),
    ("superlance-metrics", "superlance-alerts"),
    ("superlance-status", "superlance-crash"),
    ("superlance-status", "superlance-alerts"),
];

#[test]
fn crates_need_only_those_below_them() {
    let metadata = metadata();
    let ours: Vec<_> =
        list(&metadata, "packages").filter(|package| package["source"].is_null()).collect();
    for package in &ours {
        let name = text(package, "name");
        let needed = list(package, "dependencies").filter(|needed| needed["kind"].is_null());
        let needed = needed.map(|needed| text(needed, "name"));
        for needed in needed.filter(|name| ours.iter().any(|ours| text(ours, "name") == *name)) {
            let is_tool = ["superlance-testing", "superlance-packaging"].contains(&name);
            assert!(needed != "superlance-testing", "{name} needs {needed}");
            let below = floor(needed) < floor(name) || is_tool;
            assert!(below && !NEVER.contains(&(name, needed)), "{name} needs {needed}");
        }
    }
}

#[test]
fn folders_of_core_use_only_those_below_them() {
    let floor = |folder: &str| FLOORS.iter().position(|folders| folders.contains(&folder));
    let mut wrong = Vec::new();
    for source in product().iter().filter(|source| source.module[0] == "superlance-core") {
        let Some(own) = source.module.get(1) else { continue };
        assert!(floor(own).is_some(), "{} is in no folder", source.path);
        for path in source.paths().iter().filter_map(|path| path.strip_prefix("crate::")) {
            let used = path.split("::").next().unwrap();
            if used != own && !(floor(used).is_some() && floor(used) < floor(own)) {
                wrong.push(format!("{} uses {used}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file and those in its own folder are one module: there may be arrows both ways.
#[test]
fn no_files_of_the_product_need_each_other_in_a_circle() {
    let sources = product();
    let modules: BTreeSet<_> = sources.iter().map(|source| source.module.clone()).collect();
    let mut arrows = BTreeSet::new();
    for source in &sources {
        for path in source.paths() {
            let mut module = source.resolve(&path);
            while !modules.contains(&module) {
                module.pop();
            }
            if !source.module.starts_with(&module) {
                arrows.insert((source.module.clone(), module));
            }
        }
    }
    assert!(arrows.len() > 100, "no arrows are seen: {arrows:?}");
    loop {
        let sources: BTreeSet<_> = arrows.iter().map(|(from, _)| from.clone()).collect();
        let targets: BTreeSet<_> = arrows.iter().map(|(_, to)| to.clone()).collect();
        let before = arrows.len();
        arrows.retain(|(from, to)| sources.contains(to) && targets.contains(from));
        if arrows.len() == before {
            break;
        }
    }
    let circles: Vec<_> = arrows
        .iter()
        .map(|(from, to)| format!("{} -> {}", from.join("::"), to.join("::")))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn what_is_pure_opens_nothing() {
    let sources = product();
    for place in PURE {
        assert!(sources.iter().any(|source| source.is_in(&[place])), "there is no {place}");
    }
    for source in sources.iter().filter(|source| source.is_in(PURE)) {
        for path in source.paths() {
            // An address is a value.
            let impure = !path.starts_with("std::net::Ip")
                && IMPURE.iter().any(|impure| path.starts_with(impure));
            assert!(!impure, "{} uses {path}", source.path);
        }
    }
}

#[test]
fn the_environment_is_read_in_few_places() {
    let sources = product();
    let others = sources.iter().filter(|source| !source.is_in(&ENVIRONMENT));
    for source in others.filter(|source| !source.path.ends_with("/main.rs")) {
        let paths = source.paths();
        let path = paths.iter().find(|path| path.starts_with("std::env"));
        assert!(path.is_none(), "{} uses {path:?}", source.path);
    }
}

#[test]
fn no_file_is_long() {
    let long: Vec<_> = product()
        .iter()
        .filter(|source| source.lines > LONGEST)
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}
