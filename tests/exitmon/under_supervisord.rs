//! What ends supervisord and what does not, and the status that is handed on.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, thread};

use superlance_testing::{
    Builder, Channel, SOON, Scratch, SmtpAnswer, SmtpServer, Supervisord, wait_until,
};

use crate::links;

const EVENTS: &str = "PROCESS_STATE_EXITED,PROCESS_STATE_FATAL,PROCESS_STATE_STOPPED,TICK_5";
const ONCE: [(&str, &str); 2] = [("startsecs", "0"), ("autorestart", "false")];

/// A supervisord whose exitmon writes into a file.
struct Stage {
    builder: Builder,
    folder: Scratch,
    _links: Scratch,
}

impl Stage {
    fn new() -> Self {
        let (links, path) = links();
        let builder = Supervisord::builder().first_in_path(&path);
        Self { builder, folder: Scratch::new(), _links: links }
    }

    fn program(mut self, name: &str, command: &str, lines: &[(&str, &str)]) -> Self {
        self.builder = self.builder.program(name, command, lines);
        self
    }

    fn file(&self) -> PathBuf {
        self.folder.join("status")
    }

    fn exitmon(mut self, arguments: &str) -> Self {
        let command = format!("exitmon --exit-file {} {arguments}", self.file().display());
        self.builder = self.builder.listener("exitmon", &command, EVENTS, &[]);
        self
    }

    /// Starts supervisord, and waits until it has ended: the status, and what exitmon said.
    #[track_caller]
    fn ends(self) -> (String, String) {
        let file = self.file();
        let mut supervisord = self.builder.start();
        ended(&mut supervisord);
        let log = supervisord.process_log("exitmon", Channel::Stderr);
        assert!(log.contains("supervisord was told to shut down"), "{log}");
        (fs::read_to_string(file).unwrap_or_default(), log)
    }
}

#[track_caller]
fn ended(supervisord: &mut Supervisord) {
    wait_until("supervisord to end", SOON, || supervisord.has_ended());
}

#[track_caller]
fn check((status, log): (String, String), expected: &str, said: &str) {
    assert_eq!(status, expected, "{log}");
    assert!(log.contains(said), "{log}");
}

#[test]
fn a_program_that_cannot_be_started_ends_it() {
    let quick = [("startretries", "0"), ("startsecs", "5")];
    let stage = Stage::new().program("missing", "/nonexistent/program", &quick);
    let said = "missing:missing is FATAL (can't find command '/nonexistent/program'): shutting \
                supervisord down, status 1\n";
    check(stage.exitmon("-p missing").ends(), "1\n", said);
    let stage = Stage::new().program("quick", "/bin/sh -c 'exit 3'", &quick);
    let said = "exit status 3): shutting supervisord down, status 3\n";
    check(stage.exitmon("").ends(), "3\n", said);
}

#[test]
fn a_crash_that_is_not_mended_ends_it_with_the_signal() {
    let crash = "/bin/sh -c 'ulimit -c 0; kill -SEGV $$'";
    let stage = Stage::new().program("web", crash, &ONCE).program("other", "sleep 60", &[]);
    let said = "web:web exited unexpectedly (terminated by SIGSEGV): shutting supervisord down, \
                status 139\n";
    check(stage.exitmon("").ends(), "139\n", said);
}

#[test]
fn crashes_that_are_mended_end_it_when_they_are_too_many() {
    let crash = "/bin/sh -c 'sleep 1.2; exit 4'";
    let stage = Stage::new().program("web", crash, &[("startsecs", "1"), ("autorestart", "true")]);
    let said = "web:web exited unexpectedly for the 2nd time in 1m (exit status 4; --max-exits 1/1m): \
                shutting supervisord down, status 4\n";
    check(stage.exitmon("--max-exits 1/1m").ends(), "4\n", said);
}

#[test]
fn a_job_ends_it_with_the_first_failure() {
    let job = |status: u8| format!("/bin/sh -c 'sleep 0.{status}; exit {status}'");
    let stage = |second| {
        Stage::new()
            .program("one", &job(0), &ONCE)
            .program("two", &job(second), &ONCE)
            .program("three", &job(0), &ONCE)
            .exitmon("--when all")
    };
    let said =
        "all 3 processes have ended (exit status 0, 0, 0): shutting supervisord down, status 0\n";
    check(stage(0).ends(), "0\n", said);
    check(stage(4).ends(), "4\n", "two:two failed first): shutting supervisord down, status 4\n");
}

