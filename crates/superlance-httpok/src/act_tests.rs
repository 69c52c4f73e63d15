use superlance_core::system::log::Log;
use superlance_core::testing::{ScriptedSupervisor, World};

use super::*;

fn actor() -> Actor {
    Actor {
        action: "restart".parse().unwrap(),
        each: false,
        start: Vec::new(),
        gcore: None,
        before: None,
        dry_run: false,
        restarts: Restarts::new(Some("own:own".to_owned())),
        actions: ActionLog::default(),
    }
}

fn failure() -> Failure {
    let (subject, key) = (String::new(), String::new());
    Failure { kind: "x", subject, key, url: None, class: None, status: None }
}

#[test]
fn a_process_that_changed_meanwhile_is_looked_at_again() {
    let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
    let seen = world.supervisor.process("foo:foo").unwrap().clone();
    let (log, mut actor) = (Log::new(std::io::sink()), actor());
    let mut report = Report::new(&log);
    let mut act = |world: &mut World| {
        world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
    };
    world.supervisor.process("foo:foo").unwrap().state = State::Exited;
    act(&mut world);
    world.supervisor.processes.clear();
    act(&mut world);
    let lines = [
        "foo not in RUNNING state, NOT restarting",
        "Failed to restart process foo: <Fault 10: 'BAD_NAME: foo:foo'>",
    ];
    assert_eq!(report.lines(), lines);
    assert_eq!(world.supervisor.calls, ["info(foo:foo)"; 2]);
}

/// With `--each` it was another instance that failed; otherwise it is the URL.
#[test]
fn a_process_that_was_started_anew_meanwhile_is_another() {
    for (each, line) in [
        (true, "foo was started anew meanwhile, NOT restarting"),
        (false, "foo is in RUNNING state, restarting"),
    ] {
        let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
        let seen = world.supervisor.process("foo:foo").unwrap().clone();
        world.supervisor.process("foo:foo").unwrap().pid = 8;
        let (log, mut actor) = (Log::new(std::io::sink()), Actor { each, ..actor() });
        let mut report = Report::new(&log);
        world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
        assert_eq!(report.lines()[0], line);
    }
}

/// Where httpok is while gcore or a slow answer of supervisord takes its time.
#[test]
fn a_process_is_not_stopped_when_httpok_was_told_to_end_meanwhile() {
    let mut world = World::new(ScriptedSupervisor::at(1000).with("foo:foo", 7));
    world.ending = true.into();
    let seen = world.supervisor.process("foo:foo").unwrap().clone();
    let (log, mut actor) = (Log::new(std::io::sink()), actor());
    let mut report = Report::new(&log);
    world.with_ctx(|ctx| actor.restart(&seen, &failure(), &mut report, ctx));
    for (action, done) in
        [("restart", "restarted"), ("stop", "stopped"), ("signal:HUP", "signalled")]
    {
        actor.action = action.parse().unwrap();
        world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
        let line = format!("foo NOT {done}, since httpok was told to end");
        assert_eq!(report.lines().last(), Some(&line));
    }
    assert!(world.supervisor.calls.is_empty(), "{:?}", world.supervisor.calls);
    assert_eq!(report.lines()[0], "foo NOT restarted, since httpok was told to end");
}

/// supervisord refuses the start, and then everything is stopped, httpok included.
#[test]
fn a_process_that_stays_stopped_with_all_others_is_told() {
    let supervisor = ScriptedSupervisor::at(1000).with("foo:foo", 7).with("own:own", 8);
    let mut world = World::new(supervisor.with("db:db", 9));
    let seen = world.supervisor.process("foo:foo").unwrap().clone();
    let (log, mut actor) = (Log::new(std::io::sink()), actor());
    let mut report = Report::new(&log);
    world.supervisor.refuse("start", 20, "NO_FILE: /x");
    world.with_ctx(|ctx| actor.act(&seen, &failure(), &mut report, ctx));
    world.ending = true.into();
    for name in ["own:own", "db:db"] {
        world.supervisor.process(name).unwrap().state = State::Stopping;
    }
    actor.restarts.hurry();
    world.with_ctx(|ctx| actor.retry(ctx));
    let alert = &world.alerts[0];
    let text = "foo:foo is not started again: all processes are being stopped; \
                start it with: supervisorctl start foo:foo";
    assert_eq!((alert.kind.as_str(), alert.text.as_str()), ("failed-to-start", text));
}
