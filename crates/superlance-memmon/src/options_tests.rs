//! The options beyond the original's, against a supervisord of values.

use std::fs;
use std::path::Path;

use superlance_core::supervisor::State;
use superlance_core::testing::{ScriptedSupervisor, World};

use super::tests::{RESTART, Sleeper, memmon};
use super::*;

#[track_caller]
fn tick(world: &mut World, memmon: &mut Memmon) {
    world.event(memmon, "TICK_5", "when:1").unwrap();
}

fn restarts(world: &World) -> usize {
    world.supervisor.calls.iter().filter(|call| call.starts_with("start(")).count()
}

/// A restarted process is the same one again.
fn revive(world: &mut World, sleeper: &Sleeper) {
    world.supervisor.process("foo:foo").unwrap().pid = sleeper.pid();
}

#[test]
fn for_so_many_checks() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--for", "3"]);
    for restarts in [0, 0, 1] {
        tick(&mut world, &mut memmon);
        assert_eq!(self::restarts(&world), restarts);
    }
    let log = world.log();
    assert!(log.contains("\nfoo:foo is over its limit, check 2 of 3\n"), "{log}");
}

/// That supervisord does not answer once says nothing about the process.
#[test]
fn a_check_that_failed_is_none() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--for", "2", "--history", "9"]);
    tick(&mut world, &mut memmon);
    let error = superlance_core::supervisor::RpcError::Unreachable("no answer".to_owned());
    world.supervisor.fail("all", error);
    tick(&mut world, &mut memmon);
    assert_eq!(restarts(&world), 0);
    tick(&mut world, &mut memmon);
    assert_eq!(restarts(&world), 1);
    assert!(world.log().contains("RSS of foo:foo went from "), "{}", world.log());
}

#[test]
fn grace_after_the_start() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    // The fake's processes have been up for ten seconds.
    tick(&mut world, &mut memmon(&["-a", "1", "--grace", "11s"]));
    let log = world.log();
    let said = "\nfoo:foo is over its limit, but up for 10s only (--grace 11s)\n";
    assert!(log.contains(said), "{log}");
    assert_eq!(restarts(&world), 0);
    tick(&mut world, &mut memmon(&["-a", "1", "--grace", "10s"]));
    assert_eq!(restarts(&world), 1);
}

#[test]
fn what_is_to_stop_stays_stopped() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--action", "stop"]);
    tick(&mut world, &mut memmon);
    assert_eq!(world.supervisor.calls, ["all()", "info(foo:foo)", "stop(foo:foo)"]);
    assert_eq!((memmon.deadline(), world.in_flight.texts().len()), (None, 0));
    let mail = &world.alerts[0];
    assert_eq!(mail.subject, "memmon: process foo:foo stopped");
    let start = "memmon.py stopped the process named foo:foo at ";
    assert!(mail.text.starts_with(start) && mail.text.ends_with(" bytes RSS)"), "{}", mail.text);
    assert!(world.log().ends_with("\nStopping foo:foo\n"), "{}", world.log());
    tick(&mut world, &mut memmon);
    assert_eq!(world.supervisor.process("foo:foo").unwrap().state, State::Stopped);
}

#[test]
fn a_signal_is_sent_at_each_check() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--action", "signal:usr1"]);
    tick(&mut world, &mut memmon);
    tick(&mut world, &mut memmon);
    let calls = ["all()", "info(foo:foo)", "signal(foo:foo, SIGUSR1)"];
    assert_eq!(world.supervisor.calls, [calls, calls].concat());
    assert_eq!(world.alerts[1].subject, "memmon: process foo:foo got SIGUSR1");
    assert!(world.log().ends_with("\nSending SIGUSR1 to foo:foo\n"), "{}", world.log());

    world.supervisor.refuse("signal", 70, "NOT_RUNNING: foo:foo");
    tick(&mut world, &mut memmon);
    let mail = world.alerts.last().unwrap();
    assert_eq!(mail.subject, "memmon: failed to signal process foo:foo");
    assert!(world.log().ends_with(&format!("{}\n", mail.text)), "{}", world.log());
}

