//! Hostile names, answers and output are shown, and do nothing else. docs/security.md names these tests.

use std::fs;

use superlance_testing::{
    Answer, FakeProcess, FakeSupervisor, HttpAnswer, HttpServer, Listener, Mailbox, SOON, Scratch,
    SmtpServer, Subject,
};

use crate::ours;

/// Starts a listener that is told nothing but this.
fn listener(name: &str, fake: Option<&FakeSupervisor>, arguments: &[&str]) -> Listener {
    let subject = Subject::ours(ours(), name).args(arguments.iter().copied());
    match fake {
        Some(fake) => subject.server_url(&fake.server_url()).spawn(),
        None => subject.spawn(),
    }
}

/// The log has no character that a terminal obeys, and no password.
#[track_caller]
fn assert_clean(log: &str) {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}';
    assert!(!log.contains(obeyed), "{log:?}");
    assert!(!log.contains("secret"), "{log}");
}

/// Of the head of a mail, the names of its headers.
fn headers(mail: &str) -> Vec<&str> {
    let head = mail.split("\n\n").next().unwrap_or_default();
    head.lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(':').next().unwrap())
        .collect()
}

/// Most memory that the process ever had, in megabytes.
fn peak(listener: &Listener) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", listener.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// A name for the shell, for the file system, for a terminal and for a mail program.
fn evil_name(folder: &Scratch) -> String {
    let file = folder.join("ran");
    let file = file.to_str().unwrap();
    format!(
        "../$(touch {file})`touch {file}`';touch {file};'\"\u{9b}2J\u{202e}\rBcc: eve@example.com"
    )
}

#[test]
fn a_name_is_only_a_name() {
    let (folder, fake, mailbox) = (Scratch::new(), FakeSupervisor::unix(), Mailbox::new());
    let name = evil_name(&folder);
    // What supervisord itself would refuse in a name; in ASCII, too, since mails are written otherwise.
    let ascii: String = name.chars().filter(char::is_ascii).collect();
    for name in [&name, &ascii] {
        let pid = std::process::id();
        fake.add(FakeProcess::running(&name.replace(':', ";"), pid).next_pid(pid));
    }
    let http = HttpServer::builder().usually(HttpAnswer::status(500)).start();
    let cores = folder.join("cores");
    fs::create_dir(&cores).unwrap();
    let copy = "f() { echo core > \"$1\"; }; f";
    let mail = mailbox.command();
    let mail = ["-m", "bob@example.com", "-s", &mail];

    let url = http.url();
    let httpok = ["-a", "-d", cores.to_str().unwrap(), "-g", copy, &url];
    let mut httpok = listener("httpok", Some(&fake), &[&mail[..], &httpok].concat());
    httpok.event("TICK_60", "when:1");
    httpok.wait_for_log("Mailed");
    let mut memmon = listener("memmon", Some(&fake), &[&mail[..], &["-a", "1"]].concat());
    memmon.event("TICK_60", "when:1");
    let mails = mailbox.wait_for(3);

    for mail in &mails {
        let mime = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
        let known = |name: &&str| ["To", "Subject"].contains(name) || mime.contains(name);
        assert!(headers(mail).iter().all(known), "{mail}");
    }
    assert_clean(&httpok.stderr());
    assert_clean(&memmon.stderr());
    assert!(!folder.join("ran").exists(), "a part of the name was run");
    assert_eq!(fs::read_dir(&cores).unwrap().count(), 2, "a core is elsewhere");
}

#[test]
fn an_event_is_only_a_text() {
    let (folder, mailbox, smtp) = (Scratch::new(), Mailbox::new(), SmtpServer::builder().start());
    let name = evil_name(&folder).replace(' ', "_");
    let payload =
        format!("processname:{name} groupname:{name} from_state:RUNNING expected:0 pid:{name}");
    let command = mailbox.command();
    let mut crashmail = listener("crashmail", None, &["-m", "bob@example.com", "-s", &command]);
    crashmail.event("PROCESS_STATE_EXITED", &payload);
    let mail = mailbox.wait_for(1).remove(0);
    assert!(!headers(&mail).contains(&"Bcc"), "{mail}");
    let address = smtp.address().to_string();
    let arguments = ["-t", "bob@example.com", "-f", "me@example.com", "-H", &address];
    let mut batch = listener("crashmailbatch", None, &arguments);
    batch.event("PROCESS_STATE_EXITED", &payload);
    batch.event("TICK_60", "when:60");
    let mail = smtp.wait_for(1).remove(0);
    assert_eq!(mail.to, ["bob@example.com"]);
    batch.wait_for_log("Sending notification email");
    for log in [crashmail.stderr(), batch.stderr()] {
        assert_clean(&log);
    }
    assert!(!folder.join("ran").exists(), "a part of the event was run");
}

