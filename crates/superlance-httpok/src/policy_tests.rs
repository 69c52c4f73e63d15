//! httpok with the options that say when something is done, and what.

use superlance_core::supervisor::{RpcError, State};
use superlance_core::testing::{ScriptedSupervisor, World};
use superlance_probe::outcome::{Class, Outcome};

use super::tests::{bad, failed, good, httpok, httpok_each, tick, world};
use super::*;

fn kinds(world: &World) -> Vec<&str> {
    world.alerts.iter().map(|alert| alert.kind.as_str()).collect()
}

/// The calls that change something, since the last time.
fn acts(world: &mut World) -> Vec<String> {
    let calls = std::mem::take(&mut world.supervisor.calls);
    let questions = ["all(", "info("];
    calls.into_iter().filter(|call| !questions.iter().any(|q| call.starts_with(q))).collect()
}

fn timeout() -> Outcome {
    failed(Class::Timeout, "error contacting http://h/:\n\n timed out", Some(0))
}

const RESTART_FOO: [&str; 2] = ["stop(foo:foo)", "start(foo:foo)"];

#[test]
fn so_many_checks_in_a_row_must_fail_and_nothing_is_told_before() {
    let outcomes = vec![bad(), bad(), good(), bad(), bad(), bad()];
    let (mut world, mut httpok) = (world(), httpok(&["-p", "foo", "--for", "3"], outcomes));
    for _ in 0..5 {
        tick(&mut world, &mut httpok);
        assert!(acts(&mut world).is_empty() && world.alerts.is_empty(), "{}", world.log());
    }
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), RESTART_FOO);
    assert_eq!(kinds(&world), ["bad-status"]);
    let text = "status contacting http://h/: 500 Internal Server Error\n\
                http://h/ failed, check 2 of 3\n\
                http://h/ answers well again: status 200\n\
                status contacting http://h/: 500 Internal Server Error\n\
                http://h/ failed, check 1 of 3\n";
    assert!(world.log().contains(text), "{}", world.log());
}

#[test]
fn people_are_warned_before_it_is_time_to_act() {
    let arguments = ["-p", "foo", "--for", "4", "--warn-after", "2"];
    let (mut world, mut httpok) = (world(), httpok(&arguments, vec![]));
    for _ in 0..4 {
        tick(&mut world, &mut httpok);
    }
    assert_eq!(kinds(&world), ["failing", "bad-status"]);
    let alert = &world.alerts[0];
    assert!(alert.text.ends_with("\nhttp://h/ failed, check 2 of 4"), "{}", alert.text);
    assert_eq!((alert.action.as_deref(), &*alert.measured[1].1), (None, "status"));
    // After an action the row begins anew, and so does the warning.
    tick(&mut world, &mut httpok);
    tick(&mut world, &mut httpok);
    assert_eq!(kinds(&world), ["failing", "bad-status", "failing"]);
}

#[test]
fn within_its_grace_a_process_is_left_alone_until_a_check_succeeds() {
    // Up for ten seconds.
    let arguments = ["-p", "foo", "--grace", "1m"];
    let (mut world, mut httpok) = (world(), httpok(&arguments, vec![bad(), good(), bad()]));
    tick(&mut world, &mut httpok);
    assert!(acts(&mut world).is_empty() && world.alerts.is_empty());
    let line = "\nfoo is in RUNNING state, but up for 10s only (--grace 1m)\n";
    assert!(world.log().ends_with(line), "{}", world.log());
    tick(&mut world, &mut httpok);
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), RESTART_FOO);
}

#[test]
fn what_never_answers_is_left_alone_after_so_many_restarts_and_that_is_told_once() {
    let arguments = ["-p", "foo", "--max-restarts", "2/1h", "-n", "x"];
    let outcomes = (0..6).map(|_| bad()).chain([good(), bad()]).collect();
    let (mut world, mut httpok) = (world(), httpok(&arguments, outcomes));
    for _ in 0..6 {
        tick(&mut world, &mut httpok);
    }
    assert_eq!(acts(&mut world), [RESTART_FOO, RESTART_FOO].concat());
    assert_eq!(kinds(&world), ["bad-status", "bad-status", "left-alone"]);
    let alert = &world.alerts[2];
    assert_eq!(alert.subject, "httpok [x]: process foo:foo left alone");
    assert!(
        alert.text.contains("it was restarted 2 times within 1h, and is not restarted again for "),
        "{}",
        alert.text
    );
    assert!(alert.text.contains("\n\nstatus contacting http://h/: 500"), "{}", alert.text);
    let log = world.log();
    assert_eq!(log.matches("\nfoo is left alone for ").count(), 1, "{log}");
    assert_eq!(log.matches("foo is in RUNNING state, but left alone for ").count(), 3, "{log}");
    for _ in 0..2 {
        tick(&mut world, &mut httpok);
    }
    assert_eq!(kinds(&world)[3..], ["resolved"]);
}

