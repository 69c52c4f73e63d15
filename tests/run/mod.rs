//! `superlance run` with a real supervisord: how it stops, and its exit status.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use superlance_testing::{Builder, Channel, Scratch, Supervisord, venv, wait_until};

use crate::{links, ours};

const ONCE: [(&str, &str); 2] = [("startsecs", "0"), ("autorestart", "false")];

/// A supervisord below `superlance run`, and the folder with the names of the listeners.
fn run(options: &[&str]) -> (Builder, Scratch) {
    let (links, path) = links();
    let words = [&["run"][..], options, &["--"]].concat().into_iter().map(str::to_owned);
    let words = [ours().display().to_string()].into_iter().chain(words);
    (Supervisord::builder().first_in_path(&path).started_by(words), links)
}

/// Sends SIGTERM: the exit status, and how long that took.
#[track_caller]
fn stop(supervisord: &mut Supervisord) -> (Option<i32>, Duration) {
    let start = Instant::now();
    supervisord.signal(Signal::SIGTERM);
    (supervisord.wait_exit(), start.elapsed())
}

/// Processes whose command line has this text.
fn processes(text: &str) -> Vec<String> {
    let output = Command::new("pgrep").args(["-af", text]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Two tiers, three listeners, an order within a group, and an orphan that supervisord does not know.
#[test]
fn twelve_programs_and_three_listeners_stop_in_order_and_at_once() {
    let folder = Scratch::new();
    let order = folder.join("order");
    let script = format!(
        "#!/bin/sh\ntrap 'echo $1 >>{}; exit 0' TERM\nwhile :; do sleep 0.1; done\n",
        order.display()
    );
    let program = folder.executable("program", &script).display().to_string();
    let (mut builder, _links) = run(&[]);
    for number in 0..12 {
        let priority = if number < 6 { "10" } else { "20" };
        let name = format!("p{number:02}");
        builder =
            builder.program(&name, &format!("{program} {priority}"), &[("priority", priority)]);
    }
    for name in ["exitmon", "memmon", "crashmail"] {
        let command = if name == "memmon" { "memmon -a 1GB" } else { name };
        builder = builder.listener(name, command, "PROCESS_STATE_EXITED,TICK_60", &[]);
    }
    let marker = format!("{}", 86_400 + std::process::id());
    let orphan = format!("/bin/sh -c '(sleep {marker} &) && exec sleep 600'");
    let mut supervisord = builder.program("loses", &orphan, &[("killasgroup", "false")]).start();
    supervisord.wait_state("p11", "RUNNING");
    supervisord.wait_state("exitmon", "RUNNING");
    wait_until("the orphan", Duration::from_secs(10), || !processes(&marker).is_empty());
    let (status, took) = stop(&mut supervisord);
    let output = supervisord.output();
    assert_eq!(status, Some(0), "{output}");
    // It takes a tenth of a second; supervisord alone takes five to ten.
    assert!(took < Duration::from_secs(3), "{took:?}\n{output}");
    let order = fs::read_to_string(order).unwrap();
    assert_eq!(order, ["20\n".repeat(6), "10\n".repeat(6)].concat());
    assert!(output.contains("ending what supervisord has left: sleep (pid "), "{output}");
    assert_eq!(processes(&marker), Vec::<String>::new());
    let log = supervisord.log();
    let last = log.rfind("stopped: p").unwrap();
    assert!(log.find("stopped: exitmon").unwrap() > last, "{log}");
}

#[test]
fn what_does_not_stop_in_time_is_killed_and_named() {
    let stubborn = "/bin/sh -c 'trap : TERM; while :; do sleep 0.2; done'";
    for options in [&["--stop-timeout", "1"][..], &["--stop-timeout", "1", "--no-fast-stop"]] {
        let (builder, _links) = run(options);
        let mut supervisord =
            builder.program("stubborn", stubborn, &[("stopwaitsecs", "60")]).start();
        supervisord.wait_state("stubborn", "RUNNING");
        let pid = supervisord.pid_of("stubborn");
        let (status, took) = stop(&mut supervisord);
        let output = supervisord.output();
        assert_eq!(status, Some(137), "{output}");
        assert!(took >= Duration::from_secs(1), "{took:?}");
        let name = if options.len() == 2 { "stubborn:stubborn" } else { "sh" };
        let said = format!("{name} (pid {pid})");
        let line =
            output.lines().find(|line| line.contains("killing what has not stopped in time"));
        assert!(line.unwrap().contains(&said), "{output}");
        assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
    }
}

#[test]
fn a_second_signal_from_outside_does_not_wait() {
    let stubborn = "/bin/sh -c 'trap : TERM; while :; do sleep 0.2; done'";
    let (builder, _links) = run(&["--stop-timeout", "1h", "--map", "137:9"]);
    let mut supervisord = builder.program("stubborn", stubborn, &[("stopwaitsecs", "60")]).start();
    supervisord.wait_state("stubborn", "RUNNING");
    supervisord.signal(Signal::SIGTERM);
    wait_until("the first", Duration::from_secs(10), || {
        supervisord.output().contains("SIGTERM: stopping supervisord")
    });
    // One that comes together with the first is none.
    wait_until("the end", Duration::from_secs(10), || {
        supervisord.signal(Signal::SIGINT);
        supervisord.has_ended()
    });
    assert_eq!(supervisord.wait_exit(), Some(9), "{}", supervisord.output());
}

/// With a password, through exitmon, to the status of the container.
#[test]
fn a_crash_ends_the_container_with_its_signal() {
    let crash = "/bin/sh -c 'ulimit -c 0; kill -SEGV $$'";
    let (builder, _links) = run(&[]);
    let mut supervisord = builder
        .login("bob", "secret")
        .program("web", crash, &ONCE)
        .program("other", "sleep 600", &[])
        .listener(
            "exitmon",
            "exitmon",
            "PROCESS_STATE_EXITED,PROCESS_STATE_FATAL",
            &[("environment", "SUPERVISOR_USERNAME=bob,SUPERVISOR_PASSWORD=secret")],
        )
        .start();
    assert_eq!(supervisord.wait_exit(), Some(139), "{}", supervisord.output());
    let output = supervisord.output();
    assert!(
        output.contains("superlance run: SIGTERM of exitmon: stopping supervisord\n"),
        "{output}"
    );
    let end = "superlance run: supervisord ended (exit status 0); the exit file has 139\n";
    assert!(output.ends_with(end), "{output}");
    let said = supervisord.process_log("exitmon", Channel::Stderr);
    assert!(said.contains(") was asked to end"), "{said}");
}

#[test]
fn a_stop_from_outside_is_no_failure_although_something_crashes_in_it() {
    // It crashes when it is told to stop, and exitmon is about to act on another crash.
    let (builder, _links) = run(&[]);
    let mut supervisord = builder
        .program("web", "/bin/sh -c 'exit 3'", &ONCE)
        .listener("exitmon", "exitmon --after 1h", "PROCESS_STATE_EXITED", &[])
        .start();
    supervisord.wait_state("web", "EXITED");
    supervisord.wait_state("exitmon", "RUNNING");
    let (status, _) = stop(&mut supervisord);
    assert_eq!(status, Some(0), "{}", supervisord.output());
}

#[test]
fn what_cannot_be_run_has_the_status_of_a_shell() {
    let folder = Scratch::new();
    let plain = folder.write("plain", "no program");
    for (command, status, said) in [
        ("/nonexistent/program".to_owned(), 127, "cannot run /nonexistent/program: "),
        (plain.display().to_string(), 126, "cannot run "),
    ] {
        let output = Command::new(ours()).args(["run", "--", &command]).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
    let status = |script: &str, options: &[&str]| {
        let words = [&["run"][..], options, &["--", "/bin/sh", "-c", script]].concat();
        Command::new(ours()).args(words).output().unwrap().status.code()
    };
    assert_eq!(status("exit 3", &[]), Some(3));
    assert_eq!(status("kill -HUP $$", &[]), Some(129));
    assert_eq!(status("echo 300 >$SUPERLANCE_EXIT_FILE", &[]), Some(255));
    assert_eq!(status("exit 3", &["--map", "3:0"]), Some(0));
    let file = folder.write("status", "7\n").display().to_string();
    assert_eq!(status("exit 3", &["--exit-file", &file]), Some(3));
    // No signal is blocked, and none ignored that was not.
    let blocked = "grep -q '^SigBlk:.0*$' /proc/self/status";
    assert_eq!(status(blocked, &[]), Some(0));
}

#[test]
fn a_supervisord_that_goes_to_the_background_is_named() {
    let folder = Scratch::new();
    let script = "#!/bin/sh\n[ $# = 0 ] || exec sleep 600\n(\"$0\" x; :) &\n";
    let supervisord = folder.executable("supervisord", script);
    let output = Command::new(ours()).args(["run", "--"]).arg(supervisord).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("supervisord went into the background and is ended: start it"), "{said}");
    assert_eq!(output.status.code(), Some(1), "a job would count as done");
}

/// The state of a process is that of its first thread, and its name may have a line end.
#[test]
fn what_is_left_is_ended_when_only_its_first_thread_has() {
    let folder = Scratch::new();
    let pid = folder.join("pid");
    let code = format!(
        r"import ctypes, os, threading, time
def go_on():
    while b') Z ' not in open('/proc/self/stat', 'rb').read():
        time.sleep(0.01)
    open('{0}.new', 'w').write(str(os.getpid()))
    os.rename('{0}.new', '{0}')
    time.sleep(600)
libc = ctypes.CDLL(None)
libc.prctl(15, b'a\nb', 0, 0, 0)
threading.Thread(target=go_on).start()
libc.pthread_exit(None)",
        pid.display()
    );
    let wait =
        format!("\"$@\" >/dev/null 2>&1 & while [ ! -e {} ]; do sleep 0.02; done", pid.display());
    let output = Command::new(ours())
        .args(["run", "--", "/bin/sh", "-c", &wait, "sh"])
        .arg(venv::python())
        .args(["-c", &code])
        .output()
        .unwrap();
    let (said, pid) = (String::from_utf8_lossy(&output.stderr), fs::read_to_string(pid).unwrap());
    let line = format!("ending what supervisord has left: a?b (pid {pid})\n");
    assert!(said.contains(&line), "{said}");
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap(), "{said}");
}

/// As a subreaper, and where the system lets us, as process 1 of a namespace.
#[test]
fn what_is_lost_is_reaped() {
    let lost = "for n in 1 2 3; do (/bin/sh -c 'exit 0' &); done; sleep 1; ps --ppid $PPID -o stat= | grep -c ^Z";
    for namespace in [&[][..], &["unshare", "--pid", "--fork", "--mount-proc"]] {
        let program = ours().display().to_string();
        let words = [namespace, &[&program, "run", "--", "/bin/sh", "-c", lost]].concat();
        let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if !namespace.is_empty() && said.contains("unshare failed") {
            continue;
        }
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0", "{output:?}");
        assert!(said.contains("superlance run: supervisord ended"), "{said}");
    }
}
