//! `superlance test-alert`, by each kind of transport.

use std::process::{Command, Output};

use superlance_testing::{HttpAnswer, HttpServer, Mailbox, Scratch, SmtpServer};

use crate::ours;

/// What a run has printed, without what is different each time, and its exit status.
fn run(folder: &Scratch, arguments: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(ours());
    command.arg("test-alert").args(arguments).current_dir(folder.path());
    let Output { stdout, stderr, status } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code().unwrap())
}

#[test]
fn each_transport_of_a_section_is_tried_in_its_environment() {
    let (folder, mailbox, chat) = (Scratch::new(), Mailbox::new(), HttpServer::new());
    let kept = folder.join("kept");
    let command = format!(
        "memmon -a 1GB -m bob@example.com -s \"{}\" --webhook env:ALERT_URL --notify \"cat >%(here)s/told\" \
         --spool {} --alert-interval 1h",
        mailbox.command(),
        kept.display()
    );
    let text = format!(
        "[supervisord]\nenvironment=ALERT_URL=\"{}\"\n[eventlistener:memmon]\ncommand={command}\n\
         events=TICK_60\n",
        chat.url()
    );
    std::fs::write(folder.join("supervisord.conf"), text).unwrap();
    for section in ["eventlistener:memmon", "memmon"] {
        let (stdout, stderr, status) =
            run(&folder, &["-c", "supervisord.conf", "--section", section]);
        assert_eq!(stdout.matches(": delivered\n").count(), 3, "{stdout}{stderr}");
        assert_eq!(status, 0, "{stdout}{stderr}");
    }
    let mails = mailbox.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].contains("Subject: memmon: test alert from "), "{}", mails[0]);
    assert!(mails[0].contains("Nothing has happened."), "{}", mails[0]);
    assert!(chat.requests()[0].body.contains("memmon: test alert from "));
    let told = std::fs::read_to_string(folder.join("told")).unwrap();
    assert!(told.contains("This is a test of the alerts of memmon"), "{told}");
    assert!(!kept.exists(), "a test keeps nothing");
}

#[test]
fn what_fails_is_said_and_gives_another_status() {
    let (folder, chat) = (Scratch::new(), HttpServer::new());
    chat.usually(HttpAnswer::status(404));
    let url = chat.url();
    let (stdout, _, status) = run(
        &folder,
        &["--", "crashmail", "--webhook", &url, "--notify", "exit 3", "--notify", "true"],
    );
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!((lines.len(), status), (3, 1), "{stdout}");
    assert!(lines[0].contains(": refused: ") && lines[0].contains("404"), "{stdout}");
    assert!(lines[1].contains(": refused: the command failed with exit status 3"), "{stdout}");
    assert!(lines[2].ends_with(": delivered"), "{stdout}");
}

#[test]
fn an_incident_that_stays_open_is_said() {
    let (folder, pagerduty) = (Scratch::new(), HttpServer::builder().then(HttpAnswer::status(202)));
    let pagerduty = pagerduty.usually(HttpAnswer::status(400)).start();
    std::fs::write(folder.join("key"), "R0UT1NG").unwrap();
    let url = pagerduty.url();
    let key = ["--webhook-format=pagerduty", "--webhook-key=file:key"];
    let (stdout, stderr, status) =
        run(&folder, &["--", "crashmail", "--webhook", &url, key[0], key[1]]);
    assert_eq!((stdout.contains("HTTP status 400"), status), (true, 1), "{stdout}{stderr}");
    assert!(pagerduty.requests()[1].body.contains("\"resolve\""));
}

#[test]
fn the_batch_tools_have_a_mail_server() {
    let (folder, smtp) = (Scratch::new(), SmtpServer::new());
    let address = smtp.address();
    let (stdout, stderr, status) = run(
        &folder,
        &[
            "--",
            "crashmailbatch",
            "-t",
            "a@example.com,b@example.com",
            "-f",
            "c@example.com",
            "-H",
            &address,
        ],
    );
    assert_eq!((stdout.matches(": delivered\n").count(), status), (2, 0), "{stdout}{stderr}");
    assert!(smtp.mails()[0].body.contains("Nothing has happened."));
}

#[test]
fn what_cannot_be_tried_says_why() {
    let folder = Scratch::new();
    let text = "[supervisord]\n[program:web]\ncommand=/bin/cat\n[eventlistener:memmon]\n\
                command=memmon -a 1GB\nevents=TICK_60\n";
    std::fs::write(folder.join("supervisord.conf"), text).unwrap();
    let section = |name| run(&folder, &["-c", "supervisord.conf", "--section", name]);
    let (stdout, _, status) = section("memmon");
    assert_eq!((stdout.contains("memmon has no transport"), status), (true, 1), "{stdout}");
    for (name, said) in [
        ("nothing", "supervisord.conf has no section [nothing] with a command"),
        ("program:web", "[program:web] runs none of our listeners"),
    ] {
        let (_, stderr, status) = section(name);
        assert_eq!((stderr.contains(said), status), (true, 2), "{stderr}");
    }
    for (arguments, said) in [
        (&["--", "nothing"][..], "no listener \"nothing\"; there are: crashmail"),
        (&["--", "memmon", "--nonsense"], "unexpected argument '--nonsense'"),
        (&[], "required"),
    ] {
        let (_, stderr, status) = run(&folder, arguments);
        assert_eq!((stderr.contains(said), status), (true, 2), "{stderr}");
    }
}
