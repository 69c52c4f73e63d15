//! httpok under a real supervisord, with web servers that fail. Ticks come every five seconds.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use superlance_testing::{
    Builder, Certificate, Channel, Mailbox, SOON, Scratch, Supervisord, venv, wait_until,
};

use crate::links;

/// A supervisord to be, with web servers that are watched by an httpok each.
struct Setting {
    builder: Builder,
    mailbox: Mailbox,
    folder: Scratch,
    certificate: Option<Certificate>,
    _links: Scratch,
}

/// A setting whose supervisord runs.
struct Running {
    supervisord: Supervisord,
    setting: Setting,
}

impl Setting {
    fn new() -> Setting {
        let (links, path) = links();
        let builder = Supervisord::builder().first_in_path(&path);
        let folder = Scratch::new();
        folder.write("web.py", include_str!("web.py"));
        Setting { builder, mailbox: Mailbox::new(), folder, certificate: None, _links: links }
    }

    /// A web server `name` that falls ill this way and takes so many seconds to stop, and the
    /// listener `ok-name` for it.
    fn web(mut self, name: &str, way: &str, slowness: u32, options: &str) -> Setting {
        let port = free_port();
        let (python, folder) = (venv::python(), self.folder.path().to_owned());
        let (source, ill) = (folder.join("web.py"), folder.join(format!("{name}.ill")));
        let [python, source, ill] = [&python, &source, &ill].map(|path| path.display().to_string());
        let mut command = format!("{python} {source} {port} {way} {ill} {slowness}");
        let mut scheme = "http";
        if let Some(certificate) = &self.certificate {
            let (file, key) = (certificate.certificate(), certificate.key());
            command += &format!(" {} {}", file.display(), key.display());
            scheme = "https";
        }
        let options = options.replace("{folder}", &folder.display().to_string());
        let httpok = format!(
            "httpok -p {name} -t 2 -m bob -s \"{}\" -n {name} {options} {scheme}://127.0.0.1:{port}/",
            self.mailbox.command()
        );
        self.builder = self.builder.program(name, &command, &[("stopwaitsecs", "20")]).listener(
            &format!("ok-{name}"),
            &httpok,
            "TICK_5",
            &[],
        );
        self
    }

    fn start(self) -> Running {
        Running { supervisord: self.builder.clone().start(), setting: self }
    }
}

impl Running {
    fn log(&self, name: &str) -> String {
        self.supervisord.process_log(&format!("ok-{name}"), Channel::Stderr)
    }

    /// How often a web server has answered well.
    fn answers(&self, name: &str) -> usize {
        self.supervisord.process_log(name, Channel::Stdout).matches("well").count()
    }

    /// Makes a web server ill that was well, and returns its process ID.
    fn fall_ill(&self, name: &str) -> u32 {
        wait_until(format!("{name} to be well"), SOON, || self.answers(name) > 0);
        let pid = self.supervisord.pid_of(name);
        // At once or not at all: it may look while the file is written.
        let file = self.setting.folder.write(&format!("{name}.new"), pid.to_string());
        fs::rename(file, self.path(&format!("{name}.ill"))).unwrap();
        pid
    }

    /// A web server that was this process is another one now, that is well and left alone.
    fn is_well_again(&self, name: &str, ill: u32) {
        let fresh = self.supervisord.wait_restart(name, ill);
        let before = self.answers(name);
        wait_until(format!("{name} to be well again"), SOON, || self.answers(name) > before);
        assert_eq!(self.supervisord.pid_of(name), fresh, "{}", self.log(name));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.setting.folder.join(name)
    }

    /// The mail of the httpok of this web server.
    fn mail(&self, name: &str) -> String {
        let subject = format!("Subject: httpok [{name}]: ");
        let mails = || self.setting.mailbox.mails().into_iter().find(|m| m.contains(&subject));
        wait_until(format!("a mail about {name}"), SOON, || mails().is_some());
        mails().unwrap()
    }
}

/// A port without a server.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Writes something that is no core, but is where one should be.
const STAND_IN: &str = "#!/bin/sh\necho core of $2 > \"$1.$2\"\necho \"Saved corefile $1.$2\"\n";

