//! `--tail` and `--on` under a real supervisord: why a process ended.

use superlance_testing::{Builder, Mailbox, Scratch, SmtpServer, Supervisord};

use crate::links;

/// Exits with 7 and red words, and with 0 when it is started again.
const SEVEN: &str = r#"#!/bin/sh
if mkdir "${0%/*}/once" 2> /dev/null; then
    echo working
    printf 'first\n\033[1;31mTraceback\033[0m:\n  \033]0;title\007out of luck\n' >&2
    exit 7
fi
echo all is well >&2
exit 0
"#;

const QUICK: &str = r#"#!/bin/sh
echo "no configuration" >&2
exit 3
"#;

fn builder() -> (Builder, Scratch) {
    let (links, path) = links();
    (Supervisord::builder().first_in_path(&path), links)
}

fn crashmail(mailbox: &Mailbox, arguments: &str) -> String {
    format!("crashmail -m bob@example.com -s \"{}\" {arguments}", mailbox.command())
}

#[track_caller]
fn about<'a>(mails: &'a [String], process: &str) -> &'a str {
    let subject = format!("Subject:  {process} ");
    let found = mails.iter().find(|mail| mail.contains(&subject));
    found.unwrap_or_else(|| panic!("no mail about {process} in {mails:#?}"))
}

#[test]
fn an_exit_status_is_that_of_the_process_that_crashed() {
    let ((builder, _links), mailbox, folder) = (builder(), Mailbox::new(), Scratch::new());
    let seven = folder.executable("seven", SEVEN).display().to_string();
    let mut supervisord = builder
        .program("seven", &seven, &[("startsecs", "0"), ("autorestart", "unexpected")])
        .listener("crashmail", &crashmail(&mailbox, "--tail 3"), "PROCESS_STATE_EXITED", &[])
        .start();
    let mails = mailbox.wait_for(1);
    // The successor has ended well by then, or will.
    supervisord.wait_for_log("exited: seven (exit status 0; expected)");
    supervisord.stop();
    assert_eq!(mailbox.mails().len(), 1);
    let mail = about(&mails, "seven");
    assert!(
        mail.contains("from state RUNNING\n\nCause:\n\nexit status 7\n\nstderr, last "),
        "{mail}"
    );
    assert!(mail.contains("Traceback:\n  out of luck\n"), "{mail}");
    assert!(mail.contains("\n\nstdout, last line"), "{mail}");
    assert!(!mail.contains("exit status 0") && !mail.contains('\u{1b}'), "{mail}");
    // What the successor wrote is there only with a warning.
    let may_be_newer = mail.contains("(it was started since, and some may be newer)");
    assert!(may_be_newer || !mail.contains("all is well"), "{mail}");
}