#[test]
fn an_alert_is_all_there_is() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--action", "alert"]);
    tick(&mut world, &mut memmon);
    tick(&mut world, &mut memmon);
    assert_eq!(world.supervisor.calls, ["all()", "all()"]);
    let subjects: Vec<_> = world.alerts.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects, ["memmon: process foo:foo uses too much memory"]);
    let text = &world.alerts[0].text;
    assert!(text.contains("but tell you that it was consuming too much memory ("), "{text}");
}

#[test]
fn a_command_runs_before() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let command = "echo \"dump of $SUPERLANCE_PID\"; echo oops >&2; exit 3";
    tick(&mut world, &mut memmon(&["-a", "1", "--before", command]));
    let calls = ["all()", "info(foo:foo)", "info(foo:foo)", "stop(foo:foo)", "start(foo:foo)"];
    assert_eq!(world.supervisor.calls, calls);
    let output =
        format!("dump of {}\noops\n(the command failed with exit status 3)", sleeper.pid());
    let mail = world.alerts[0].whole_text();
    let end = format!(" bytes RSS)\n\nOutput of --before for foo:foo:\n\n{output}");
    assert!(mail.ends_with(&end), "{mail}");
    let log = world.log();
    let end = format!("\nOutput of --before for foo:foo:\n{output}\nRestarting foo:foo\n");
    assert!(log.ends_with(&end), "{log}");
}

#[test]
fn what_flaps_is_left_alone_and_one_mail_says_so() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--max-restarts", "2/1h"]);
    for _ in 0..5 {
        revive(&mut world, &sleeper);
        tick(&mut world, &mut memmon);
    }
    assert_eq!(restarts(&world), 2);
    let subjects: Vec<_> = world.alerts.iter().map(|mail| mail.subject.as_str()).collect();
    let (restarted, alone) =
        ("memmon: process foo:foo restarted", "memmon: process foo:foo left alone");
    assert_eq!(subjects, [restarted, restarted, alone]);
    let text = &world.alerts[2].text;
    let end = " bytes RSS): that was done 2 times within 1h, and is not done again for ";
    assert!(text.contains(end), "{text}");
    let log = world.log();
    assert_eq!(log.matches("\nfoo:foo is left alone for ").count(), 1, "{log}");
    assert_eq!(log.matches("\nfoo:foo is over its limit, but left alone for ").count(), 2, "{log}");
}

