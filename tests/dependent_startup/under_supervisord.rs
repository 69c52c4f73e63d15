//! What ours can that the original cannot.

use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use superlance_testing::{Channel, SOON, wait_until};

use super::{DONE, STARTUP, Who, handled, job, log, spawned};
use crate::ours;

const WAIT: &str = "dependent_startup_wait_for";

/// Killed half-way, and supervisord loaded again.
#[test]
fn another_listener_goes_on_where_the_last_one_was() {
    let builder = job(Who::Ours.stage(), "job", "sleep 1.2", &[("autorestart", "false")]);
    let builder = handled(builder, "web", &[("startsecs", "4"), (WAIT, "job:exited")]);
    let supervisord = handled(builder, "last", &[(WAIT, "web:running job:exited")]).start();
    supervisord.wait_state("web", "STARTING");
    let pid = supervisord.pid_of(STARTUP);
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap();
    supervisord.wait_restart(STARTUP, pid);
    supervisord.wait_state("last", "RUNNING");
    assert_eq!(spawned(&supervisord), ["job", "web", "last"]);
    supervisord.ctl(&["stop", "last"]);
    supervisord.ctl(&["reload"]);
    wait_until("all to start again", SOON, || spawned(&supervisord).len() == 6);
    assert_eq!(spawned(&supervisord)[3..], ["job", "web", "last"]);
}

/// Events are lost then, which does not matter.
#[test]
fn sixty_programs_start_with_a_buffer_of_ten() {
    let mut builder = Who::Ours.stage();
    for number in 0..60 {
        let wait = (number > 1).then(|| format!("p{}:running", number / 2));
        let lines: Vec<_> = wait.iter().map(|wait| (WAIT, wait.as_str())).collect();
        builder = handled(builder, &format!("p{number}"), &lines);
    }
    let supervisord = builder.start();
    wait_until("the end of the start", SOON, || log(&supervisord).contains(DONE));
    assert_eq!(spawned(&supervisord).len(), 60);
}

/// Names with groups, and a long wait that is told without an event.
#[test]
fn groups_may_be_waited_for_and_waits_are_told() {
    let builder = Who::Ours.with("--timeout 1 --notify 'cat >> %(here)s/alerts'", "PROCESS_STATE");
    let builder = handled(builder, "one", &[]);
    let builder = handled(builder, "two", &[]);
    let builder = builder.section("group:grp", &[("programs", "one,two")]);
    let builder = handled(builder, "all", &[(WAIT, "grp:*:running  grp:two")]);
    let supervisord = handled(builder, "never", &[(WAIT, "all:exited")]).start();
    supervisord.wait_state("all", "RUNNING");
    let said = "never:never has waited 1s for all:all (RUNNING) to be EXITED";
    supervisord.wait_for_process_log(STARTUP, Channel::Stderr, said);
    let alerts = supervisord.scratch().join("alerts");
    wait_until("the alert", SOON, || {
        std::fs::read_to_string(&alerts).is_ok_and(|text| text.contains(said))
    });
}

