//! When httpok acts, under a real supervisord. Ticks come every five seconds, so all scenes have one
//! supervisord together.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use superlance_testing::{Builder, Channel, Mailbox, SOON, Scratch, Supervisord, venv, wait_until};

use super::under_supervisord::free_port;
use crate::links;

/// A supervisord to be, with web servers and an httpok for each, which is started by hand.
struct Stage {
    builder: Builder,
    /// The ports of web servers that need no time to start.
    ports: Vec<u16>,
    mailbox: Mailbox,
    folder: Scratch,
    _links: Scratch,
}

impl Stage {
    fn new() -> Self {
        let (links, path) = links();
        let folder = Scratch::new();
        folder.write("web.py", include_str!("scripted.py"));
        let builder = Supervisord::builder().first_in_path(&path);
        Self { builder, ports: Vec::new(), mailbox: Mailbox::new(), folder, _links: links }
    }

    /// The listener `ok-name` with these arguments.
    fn httpok(&mut self, name: &str, arguments: &str) {
        let mail = self.mailbox.command();
        let command = format!("httpok -p {name} -t 2 -m bob -s \"{mail}\" -n {name} {arguments}");
        let listener = format!("ok-{}", name.trim_end_matches(":*"));
        self.builder =
            self.builder.clone().listener(&listener, &command, "TICK_5", &[("autostart", "false")]);
    }

    /// A web server that answers by this script, after this command, and the httpok for it.
    fn web(&mut self, name: &str, (before, script): (&str, &str), slowness: u32, options: &str) {
        let port = free_port();
        if slowness == 0 && before.is_empty() {
            self.ports.push(port);
        }
        let folder = self.folder.path().display().to_string();
        let python = venv::python().display().to_string();
        let command = format!(
            "/bin/sh -c \"{before} exec {python} {folder}/web.py {port} {script} {folder}/{name} {slowness}\""
        );
        let lines = [("startretries", "0")];
        self.builder = self.builder.clone().program(name, &command, &lines);
        self.httpok(name, &format!("{options} http://127.0.0.1:{port}/"));
    }
}

/// A pool of four that fails as a whole while a file is missing.
fn pool(stage: &mut Stage) -> PathBuf {
    let backend = stage.folder.write("backend", "");
    let lines = [("numprocs", "4"), ("process_name", "%(program_name)s_%(process_num)d")];
    stage.builder = stage.builder.clone().program("pool", "sleep 600", &lines);
    let exec = format!("--exec \"test {{num}} -ge 0 -a -e {}\"", backend.display());
    stage.httpok("pool:*", &format!("--each --max-unavailable 50%% --recovery {exec}"));
    backend
}

fn pids(supervisord: &Supervisord) -> Vec<u32> {
    (0..4).map(|number| supervisord.pid_of(&format!("pool:pool_{number}"))).collect()
}

/// The log of the httpok of this web server.
fn log(supervisord: &Supervisord, name: &str) -> String {
    supervisord.process_log(&format!("ok-{name}"), Channel::Stderr)
}

/// How often it was started again.
fn restarts(supervisord: &Supervisord, name: &str) -> usize {
    let spawned = format!("spawned: '{name}' ");
    supervisord.log().matches(&spawned).count().saturating_sub(1)
}

/// Requests that this web server has answered, in all its lives.
fn requests(stage: &Stage, name: &str) -> usize {
    let text = fs::read_to_string(stage.folder.join(name)).unwrap_or_default();
    text.parse().unwrap_or_default()
}