#[test]
fn a_dry_run_touches_nothing() {
    let sleeper = Sleeper::new();
    let folder = tempfile::tempdir().unwrap();
    let touch = format!("touch {}/touched", folder.path().display());
    for (action, said) in [
        ("restart", "Would restart foo:foo"),
        ("stop", "Would stop foo:foo"),
        ("signal:HUP", "Would send SIGHUP to foo:foo"),
        ("alert", "Would tell about foo:foo"),
    ] {
        let mut world = sleeper.world();
        let options = ["-a", "1", "--dry-run", "--max-restarts", "1/1h"];
        let options = [&options[..], &["--before", &touch, "--action", action]].concat();
        let mut memmon = memmon(&options);
        tick(&mut world, &mut memmon);
        tick(&mut world, &mut memmon);
        assert_eq!(world.supervisor.calls, ["all()", "all()"]);
        assert!(world.alerts.is_empty(), "{:?}", world.alerts);
        assert_eq!(world.log().matches(said).count(), 1, "{}", world.log());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A pool of two and another process, all too large.
fn pool() -> (Vec<Sleeper>, World) {
    let sleepers: Vec<_> = (0..3).map(|_| Sleeper::new()).collect();
    let supervisor = ScriptedSupervisor::at(1000)
        .with("pool:a", sleepers[0].pid())
        .with("pool:b", sleepers[1].pid())
        .with("x:x", sleepers[2].pid());
    (sleepers, World::new(supervisor))
}

#[test]
fn a_pool_is_restarted_one_by_one() {
    let (_sleepers, mut world) = pool();
    let mut memmon = memmon(&["-a", "1", "--stagger"]);
    tick(&mut world, &mut memmon);
    assert_eq!(restarts(&world), 2);
    let log = world.log();
    assert!(log.contains("comes first or does not run (--stagger)\n"), "{log}");
    // A process that had its turn has no memory to measure any more.
    tick(&mut world, &mut memmon);
    assert_eq!(restarts(&world), 3);
}

/// A pool of which one worker cannot be started any more keeps the others.
#[test]
fn a_pool_that_lost_one_is_not_touched() {
    for (state, restarts) in
        [(State::Fatal, 1), (State::Backoff, 1), (State::Stopped, 2), (State::Exited, 2)]
    {
        let (_sleepers, mut world) = pool();
        let supervisor = std::mem::take(&mut world.supervisor).with("pool:c", 0);
        world.supervisor = supervisor;
        world.supervisor.process("pool:c").unwrap().state = state;
        tick(&mut world, &mut memmon(&["-a", "1", "--stagger"]));
        assert_eq!(self::restarts(&world), restarts, "{state:?}");
    }
    // One that memmon could not start is down, too.
    let (_sleepers, mut world) = pool();
    let error = superlance_core::supervisor::RpcError::NoAnswer("connection lost".to_owned());
    world.supervisor.fail("start", error);
    let mut memmon = memmon(&["-g", "pool=1", "--stagger"]);
    tick(&mut world, &mut memmon);
    tick(&mut world, &mut memmon);
    assert_eq!(self::restarts(&world), 1);
}

#[test]
fn over_the_total_the_largest_goes() {
    let (_sleepers, mut world) = pool();
    let mut memmon = memmon(&["--total", "1KB"]);
    tick(&mut world, &mut memmon);
    assert_eq!(restarts(&world), 1);
    let log = world.log();
    let start = "Checking total=1024\nRSS of everything watched is ";
    assert!(log.starts_with(start) && log.contains(", over 1024\nRestarting "), "{log}");
    let text = &world.alerts[0].text;
    assert!(text.contains("because everything watched was consuming too much memory together ("));
    tick(&mut world, &mut memmon);
    tick(&mut world, &mut memmon);
    assert_eq!(restarts(&world), 3);
    // The processes that were started are none of this machine.
    tick(&mut world, &mut memmon);
    assert_eq!(restarts(&world), 3);
    assert!(world.log().ends_with("from this user (hidepid)?\n"), "{}", world.log());
}

#[test]
fn log_and_mail_show_how_it_grew() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--history", "5", "--for", "2"]);
    tick(&mut world, &mut memmon);
    tick(&mut world, &mut memmon);
    let log = world.log();
    let line = log.lines().find(|line| line.contains(" went from ")).unwrap();
    assert!(
        line.starts_with("RSS of foo:foo went from ") && line.contains(" per hour) "),
        "{line}"
    );
    let mail = world.alerts[0].whole_text();
    assert!(mail.contains("\n\nRSS of foo:foo:\n\nfirst ") && mail.contains("\nslope "), "{mail}");
    assert_eq!(restarts(&world), 1);
}

/// The status file as a value.
fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn files_tell_how_things_are() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let folder = tempfile::tempdir().unwrap();
    let (status, metrics) = (folder.path().join("m.json"), folder.path().join("m.prom"));
    let files =
        ["--status-file", status.to_str().unwrap(), "--metrics-file", metrics.to_str().unwrap()];
    let options =
        [&files[..], &["-p", "foo=1GB", "-a", "1", "--specific", "--history", "3"]].concat();
    let mut quiet = memmon(&options);
    tick(&mut world, &mut quiet);
    tick(&mut world, &mut quiet);
    let value = json(&status);
    let foo = &value["processes"][0];
    assert_eq!((&value["metric"], &value["listener"]), (&"rss".into(), &"own:own".into()));
    assert_eq!(value["trouble"], serde_json::Value::Null);
    assert_eq!((&foo["group"], &foo["pid"]), (&"foo".into(), &sleeper.pid().into()));
    assert_eq!((&foo["limit"], &foo["uptime"]), (&(1 << 30).into(), &10.into()));
    let bytes = foo["bytes"].as_i64().unwrap();
    assert!(bytes > 0);
    assert_eq!(foo["headroom"], (1 << 30) - bytes);
    assert_eq!(foo["history"].as_array().unwrap().len(), 2);
    assert_eq!(value["total"]["bytes"], bytes);
    let text = fs::read_to_string(&metrics).unwrap();
    let series = "superlance_memmon_process_memory_bytes{memmon=\"own:own\",group=\"foo\",\
                  name=\"foo\",metric=\"rss\"} ";
    assert!(text.contains(&format!("{series}{bytes}\n")), "{text}");

    // What is done is in them after the same tick.
    let mut memmon = memmon(&[&files[..], &["-a", "1"]].concat());
    tick(&mut world, &mut memmon);
    let value = json(&status);
    let action = &value["actions"][0];
    assert_eq!((&action["outcome"], &action["name"]), (&"done".into(), &"foo".into()));
    assert_eq!(action["limit"], 1);
    let text = fs::read_to_string(&metrics).unwrap();
    assert!(text.contains("action=\"restart\",outcome=\"done\"} 1\n"), "{text}");
    // Every counter begins at 0, also that of a process that does not run.
    let zero = "group=\"off\",name=\"off\",action=\"restart\",outcome=\"failed\"} 0\n";
    assert!(text.contains(zero), "{text}");

    // Without supervisord they say why they have nothing to say.
    let error = superlance_core::supervisor::RpcError::Unreachable("no answer".to_owned());
    world.supervisor.fail("all", error);
    tick(&mut world, &mut memmon);
    let value = json(&status);
    assert_eq!(
        (&value["trouble"], &value["processes"]),
        (&"no answer".into(), &serde_json::json!([]))
    );
    let text = fs::read_to_string(&metrics).unwrap();
    assert!(text.contains("superlance_memmon_up{memmon=\"own:own\"} 0\n"), "{text}");
    assert!(!text.contains("superlance_memmon_watched_memory_bytes{"), "{text}");
}