/// One check hangs, and delays no other; what waits is in the table of `superlance status`.
#[test]
fn health_is_waited_for_and_what_waits_is_shown() {
    let builder = Who::Ours.with("", "PROCESS_STATE");
    let check = ("dependent_startup_check", "file://%(here)s/well");
    let builder = handled(builder, "db", &[check]);
    let hangs = ("dependent_startup_check", "exec: sleep 60");
    let builder = builder.program("stuck", "sleep 600", &[hangs, ("startsecs", "0")]);
    let builder = handled(builder, "never", &[(WAIT, "stuck:healthy")]);
    let supervisord = handled(builder, "web", &[(WAIT, "db:healthy stuck")]).start();
    let said = "db is not healthy: error checking file://";
    supervisord.wait_for_process_log(STARTUP, Channel::Stderr, said);
    let config = supervisord.scratch().join("supervisord.conf");
    let status = |options: &[&str]| {
        let mut command = Command::new(ours());
        let output = command.arg("status").args(options).arg("-c").arg(&config).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let json = status(&["--json"]);
    assert!(json.split_whitespace().collect::<String>().contains(r#""waits_for":["db:healthy"]"#));
    let shown = status(&[]);
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(shown.lines().next().unwrap().ends_with("WAITS FOR"), "{shown}");
    assert!(line("web").ends_with("  db:healthy"), "{shown}");
    assert!(line("never").ends_with("  stuck:healthy"), "{shown}");
    std::fs::write(supervisord.scratch().join("well"), "").unwrap();
    supervisord.wait_state("web", "RUNNING");
    assert!(log(&supervisord).contains("db is healthy\n"), "{}", log(&supervisord));
    assert_eq!(supervisord.state_of("never"), "STOPPED");
}

/// Restarted, stopped and started again with what it waits for, also by the next listener.
#[test]
fn dependents_follow_and_an_operators_stop_stays() {
    let options = "--restart-dependents --stop-dependents --spool %(here)s/spool";
    let builder = handled(Who::Ours.with(options, "PROCESS_STATE"), "db", &[]);
    let builder = handled(builder, "web", &[(WAIT, "db")]);
    let supervisord = handled(builder, "proxy", &[(WAIT, "web")]).start();
    let going_on = "for initial startup, following their dependents.";
    supervisord.wait_for_process_log(STARTUP, Channel::Stderr, going_on);
    let [web, proxy] = ["web", "proxy"].map(|name| supervisord.pid_of(name));
    // Another second than that in which web was started.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    supervisord.ctl(&["restart", "db"]);
    let web = supervisord.wait_restart("web", web);
    supervisord.wait_restart("proxy", proxy);
    supervisord.ctl(&["stop", "db"]);
    supervisord.wait_state("web", "STOPPED");
    supervisord.wait_state("proxy", "STOPPED");
    let log = log(&supervisord);
    assert!(log.contains("web:web is stopped, since db:db is STOPPED\n"), "{log}");
    let listener = supervisord.pid_of(STARTUP);
    kill(Pid::from_raw(i32::try_from(listener).unwrap()), Signal::SIGKILL).unwrap();
    supervisord.wait_restart(STARTUP, listener);
    supervisord.ctl(&["start", "db"]);
    assert_ne!(supervisord.wait_restart("web", web), web);
    supervisord.wait_state("proxy", "RUNNING");
    supervisord.ctl(&["stop", "web"]);
    supervisord.wait_state("proxy", "STOPPED");
    supervisord.ctl(&["restart", "db"]);
    let heard = "Service db went from STARTING to RUNNING";
    supervisord.wait_for_process_log(STARTUP, Channel::Stderr, heard);
    assert_eq!(supervisord.state_of("web"), "STOPPED");
}

#[test]
fn the_plan_needs_no_supervisord() {
    let folder = superlance_testing::Scratch::new();
    let sections = |wait: &str| {
        format!(
            "[supervisord]\n[program:a]\ncommand=x\nautostart=false\ndependent_startup=true\n\
             [program:b]\ncommand=x\nautostart=false\ndependent_startup=true\n{WAIT}={wait}\n"
        )
    };
    for (wait, status, plan) in [
        ("a:exited", 0, "a\n└─ b  after a:exited\n"),
        ("c", 1, "a\nb  not started, see below\n\nService 'b' depends on unknown service 'c'\n"),
    ] {
        let file = folder.write("supervisord.conf", sections(wait));
        let arguments = ["dependent-startup", "--plan", "-c"];
        let output = Command::new(ours()).args(arguments).arg(file).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), plan);
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(status), &[][..]));
    }
}

#[test]
fn faults_end_it_if_that_is_wanted() {
    let builder =
        Who::Ours.with("-c %(here)s/supervisord.conf --error-action exit", "PROCESS_STATE");
    let supervisord = handled(builder, "a", &[(WAIT, "b")]).start();
    supervisord.wait_for_log("exited: startup (exit status 3; ");
    let said = "--error-action exit: Service 'a' depends on unknown service 'b'\n";
    assert!(log(&supervisord).contains(said), "{}", log(&supervisord));
}

/// `supervisorctl update` adds the listener first; no event tells of the programs.
#[test]
fn programs_that_are_added_after_it_start() {
    let builder = handled(Who::Ours.stage(), "a", &[]);
    let supervisord = handled(builder, "b", &[(WAIT, "a")]).start();
    supervisord.wait_for_process_log(STARTUP, Channel::Stderr, DONE);
    for name in ["a", "b"] {
        supervisord.ctl(&["stop", name]);
        supervisord.ctl(&["remove", name]);
    }
    let listener = supervisord.pid_of(STARTUP);
    supervisord.ctl(&["restart", STARTUP]);
    assert_ne!(supervisord.wait_restart(STARTUP, listener), listener);
    supervisord.ctl(&["add", "a"]);
    supervisord.ctl(&["add", "b"]);
    wait_until("both to start again", SOON, || spawned(&supervisord).len() == 4);
    assert_eq!(spawned(&supervisord)[2..], ["a", "b"]);
}

/// It has a limit only as long as the listener is there.
#[test]
fn a_check_by_a_command_does_not_outlive_the_listener() {
    let check = "exec: echo $$ > %(here)s/pid; exec sleep 60";
    let builder = handled(Who::Ours.stage(), "db", &[("dependent_startup_check", check)]);
    let supervisord = handled(builder, "web", &[(WAIT, "db:healthy")]).start();
    let file = supervisord.scratch().join("pid");
    let pid = || std::fs::read_to_string(&file).ok()?.trim().parse().ok();
    wait_until("the check", SOON, || pid().is_some());
    supervisord.ctl(&["stop", STARTUP]);
    let pid = Pid::from_raw(pid().unwrap());
    assert!(kill(pid, None).is_err(), "{pid} runs still");
}