/// What operators do and what supervisord mends; then what had ended while exitmon was away.
#[test]
fn what_operators_do_does_not_end_it_and_a_kill_of_exitmon_loses_nothing() {
    let lines = [("autorestart", "false"), ("stopsignal", "KILL")];
    let stage = Stage::new()
        .program("web", "sleep 600", &lines)
        .program("mended", "sleep 600", &[("autorestart", "true")])
        .program("expected", "/bin/sh -c 'exit 0'", &ONCE)
        .exitmon("");
    let file = stage.file();
    let mut supervisord = stage.builder.start();
    supervisord.wait_state("web", "RUNNING");
    supervisord.wait_state("mended", "RUNNING");
    let pid = supervisord.pid_of("mended");
    kill(pid);
    supervisord.ctl(&["stop", "web"]);
    supervisord.ctl(&["start", "web"]);
    supervisord.ctl(&["restart", "web"]);
    let old = supervisord.pid_of("web");
    let config = supervisord.scratch().join("supervisord.conf");
    let changed = fs::read_to_string(&config).unwrap().replacen("sleep 600", "sleep 601", 1);
    fs::write(config, changed).unwrap();
    let update = supervisord.ctl(&["update"]);
    assert!(String::from_utf8_lossy(&update.stdout).contains("web: updated"), "{update:?}");
    supervisord.wait_restart("web", old);
    supervisord.wait_restart("mended", pid);
    let again = "mended:mended is ";
    supervisord.wait_for_process_log("exitmon", Channel::Stderr, again);
    supervisord.ctl(&["stop", "web"]);
    supervisord.ctl(&["reload"]);
    supervisord.wait_for_log("supervisord started with pid");
    wait_until("a reload", SOON, || supervisord.log().matches("spawned: 'exitmon'").count() == 2);
    supervisord.wait_state("exitmon", "RUNNING");
    supervisord.wait_state("web", "RUNNING");
    assert!(!file.exists() && !supervisord.has_ended());
    // Stopped, it cannot see the event, which dies with it.
    let exitmon = supervisord.pid_of("exitmon");
    nix::sys::signal::kill(id(exitmon), nix::sys::signal::Signal::SIGSTOP).unwrap();
    kill(supervisord.pid_of("web"));
    supervisord.wait_state("web", "EXITED");
    kill(exitmon);
    ended(&mut supervisord);
    assert_eq!(fs::read_to_string(file).unwrap(), "137\n");
}

/// A guard that is silently dead: it writes rubbish, and still counts as RUNNING.
#[test]
fn a_listener_that_gets_no_more_events_ends_it() {
    let mut stage = Stage::new().exitmon("--listeners");
    let rubbish = "/bin/sh -c 'echo rubbish; sleep 600'";
    stage.builder = stage.builder.listener("guard", rubbish, "TICK_60", &[]);
    let said = "the event listener guard:guard gets no more events, since it did not keep to the \
                protocol: shutting supervisord down, status 1\n";
    check(stage.ends(), "1\n", said);
}

/// A mail command or server that takes its time holds up the end for eight seconds. The alert stays in
/// the spool, or without one in the log.
#[test]
fn an_alert_that_does_not_get_out_delays_the_end_and_is_kept() {
    let (server, spool) =
        (SmtpServer::builder().on("MAIL", SmtpAnswer::Never).start(), Scratch::new());
    let ends = |options: &str| {
        let stage = Stage::new().program("web", "/bin/sh -c 'exit 3'", &ONCE);
        let start = Instant::now();
        let end = stage.exitmon(&format!("--after 0 -m bob@example.com {options}")).ends();
        assert!(start.elapsed() > Duration::from_secs(8), "{end:?}");
        end
    };
    let smtp = format!("--smtp-url smtp://{} --spool {}", server.address(), spool.path().display());
    let alert = "exitmon: web:web exited unexpectedly, supervisord shut down";
    thread::scope(|scope| {
        let kept = scope.spawn(|| {
            check(ends(&smtp), "3\n", "status 3");
            // Its name has the socket of supervisord.
            let mut folders = fs::read_dir(spool.path()).unwrap().flatten();
            let journals = fs::read_dir(folders.next().unwrap().path()).unwrap().flatten();
            let texts: Vec<_> = journals.map(|file| fs::read_to_string(file.path())).collect();
            assert!(texts.iter().flatten().any(|text| text.contains(alert)), "{texts:?}");
        });
        check(ends("-s 'sleep 20'"), "3\n", alert);
        kept.join().unwrap();
    });
}

fn id(pid: u32) -> nix::unistd::Pid {
    nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap())
}

fn kill(pid: u32) {
    nix::sys::signal::kill(id(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}