#[test]
fn every_sort_of_end_has_its_cause() {
    let ((builder, _links), mailbox, folder) = (builder(), Mailbox::new(), Scratch::new());
    let quick = folder.executable("quick", QUICK).display().to_string();
    let once = [("startsecs", "0"), ("autorestart", "false")];
    let foo = [&once[..], &[("process_name", "foo")]].concat();
    let given_up = [("startsecs", "5"), ("startretries", "0")];
    let mut supervisord = builder
        .program("segv", "/bin/sh -c 'ulimit -c 0; kill -SEGV $$'", &once)
        .program("latin", "/bin/sh -c 'printf \"caf\\351\\\\n\" >&2; exit 1'", &once)
        .program("nolog", "/bin/sh -c 'exit 2'", &[&once[..], &NO_LOGS].concat())
        .program("one", "/bin/sh -c 'exit 5'", &foo)
        .program("two", "/bin/sh -c 'exit 6'", &foo)
        .program("missing", "/nonexistent/program", &given_up)
        .program("quick", &quick, &given_up)
        .listener("crashmail", &crashmail(&mailbox, "--on exited,fatal --tail 5"), STATES, &[])
        .start();
    let mails = mailbox.wait_for(7);
    supervisord.stop();
    let check = |process: &str, expected: &str| {
        let mail = about(&mails, process);
        assert!(mail.contains(expected), "{mail}");
    };
    check(
        "segv",
        "\n\nCause:\n\nterminated by SIGSEGV\n\nstderr:\n\n(empty)\n\nstdout:\n\n(empty)",
    );
    let latin = super::causes::text(about(&mails, "latin"));
    assert!(
        latin.contains("exit status 1\n\nstderr, last line:\n\ncaf\u{fffd}\n\nstdout:"),
        "{latin}"
    );
    check("nolog", "exit status 2\n\nLogs:\n\n(supervisord keeps none: see stdout_logfile and ");
    check("missing", "\n\nCause:\n\ncan't find command '/nonexistent/program'\n\n");
    check("missing", "Process missing in group missing failed to start too many times from state ");
    let quickly =
        "Exited too quickly (process log may have details); at the last try: exit status 3";
    check("quick", &format!("\n\nCause:\n\n{quickly}\n\nstderr, last line:\n\nno configuration"));
    let foos: Vec<_> = mails.iter().filter(|mail| mail.contains("Process foo in ")).collect();
    assert_eq!(foos.len(), 2, "{mails:#?}");
    assert!(
        foos.iter().all(|mail| !mail.contains("Cause") && mail.contains("stderr:")),
        "{foos:?}"
    );
}

const STATES: &str = "PROCESS_STATE_EXITED,PROCESS_STATE_FATAL";
const NO_LOGS: [(&str, &str); 2] = [("stdout_logfile", "NONE"), ("stderr_logfile", "NONE")];

/// With the level WARN the log has no starts, and neither had one that is older than its last rotation.
#[test]
fn an_exit_without_a_start_in_the_log_is_known_by_its_time() {
    let ((builder, _links), mailbox) = (builder(), Mailbox::new());
    let _supervisord = builder
        .loglevel("warn")
        .program("late", "/bin/sh -c 'sleep 8; exit 9'", &[("autorestart", "false")])
        .listener("crashmail", &crashmail(&mailbox, "--tail 0"), "PROCESS_STATE_EXITED", &[])
        .start();
    let mail = &mailbox.wait_for(1)[0];
    assert!(mail.ends_with("\n\nCause:\n\nexit status 9"), "{mail}");
}

/// A program that can write into the folder of its log puts this into the place of the log and crashes.
fn replaces_its_log(command: &str, expected: &str) {
    let ((builder, _links), mailbox, folder) = (builder(), Mailbox::new(), Scratch::new());
    folder.write("secret", "for root only\n");
    let script = format!("#!/bin/sh\ncd \"${{0%/*}}\"\nrm log\n{command}\nexit 7\n");
    let program = folder.executable("program", &script).display().to_string();
    let log = folder.join("log").display().to_string();
    let lines = [("startsecs", "0"), ("autorestart", "false"), ("stderr_logfile", log.as_str())];
    let mut supervisord = builder
        .program("evil", &program, &lines)
        .listener("crashmail", &crashmail(&mailbox, "--tail 5"), "PROCESS_STATE_EXITED", &[])
        .start();
    let mails = mailbox.wait_for(1);
    let mail = about(&mails, "evil");
    let refused = format!("\n\nstderr:\n\n(cannot be read: {log}: {expected})\n\nstdout:");
    assert!(mail.contains("\n\nCause:\n\nexit status 7\n\n"), "{mail}");
    assert!(mail.contains(&refused) && !mail.contains("for root"), "{mail}");
    supervisord.wait_state("evil:evil", "EXITED");
    supervisord.stop();
}

#[test]
fn a_fifo_in_the_place_of_a_log_does_not_stop_supervisord() {
    replaces_its_log("mkfifo log", "it is not a regular file");
}

#[test]
fn a_link_in_the_place_of_a_log_tells_no_secret() {
    let refused = "there is a link on the way that the program may have made";
    replaces_its_log("ln -s secret log", refused);
}