#[test]
fn it_waits_for_a_row_for_grace_and_for_its_budget() {
    let mut stage = Stage::new();
    stage.web("row", ("", "!!+!!!+"), 0, "--for 3");
    stage.web("slow", ("", "+"), 8, "--grace 20s");
    stage.web("loop", ("", "+"), 8, "");
    stage.web("early", ("", "+h+"), 0, "--grace 1h");
    let metrics = stage.folder.join("httpok.prom");
    let options = format!("--max-restarts 2/1h --metrics-file {}", metrics.display());
    stage.web("never", ("", "!"), 0, &options);
    let once =
        format!("test -e {0} || {{ touch {0}; exit 1; }};", stage.folder.join("tried").display());
    stage.web("fatal", (&once, "+"), 0, "--start fatal,exited");
    let backend = pool(&mut stage);
    let supervisord = stage.builder.clone().start();
    supervisord.ctl(&["start", "ok-slow", "ok-loop"]);
    supervisord.wait_state("pool:pool_3", "RUNNING");
    supervisord.wait_state("fatal", "FATAL");
    let is_ready = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_ok();
    wait_until("the web servers", SOON, || stage.ports.iter().all(is_ready));
    supervisord.ctl(&["start", "ok-row", "ok-early", "ok-never", "ok-fatal", "ok-pool"]);
    let before = pids(&supervisord);
    fs::remove_file(&backend).unwrap();

    // Two failures in a row are none too many, and a success ends them.
    wait_until("the row of three", SOON, || restarts(&supervisord, "row") == 1);
    let text = log(&supervisord, "row");
    let counts: Vec<_> = text.lines().filter(|line| line.contains("/ failed, check ")).collect();
    let counts: Vec<_> = counts.iter().map(|line| line.split("check ").nth(1).unwrap()).collect();
    assert_eq!(counts, ["1 of 3", "2 of 3", "1 of 3", "2 of 3"], "{text}");
    assert_eq!(text.matches(" answers well again: status 200\n").count(), 1, "{text}");

    // What needs eight seconds to start is given them; without, it never starts.
    wait_until("slow to answer", SOON, || requests(&stage, "slow") > 1);
    let text = log(&supervisord, "slow");
    assert!(text.contains("slow is in RUNNING state, but up for "), "{text}");
    assert_eq!(restarts(&supervisord, "slow"), 0, "{text}");
    wait_until("a second restart of loop", SOON, || restarts(&supervisord, "loop") > 1);
    assert_eq!(requests(&stage, "loop"), 0);

    // The first good answer ends the time of grace.
    assert_eq!(restarts(&supervisord, "early"), 1, "{}", log(&supervisord, "early"));

    // What never answers is restarted twice, and then left alone.
    let text = log(&supervisord, "never");
    assert_eq!(restarts(&supervisord, "never"), 2, "{text}");
    assert!(text.contains("never is in RUNNING state, but left alone for "), "{text}");
    let mails = stage.mailbox.mails();
    let about = |subject: &str| mails.iter().filter(|mail| mail.contains(subject)).count();
    assert_eq!(about("Subject: httpok [never]: process never:never left alone\n"), 1, "{mails:?}");

    let text = fs::read_to_string(&metrics).unwrap();
    for (name, labels, value) in [
        ("check_success", "url=\"http://", " 0\n"),
        ("actions_total", "name=\"never\",action=\"restart\",outcome=\"done\"", " 2\n"),
    ] {
        let is_it = |line: &&str| line.starts_with(&format!("superlance_httpok_{name}{{"));
        let mut lines = text.split_inclusive('\n').filter(is_it);
        let found = lines.any(|line| line.contains(labels) && line.ends_with(value));
        assert!(found, "{name} {labels} in {text}");
    }

    // Where all fail at once none is restarted, and that is told once until all is well.
    let text = log(&supervisord, "pool");
    let line = "4 of 4 processes fail at once or do not run: nothing is done, since ";
    assert!(text.matches(line).count() > 1, "{text}");
    let subject = "Subject: httpok [pool:*]: 4 of 4 processes fail at once or do not run\n";
    assert_eq!(about(subject), 1, "{mails:?}");
    fs::write(&backend, "").unwrap();
    let recovered = "Subject: httpok: the processes of -p pool:* recovered\n";
    let is_told = || stage.mailbox.mails().iter().any(|mail| mail.contains(recovered));
    wait_until("the pool to recover", SOON, is_told);
    assert_eq!(pids(&supervisord), before);

    // What supervisord has given up is started, and what an operator has stopped is not.
    let text = log(&supervisord, "fatal");
    let started = "\nfatal is in FATAL state, starting\nfatal started\n";
    assert!(text.contains(started), "{text}");
    supervisord.wait_state("fatal", "RUNNING");
    supervisord.ctl(&["stop", "fatal"]);
    let refused = || log(&supervisord, "fatal").matches("fatal not in RUNNING state").count();
    wait_until("two checks of what is stopped", SOON, || refused() > 1);
    assert_eq!(supervisord.state_of("fatal"), "STOPPED");
}
