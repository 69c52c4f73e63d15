//! All ways to check, under a real supervisord. Ticks come every five seconds.

use std::fs;
use std::path::PathBuf;

use superlance_testing::{
    Builder, Certificate, Channel, HttpServer, Mailbox, SOON, Scratch, Supervisord, venv,
    wait_until,
};

use super::under_supervisord::free_port;
use crate::links;

/// A secret that must not be seen anywhere.
const TOKEN: &str = "T0K3N-hunter2";

/// How long the command of `--exec` sleeps, to find it among all processes.
const NAP: &str = "31415.9";

struct Setting {
    builder: Builder,
    mailbox: Mailbox,
    folder: Scratch,
    _links: Scratch,
}

struct Running {
    supervisord: Supervisord,
    setting: Setting,
}

impl Setting {
    fn new() -> Setting {
        let (links, path) = links();
        let builder = Supervisord::builder().first_in_path(&path).env("API_TOKEN", TOKEN);
        let folder = Scratch::new();
        folder.write("service.py", include_str!("service.py"));
        folder.write("token", TOKEN);
        Setting { builder, mailbox: Mailbox::new(), folder, _links: links }
    }

    /// A service `name` that falls ill this way, at this place, and the listener `ok-name` for it.
    fn service(mut self, name: &str, way: &str, place: &str, options: &str) -> Setting {
        let (python, folder) = (venv::python(), self.folder.path().display().to_string());
        let place = place.replace("{folder}", &folder);
        let command =
            format!("{} {folder}/service.py {way} {folder}/{name}.ill {place}", python.display());
        let several = [("numprocs", "3"), ("process_name", "%(program_name)s_%(process_num)02d")];
        let several = if place.contains("process_num") { &several[..] } else { &[] };
        let options = options.replace("{folder}", &folder);
        let mail = self.mailbox.command();
        let httpok = format!("httpok -p {name}* -t 2 -m bob -s \"{mail}\" -n {name} {options}");
        self.builder = self.builder.program(name, &command, several).listener(
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
    fn path(&self, name: &str) -> PathBuf {
        self.setting.folder.join(name)
    }

    fn log(&self, name: &str) -> String {
        self.supervisord.process_log(&format!("ok-{name}"), Channel::Stderr)
    }

    /// Makes a process of a service ill.
    fn fall_ill(&self, name: &str, process: &str) -> u32 {
        self.supervisord.wait_state(process, "RUNNING");
        let pid = self.supervisord.pid_of(process);
        // At once or not at all: it may look while the file is written.
        let file = self.setting.folder.write(&format!("{name}.new"), pid.to_string());
        fs::rename(file, self.path(&format!("{name}.ill"))).unwrap();
        pid
    }

    /// The mail of this listener.
    fn mail(&self, name: &str) -> String {
        let subject = format!("Subject: httpok [{name}]: ");
        let mails = || self.setting.mailbox.mails().into_iter().find(|m| m.contains(&subject));
        wait_until(format!("a mail about {name}"), SOON, || mails().is_some());
        mails().unwrap()
    }
}

/// The command lines of all processes.
fn command_lines() -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

#[test]
fn services_that_fall_ill_are_found_in_every_way_to_check() {
    let ports = [free_port(), free_port()].map(|port| port.to_string());
    let tcp = ports.each_ref().map(|port| format!("tcp://127.0.0.1:{port}"));
    let talk = format!(r"--say PING\r\n --expect '\x22ok\x22' {}", tcp[1]);
    let secure = HttpServer::builder().tls(&Certificate::expired()).start();
    let setting = Setting::new();
    let nap = "while kill -0 $(cat {folder}/nap.ill); do sleep NAP & sleep NAP; done 2>/dev/null";
    let nap =
        nap.replace("NAP", NAP).replace("{folder}", &setting.folder.path().display().to_string());
    let nap = setting.folder.executable("nap.sh", format!("#!/bin/sh\n{nap}\nexit 0\n"));
    let running = setting
        .service("closing", "close", &ports[0], &tcp[0])
        .service("mute", "silent", &ports[1], &talk)
        .service("beat", "beat", "{folder}/beat", "--max-age 3s file://{folder}/beat")
        .service("nap", "beat", "/dev/null", &format!("--exec {}", nap.display()))
        .service(
            "api",
            "silent",
            "{folder}/api.sock",
            "--unix-socket {folder}/api.sock --bearer file:{folder}/token --header 'X-Key: \
             env:API_TOKEN' --json /status=ok --status-file {folder}/status --metrics-file \
             {folder}/metrics http://api/health",
        )
        .service(
            "pool",
            "silent",
            "{folder}/pool_%(process_num)02d.sock",
            "--each --unix-socket {folder}/{name}.sock http://{name}/health",
        )
        .service("secure", "beat", "/dev/null", &format!("--cert-days 30 {}", secure.url()))
        .start();

    let reasons = [
        ("closing", "error contacting tcp://", "Connection refused"),
        ("mute", "error contacting tcp://", "timed out"),
        ("beat", "error checking file://", "--max-age is 3s"),
        ("nap", "error checking with \"", "was not done after 2 seconds and was killed"),
        ("api", "error contacting http://api/health", "timed out"),
    ];
    let pids = reasons.map(|(name, ..)| running.fall_ill(name, name));
    let pool: Vec<_> = (0..3).map(|number| format!("pool:pool_0{number}")).collect();
    let pool_pids: Vec<_> = pool.iter().map(|name| running.supervisord.pid_of(name)).collect();
    running.fall_ill("pool", &pool[1]);
    for ((name, start, end), pid) in reasons.into_iter().zip(pids) {
        running.supervisord.wait_restart(name, pid);
        let mail = running.mail(name);
        let text = mail.split_once("\n\n").unwrap().1;
        assert!(text.starts_with(start) && text.contains(end), "{mail}");
    }
    running.supervisord.wait_restart(&pool[1], pool_pids[1]);
    let mail = running.mail("pool");
    assert!(mail.contains("http://pool_01/health") && mail.contains("timed out"), "{mail}");
    for number in [0, 2] {
        assert_eq!(running.supervisord.pid_of(&pool[number]), pool_pids[number], "{mail}");
    }

    let naps = || command_lines().iter().any(|line| line.contains(NAP));
    wait_until("the command of --exec to be killed with its children", SOON, || !naps());
    let mail = running.mail("secure");
    assert!(mail.contains("expired on 2000-01-01, ") && !mail.contains("restart"), "{mail}");
    for name in ["closing", "mute", "beat", "nap", "api", "pool", "secure"] {
        let (log, mail) = (running.log(name), running.mail(name));
        assert!(!log.contains(TOKEN) && !mail.contains(TOKEN), "{log}\n{mail}");
    }
    for file in ["status", "metrics"].map(|name| running.path(name)) {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains("http://api/") && !text.contains(TOKEN), "{text}");
    }
    assert!(!command_lines().iter().any(|line| line.contains(TOKEN)));
    assert!(!running.supervisord.log().contains("UNKNOWN"), "{}", running.supervisord.log());
}
