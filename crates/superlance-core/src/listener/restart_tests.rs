//! A process that we stopped is never left stopped.

use std::sync::Arc;

use super::*;
use crate::spool::dir::StateDir;
use crate::testing::{ScriptedSupervisor, World};

const NAME: &str = "g:web";

fn lost() -> RpcError {
    RpcError::NoAnswer("connection lost".to_owned())
}

/// A world in which `g:web` has just been stopped by us.
fn stopped() -> (World, Restarts<&'static str>) {
    let mut world = World::new(ScriptedSupervisor::at(100).with(NAME, 7));
    let mut restarts = Restarts::default();
    let info = world.supervisor.process(NAME).unwrap().clone();
    world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).unwrap();
    (world, restarts)
}

/// Lets every retry be due now, and makes them.
fn retry(world: &mut World, restarts: &mut Restarts<&'static str>) -> Vec<(String, &'static str)> {
    for debt in restarts.debts.all_mut() {
        debt.due = Instant::now();
    }
    let settled = world.with_ctx(|ctx| restarts.retry(ctx)).into_iter();
    settled.filter(|settled| settled.outcome.is_ok()).map(|it| (it.namespec, it.note)).collect()
}

#[test]
fn a_plain_restart_owes_nothing_afterwards() {
    let (mut world, mut restarts) = stopped();
    let owed = "g:web was stopped and is not started again yet; \
                start it with: supervisorctl start g:web";
    assert_eq!(world.in_flight.texts(), [owed]);
    world.with_ctx(|ctx| restarts.start(NAME, ctx)).unwrap();
    assert_eq!(world.supervisor.calls, ["stop(g:web)", "start(g:web)"]);
    assert!(restarts.deadline().is_none() && world.in_flight.texts().is_empty());
}

#[test]
fn a_refused_stop_owes_nothing() {
    let mut world = World::new(ScriptedSupervisor::default().with(NAME, 7));
    world.supervisor.refuse("stop", 70, "NOT_RUNNING: g:web");
    let mut restarts = Restarts::default();
    let info = world.supervisor.process(NAME).unwrap().clone();
    assert!(world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).is_err());
    assert!(restarts.deadline().is_none());
}

/// The check stands right before the stop: what comes before it may take minutes.
#[test]
fn a_listener_that_was_told_to_end_stops_nothing() {
    let mut world = World::new(ScriptedSupervisor::at(100).with(NAME, 7));
    world.ending = true.into();
    let mut restarts = Restarts::default();
    let info = world.supervisor.process(NAME).unwrap().clone();
    let outcome = world.with_ctx(|ctx| restarts.stop(&info, "note", ctx));
    assert!(matches!(outcome, Err(StopError::Ending)), "{outcome:?}");
    assert!(restarts.deadline().is_none() && world.supervisor.calls.is_empty());
}

#[test]
fn what_somebody_else_stopped_first_is_told_from_what_ended_by_itself() {
    for (state, by_others) in
        [(State::Stopped, true), (State::Stopping, true), (State::Exited, false)]
    {
        let mut world = World::new(ScriptedSupervisor::at(100).with(NAME, 7));
        let info = world.supervisor.process(NAME).unwrap().clone();
        world.supervisor.process(NAME).unwrap().state = state;
        world.supervisor.refuse("stop", 70, "NOT_RUNNING: g:web");
        let outcome = world.with_ctx(|ctx| Restarts::default().stop(&info, "note", ctx));
        assert_eq!(matches!(outcome, Err(StopError::Stopped(_))), by_others, "{outcome:?}");
    }
}

#[test]
fn a_stop_that_was_never_asked_for_owes_nothing() {
    let mut world = World::new(ScriptedSupervisor::at(100).with(NAME, 7));
    world.supervisor.fail("stop", RpcError::Unreachable("connection refused".to_owned()));
    let mut restarts = Restarts::default();
    let info = world.supervisor.process(NAME).unwrap().clone();
    assert!(world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).is_err());
    assert!(restarts.deadline().is_none());
}

/// The clock of the machine was set back between our question and the stop.
#[test]
fn a_stop_in_the_past_is_still_ours() {
    let (mut world, mut restarts) = stopped();
    world.supervisor.process(NAME).unwrap().stop = 3;
    world.supervisor.refuse("start", 20, "NO_FILE: /x");
    assert!(world.with_ctx(|ctx| restarts.start(NAME, ctx)).is_err());
    assert_eq!(retry(&mut world, &mut restarts), [(NAME.to_owned(), "note")]);
}

