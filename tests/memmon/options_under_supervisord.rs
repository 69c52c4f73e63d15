//! memmon's new options under a real supervisord. What needs none is in options.rs: the ticks of a real
//! one are at least five seconds apart.

use std::fs;

use superlance_testing::{Builder, Channel, Mailbox, SOON, Scratch, Supervisord, wait_until};

use crate::links;

/// A supervisord with a memmon that mails, to be filled with programs.
fn builder(arguments: &str, mailbox: &Mailbox) -> (Builder, Scratch) {
    let (links, path) = links();
    let command = format!("memmon {arguments} -m bob@example.com -s \"{}\"", mailbox.command());
    let builder = Supervisord::builder().first_in_path(&path);
    (builder.listener("memmon", &command, "TICK_5", &[]), links)
}

fn log(supervisord: &Supervisord) -> String {
    supervisord.process_log("memmon", Channel::Stderr)
}

fn wait_checks(supervisord: &Supervisord, count: usize) {
    let checks = || log(supervisord).matches("Checking").count();
    let before = checks();
    wait_until("further checks", SOON, || checks() >= before + count);
}

#[test]
fn what_memmon_stopped_stays_stopped() {
    let mailbox = Mailbox::new();
    let (builder, _links) = builder("-p foo=1KB --action stop", &mailbox);
    let lines = [("autorestart", "true")];
    let supervisord = builder.program("foo", "sleep 600", &lines).start();
    supervisord.wait_state("foo", "STOPPED");
    let mail = &mailbox.wait_for(1)[0];
    assert!(mail.contains("Subject: memmon: process foo:foo stopped\n"), "{mail}");
    wait_checks(&supervisord, 2);
    assert_eq!(supervisord.state_of("foo"), "STOPPED");
    assert_eq!(supervisord.log().matches("spawned: 'foo'").count(), 1);
}

#[test]
fn a_signal_reaches_the_process() {
    let mailbox = Mailbox::new();
    let (builder, _links) = builder("-p foo=1KB --action signal:USR1", &mailbox);
    let folder = Scratch::new();
    let got = folder.join("got");
    let source =
        format!("trap 'echo got >> {}' USR1\nwhile :; do sleep 0.1; done\n", got.display());
    let script = folder.executable("foo", &source);
    let supervisord = builder.program("foo", &format!("/bin/sh {}", script.display()), &[]).start();
    supervisord.wait_state("foo", "RUNNING");
    let pid = supervisord.pid_of("foo");
    wait_until("the signal", SOON, || got.exists());
    assert_eq!(supervisord.pid_of("foo"), pid);
    let mail = &mailbox.wait_for(1)[0];
    assert!(mail.contains("Subject: memmon: process foo:foo got SIGUSR1\n"), "{mail}");
}

/// A command that ends the process by itself: supervisord restarts it, and memmon does not do so again.
#[test]
fn a_process_that_the_command_before_has_ended_is_left_to_supervisord() {
    let mailbox = Mailbox::new();
    let arguments = "-p foo=1KB --before 'kill -9 $SUPERLANCE_PID; sleep 1'";
    let (builder, _links) = builder(arguments, &mailbox);
    let lines = [("autorestart", "true")];
    let supervisord = builder.program("foo", "sleep 600", &lines).start();
    supervisord.wait_for_process_log("memmon", Channel::Stderr, "foo:foo ends or has ended");
    assert!(!log(&supervisord).contains("Restarting foo:foo"), "{}", log(&supervisord));
    assert!(mailbox.mails().is_empty());
}

#[test]
fn a_pool_is_restarted_one_by_one_and_then_left_alone() {
    let mailbox = Mailbox::new();
    let folder = Scratch::new();
    let (status, metrics) = (folder.join("memmon.json"), folder.join("memmon.prom"));
    let arguments = format!(
        "-g pool=1KB --stagger --max-restarts 1/1h --status-file {} --metrics-file {}",
        status.display(),
        metrics.display()
    );
    let (builder, _links) = builder(&arguments, &mailbox);
    let lines = [("numprocs", "3"), ("process_name", "%(program_name)s_%(process_num)d")];
    let supervisord = builder.program("pool", "sleep 600", &lines).start();
    wait_until("three workers to be left alone", SOON, || {
        log(&supervisord).matches(" is left alone for ").count() == 3
    });
    let log = log(&supervisord);
    // Of what is between two ticks, at most one is a restart.
    for check in log.split("Checking groups").skip(1) {
        assert!(check.matches("Restarting pool:").count() <= 1, "{log}");
    }
    for worker in 0..3 {
        let name = format!("pool:pool_{worker}");
        assert_eq!(log.matches(&format!("Restarting {name}\n")).count(), 1, "{log}");
        assert_eq!(supervisord.state_of(&name), "RUNNING");
    }
    let mails = mailbox.wait_for(6);
    let alone = mails.iter().filter(|mail| mail.contains(" left alone\n")).count();
    assert_eq!((mails.len(), alone), (6, 3));
    let text = fs::read_to_string(&status).unwrap();
    assert!(text.contains("\"outcome\": \"left-alone\""), "{text}");
    let text = fs::read_to_string(&metrics).unwrap();
    let line = "superlance_memmon_actions_total{memmon=\"memmon:memmon\",group=\"pool\",\
                name=\"pool_0\",action=\"restart\",outcome=\"done\"} 1\n";
    assert!(text.contains(line), "{text}");
}