#[test]
fn one_of_a_group_at_a_tick_and_another_at_the_next() {
    let supervisor = ScriptedSupervisor::at(1000).with("w:a", 7).with("w:b", 8).with("x:c", 9);
    let mut world = World::new(supervisor);
    let mut httpok = httpok(&["-a", "--stagger"], vec![]);
    let restarts = |names: &[&str]| -> Vec<String> {
        names.iter().flat_map(|name| [format!("stop({name})"), format!("start({name})")]).collect()
    };
    for expected in [&["w:a", "x:c"], &["w:b", "x:c"], &["w:a", "x:c"]] {
        tick(&mut world, &mut httpok);
        assert_eq!(acts(&mut world), restarts(expected));
    }
    let waits = "\nw:b is in RUNNING state, but another one of its group comes first";
    assert!(world.log().contains(waits), "{}", world.log());
    // A group with a member that is being started waits.
    world.supervisor.process("w:a").unwrap().state = State::Starting;
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), restarts(&["x:c"]));
}

#[test]
fn other_actions_are_done_and_told() {
    for (action, call, line, kind) in [
        ("stop", "stop(foo:foo)", "foo is in RUNNING state, stopping\nfoo stopped", "stopped"),
        (
            "signal:HUP",
            "signal(foo:foo, SIGHUP)",
            "foo is in RUNNING state, sending SIGHUP\nfoo got SIGHUP",
            "signalled",
        ),
    ] {
        let (mut world, mut httpok) = (world(), httpok(&["-p", "foo", "--action", action], vec![]));
        tick(&mut world, &mut httpok);
        assert_eq!((acts(&mut world), kinds(&world)), (vec![call.to_owned()], vec![kind]));
        let alert = &world.alerts[0];
        assert!(alert.text.ends_with(line), "{}", alert.text);
        assert_eq!(alert.action.as_deref(), Some(action));
    }
}

#[test]
fn that_what_was_stopped_does_not_answer_is_told_once() {
    let outcomes = vec![bad(), bad(), bad(), good(), bad(), bad()];
    let (mut world, mut httpok) = (world(), httpok(&["-p", "foo", "--action", "stop"], outcomes));
    for _ in 0..6 {
        tick(&mut world, &mut httpok);
    }
    assert_eq!(acts(&mut world), ["stop(foo:foo)"]);
    assert_eq!(kinds(&world), ["stopped", "resolved", "bad-status"]);
    let line = "foo not in RUNNING state, NOT stopping\n";
    assert_eq!(world.log().matches(line).count(), 4, "{}", world.log());
}

#[test]
fn who_is_only_told_is_told_once_until_the_url_recovers() {
    let arguments = ["-p", "foo", "--action", "alert"];
    let outcomes = vec![bad(), bad(), good(), bad()];
    let (mut world, mut httpok) = (world(), httpok(&arguments, outcomes));
    for _ in 0..4 {
        tick(&mut world, &mut httpok);
    }
    assert!(acts(&mut world).is_empty());
    assert_eq!(kinds(&world), ["bad-status", "resolved", "bad-status"]);
    let text = "500 Internal Server Error\nTelling about selected processes ['foo']";
    assert!(world.alerts[0].text.ends_with(text), "{}", world.alerts[0].text);
    assert_eq!(world.alerts[0].action, None);
}