#[test]
fn a_start_that_failed_is_retried_until_it_works() {
    let (mut world, mut restarts) = stopped();
    world.supervisor.refuse("start", 20, "NO_FILE: /x");
    assert!(world.with_ctx(|ctx| restarts.start(NAME, ctx)).is_err());
    for _ in 0..3 {
        world.supervisor.refuse("start", 20, "NO_FILE: /x");
        assert_eq!(retry(&mut world, &mut restarts), []);
        assert!(restarts.deadline().is_some());
    }
    world.supervisor.fail("info", lost());
    assert_eq!(retry(&mut world, &mut restarts), []);
    assert_eq!(retry(&mut world, &mut restarts), [(NAME.to_owned(), "note")]);
    assert!(restarts.deadline().is_none() && world.in_flight.texts().is_empty());
    let log = "g:web is still stopped: connection lost\ng:web was started again\n";
    assert_eq!(world.log(), log, "the refusal was reported by the caller and is not repeated");
}

#[test]
fn a_stop_without_an_answer_is_followed_up() {
    let mut world = World::new(ScriptedSupervisor::at(100).with(NAME, 7));
    let mut restarts = Restarts::default();
    let info = world.supervisor.process(NAME).unwrap().clone();
    world.supervisor.fail("stop", lost());
    assert!(world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).is_err());
    let process = world.supervisor.process(NAME).unwrap();
    (process.state, process.pid) = (State::Stopping, 7);
    assert_eq!(retry(&mut world, &mut restarts), []);
    let process = world.supervisor.process(NAME).unwrap();
    (process.state, process.pid, process.stop) = (State::Stopped, 0, 104);
    assert_eq!(retry(&mut world, &mut restarts), [(NAME.to_owned(), "note")]);
}

/// What `supervisorctl stop all` looks like while we wait for the answer to our stop: it passes over
/// what is stopping already.
#[test]
fn what_we_stopped_stays_stopped_when_everything_is_stopped_meanwhile() {
    let with = |state: State| {
        let mut world = World::new(
            ScriptedSupervisor::at(100)
                .with(NAME, 7)
                .with("own:own", 8)
                .with("db", 9)
                .with("gone", 0),
        );
        let mut restarts = Restarts::new(Some("own:own".to_owned()));
        let info = world.supervisor.process(NAME).unwrap().clone();
        world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).unwrap();
        world.ending = true.into();
        world.supervisor.process("own:own").unwrap().state = State::Stopping;
        let now = world.supervisor.now;
        let db = world.supervisor.process("db:db").unwrap();
        (db.state, db.stop) = (state, now);
        (world, restarts)
    };
    for (state, all_stop) in [
        (State::Stopping, true),
        (State::Stopped, true),
        (State::Running, false),
        (State::Starting, false),
        (State::Exited, false),
    ] {
        let (mut world, mut restarts) = with(state);
        let started = world.with_ctx(|ctx| restarts.start(NAME, ctx));
        assert_eq!(
            matches!(started, Err(NotStarted::AllStop(_))),
            all_stop,
            "{state:?}: {started:?}"
        );
        assert!(restarts.deadline().is_none() && world.in_flight.texts().is_empty());
        // The same between two tries.
        let (mut world, mut restarts) = with(State::Running);
        world.supervisor.refuse("start", 20, "NO_FILE: /x");
        assert!(world.with_ctx(|ctx| restarts.start(NAME, ctx)).is_err());
        let now = world.supervisor.now;
        let db = world.supervisor.process("db:db").unwrap();
        (db.state, db.stop) = (state, now);
        restarts.hurry();
        let settled = world.with_ctx(|ctx| restarts.retry(ctx)).remove(0);
        assert_eq!((settled.note, settled.outcome.is_err()), ("note", all_stop), "{state:?}");
        let text = "g:web is not started again: all processes are being stopped; \
                    start it with: supervisorctl start g:web\n";
        assert_eq!(world.log().ends_with(text), all_stop, "{}", world.log());
    }
}

/// Another process was stopped long before, so that ours is the only one that is being stopped.
#[test]
fn a_listener_that_is_restarted_alone_starts_what_it_stopped() {
    let mut world =
        World::new(ScriptedSupervisor::at(100).with(NAME, 7).with("own:own", 8).with("off", 0));
    let mut restarts = Restarts::new(Some("own:own".to_owned()));
    let info = world.supervisor.process(NAME).unwrap().clone();
    world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).unwrap();
    world.ending = true.into();
    world.supervisor.process("own:own").unwrap().state = State::Stopping;
    world.with_ctx(|ctx| restarts.start(NAME, ctx)).unwrap();
}

/// Another client stops everything else while a signal of its own ends this listener: supervisord has it
/// as running still.
#[test]
fn a_listener_that_a_signal_ends_starts_what_it_stopped() {
    let mut world =
        World::new(ScriptedSupervisor::at(100).with(NAME, 7).with("own:own", 8).with("db", 9));
    let mut restarts = Restarts::new(Some("own:own".to_owned()));
    let info = world.supervisor.process(NAME).unwrap().clone();
    world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).unwrap();
    world.ending = true.into();
    world.supervisor.process("db:db").unwrap().state = State::Stopping;
    world.with_ctx(|ctx| restarts.start(NAME, ctx)).unwrap();
}