#[test]
fn web_servers_that_fall_ill_are_restarted_and_well_again() {
    let setting = Setting::new();
    setting.folder.executable("gcore", STAND_IN);
    let mut setting = setting
        .web("bad", "500", 0, "-g {folder}/gcore -d {folder}")
        .web("silent", "silence", 0, "-g {folder}/gcore -d {folder}/missing")
        .web("dropping", "drop", 0, "")
        .web("dripping", "drip", 0, "-E");
    setting.certificate = Some(Certificate::self_signed());
    let running = setting.web("secure", "500", 0, "-b \"\"").start();

    let reasons = [
        ("bad", "status contacting http://", ": 500 Internal Server Error\n"),
        ("silent", "error contacting http://", "\n timed out\n"),
        ("dropping", "error contacting http://", "Remote end closed connection without response\n"),
        ("dripping", "error contacting http://", "\n timed out\n"),
        ("secure", "status contacting https://", ": 500 Internal Server Error\n"),
    ];
    let pids = reasons.map(|(name, ..)| running.fall_ill(name));
    for ((name, start, end), pid) in reasons.into_iter().zip(pids) {
        running.is_well_again(name, pid);
        let mail = running.mail(name);
        let text = mail.split_once("\n\n").unwrap().1;
        assert!(text.starts_with(start) && text.contains(end), "{mail}");
        let restarted = format!("{name} is in RUNNING state, restarting\n{name} restarted");
        assert!(mail.ends_with(&restarted) && running.log(name).contains(&restarted), "{mail}");
    }

    // Of the first there is a core.
    let core = running.path(&format!("bad.{}", pids[0]));
    assert_eq!(fs::read_to_string(&core).unwrap(), format!("core of {}\n", pids[0]));
    let output = format!("gcore output for bad:\n\n Saved corefile {}\n", core.display());
    assert!(running.mail("bad").contains(&output), "{}", running.mail("bad"));
    // Of the second there is none, and that is said.
    let missing = running.path("missing");
    let warning =
        format!("Core directory {} does not exist or cannot be written to\n", missing.display());
    for text in [running.mail("silent"), running.log("silent")] {
        assert!(text.contains(&warning), "{text}");
    }
    assert!(!running.supervisord.log().contains("UNKNOWN"), "{}", running.supervisord.log());
}

#[test]
fn gcore_of_gdb_writes_a_core() {
    if !Path::new("/usr/bin/gcore").exists() {
        println!("LEFT OUT: a core dump by gdb's own gcore, since there is no /usr/bin/gcore");
        return;
    }
    let running = Setting::new().web("web", "500", 0, "-d {folder}").start();
    let pid = running.fall_ill("web");
    running.is_well_again("web", pid);
    let core = running.path(&format!("web.{pid}"));
    let head = fs::read(&core).unwrap_or_default();
    assert!(head.starts_with(b"\x7fELF"), "{}", running.log("web"));
    let saved = format!("Saved corefile {}\n", core.display());
    assert!(running.mail("web").contains(&saved), "{}", running.mail("web"));
}

#[test]
fn told_to_end_in_the_middle_of_a_restart_it_finishes_it() {
    let running = Setting::new().web("one", "500", 4, "").web("two", "500", 4, "").start();
    let pids = ["one", "two"].map(|name| running.fall_ill(name));
    for name in ["one", "two"] {
        let log = format!("ok-{name}");
        let supervisord = &running.supervisord;
        supervisord.wait_for_process_log(&log, Channel::Stderr, "is in RUNNING state, restarting");
        supervisord.wait_state(name, "STOPPING");
    }
    let listener = Pid::from_raw(running.supervisord.pid_of("ok-two").try_into().unwrap());
    kill(listener, Signal::SIGTERM).unwrap();
    running.supervisord.ctl(&["stop", "ok-one"]);
    assert_eq!(running.supervisord.state_of("ok-one"), "STOPPED");
    running.supervisord.wait_restart("ok-two", listener.as_raw().try_into().unwrap());
    for (name, pid) in ["one", "two"].into_iter().zip(pids) {
        running.supervisord.wait_restart(name, pid);
        assert!(
            running.log(name).contains(&format!("{name} restarted\n")),
            "{}",
            running.log(name)
        );
        running.mail(name);
    }
    let end = "stopped: ok-one (terminated by SIGTERM)";
    assert!(running.supervisord.log().contains(end), "{}", running.supervisord.log());
}