#[test]
fn an_environment_is_only_read() {
    let fake = FakeSupervisor::unix();
    let addresses = ["-t", "a@b", "-f", "c@d"];
    for (name, arguments) in [
        ("memmon", &["-a", "1GB"][..]),
        ("httpok", &["-a", "http://127.0.0.1:1/"]),
        ("crashmail", &["-m", "a@b"]),
        ("crashmailbatch", &addresses),
        ("fatalmailbatch", &addresses),
        ("crashsms", &addresses),
    ] {
        for evil in ["../../../../etc/passwd", "\u{1b}[2J\u{9b}2J\u{202e}", "$(exit 1)%s%n", "\n"] {
            let mut subject = Subject::ours(ours(), name).args(arguments.iter().copied());
            for variable in ["TZ", "SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME", "LANG"] {
                subject = subject.env(variable, evil);
            }
            for variable in ["SUPERVISOR_USERNAME", "SUPERVISOR_PASSWORD", "HTTP_PROXY", "COLUMNS"]
            {
                subject = subject.env(variable, evil);
            }
            let mut listener = subject.clone().server_url(&fake.server_url()).spawn();
            listener.event("TICK_60", "when:1");
            assert_eq!(listener.wait_result(), "OK", "{name} with {evil:?}");
            listener.close_stdin();
            assert!(listener.wait_exit(SOON).success(), "{name} with {evil:?}");
            assert_clean(&listener.stderr());

            let output = subject.server_url(evil).output(SOON);
            assert_clean(&String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// Even if a command got our standard output by mistake, it would write into the log.
#[test]
fn the_protocol_is_out_of_the_way() {
    let mut crashmail = listener("crashmail", None, &["-m", "bob@example.com"]);
    crashmail.event("TICK_60", "when:1");
    assert_eq!(crashmail.wait_result(), "OK");
    let open = |fd: u32| fs::read_link(format!("/proc/{}/fd/{fd}", crashmail.pid())).unwrap();
    assert_eq!(open(1), open(2), "descriptor 1 is not the log");
}

#[test]
fn no_password_is_shown() {
    let http = HttpServer::builder().usually(HttpAnswer::status(500)).start();
    let mut fake = FakeSupervisor::inet();
    fake.require_login("me", "another secret");
    let url = http.url().replace("http://", "http://me:secret@");
    let server = fake.server_url().replace("http://", "http://me:secret@");
    let subject = Subject::ours(ours(), "httpok").args(["-a", &url]).server_url(&server);
    let subject = subject.env("SUPERVISOR_USERNAME", "me").env("SUPERVISOR_PASSWORD", "secret");
    let mut httpok = subject.spawn();
    httpok.event("TICK_60", "when:1");
    httpok.wait_for_log("refused user name and password (401)");
    // A tick that comes during a check is left out.
    httpok.wait_idle();
    fake.stop();
    httpok.event("TICK_60", "when:2");
    httpok.wait_for_log("cannot talk to supervisord at http://me:***@127.0.0.1");
    assert_clean(&httpok.stderr());

    let smtp = SmtpServer::builder().login("me", "another secret").start();
    let address = smtp.address().to_string();
    let arguments = ["-t", "bob@example.com", "-f", "me@example.com", "-u", "me", "-H", &address];
    let subject = Subject::ours(ours(), "crashmailbatch").args(arguments);
    let mut batch = subject.env("SUPERLANCE_SMTP_PASSWORD", "secret").spawn();
    batch.event(
        "PROCESS_STATE_EXITED",
        "processname:a groupname:a from_state:RUNNING expected:0 pid:7",
    );
    batch.event("TICK_60", "when:60");
    batch.wait_for_log("authentication as \"me\"");
    assert_clean(&batch.stderr());
    // What `ps` shows to everybody.
    let shown = fs::read(format!("/proc/{}/cmdline", batch.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&shown).contains("secret"));
}

#[test]
fn answers_without_end_take_no_memory() {
    let fake = FakeSupervisor::unix();
    fake.add(FakeProcess::running("foo", 77));
    let endless_head = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 16 << 20]].concat();
    let endless_body = HttpAnswer::status(200).body(vec![b'x'; 16 << 20]);
    let http = HttpServer::builder()
        .then(HttpAnswer::raw(endless_head))
        .then(endless_body)
        .usually(HttpAnswer::status(200).body("well"))
        .start();
    let url = http.url();
    let mut httpok =
        listener("httpok", Some(&fake), &["-p", "foo", "-t", "30", "-b", "well", &url]);
    httpok.event("TICK_60", "when:1");
    let before = peak(&httpok);
    httpok.wait_for_log("response header is too big");
    httpok.wait_idle();
    httpok.event("TICK_60", "when:2");
    httpok.wait_for_log("200 OK");
    httpok.wait_idle();
    let more = peak(&httpok) - before;
    assert!(more < 10, "{more} MB for an HTTP answer");

    // supervisord's answers are cut at 64 MiB, and held once.
    fake.on("getAllProcessInfo", Answer::Large(u64::MAX));
    let mut memmon = listener("memmon", Some(&fake), &["-a", "1GB"]);
    memmon.event("TICK_60", "when:1");
    memmon.wait_for_log("supervisord");
    assert!(peak(&memmon) < 300, "{} MB for an answer of supervisord", peak(&memmon));
}
