//! What is written into a file again and again: as an event listener, and as a program.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::Signal;
use superlance_testing::{
    FakeProcess, FakeSupervisor, Leash, Listener, SOON, Scratch, Subject, Supervisord, wait_until,
};

use super::{metrics, value};
use crate::ours;

const STATE: &str = "node_supervisord_state{group=\"foo\",name=\"foo\"}";
const RESTARTS: &str = "superlance_process_restarts_total{group=\"foo\",name=\"foo\"}";
const UP: &str = "superlance_supervisord_up";

/// `superlance metrics --file FILE`, as supervisord starts it.
fn writing(file: &Path, interval: &str, fake: &FakeSupervisor) -> Listener {
    let arguments = ["--file", file.to_str().unwrap(), "--interval", interval];
    Subject::ours(ours(), "metrics").args(arguments).server_url(&fake.server_url()).spawn()
}

#[track_caller]
fn wait_for(file: &Path, series: &str, expected: f64) {
    wait_until(format!("{series} to be {expected}"), SOON, || {
        value(&fs::read_to_string(file).unwrap_or_default(), series) == Some(expected)
    });
}

fn world() -> (FakeSupervisor, Scratch) {
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo:foo", 7));
    (fake, Scratch::new())
}

fn restart(fake: &FakeSupervisor) {
    fake.update("foo:foo", |process| {
        process.start += 1;
        process.pid += 1;
    });
}

#[test]
fn a_listener_writes_at_each_tick_and_leaves_no_file() {
    let (fake, folder) = world();
    let file = folder.join("supervisord.prom");
    let mut listener = writing(&file, &u64::MAX.to_string(), &fake);
    wait_for(&file, STATE, 20.0);
    for tick in [1.0, 2.0] {
        restart(&fake);
        listener.event("TICK_60", "when:1201063880");
        assert_eq!(listener.wait_result(), "OK");
        wait_for(&file, RESTARTS, tick);
    }
    // Another event is answered, and changes nothing.
    listener.event("SUPERVISOR_STATE_CHANGE_STOPPING", "");
    assert_eq!(listener.wait_result(), "OK");
    listener.close_stdin();
    assert!(listener.wait_exit(SOON).success());
    assert!(!file.exists());
}

#[test]
fn a_program_writes_by_the_clock_also_that_supervisord_is_silent() {
    let (mut fake, folder) = world();
    let file = folder.join("supervisord.prom");
    let mut program = writing(&file, "1", &fake);
    wait_for(&file, RESTARTS, 0.0);
    restart(&fake);
    wait_for(&file, RESTARTS, 1.0);
    fake.stop();
    wait_for(&file, UP, 0.0);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!((value(&text, STATE), value(&text, RESTARTS)), (None, Some(1.0)), "{text}");
    program.wait_for_log("superlance metrics: cannot talk to supervisord at");
    fake.start();
    wait_for(&file, UP, 1.0);
    program.wait_for_log("superlance metrics: supervisord answers again");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    assert!(!file.exists());
}

/// As a program under supervisord starts it: with its variables, and without its pipe.
#[test]
fn without_a_pipe_there_is_no_listener() {
    let (fake, folder) = world();
    let file = folder.join("supervisord.prom");
    let mut command = metrics(&folder, &["--file", file.to_str().unwrap(), "--interval", "1"]);
    command.env("SUPERVISOR_ENABLED", "1").env("SUPERVISOR_SERVER_URL", fake.server_url());
    let mut program = Leash::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
    wait_for(&file, RESTARTS, 0.0);
    restart(&fake);
    wait_for(&file, RESTARTS, 1.0);
    program.kill_all();
    let mut printed = String::new();
    program.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "");
    // Killed, it leaves the file.
    assert!(file.exists());
}

#[test]
fn a_file_that_cannot_be_written_is_said_once_and_tried_again() {
    let (fake, folder) = world();
    let file = folder.join("later/supervisord.prom");
    let mut program = writing(&file, "1", &fake);
    program.wait_for_log(&format!("cannot write {}: No such file", file.display()));
    fs::create_dir(file.parent().unwrap()).unwrap();
    wait_for(&file, UP, 1.0);
    assert_eq!(program.stderr().matches("cannot write").count(), 1, "{}", program.stderr());
}

#[test]
fn under_supervisord_in_both_kinds_of_sections() {
    let folder = Scratch::new();
    let (listens, runs) = (folder.join("listener.prom"), folder.join("program.prom"));
    let command = |file: &Path| {
        format!("{} metrics --interval 1 --file {}", ours().display(), file.display())
    };
    let supervisord = Supervisord::builder()
        .program("foo", "sleep 1000", &[])
        .program("written", &command(&runs), &[("redirect_stderr", "true")])
        .listener("metrics", &command(&listens), "TICK_5", &[])
        .start();
    for file in [&listens, &runs] {
        wait_for(file, STATE, 20.0);
    }
    let listens_state = "superlance_listener_state{group=\"metrics\",name=\"metrics\"}";
    wait_for(&runs, listens_state, 20.0);
    let pid = supervisord.pid_of("foo");
    supervisord.ctl(&["restart", "foo"]);
    supervisord.wait_restart("foo", pid);
    // Once a tick has come, the next is five seconds away.
    for file in [&listens, &runs] {
        wait_for(file, RESTARTS, 1.0);
    }
    let no_listener = "superlance_listener_state{group=\"written\"";
    assert!(!fs::read_to_string(&listens).unwrap().contains(no_listener));
    supervisord.ctl(&["stop", "metrics", "written"]);
    assert!(!listens.exists() && !runs.exists());
}