#[test]
fn a_file_of_another_user_in_the_place_of_a_log_tells_no_secret() {
    if !nix::unistd::geteuid().is_root() {
        // Only root can give a file away; the unit test of `log_file` shows the same for any user.
        return;
    }
    let refused = "it belongs to the user 65534, and supervisord runs as 0";
    replaces_its_log("cp secret log; chown 65534 log", refused);
}

#[test]
fn batches_have_the_cause_below_the_line() {
    let ((builder, _links), smtp, folder) = (builder(), SmtpServer::new(), Scratch::new());
    let quick = folder.executable("quick", QUICK).display().to_string();
    let batch = |tool: &str, arguments: &str| {
        format!(
            "{tool} -t bob@example.com -f supervisord@example.com -e TICK_5 -i 0.01 -H {} {arguments}",
            smtp.address()
        )
    };
    let mut supervisord = builder
        .program("quick", &quick, &[("startsecs", "5"), ("startretries", "0")])
        .program("bar", "/bin/sh -c 'exit 4'", &[("startsecs", "0"), ("autorestart", "false")])
        .program("baz", "/bin/sh -c 'exit 4'", &[("startsecs", "0"), ("autorestart", "false")])
        .listener(
            "crashmailbatch",
            &batch("crashmailbatch", "--tail 2 --on exited,fatal --program bar --program quick"),
            &format!("{STATES},TICK_5"),
            &[],
        )
        .listener(
            "fatalmailbatch",
            &batch("fatalmailbatch", "--tail 2"),
            &format!("{STATES},TICK_5"),
            &[],
        )
        .start();
    let channel = superlance_testing::Channel::Stderr;
    supervisord.wait_for_process_log("crashmailbatch", channel, "--program selects it: ");
    superlance_testing::wait_until("both mails", superlance_testing::SOON, || {
        smtp.mails().iter().map(|mail| mail.body.matches("quick:quick").count()).sum::<usize>() == 2
    });
    supervisord.stop();
    let bodies: Vec<_> = smtp.mails().iter().map(|mail| mail.body.replace("\r\n", "\n")).collect();
    let all = bodies.join("\n");
    let quick = " -- Process quick:quick failed to start too many times\n    Cause: Exited too quickly \
                 (process log may have details); at the last try: exit status 3\n    \
                 stderr, last line:\n    | no configuration\n";
    assert_eq!(all.matches(quick).count(), 2, "{all}");
    assert!(all.contains(") died unexpectedly\n    Cause: exit status 4\n    stderr:\n"), "{all}");
    assert!(!all.contains("baz"), "{all}");
}

#[test]
fn one_crashmail_covers_every_state() {
    let ((builder, _links), mailbox) = (builder(), Mailbox::new());
    let states = "expected,stopped,running,starting,stopping,backoff";
    let mut supervisord = builder
        .program("job", "/bin/sh -c 'sleep 1.5'", &[("autorestart", "false")])
        .program("server", "sleep 1000", &[])
        .program("never", "/bin/sh -c 'exit 1'", &[("startretries", "0")])
        .listener(
            "crashmail",
            &crashmail(&mailbox, &format!("--on {states}")),
            "PROCESS_STATE",
            &[],
        )
        .start();
    supervisord.wait_state("server", "RUNNING");
    supervisord.wait_state("job", "EXITED");
    supervisord.ctl(&["stop", "server"]);
    // Also the listener itself starts and runs.
    let mails = mailbox.wait_for(11);
    supervisord.stop();
    for (process, what) in [
        ("job", "is starting from state STOPPED"),
        ("job", "exited as expected (pid "),
        ("server", "is running (pid "),
        ("server", "is stopping (pid "),
        ("server", "stopped (pid "),
        ("never", "failed to start (try 1) from state STARTING"),
    ] {
        let text = format!("Process {process} in group {process} {what}");
        assert!(mails.iter().any(|mail| mail.contains(&text)), "no {text} in {mails:#?}");
    }
}
