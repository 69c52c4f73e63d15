//! Events that supervisord throws away because the listener's buffer is full.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use superlance_testing::{Channel, Mailbox, SOON, Supervisord, wait_until};

use crate::links;

const PROCESSES: usize = 30;

/// Lets all processes of one program die at the same moment, and returns what the log of crashmail and
/// supervisord's say, and the mails.
fn disaster(buffer: &[(&str, &str)]) -> (String, usize, Vec<String>) {
    let ((_links, path), mailbox) = (links(), Mailbox::new());
    let command = format!("crashmail -m bob@example.com -s \"{}\"", mailbox.command());
    let number = PROCESSES.to_string();
    let web = [
        ("numprocs", number.as_str()),
        ("process_name", "%(process_num)02d"),
        ("autorestart", "false"),
        ("startsecs", "0"),
    ];
    let supervisord = Supervisord::builder()
        .first_in_path(&path)
        .program("first", "sleep 600", &[("autorestart", "false"), ("startsecs", "0")])
        .program("web", "sleep 600", &web)
        .listener("crashmail", &command, "PROCESS_STATE_EXITED", buffer)
        .start();
    supervisord.wait_state("crashmail", "RUNNING");
    let pid = |namespec: &str| Pid::from_raw(supervisord.pid_of(namespec).try_into().unwrap());
    // The first event begins the count.
    kill(pid("first"), Signal::SIGKILL).unwrap();
    mailbox.wait_for(1);
    let pids: Vec<_> = (0..PROCESSES).map(|number| pid(&format!("web:{number:02}"))).collect();
    let supervisord_pid = Pid::from_raw(supervisord.pid().try_into().unwrap());
    kill(supervisord_pid, Signal::SIGSTOP).unwrap();
    for pid in pids {
        kill(pid, Signal::SIGKILL).unwrap();
    }
    kill(supervisord_pid, Signal::SIGCONT).unwrap();
    let lost = || supervisord.log().matches("event buffer overflowed").count();
    let told = || mailbox.mails().iter().filter(|mail| mail.contains(" in group web ")).count();
    wait_until("every crash to be mailed or lost", SOON, || told() + lost() == PROCESSES);
    if lost() > 0 {
        let text = "supervisord threw away";
        supervisord.wait_for_process_log("crashmail", Channel::Stderr, text);
        wait_until("the mail about it", SOON, || mailbox.mails().len() == told() + 2);
    }
    (supervisord.process_log("crashmail", Channel::Stderr), lost(), mailbox.mails())
}

#[test]
fn events_that_supervisord_throws_away_are_counted_logged_and_mailed_about() {
    let (log, lost, mails) = disaster(&[]);
    assert!(lost > 0, "{log}");
    let said = format!(
        "crashmail: supervisord threw away {lost} events for this listener: set buffer_size=256 in \
         [eventlistener:crashmail]; ended or started meanwhile: "
    );
    let line = log.lines().find(|line| line.starts_with(&said)).unwrap_or_default();
    for number in 0..PROCESSES {
        assert!(line.contains(&format!("web:{number:02}")), "{log}");
    }
    let mail = mails.iter().find(|mail| mail.contains(line)).unwrap();
    let subject =
        format!("Subject: crashmail: supervisord threw away {lost} events for this listener\n");
    assert!(mail.contains(&subject), "{mail}");
}

#[test]
fn the_buffer_of_the_examples_holds_them() {
    let (log, lost, mails) = disaster(&[("buffer_size", "256")]);
    assert_eq!((lost, mails.len()), (0, PROCESSES + 1), "{log}");
    assert!(!log.contains("threw away"), "{log}");
}