#[test]
fn what_does_not_run_is_started_in_the_states_that_were_named() {
    for (states, started) in [("fatal,exited", false), ("fatal,stopped", true)] {
        let arguments = ["-p", "off", "-p", "foo", "--start", states, "--for", "2"];
        let (mut world, mut httpok) = (world(), httpok(&arguments, vec![]));
        tick(&mut world, &mut httpok);
        assert!(acts(&mut world).is_empty(), "it waits for --for");
        tick(&mut world, &mut httpok);
        let start = vec!["start(off:off)".to_owned()];
        let expected = if started { start } else { vec![] };
        assert_eq!(acts(&mut world), [RESTART_FOO.map(str::to_owned).to_vec(), expected].concat());
        let line = match started {
            true => "off is in STOPPED state, starting\noff started",
            false => "off not in RUNNING state, NOT restarting",
        };
        assert!(world.alerts[0].text.ends_with(line), "{}", world.alerts[0].text);
        assert_eq!(world.alerts[0].action.as_deref(), Some("restart"));
    }
}

#[test]
fn a_failure_that_does_not_count_is_told_once_and_nothing_is_done() {
    let arguments = ["-p", "foo", "--fail-on", "connect,status", "--for", "2"];
    let outcomes = vec![timeout(), bad(), timeout(), timeout(), bad(), good(), timeout()];
    let (mut world, mut httpok) = (world(), httpok(&arguments, outcomes));
    for _ in 0..4 {
        tick(&mut world, &mut httpok);
    }
    assert!(acts(&mut world).is_empty());
    assert_eq!(kinds(&world), ["bad-status"]);
    let line = "\nA failure of the class timeout does not count (--fail-on)";
    assert!(world.alerts[0].text.ends_with(line), "{}", world.alerts[0].text);
    // It has not ended the row of those that count.
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), RESTART_FOO);
    tick(&mut world, &mut httpok);
    tick(&mut world, &mut httpok);
    assert_eq!(kinds(&world), ["bad-status", "bad-status", "resolved"]);
}

#[test]
fn a_slow_answer_is_a_failure_of_its_own_kind() {
    let (mut world, mut httpok) =
        (world(), httpok(&["-p", "foo", "--slow", "10ms"], vec![good(), bad()]));
    tick(&mut world, &mut httpok);
    assert_eq!(
        (acts(&mut world), kinds(&world)),
        (RESTART_FOO.map(str::to_owned).to_vec(), vec!["slow"])
    );
    assert_eq!(world.alerts[0].subject, "httpok: http://h/: slow answer returned");
    let text = "slow answer from http://h/: it took 0.020 seconds, more than 10ms (--slow)\n";
    assert!(world.alerts[0].text.starts_with(text), "{}", world.alerts[0].text);
}

#[test]
fn a_dry_run_says_what_would_be_done() {
    let arguments =
        ["-a", "--dry-run", "--start", "stopped", "--before", "false", "--max-restarts", "1/1h"];
    let (mut world, mut httpok) = (world(), httpok(&arguments, vec![]));
    tick(&mut world, &mut httpok);
    tick(&mut world, &mut httpok);
    assert!(acts(&mut world).is_empty() && world.alerts.is_empty(), "{:?}", world.alerts);
    let lines = "\nWould restart all running processes\nWould restart foo\nWould restart grp:bar\n\
                 Would start off\n";
    assert!(world.log().contains(lines), "{}", world.log());
    assert!(world.log().contains("\nfoo is left alone for 59m"), "{}", world.log());
}

#[test]
fn a_core_dump_is_made_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let arguments = ["-p", "foo", "--before", "echo before", "-d", folder, "-g", "echo core"];
    let (mut world, mut httpok) = (world(), httpok(&arguments, vec![]));
    tick(&mut world, &mut httpok);
    let log = world.log();
    let places =
        ["gcore output for foo:", "Output of --before for foo:foo:\nbefore\n", "restarting"];
    let places = places.map(|text| log.find(text).unwrap());
    assert!(places.is_sorted(), "{log}");
}

#[test]
fn a_command_runs_before_and_knows_why() {
    let command = "echo $SUPERLANCE_PROCESS $SUPERLANCE_PID $SUPERLANCE_URL $SUPERLANCE_STATUS \
                   $SUPERLANCE_REASON";
    let (mut world, mut httpok) = (world(), httpok(&["-p", "foo", "--before", command], vec![]));
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), RESTART_FOO);
    let attachment = &world.alerts[0].attachments[0];
    assert_eq!(attachment.title, "Output of --before for foo:foo");
    assert_eq!(attachment.text, "foo 7 http://h/ 500 status\n");
}

