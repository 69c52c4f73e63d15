//! A real supervisord with real processes.

use std::time::Duration;

use superlance_testing::{
    Ballast, Channel, Http, Mailbox, SOON, Scratch, Supervisord, venv, wait_until,
};

#[test]
fn memmon_restarts_a_leak_and_mails() {
    let (folder, mailbox) = (Scratch::new(), Mailbox::new());
    let leak = Ballast::new(5).growing(20, Duration::from_millis(500)).command(&folder);
    let memmon = format!("memmon -p leak=60MB -m bob@example.com -s '{}'", mailbox.command());
    let supervisord = Supervisord::builder()
        .first_in_path(&venv::bin())
        .program("leak", &leak, &[])
        .listener("memmon", &memmon, "TICK_5", &[])
        .start();
    supervisord.wait_state("leak", "RUNNING");
    let before = supervisord.pid_of("leak");
    supervisord.wait_for_process_log("memmon", Channel::Stderr, "Restarting leak:leak");
    assert_ne!(supervisord.wait_restart("leak", before), before);
    assert!(mailbox.wait_for(1)[0].contains("Subject: memmon [leak]: process leak:leak restarted"));
}

#[test]
fn every_http_server_and_login() {
    for http in [Http::Unix, Http::Inet] {
        let supervisord = Supervisord::builder()
            .http(http)
            .login("bob", "secret")
            .identifier("my supervisor")
            .loglevel("trace")
            .program("sleep", "sleep 1000", &[("startsecs", "0")])
            .listener("cat", "cat", "REMOTE_COMMUNICATION,TICK_5", &[])
            .start();
        supervisord.wait_state("sleep", "RUNNING");
        let status = supervisord.ctl(&["status"]);
        let text = String::from_utf8_lossy(&status.stdout);
        assert!(text.contains(&format!("pid {}", supervisord.pid_of("sleep:sleep"))), "{text}");
        supervisord.wait_for_log("TRAC");
        supervisord.remote_event("greeting", "hello");
    }
}

#[test]
fn without_an_http_server_and_with_numprocs() {
    let several = [("numprocs", "2"), ("process_name", "%(program_name)s_%(process_num)d")];
    let mut supervisord = Supervisord::builder()
        .http(Http::None)
        .env("GREETING", "hello")
        .program(
            "echo",
            "sh -c 'echo $GREETING $SUPERVISOR_PROCESS_NAME; exec sleep 1000'",
            &several,
        )
        .start();
    for name in ["echo_0", "echo_1"] {
        supervisord.wait_for_process_log("echo", Channel::Stdout, &format!("hello {name}"));
    }
    assert!(supervisord.stop() < Duration::from_secs(10));
}

#[test]
fn nothing_survives_the_value() {
    let folder = Scratch::new();
    let stubborn = Ballast::new(1).ignoring_term().children(2, 1).command(&folder);
    let mut supervisord = Supervisord::builder()
        .program("stubborn", &stubborn, &[])
        .program("sleep", "sleep 1000", &[("autorestart", "true")])
        .start();
    supervisord.wait_state("stubborn", "RUNNING");
    let pids = [supervisord.pid(), supervisord.pid_of("stubborn"), supervisord.pid_of("sleep")];
    let alive =
        |pid: &u32| std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|e| !e.is_empty());
    assert!(pids.iter().all(alive));
    supervisord.kill9();
    assert!(!alive(&pids[0]) && alive(&pids[1]));
    drop(supervisord);
    wait_until("the end of all", SOON, || !pids.iter().any(alive));
}

#[test]
fn ballast_stops_slowly_and_exits_as_told() {
    let (slow_folder, exit_folder) = (Scratch::new(), Scratch::new());
    let slow = Ballast::new(1).stopping_for(Duration::from_secs(2)).command(&slow_folder);
    let exit = Ballast::new(1).exiting(Duration::from_secs(1), 7).command(&exit_folder);
    let mut supervisord = Supervisord::builder()
        .program("slow", &slow, &[])
        .program("exit", &exit, &[("startsecs", "0"), ("autorestart", "false")])
        .start();
    supervisord.wait_for_process_log("slow", Channel::Stdout, "ready");
    supervisord.wait_for_log("exited: exit (exit status 7; not expected)");
    let took = supervisord.stop();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(9), "{took:?}");
}
