//! A supervisord of values, and the memory of this very process.

use std::ffi::OsString;

use superlance_core::testing::ScriptedSupervisor;

use super::*;

fn observer(memmon: &str, names: &[&str]) -> Observer {
    let watch =
        (!memmon.is_empty()).then(|| Watch::parse(memmon.split(' ').map(OsString::from)).unwrap());
    Observer {
        url: "unix:///s.sock".to_owned(),
        watch,
        memory_of_machine: Some(1 << 30),
        names: names.iter().map(|name| Selector::parse(name).unwrap()).collect(),
        sort: None,
        local: Local::of_this_system(),
        graph: None,
    }
}

/// A supervisord that says that this process is one of its own.
fn supervisor() -> ScriptedSupervisor {
    ScriptedSupervisor::at(1_000)
        .with("foo:foo", std::process::id())
        .with("workers:a", 0)
        .with("workers:b", 0)
}

fn parent() -> Option<u32> {
    Some(std::os::unix::process::parent_id())
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    snapshot.rows.iter().map(|row| row.info.short_name()).collect()
}

#[test]
fn processes_are_read_and_compared_with_memmons_limits() {
    let observer = observer("-c --metric pss -p foo=1KB -g workers=50% -p nix=1", &[]);
    let snapshot = observer.look(&mut supervisor(), parent()).unwrap();
    assert_eq!(names(&snapshot), ["foo", "workers:a", "workers:b"]);
    assert_eq!((snapshot.time, snapshot.blind.as_deref()), (1_000, None));
    let question = Question { metric: Metric::Pss, scope: Scope::Family, has_limits: true };
    assert_eq!(snapshot.question, question);
    assert_eq!(snapshot.count_over(), 1);
    assert!(snapshot.rows[0].bytes(Metric::Rss, Scope::Alone).unwrap() > 1 << 20);
    let limits = snapshot.rows.iter().map(|row| row.limit.as_ref().unwrap().bytes);
    assert_eq!(limits.collect::<Vec<_>>(), [1 << 10, 1 << 29, 1 << 29]);
    assert_eq!(snapshot.idle, ["-p nix"]);
}

#[test]
fn without_memmons_options_there_are_no_limits() {
    let snapshot = observer("", &[]).look(&mut supervisor(), parent()).unwrap();
    assert!(!snapshot.question.has_limits);
    assert!(snapshot.rows.iter().all(|row| row.limit.is_none()));
    assert_eq!(snapshot.count_over(), 0);
}

#[test]
fn a_limit_of_all_together_needs_all() {
    let look = |names: &[&str]| {
        let observer = observer("--total 50% --exclude workers:*", names);
        observer.look(&mut supervisor(), parent()).unwrap()
    };
    let snapshot = look(&[]);
    assert_eq!((snapshot.total_limit, snapshot.question.has_limits), (Some(1 << 29), true));
    let watched = snapshot.rows.iter().map(|row| row.is_watched);
    assert_eq!(watched.collect::<Vec<_>>(), [true, false, false]);
    let snapshot = look(&["foo"]);
    assert_eq!((snapshot.total_limit, snapshot.question.has_limits), (None, false));
}

#[test]
fn names_choose_what_is_shown() {
    for (given, expected, unknown) in [
        (&["workers:*"][..], &["workers:a", "workers:b"][..], &[][..]),
        (&["b", "foo"], &["foo", "workers:b"], &[]),
        (&["f*", "nix"], &["foo"], &["nix"]),
        (&["nix"], &[], &["nix"]),
    ] {
        let snapshot = observer("", given).look(&mut supervisor(), parent()).unwrap();
        assert_eq!(names(&snapshot), expected, "{given:?}");
        assert_eq!(snapshot.unknown, unknown, "{given:?}");
    }
}

#[test]
fn the_memory_of_strangers_is_not_shown() {
    let own = Some(std::process::id());
    for (own_pid, why) in [(own, "counts processes otherwise"), (None, "on another machine")] {
        let snapshot = observer("-a 1KB", &[]).look(&mut supervisor(), own_pid).unwrap();
        let blind = snapshot.blind.as_deref().unwrap();
        assert!(blind.contains(why), "{blind}");
        assert!(snapshot.rows.iter().all(|row| row.reading.is_none()));
        assert_eq!(snapshot.count_over(), 0);
    }
    // Where nothing runs, nothing is strange.
    let mut idle = ScriptedSupervisor::at(1).with("foo:foo", 0);
    assert_eq!(observer("", &[]).look(&mut idle, own).unwrap().blind, None);
}

#[test]
fn a_refusal_is_handed_on() {
    let mut supervisor = supervisor();
    supervisor.refuse("all", 6, "SHUTDOWN_STATE");
    let error = observer("", &[]).look(&mut supervisor, parent()).unwrap_err();
    assert_eq!(error.fault_code(), Some(6));
}