/// A pool of four, each with a check of its own that says what `words` say of its process in each tick:
/// `+` for good, `!` for bad, `?` for trouble.
fn pool(arguments: &[&str], words: &'static [&'static str]) -> (World, HttpOk) {
    let names = ["w:0", "w:1", "w:2", "w:3"];
    let supervisor = (7..)
        .zip(names)
        .fold(ScriptedSupervisor::at(1000), |supervisor, (pid, name)| supervisor.with(name, pid));
    (World::new(supervisor), httpok_each(arguments, words))
}

#[test]
fn with_a_check_for_each_only_that_which_fails_is_restarted() {
    let (mut world, mut httpok) =
        pool(&["-p", "w:*", "--for", "2"], &["++!+", "!+!+", "+++?", "!+++"]);
    tick(&mut world, &mut httpok);
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), ["stop(w:2)", "start(w:2)"]);
    let alert = &world.alerts[0];
    assert_eq!(alert.process.as_ref().unwrap().name, "2");
    assert_eq!(alert.subject, "httpok: http://h/2: bad status returned");
    let text =
        "status contacting http://h/2: 500\nw:2 is in RUNNING state, restarting\nw:2 restarted";
    assert_eq!(alert.text, text);
    tick(&mut world, &mut httpok);
    assert_eq!(kinds(&world), ["bad-status", "resolved", "trouble"]);
    assert_eq!(world.alerts[1].subject, "process w:2");
    // The first has begun anew after its success.
    tick(&mut world, &mut httpok);
    assert!(acts(&mut world).is_empty(), "{}", world.log());
}

#[test]
fn with_a_check_for_each_a_row_ends_with_its_instance() {
    let (mut world, mut httpok) = pool(&["-p", "w:*", "--for", "2"], &["!+++", "!+++", "!+++"]);
    tick(&mut world, &mut httpok);
    world.supervisor.process("w:0").unwrap().pid = 99;
    tick(&mut world, &mut httpok);
    assert!(acts(&mut world).is_empty());
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), ["stop(w:0)", "start(w:0)"]);
}

#[test]
fn where_too_many_fail_at_once_nothing_is_restarted_and_that_is_told_once() {
    let arguments = ["-p", "w:*", "--max-unavailable", "50%"];
    let (mut world, mut httpok) = pool(&arguments, &["!!!!", "!!!+", "++++", "!!++"]);
    tick(&mut world, &mut httpok);
    tick(&mut world, &mut httpok);
    assert!(acts(&mut world).is_empty());
    assert_eq!(kinds(&world), ["all-failing"]);
    assert_eq!(world.alerts[0].subject, "httpok: 4 of 4 processes fail at once or do not run");
    let line = "\n3 of 4 processes fail at once or do not run: nothing is done, since the cause may be \
                outside of them (--max-unavailable 50%)\n";
    assert!(world.log().ends_with(line), "{}", world.log());
    tick(&mut world, &mut httpok);
    assert_eq!(kinds(&world), ["all-failing", "resolved"]);
    assert_eq!(world.alerts[1].subject, "the processes of -p w:*");
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), ["stop(w:0)", "start(w:0)", "stop(w:1)", "start(w:1)"]);
}

#[test]
fn with_a_check_for_each_what_does_not_run_is_not_asked_and_started_at_once() {
    let arguments = ["-p", "w:*", "--start", "fatal", "--for", "3", "--max-restarts", "1/1h"];
    let (mut world, mut httpok) = pool(&arguments, &["+++", "+++"]);
    for name in ["w:1", "w:1"] {
        let process = world.supervisor.process(name).unwrap();
        (process.pid, process.state) = (0, State::Fatal);
        tick(&mut world, &mut httpok);
    }
    assert_eq!(acts(&mut world), ["start(w:1)"]);
    assert_eq!(kinds(&world), ["not-running", "left-alone"]);
    let alert = &world.alerts[0];
    assert_eq!(alert.subject, "httpok: process w:1 is in FATAL state");
    assert_eq!(
        (alert.text.as_str(), alert.action.as_deref()),
        ("w:1 is in FATAL state, starting\nw:1 started", Some("start"))
    );
}