#[test]
fn what_is_owed_at_the_end_is_started_by_the_next_listener() {
    type Change = fn(&mut ProcessInfo);
    let cases: [(&str, Change, bool); 3] = [
        ("still stopped", |_| {}, true),
        ("started and stopped by the operator", |info| (info.start, info.stop) = (200, 300), false),
        ("running", |info| info.state = State::Running, false),
    ];
    for (what, change, starts) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(ScriptedSupervisor::at(100).with(NAME, 7));
        let log = world.shared_log();
        let journal = || {
            let directory = StateDir::open(folder.path(), "kept").unwrap();
            Journal::open(&Arc::new(directory), "restarts", "processes that are owed a start", &log)
        };
        let mut restarts = Restarts::default();
        restarts.keep(journal(), &world.in_flight);
        let info = world.supervisor.process(NAME).unwrap().clone();
        world.with_ctx(|ctx| restarts.stop(&info, "note", ctx)).unwrap();
        let owed = "g:web was stopped and is not started again yet; \
                    start it with: the next start of this listener, or supervisorctl start g:web";
        assert_eq!(world.in_flight.texts(), [owed]);
        drop(restarts);
        change(world.supervisor.process(NAME).unwrap());
        let mut next = Restarts::<&str>::default();
        next.keep(journal(), &world.in_flight);
        assert!(next.deadline().unwrap() <= Instant::now());
        assert!(world.with_ctx(|ctx| next.retry(ctx)).is_empty());
        assert_eq!(world.supervisor.calls.contains(&"start(g:web)".to_owned()), starts, "{what}");
        assert!(next.deadline().is_none() && world.in_flight.texts().is_empty(), "{what}");
        drop(next);
        let mut last = Restarts::<&str>::default();
        last.keep(journal(), &world.in_flight);
        assert!(last.deadline().is_none(), "{what}");
    }
}

/// In each of these states the process is owed nothing any more.
#[test]
fn what_others_did_is_left_alone() {
    type Change = fn(&mut ProcessInfo);
    let cases: [(&str, Change); 6] = [
        ("stopped by the operator, later", |info| info.stop += 50),
        ("running", |info| info.state = State::Running),
        ("starting", |info| info.state = State::Starting),
        ("backing off", |info| info.state = State::Backoff),
        ("exited", |info| info.state = State::Exited),
        ("fatal", |info| info.state = State::Fatal),
    ];
    for (what, change) in cases {
        let (mut world, mut restarts) = stopped();
        world.supervisor.fail("start", lost());
        let _ = world.with_ctx(|ctx| restarts.start(NAME, ctx));
        change(world.supervisor.process(NAME).unwrap());
        assert_eq!(retry(&mut world, &mut restarts), [], "{what}");
        assert!(restarts.deadline().is_none(), "{what}");
    }
}

#[test]
fn a_process_that_is_gone_or_a_shutdown_ends_the_duty() {
    for (code, text) in [(10, "BAD_NAME: g:web"), (6, "SHUTDOWN_STATE")] {
        let (mut world, mut restarts) = stopped();
        world.supervisor.refuse("start", code, text);
        assert!(world.with_ctx(|ctx| restarts.start(NAME, ctx)).is_err());
        assert!(restarts.deadline().is_none(), "{text}");
    }
}

/// supervisord ends what it is starting, and says that it ended too soon; every further call is refused.
#[test]
fn a_start_that_a_shutdown_breaks_off_is_told_as_that() {
    let (mut world, mut restarts) = stopped();
    world.supervisor.refuse("start", 40, "ABNORMAL_TERMINATION: web");
    world.supervisor.refuse("info", 6, "SHUTDOWN_STATE");
    let error = world.with_ctx(|ctx| restarts.start(NAME, ctx)).unwrap_err();
    assert!(matches!(&error, NotStarted::Rpc(error) if error.is_shutdown()), "{error}");
    assert!(restarts.deadline().is_none());
    // Without one, it is the program's fault.
    let (mut world, mut restarts) = stopped();
    world.supervisor.refuse("start", 40, "ABNORMAL_TERMINATION: web");
    let error = world.with_ctx(|ctx| restarts.start(NAME, ctx)).unwrap_err();
    assert!(error.to_string().starts_with("<Fault 40: "), "{error}");
}

#[test]
fn pauses_grow_to_a_limit_until_there_is_no_time() {
    let (mut world, mut restarts) = stopped();
    world.supervisor.fail("start", lost());
    let _ = world.with_ctx(|ctx| restarts.start(NAME, ctx));
    for _ in 0..10 {
        world.supervisor.fail("start", lost());
        retry(&mut world, &mut restarts);
    }
    let pause = |restarts: &Restarts<_>| {
        restarts.deadline().unwrap().saturating_duration_since(Instant::now())
    };
    assert!(pause(&restarts) > LONGEST_PAUSE / 2 && pause(&restarts) <= LONGEST_PAUSE);
    restarts.hurry();
    assert_eq!(pause(&restarts), Duration::ZERO);
    world.supervisor.fail("start", lost());
    retry(&mut world, &mut restarts);
    assert!(pause(&restarts) <= FIRST_PAUSE);
}
