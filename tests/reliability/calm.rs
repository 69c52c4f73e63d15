//! The throttle: few alerts for many crashes, and one when all processes run again.

use std::os::unix::process::ExitStatusExt as _;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use superlance_testing::{Channel, Feed, Mailbox, SOON, Scratch, Subject, Supervisord, wait_until};

use super::{crashmail, exit};
use crate::{links, ours};

/// How many crashes a mail accounts for.
fn worth(mail: &str) -> usize {
    let subject = mail.lines().nth(1).unwrap();
    let more = subject.split_once(" (and ").and_then(|(_, rest)| rest.split(' ').next());
    1 + more.map_or(0, |more| more.parse::<usize>().unwrap())
}

#[test]
fn a_crash_loop_makes_few_alerts_and_every_crash_is_accounted_for() {
    let mailbox = Mailbox::new();
    let arguments = ["-m", "bob", "-s", &mailbox.command(), "--alert-interval", "3s"];
    let mut crashmail = Subject::ours(ours(), "crashmail").args(arguments).spawn();
    let start = Instant::now();
    for _ in 0..40 {
        crashmail.event("PROCESS_STATE_EXITED", &exit("foo"));
        crashmail.wait_result();
        // The crashes are that far apart.
        thread::sleep(Duration::from_millis(150));
    }
    crashmail.signal(Signal::SIGTERM);
    assert_eq!(crashmail.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    let intervals = usize::try_from(start.elapsed().as_secs() / 3).unwrap();
    let mails = mailbox.mails();
    let count = mails.len();
    assert!((3..=intervals + 2).contains(&count), "{count} in {intervals} intervals: {mails:#?}");
    assert_eq!(mails.iter().map(|mail| worth(mail)).sum::<usize>(), 40, "{mails:#?}");
    assert!(mails[1].contains("alerts were held back by --alert-interval, the first at "));
    let log = crashmail.stderr();
    assert_eq!(log.matches("Held back by --alert-interval: foo crashed at ").count() + 1, 40);
}

#[test]
fn what_is_held_back_survives_a_listener_that_is_killed() {
    let (spool, mailbox) = (Scratch::new(), Mailbox::new());
    let arguments = ["-m", "bob", "-s", &mailbox.command(), "--alert-interval", "1h"];
    let mut feed = Feed::new(crashmail(&spool).args(arguments));
    feed.event("PROCESS_STATE_EXITED", &exit("foo"));
    // It is in the spool no longer then.
    feed.listener().wait_for_log("Mailed:");
    for _ in 0..3 {
        feed.event("PROCESS_STATE_EXITED", &exit("foo"));
        feed.listener().wait_for_log("Held back by");
        feed.event_and_kill("PROCESS_STATE_EXITED", &exit("foo"), |_| {});
    }
    // A listener that has just been started dies of a signal before it can do anything about it.
    feed.event("PROCESS_STATE_EXITED", &exit("foo"));
    feed.listener().wait_for_log("Held back by");
    feed.listener().signal(Signal::SIGTERM);
    assert_eq!(feed.listener().wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    let mails = mailbox.mails();
    // An interval in which something is held back goes on.
    assert_eq!(mails.iter().map(|mail| worth(mail)).collect::<Vec<_>>(), [1, 7], "{mails:#?}");
}

#[test]
fn a_process_that_stays_up_has_recovered() {
    let ((folder, path), mailbox, state) = (links(), Mailbox::new(), Scratch::new());
    // Crashes once, and then no more.
    let program = state.executable(
        "program",
        format!(
            "#!/bin/sh\ntest -e {crashed} && exec sleep 600\nsleep 1; : > {crashed}; exit 1\n",
            crashed = state.join("crashed").display()
        ),
    );
    let command = format!(
        "crashmail -m bob@example.com -s \"{}\" --recovery --alert-interval 2s",
        mailbox.command()
    );
    let mut supervisord = Supervisord::builder()
        .first_in_path(&path)
        .program("foo", &program.display().to_string(), &[("startsecs", "0")])
        .listener("crashmail", &command, "PROCESS_STATE_EXITED", &[])
        .start();
    let mails = mailbox.wait_for(2);
    assert!(mails[0].contains("Subject:  foo crashed at "), "{}", mails[0]);
    let pid = supervisord.pid_of("foo");
    assert!(mails[1].contains("Subject: crashmail: process foo:foo recovered"), "{}", mails[1]);
    let text = format!("Process foo:foo (pid {pid}) is RUNNING, and has been for ");
    assert!(mails[1].contains(&text), "{}", mails[1]);
    wait_until("the listener to be at rest", SOON, || mailbox.mails().len() == 2);
    supervisord.stop();
    let log = supervisord.process_log("crashmail", Channel::Stderr);
    assert!(!log.contains("cannot"), "{log}");
    drop(folder);
}

#[test]
fn a_recovery_needs_a_supervisord_that_can_be_asked() {
    let arguments = ["-m", "bob", "--recovery"];
    let output = Subject::ours(ours(), "crashmail").args(arguments).output(SOON);
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.contains("crashmail: --recovery asks supervisord: cannot reach supervisord"),
        "{log}"
    );
}