/// supervisord refuses the start after the stop of a restart, which is tried again without `--start`.
#[test]
fn a_process_that_is_owed_a_start_is_not_started_twice() {
    let arguments = ["-p", "w:*", "--start", "stopped"];
    let (mut world, mut httpok) = pool(&arguments, &["!+++", "+++"]);
    world.supervisor.refuse("start", 20, "NO_FILE: /x");
    for _ in 0..2 {
        tick(&mut world, &mut httpok);
    }
    assert_eq!(acts(&mut world), ["stop(w:0)", "start(w:0)"]);
    assert_eq!(kinds(&world), ["bad-status"], "{:?}", world.alerts);
}

#[test]
fn a_process_that_is_left_alone_is_told_of_once_although_it_was_started_meanwhile() {
    let arguments = ["-p", "w:*", "--max-restarts", "1/1h"];
    let (mut world, mut httpok) = pool(&arguments, &["!+++", "!+++", "+++", "!+++", "++++"]);
    for state in [State::Running, State::Running, State::Starting, State::Running, State::Running] {
        world.supervisor.process("w:0").unwrap().state = state;
        tick(&mut world, &mut httpok);
    }
    assert_eq!(kinds(&world), ["bad-status", "left-alone", "resolved"]);
}

#[test]
fn without_supervisord_nothing_is_done_and_the_row_stays() {
    let (mut world, mut httpok) = (world(), httpok(&["-p", "foo", "--for", "2"], vec![]));
    tick(&mut world, &mut httpok);
    world.supervisor.fail("all", RpcError::NoAnswer("connection lost".to_owned()));
    tick(&mut world, &mut httpok);
    assert!(acts(&mut world).is_empty());
    tick(&mut world, &mut httpok);
    assert_eq!(acts(&mut world), RESTART_FOO);
}

#[test]
fn the_files_say_how_the_checks_went_and_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (status, metrics) = (path("status.json"), path("httpok.prom"));
    let arguments = ["-p", "foo", "--status-file", &status, "--metrics-file", &metrics];
    let (mut world, mut httpok) = (world(), httpok(&arguments, vec![bad(), bad(), good()]));
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    tick(&mut world, &mut httpok);
    tick(&mut world, &mut httpok);
    let report: serde_json::Value = serde_json::from_str(&read(&status)).unwrap();
    let check = &report["checks"][0];
    assert_eq!((&check["success"], &check["failures"]), (&false.into(), &2.into()));
    assert_eq!((&check["class"], &check["status"]), (&"status".into(), &500.into()));
    let action = &report["actions"][0];
    assert_eq!((&action["action"], &action["outcome"]), (&"restart".into(), &"done".into()));
    for line in [
        "superlance_httpok_up{httpok=\"own:own\"} 1\n",
        "superlance_httpok_check_success{httpok=\"own:own\",url=\"http://h/\"} 0\n",
        "superlance_httpok_check_duration_seconds{httpok=\"own:own\",url=\"http://h/\"} 0.02\n",
        "superlance_httpok_check_http_status{httpok=\"own:own\",url=\"http://h/\"} 500\n",
        "superlance_httpok_check_failures{httpok=\"own:own\",url=\"http://h/\"} 2\n",
        "superlance_httpok_last_check_timestamp_seconds{httpok=\"own:own\"} 978307200\n",
        "superlance_httpok_actions_total{httpok=\"own:own\",group=\"foo\",name=\"foo\",\
         action=\"restart\",outcome=\"done\"} 2\n",
        "superlance_httpok_actions_total{httpok=\"own:own\",group=\"foo\",name=\"foo\",\
         action=\"restart\",outcome=\"failed\"} 0\n",
    ] {
        assert!(read(&metrics).contains(line), "{line}{}", read(&metrics));
    }
    tick(&mut world, &mut httpok);
    let good = "superlance_httpok_check_success{httpok=\"own:own\",url=\"http://h/\"} 1\n";
    assert!(read(&metrics).contains(good), "{}", read(&metrics));
    world.with_ctx(|ctx| httpok.finish(ctx));
    assert!(read(&metrics).contains("superlance_httpok_up{httpok=\"own:own\"} 0\n"));
    assert!(read(&status).contains("\"trouble\": \"httpok has ended\""), "{}", read(&status));
}