#[test]
fn at_its_end_the_files_have_no_readings_of_the_past() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let folder = tempfile::tempdir().unwrap();
    let (status, metrics) = (folder.path().join("m.json"), folder.path().join("m.prom"));
    let files =
        ["--status-file", status.to_str().unwrap(), "--metrics-file", metrics.to_str().unwrap()];
    let mut memmon = memmon(&[&files[..], &["-a", "1"]].concat());
    tick(&mut world, &mut memmon);
    world.with_ctx(|ctx| memmon.finish(ctx));
    let value = json(&status);
    assert_eq!(value["trouble"], "memmon has ended");
    assert_eq!(value["processes"], serde_json::json!([]));
    assert_eq!(value["total"]["bytes"], serde_json::Value::Null);
    assert_eq!(value["actions"][0]["outcome"], "done");
    let text = fs::read_to_string(&metrics).unwrap();
    assert!(text.contains("superlance_memmon_up{memmon=\"own:own\"} 0\n"), "{text}");
    assert!(!text.contains("process_memory_bytes{"), "{text}");
    assert!(text.contains("outcome=\"done\"} 1\n"), "{text}");
}

/// A process that has ended and is not reaped; supervisord says that it runs.
#[test]
fn a_process_without_memory_is_not_measured() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let stat = || fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    while !stat().contains(") Z ") {
        std::thread::yield_now();
    }
    let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", child.id()));
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("m.json");
    let mut memmon = memmon(&["-a", "1", "--status-file", status.to_str().unwrap()]);
    tick(&mut world, &mut memmon);
    tick(&mut world, &mut memmon);
    assert_eq!(json(&status)["processes"], serde_json::json!([]));
    assert_eq!(world.log(), "Checking any=1\n".repeat(2));
    child.wait().unwrap();
}

/// supervisord's clock is set back by an hour, before memmon sees the process or after that.
#[test]
fn grace_is_no_matter_of_the_clock() {
    for (seen, restarted) in [(true, 1), (false, 0)] {
        let sleeper = Sleeper::new();
        let mut world = sleeper.world();
        let mut memmon = memmon(&["-a", "1", "--grace", "5s", "--for", "2"]);
        if seen {
            tick(&mut world, &mut memmon);
        }
        world.supervisor.process("foo:foo").unwrap().now -= 3600;
        tick(&mut world, &mut memmon);
        assert_eq!(restarts(&world), restarted);
        if !seen {
            let said = "foo:foo is over its limit, but up for 0s only (--grace 5s)\n";
            assert!(world.log().ends_with(said), "{}", world.log());
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named_once_and_ends_nothing() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--status-file", "/no/such/folder/x"]);
    tick(&mut world, &mut memmon);
    tick(&mut world, &mut memmon);
    assert_eq!(world.supervisor.calls[..4], RESTART);
    let log = world.log();
    assert_eq!(log.matches("cannot write /no/such/folder/x: No such file").count(), 1, "{log}");
}
