//! A disk that is full, a spool that is no directory: the listener works on, and says so once.

use nix::sys::signal::Signal;
use std::os::unix::process::ExitStatusExt as _;
use superlance_testing::{
    Channel, HttpAnswer, HttpServer, Mailbox, SOON, Scratch, Subject, Supervisord, wait_until,
};

use super::{crashmail, exit, told};
use crate::{links, ours};

/// Lets five processes crash, and returns the log.
#[track_caller]
fn crashes(subject: &Subject) -> String {
    let mut listener = subject.spawn();
    for _ in 0..5 {
        listener.event("PROCESS_STATE_EXITED", &exit("foo"));
        assert_eq!(listener.wait_result(), "OK");
    }
    listener.signal(Signal::SIGTERM);
    assert_eq!(listener.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    listener.stderr()
}

/// How often the log says that alerts are not kept, and why.
#[track_caller]
fn assert_said_once(log: &str, why: &str) {
    let complaint = "alerts are not kept on disk: ";
    let said: Vec<_> = log.lines().filter_map(|line| line.strip_prefix(complaint)).collect();
    assert!(said.len() == 1 && said[0].contains(why), "{log}");
}

#[test]
fn an_alert_that_fits_nowhere_goes_out() {
    let (spool, mailbox) = (Scratch::new(), Mailbox::new());
    // No file may grow, as on a disk that is full; the mails go to another listener's log.
    let arguments = ["-m", "bob", "-s", "sed 's/^/mail: /' >&2"];
    let log = crashes(&crashmail(&spool).args(arguments).after("ulimit -f 0"));
    assert_said_once(&log, "/crashmail:crashmail: File too large (os error 27)");
    assert_eq!(log.matches("mail: Subject:  foo crashed at ").count(), 5, "{log}");
    // Once there is room again, everything is as it should be.
    let log = crashes(&crashmail(&spool).args(["-m", "bob", "-s", &mailbox.command()]));
    assert!(!log.contains("not kept"), "{log}");
    assert_eq!(mailbox.mails().len(), 5);
}

#[test]
fn a_spool_that_cannot_be_used_is_said_once() {
    let (scratch, mailbox) = (Scratch::new(), Mailbox::new());
    let file = scratch.write("file", "mine").display().to_string();
    for (spool, why) in [("/proc/nowhere", "cannot create"), (&file, "cannot create")] {
        let arguments = ["-m", "bob", "-s", &mailbox.command(), "--spool", spool];
        let log = crashes(&Subject::ours(ours(), "crashmail").args(arguments));
        assert_said_once(&log, why);
    }
    assert_eq!(mailbox.mails().len(), 10);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn two_listeners_of_one_name_do_not_share_a_spool() {
    let (spool, mailbox) = (Scratch::new(), Mailbox::new());
    let subject = crashmail(&spool).args(["-m", "bob", "-s", &mailbox.command()]);
    let mut first = subject.spawn();
    first.event("PROCESS_STATE_EXITED", &exit("foo"));
    first.wait_result();
    assert_said_once(&crashes(&subject), "is in use by another process");
    let other = subject.clone().env("SUPERVISOR_PROCESS_NAME", "other");
    let another = subject.server_url("unix:///run/another.sock");
    for subject in [other, another] {
        assert!(!crashes(&subject).contains("in use"));
    }
    assert!(!first.stderr().contains("not kept"));
    mailbox.wait_for(16);
}

#[test]
fn two_supervisords_may_share_a_folder_for_spools() {
    let (spool, http, mailbox) = (Scratch::new(), HttpServer::new(), Mailbox::new());
    http.usually(HttpAnswer::status(500));
    let one = crashmail(&spool).server_url("unix:///run/one.sock");
    let mut listener = one.clone().args(["--webhook", &http.url()]).spawn();
    listener.event("PROCESS_STATE_EXITED", &exit("one"));
    listener.wait_for_log("alerts are kept, and tried again");
    listener.signal(Signal::SIGKILL);
    listener.wait_exit(SOON);
    // The other one mails its own alerts, not those of the first.
    let arguments = ["-m", "bob", "-s", &mailbox.command()];
    let other = crashmail(&spool).server_url("http://localhost:9001");
    crashes(&other.args(arguments));
    let mails = mailbox.wait_for(5);
    assert!(mails.iter().all(|mail| mail.contains("Process foo ")), "{mails:#?}");
    let first = one.args(arguments).spawn();
    let mails = mailbox.wait_for(6);
    assert!(mails[5].contains("Process one "), "{}\n{}", mails[5], first.stderr());
    let mut names: Vec<_> = std::fs::read_dir(spool.join("spool"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["crashmail:crashmail@%2Frun%2Fone.sock", "crashmail:crashmail@http:%2F%2Flocalhost:9001"]
    );
}

#[test]
fn a_webhook_that_does_not_work_is_said_once_and_gets_everything_later() {
    let (spool, http) = (Scratch::new(), HttpServer::new());
    http.usually(HttpAnswer::status(500));
    let subject = crashmail(&spool).args(["--webhook", &http.url()]);
    let mut listener = subject.spawn();
    for number in 0..20 {
        listener.event("PROCESS_STATE_EXITED", &exit(&format!("p{number}")));
        assert_eq!(listener.wait_result(), "OK");
    }
    listener.wait_for_log("HTTP status 500; alerts are kept, and tried again");
    listener.signal(Signal::SIGTERM);
    assert_eq!(listener.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    let log = listener.stderr();
    assert_eq!(log.matches("alerts are kept, and tried again").count(), 1, "{log}");
    assert_eq!(log.matches("; kept until the next start: p").count(), 20, "{log}");
    assert!(!log.contains("The alert was:"), "{log}");

    http.usually(HttpAnswer::status(200));
    let before = told(&http).len();
    let listener = subject.spawn();
    wait_until("everything to arrive", SOON, || told(&http).len() >= before + 20);
    let expected: Vec<_> = (0..20).map(|number| format!("p{number}")).collect();
    assert_eq!(told(&http)[before..], expected, "{}", listener.stderr());
}

#[test]
fn alerts_survive_a_supervisord() {
    let ((folder, path), spool, mut http) = (links(), Scratch::new(), HttpServer::new());
    http.stop();
    let command = format!("crashmail --webhook {} --spool {}", http.url(), spool.path().display());
    let builder = || {
        Supervisord::builder().first_in_path(&path).listener(
            "crashmail",
            &command,
            "PROCESS_STATE_EXITED",
            // It is the same supervisord, though the test gives each a folder of its own.
            &[("serverurl", "unix:///run/supervisor.sock")],
        )
    };
    let once = [("startsecs", "0"), ("autorestart", "false")];
    let mut supervisord = builder().program("foo", "/bin/sh -c 'exit 1'", &once).start();
    supervisord.wait_for_process_log("crashmail", Channel::Stderr, "alerts are kept");
    supervisord.stop();
    assert_eq!(told(&http).len(), 0);
    http.start();
    let mut supervisord = builder().start();
    wait_until("the alert to arrive", SOON, || told(&http) == ["foo"]);
    supervisord.wait_for_process_log("crashmail", Channel::Stderr, "Sent to webhook ");
    supervisord.stop();
    drop(folder);
}
