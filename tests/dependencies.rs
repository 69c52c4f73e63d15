//! The crates that the program is made of: compatible licences, one version of each, all from the
//! registry. The rules are those of `deny.toml`, which cargo-deny reads as well.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::docs::file;

/// The licences that `deny.toml` allows.
fn licences() -> Vec<String> {
    let rules = std::fs::read_to_string(file("deny.toml")).unwrap();
    let allowed = rules.lines().find_map(|line| line.strip_prefix("allow = ")).unwrap();
    serde_json::from_str(allowed).unwrap()
}

/// The crates of which `deny.toml` lets several versions be in the program.
fn several() -> Vec<String> {
    let rules = std::fs::read_to_string(file("deny.toml")).unwrap();
    let crates = rules.lines().filter_map(|line| line.trim().strip_prefix("{ crate = \""));
    crates.map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect()
}

/// What cargo knows of this project, without asking anyone.
pub(crate) fn metadata() -> Value {
    let host = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host, "--manifest-path"])
        .arg(file("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().unwrap().iter()
}

/// The packages that the program is made of, or that help to make it: not those of tests.
fn packages(metadata: &Value) -> Vec<&Value> {
    let packages = || list(metadata, "packages");
    let program = packages().find(|package| text(package, "name") == "superlance").unwrap();
    let (mut found, mut left) = (BTreeSet::new(), vec![text(program, "id")]);
    while let Some(id) = left.pop() {
        let node = list(&metadata["resolve"], "nodes").find(|node| text(node, "id") == id).unwrap();
        if found.insert(id) {
            let needed = list(node, "deps")
                .filter(|needed| list(needed, "dep_kinds").any(|kind| text(kind, "kind") != "dev"));
            left.extend(needed.map(|needed| text(needed, "pkg")));
        }
    }
    packages().filter(|package| found.contains(text(package, "id"))).collect()
}

/// Whether an expression such as `(MIT OR Apache-2.0) AND Unicode-3.0` leaves a choice that is good.
fn is_allowed(licence: &str, allowed: &[String]) -> bool {
    let choice = |part: &str| {
        let names = part.split(" OR ").flat_map(|name| name.split('/'));
        names.map(str::trim).any(|name| allowed.iter().any(|allowed| allowed == name))
    };
    licence.split(" AND ").all(|part| choice(part.trim_matches(['(', ')'])))
}

#[test]
fn licences_go_with_our_own() {
    let allowed = licences();
    let good = ["(MIT OR GPL-3.0) AND Unicode-3.0", "GPL-2.0 / MIT"];
    assert!(good.iter().all(|licence| is_allowed(licence, &allowed)));
    assert!(["MIT AND GPL-3.0", ""].iter().all(|licence| !is_allowed(licence, &allowed)));
    let metadata = metadata();
    let bad: Vec<_> = list(&metadata, "packages")
        .map(|package| (text(package, "name"), text(package, "license")))
        .filter(|(_, licence)| !is_allowed(licence, &allowed))
        .collect();
    assert!(bad.is_empty(), "licences that nobody has thought about: {bad:?}");
}

#[test]
fn there_is_one_version_of_each() {
    let metadata = metadata();
    let mut versions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in packages(&metadata) {
        versions.entry(text(package, "name")).or_default().push(text(package, "version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    let found: Vec<_> = versions.keys().copied().collect();
    assert_eq!(found, several(), "cargo tree --duplicates says whose they are: {versions:?}");
}

#[test]
fn all_is_from_the_registry_in_versions_that_are_named() {
    let metadata = metadata();
    for package in list(&metadata, "packages") {
        let (name, source) = (text(package, "name"), text(package, "source"));
        let ours = list(&metadata, "workspace_members").any(|member| *member == package["id"]);
        assert!(ours || source.starts_with("registry+"), "{name} is from {source:?}");
        for needed in
            list(package, "dependencies").filter(|needed| ours && needed["path"].is_null())
        {
            assert_ne!(text(needed, "req"), "*", "{name} takes any {}", text(needed, "name"));
        }
    }
    let lock = std::fs::read_to_string(file("Cargo.lock")).unwrap();
    for package in lock.split("[[package]]").filter(|package| package.contains("\nsource = ")) {
        assert!(package.contains("\nchecksum = "), "without a checksum:{package}");
    }
}

/// What `cargo install` and others read of each crate, and what a crate consists of: its sources.
#[test]
fn crates_are_described_and_hold_their_sources_alone() {
    let metadata = metadata();
    let own = list(&metadata, "packages").filter(|package| package["source"].is_null());
    for package in own {
        let name = text(package, "name");
        for key in ["description", "license", "rust_version"] {
            assert!(!text(package, key).is_empty(), "{name} has no {key}");
        }
        for key in ["keywords", "categories"] {
            assert!(list(package, key).next().is_some(), "{name} has no {key}");
        }
        let program = list(package, "targets").any(|target| text(target, "name") == name);
        let readme = text(package, "readme").ends_with("README.md");
        assert_eq!(readme, program && !name.starts_with("superlance-"), "{name}: readme");
    }
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--workspace", "--allow-dirty", "--offline"])
        .arg("--manifest-path")
        .arg(file("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = String::from_utf8(output.stdout).unwrap();
    let manifest = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"];
    let others: Vec<_> = files
        .lines()
        .filter(|path| !path.ends_with(".rs") || !path.starts_with("src/"))
        .filter(|path| *path != "README.md" && !manifest.contains(path))
        .collect();
    // What superlance-testing runs.
    assert_eq!(others, ["src/ballast.py", "src/smtp/server.py"]);
}
