//! Where ours differs from the original: docs/compatibility.md, shown with both.

use std::process::{Command, Stdio};

use superlance_testing::{Channel, SOON, record, venv, wait_until};

use super::{BOTH, DONE, STARTUP, Who, handled, job, log, spawned, with_both};
use crate::ours;

const WAIT: &str = "dependent_startup_wait_for";
const NAME: &str = "dependent-startup";

/// Fails at once, and is FATAL after about a second.
const FAILS: [(&str, &str); 2] = [("startsecs", "1"), ("startretries", "0")];

#[test]
fn names_and_states_that_there_are_not_hold_a_program_back() {
    let (theirs, ours) = with_both(|who| {
        let builder = handled(who.stage(), "a", &[]);
        let builder = handled(builder, "typo", &[(WAIT, "aa:running")]);
        let builder = handled(builder, "state", &[(WAIT, "a:starting,runing")]);
        let builder = handled(builder, "last", &[(WAIT, "a:running"), ("priority", "9999")]);
        let supervisord = builder.start();
        supervisord.wait_state("last", "RUNNING");
        supervisord.wait_for_process_log(STARTUP, Channel::Stderr, DONE);
        let mut names = spawned(&supervisord);
        names.sort_unstable();
        (names, log(&supervisord))
    });
    assert_eq!(theirs.0, ["a", "last", "state", "typo"]);
    assert_eq!(ours.0, ["a", "last"], "{}", ours.1);
    for said in [
        "Service 'typo' depends on unknown service 'aa'",
        "nvalid state 'RUNING' in 'dependent_startup_wait_for' for 'program:state'",
    ] {
        assert!(theirs.1.contains(said) && ours.1.contains(said), "{}", ours.1);
    }
    record("D38", NAME, "unknown names and states");
}

#[test]
fn a_cycle_holds_back_its_members_only() {
    let (theirs, ours) = with_both(|who| {
        let builder = handled(who.stage(), "a", &[(WAIT, "b")]);
        let builder = handled(builder, "b", &[(WAIT, "a")]);
        let supervisord = handled(builder, "free", &[]).start();
        match who {
            Who::Theirs => supervisord.wait_for_log("exited: startup (exit status 3"),
            Who::Ours => supervisord.wait_state("free", "RUNNING"),
        }
        (spawned(&supervisord), log(&supervisord))
    });
    assert_eq!((theirs.0.len(), ours.0.join(" ").as_str()), (0, "free"));
    let said = "Cirular dependencies detected: Circular dependencies exist among these items: {";
    assert!(theirs.1.contains(said), "{}", theirs.1);
    assert!(ours.1.contains(&format!("{said}a:{{'b'}}, b:{{'a'}}}}")), "{}", ours.1);
    record("D39", NAME, "a cycle");
}

#[test]
fn what_was_there_before_it_counts() {
    let (theirs, ours) = with_both(|who| {
        let builder = who.stage().program("parent", "sleep 600", &[("startsecs", "0")]);
        let supervisord = handled(builder, "child", &[(WAIT, "parent:running")]).start();
        let said = if who == Who::Theirs { "Found no services to start" } else { DONE };
        supervisord.wait_for_process_log(STARTUP, Channel::Stderr, said);
        spawned(&supervisord)
    });
    assert_eq!((theirs.join(" "), ours.join(" ")), ("parent".into(), "parent child".into()));
    record("D40", NAME, "parents that supervisord starts");
}

#[test]
fn a_parent_that_is_fatal_is_named_and_its_start_by_hand_is_enough() {
    let (theirs, ours) = with_both(|who| {
        let folder = superlance_testing::Scratch::new();
        let command = format!("sh -c 'test -e {} && sleep 600'", folder.join("good").display());
        let builder = job(who.stage(), "parent", &command, &FAILS);
        let supervisord = handled(builder, "child", &[(WAIT, "parent")]).start();
        supervisord.wait_state("parent", "FATAL");
        if who == Who::Ours {
            let said = "child:child is not started, since parent:parent is FATAL";
            supervisord.wait_for_process_log(STARTUP, Channel::Stderr, said);
        } else {
            // It counts it among what is done, and then waits in silence.
            let said = "Services not yet running (1): child";
            supervisord.wait_for_process_log(STARTUP, Channel::Stderr, said);
        }
        folder.write("good", "");
        supervisord.ctl(&["start", "parent"]);
        supervisord.wait_state("child", "RUNNING");
        log(&supervisord)
    });
    assert!(!theirs.contains("FATAL, ") && !theirs.contains("child is not started"), "{theirs}");
    assert!(ours.contains("Starting service: child (State: STOPPED)"), "{ours}");
    record("D41", NAME, "a parent that is FATAL");
}

