//! What supervisord 4.3.0 itself does with what the findings are about.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use superlance_testing::{SOON, Scratch, try_wait, venv, wait_for};

use super::command::check;

/// A supervisord whose standard output is a pipe, as it is in a container.
struct Piped(Child);

impl Piped {
    fn start(folder: &Scratch, text: &str) -> Self {
        fs::write(folder.join("supervisord.conf"), text).unwrap();
        let mut command = Command::new(venv::program("supervisord"));
        command.args(["-n", "-c", "supervisord.conf"]).current_dir(folder.path());
        let errors = File::create(folder.join("errors")).unwrap();
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn().unwrap())
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).unwrap()),
            nix::sys::signal::Signal::SIGTERM,
        );
        let _ = self.0.wait();
    }
}

const SWALLOWED: &str = "\
[supervisord]
logfile=%(here)s/log
pidfile=%(here)s/pid
childlogdir=%(here)s

[program:a]
command=/bin/cat first
command=/bin/sh -c 'while sleep 0.2; do echo x; done'
autostarts=maybe
stdout_logfile=/dev/stdout

[program:a]
startsecs=0

[Program:x]
command=nothing

[eventlistners:y]
command=nothing

[program:cut]
command=/bin/sh -c 'sleep 99' ;'

[program:dictionary]
command=/bin/sh -c 'sleep 99' %s
environment=A=x?y=1
";

#[test]
fn what_is_said_to_be_swallowed_starts_without_a_word() {
    let folder = Scratch::new();
    let _supervisord = Piped::start(&folder, SWALLOWED);
    let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
    wait_for("all programs to run", SOON, || {
        ["a", "cut", "dictionary"]
            .iter()
            .all(|name| log().contains(&format!("success: {name} entered RUNNING state")))
            .then_some(())
    });
    wait_for("supervisord to fail at a pipe", SOON, || {
        log().contains("Illegal seek").then_some(())
    });
    for word in ["autostarts", "Program:x", "eventlistners", "command="] {
        assert!(!log().contains(word), "{word} is in {}", log());
    }
    let (stdout, ..) = check(folder.path(), &["--no-live", "-c", "supervisord.conf"]);
    for found in [
        "command= is set again, so that line 7 does not count",
        "supervisord does not know autostarts= here",
        "supervisord does not know [Program:x]",
        "supervisord does not know [eventlistners:y]",
        "SL403",
        "the % in command= is replaced by a list",
        "\"?\" is lost",
    ] {
        assert!(stdout.contains(found), "{found} is not in {stdout}");
    }
}

#[test]
fn supervisord_ends_when_its_own_log_is_a_pipe_to_be_rotated() {
    let folder = Scratch::new();
    let mut supervisord =
        Piped::start(&folder, "[supervisord]\nlogfile=/dev/stdout\npidfile=%(here)s/pid\n");
    let status = try_wait(SOON, || supervisord.0.try_wait().unwrap());
    let errors = fs::read_to_string(folder.join("errors")).unwrap();
    assert!(status.is_some_and(|status| !status.success()), "{errors}");
    assert!(errors.contains("Illegal seek"), "{errors}");
    let (stdout, _, status) = check(folder.path(), &["--no-live", "-c", "supervisord.conf"]);
    assert!(stdout.contains(":2: error SL403"), "{stdout}");
    assert_eq!(status, 1);
}
