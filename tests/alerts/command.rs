//! `--notify`: a command for each alert.

use std::process::Command;

use superlance_testing::{HttpServer, Listener, Mailbox, SOON, Scratch, Subject, wait_until};

use super::{crash, crashmail, end, text};

#[test]
fn a_command_gets_the_text_and_the_fields() {
    let folder = Scratch::new();
    let file = folder.join("out");
    let fields = "$SUPERLANCE_LISTENER $SUPERLANCE_KIND $SUPERLANCE_EVENT $SUPERLANCE_GROUP \
                  $SUPERLANCE_PROCESS $SUPERLANCE_PID";
    let command = format!("(echo {fields}; cat) > {0}.new; mv {0}.new {0}", file.display());
    // What the environment says of itself is not taken for a field.
    let mut listener = crashmail(["--notify", &command]).env("SUPERLANCE_KIND", "evil").spawn();
    crash(&mut listener, "foo");
    wait_until("the command", SOON, || file.exists());
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        written,
        format!("crashmail exited PROCESS_STATE_EXITED g foo 58597\n{}\n", text("foo"))
    );
    let log = end(listener);
    assert!(log.starts_with("unexpected exit, telling\nSent to \"(echo …\": "), "{log}");
}

#[test]
fn its_output_does_not_get_into_the_protocol_and_its_failure_is_in_the_log() {
    let mut listener = crashmail(["--notify", "echo printed; exit 3"]).spawn();
    crash(&mut listener, "foo");
    listener.wait_for_log(". The alert was:\n");
    assert!(!listener.stdout().contains("printed"), "{}", listener.stdout());
    let log = end(listener);
    assert!(log.contains("printed\nNot sent to \"echo …\": the command failed with exit status 3. The alert was:\n\nfoo crashed"), "{log}");
    assert!(log.ends_with(&format!("{}\n", text("foo"))), "{log}");
}

/// Sets how many files the listener may have open.
fn limit_files(listener: &Listener, files: u32) {
    let (pid, files) = (listener.pid().to_string(), format!("--nofile={files}:"));
    let status = Command::new("prlimit").args(["--pid", &pid, &files]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_command_that_could_not_be_started_is_started_later_and_stays_in_the_spool() {
    let (folder, mailbox) = (Scratch::new(), Mailbox::new());
    let spool = folder.join("spool").display().to_string();
    let arguments = ["-m", "bob", "-s", &mailbox.command(), "--spool", &spool];
    let mut listener = crashmail(arguments).spawn();
    crash(&mut listener, "first");
    mailbox.wait_for(1);
    limit_files(&listener, 9);
    crash(&mut listener, "second");
    let short = "cannot run /bin/sh: too many open files (see ulimit -n and minfds in \
                 supervisord.conf); alerts are kept, and tried again\n";
    let log = listener.wait_for_log(short);
    assert!(!log.contains("Mail not sent"), "{log}");
    limit_files(&listener, 1024);
    assert!(mailbox.wait_for(2)[1].ends_with(&text("second")));
    listener.wait_for_log(" works again\n");
    end(listener);
}

#[test]
fn every_way_gets_every_alert_and_a_bad_one_keeps_none_from_another() {
    let (server, folder) = (HttpServer::new(), Scratch::new());
    let (mails, notified) = (folder.join("mails"), folder.join("notified"));
    let url = server.url();
    let arguments = [
        "-m",
        "bob",
        "-s",
        &format!("cat >> {}", mails.display()),
        "--webhook",
        "http://127.0.0.1:1/",
        "--webhook",
        &url,
        "--notify",
        "exit 1",
        "--notify",
        &format!("cat >> {}", notified.display()),
    ];
    let mut listener = crashmail(arguments).spawn();
    crash(&mut listener, "foo");
    crash(&mut listener, "bar");
    server.wait_for(2);
    let all = format!("{}\n{}\n", text("foo"), text("bar"));
    wait_until("the command", SOON, || {
        std::fs::read_to_string(&notified).is_ok_and(|it| it == all)
    });
    let log = end(listener);
    assert_eq!(std::fs::read_to_string(mails).unwrap().matches("exited unexpectedly").count(), 2);
    assert_eq!(log.matches("Mailed:\n\nTo: bob\n").count(), 2, "{log}");
    assert_eq!(log.matches("Not sent to \"exit …\": ").count(), 2, "{log}");
}

#[test]
fn a_batch_tool_needs_no_address_then_and_tells_of_all_lines_at_once() {
    let server = HttpServer::new();
    let tool = |name: &str| Subject::ours(crate::ours(), name).args(["--webhook", &server.url()]);
    let mut listener = tool("crashmailbatch").spawn();
    crash(&mut listener, "foo");
    crash(&mut listener, "bar");
    listener.event("TICK_60", "when:1");
    server.wait_for(1);
    let body = super::json(&server, 0);
    let (kind, subject) = (body["kind"].as_str(), body["subject"].as_str());
    assert_eq!((kind, subject), (Some("digest"), Some("Crash alert from supervisord")));
    let lines = body["text"].as_str().unwrap();
    assert!(lines.contains("g:foo (pid 58597) died") && lines.contains("g:bar (pid 58597) died"));
    assert_eq!(body["measured"]["lines"], 2);
    listener.event("TICK_60", "when:2");
    // What comes later is told at the end.
    crash(&mut listener, "late");
    let log = end(listener);
    server.wait_for(2);
    assert!(super::json(&server, 1)["text"].as_str().unwrap().contains("g:late"), "{log}");
    let message = super::complaint(&Subject::ours(crate::ours(), "crashsms"), 2);
    assert!(message.contains("--toEmail") && message.contains("--fromEmail"), "{message}");
    let message = super::complaint(&tool("crashsms").args(["-t", "a@b"]), 2);
    assert!(message.contains("--fromEmail"), "{message}");
}