#[test]
fn what_an_operator_stops_stays_stopped() {
    let (theirs, ours) = with_both(|who| {
        let supervisord = handled(who.stage(), "slow", &[("startsecs", "60")])
            .program("other", "sleep 600", &[("autostart", "false"), ("startsecs", "0")])
            .start();
        supervisord.wait_state("slow", "STARTING");
        supervisord.ctl(&["stop", "slow"]);
        supervisord.ctl(&["start", "other"]);
        match who {
            Who::Theirs => supervisord.wait_state("slow", "STARTING"),
            Who::Ours => supervisord.wait_for_process_log(STARTUP, Channel::Stderr, DONE),
        }
        supervisord.wait_state("other", "RUNNING");
        supervisord.state_of("slow")
    });
    assert_eq!((theirs.as_str(), ours.as_str()), ("STARTING", "STOPPED"));
    record("D42", NAME, "what an operator stops");
}

#[test]
fn it_stays_when_all_are_started() {
    let (theirs, ours) = with_both(|who| {
        let supervisord = handled(who.stage(), "a", &[]).start();
        supervisord.wait_for_process_log(STARTUP, Channel::Stderr, DONE);
        match who {
            Who::Theirs => supervisord.wait_for_log("exited: startup (exit status 0; expected)"),
            Who::Ours => supervisord.wait_state(STARTUP, "RUNNING"),
        }
        supervisord.state_of(STARTUP)
    });
    assert_eq!((theirs.as_str(), ours.as_str()), ("EXITED", "RUNNING"));
    record("D43", NAME, "its end");
}

/// Whether theirs starts it again depends on what it sees first, its end or the event of its start.
#[test]
fn a_job_that_ends_at_once_runs_once() {
    let runs = |who: Who| {
        let once = [("autorestart", "false"), ("exitcodes", "0")];
        let builder = job(who.stage(), "job", "/bin/true", &once);
        let supervisord = handled(builder, "after", &[(WAIT, "job:exited")]).start();
        supervisord.wait_state("after", "RUNNING");
        supervisord.wait_for_process_log(STARTUP, Channel::Stderr, DONE);
        spawned(&supervisord).into_iter().filter(|name| name == "job").count()
    };
    assert!((0..9).any(|_| runs(Who::Theirs) > 1));
    assert_eq!(runs(Who::Ours), 1);
    record("D44", NAME, "jobs that end at once");
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error() {
    let status = |who| {
        let (program, words) = match who {
            Who::Theirs => (venv::python(), ["-m", "supervisord_dependent_startup"].as_slice()),
            Who::Ours => (ours().to_owned(), ["dependent-startup"].as_slice()),
        };
        let mut command = Command::new(program);
        command.args(words).args(["-c", "/nonexistent/supervisord.conf"]).stdin(Stdio::null());
        let command = command.env("SUPERVISOR_SERVER_URL", "http://127.0.0.1:1");
        let output = command.stdout(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("Config path /nonexistent/supervisord.conf does not exist!"),
            "{said}"
        );
        output.status.code()
    };
    assert_eq!(BOTH.map(status), [Some(0), Some(2)]);
    record("D45", NAME, "a configuration that cannot be read");
}

#[test]
fn other_events_do_no_harm() {
    let (theirs, ours) = with_both(|who| {
        let builder = who.with("-c %(here)s/supervisord.conf", "PROCESS_STATE,TICK_5");
        let builder = handled(builder, "a", &[]);
        let slow = [("startsecs", "9"), (WAIT, "a")];
        let supervisord = job(builder, "slow", "sleep 600", &slow).start();
        if who == Who::Theirs {
            supervisord.wait_for_log("exited: startup (exit status 3");
            return log(&supervisord);
        }
        wait_until("the end of the start", SOON, || log(&supervisord).contains(DONE));
        supervisord.state_of(STARTUP)
    });
    assert!(theirs.contains("KeyError"), "{theirs}");
    assert_eq!(ours, "RUNNING");
    record("D46", NAME, "events other than changes of state");
}
