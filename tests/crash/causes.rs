//! `--tail` with a fake supervisord: why a process ended.

use std::time::Duration;

use superlance_testing::{
    Answer, FakeProcess, FakeSupervisor, Listener, Mailbox, ProcessState, SmtpServer, Subject,
};

use super::{END, exit, fatal};
use crate::ours;

const LOG: &str = "\
2026-11-24 13:59:28,959 INFO spawned: 'foo' with pid 58597
2026-11-24 13:59:30,469 WARN exited: foo (terminated by SIGSEGV (core dumped); not expected)
2026-11-24 13:59:30,851 INFO spawned: 'foo' with pid 60000
";

/// A supervisord in which foo has crashed and is back.
fn fake() -> FakeSupervisor {
    let fake = FakeSupervisor::unix();
    let stderr = "start\n\u{1b}[1;31mboom\u{1b}[0m \0<&>\r\nréd\n";
    fake.add(FakeProcess::running("foo", 60000).logs("50%\r100%\n", stderr));
    fake.set_log(LOG);
    fake
}

fn crashmail(fake: &FakeSupervisor, mailbox: &Mailbox, arguments: &[&str]) -> Listener {
    Subject::ours(ours(), "crashmail")
        .server_url(&fake.server_url())
        .args(["-m", "bob@example.com", "-s", &mailbox.command()])
        .args(arguments.iter().copied())
        .spawn()
}

#[track_caller]
fn ends_well(mut listener: Listener) -> String {
    listener.close_stdin();
    assert!(listener.wait_exit(END).success(), "{}", listener.stderr());
    listener.stderr()
}

/// The text of a mail. Commands read it as it is, whatever its letters.
pub(super) fn text(mail: &str) -> String {
    mail.split_once("\n\n").unwrap().1.to_owned()
}

const NOTE: &str = "(it was started since, and some may be newer)";

#[test]
fn a_crash_mail_says_why() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "2"]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    let mail = text(&mailbox.wait_for(1)[0]);
    let expected = format!(
        "Process foo in group foo exited unexpectedly (pid 58597) from state RUNNING\n\n\
         Cause:\n\nterminated by SIGSEGV (core dumped)\n\n\
         stderr, last 2 lines {NOTE}:\n\nboom <&>\nréd\n\nstdout, last line {NOTE}:\n\n100%"
    );
    assert_eq!(mail, expected);
    let asked =
        ["getProcessInfo(foo:foo)", "getPID()", "readLog(-65536, 0)", "getAllProcessInfo()"];
    assert_eq!(fake.calls(), asked, "supervisord opens no log of a program");
    ends_well(listener);
    // The same mail, of what supervisord reads.
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "2", "--tail-by-rpc"]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    assert_eq!(text(&mailbox.wait_for(2)[1]), expected);
    let read = ["tailProcessStderrLog(foo:foo, 0, 4096)", "tailProcessStdoutLog(foo:foo, 0, 4096)"];
    assert_eq!(fake.calls()[4..6], read);
    ends_well(listener);
}

#[test]
fn a_supervisord_elsewhere_has_its_logs_elsewhere() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    fake.on("getPID", Answer::Value("<value><int>4194304</int></value>".to_owned()));
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "2"]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    let mail = text(&mailbox.wait_for(1)[0]);
    assert!(mail.contains("\n\nCause:\n\nterminated by SIGSEGV (core dumped)\n\n"), "{mail}");
    let why = "(cannot be read: this listener cannot see that supervisord runs on this machine, and \
               as which user; --tail-by-rpc lets supervisord read it)";
    assert!(mail.contains(&format!("stderr:\n\n{why}\n\nstdout:\n\n{why}")), "{mail}");
    assert!(ends_well(listener).contains("cannot tell all about the end of processes: "));
}

#[test]
fn without_it_nothing_is_asked() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    let mut listener = crashmail(&fake, &mailbox, &[]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    assert!(mailbox.wait_for(1)[0].ends_with("(pid 58597) from state RUNNING"));
    ends_well(listener);
    assert!(fake.calls().is_empty());
}

#[test]
fn none_of_the_logs_is_the_cause_alone() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "0"]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    let mail = &mailbox.wait_for(1)[0];
    assert!(mail.ends_with("\n\nCause:\n\nterminated by SIGSEGV (core dumped)"), "{mail}");
    ends_well(listener);
}

#[test]
fn a_name_in_two_groups_has_no_cause() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    fake.add(FakeProcess::running("other:foo", 7));
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "0"]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    assert!(mailbox.wait_for(1)[0].ends_with("(pid 58597) from state RUNNING"));
    ends_well(listener);
}

#[test]
fn a_log_need_not_be_utf_8() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    fake.add(FakeProcess::running("foo", 60000).logs(b"\xff\n", b"caf\xe9\nlast\n"));
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "2"]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    let mail = text(&mailbox.wait_for(1)[0]);
    assert!(mail.contains("caf\u{fffd}\nlast\n\nstdout, last line"), "{mail}");
    assert_eq!(ends_well(listener).matches("cannot").count(), 0);
}

/// supervisord answers HTTP 500 for bytes that are no text.
#[test]
fn supervisord_reads_a_log_that_is_not_utf_8_as_far_as_that_goes() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    // The last 4,096 bytes begin within a character; then there is one that is none.
    let two_bytes = "é".repeat(3_000) + "\nlast\n";
    let latin = [&b"caf\xe9\n".repeat(600)[..], &b"plain\n".repeat(100)].concat();
    fake.add(FakeProcess::running("foo", 60000).logs(b"\xff\n", two_bytes + "x"));
    fake.add(FakeProcess::running("bar", 60001).logs(b"", latin));
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "2", "--tail-by-rpc"]);
    for name in ["foo", "bar"] {
        listener.event("PROCESS_STATE_EXITED", &exit(name));
    }
    let mails: Vec<_> = mailbox.wait_for(2).iter().map(|mail| text(mail)).collect();
    let read = |mail: &str, expected: &str| assert!(mail.contains(expected), "{mail}");
    read(&mails[0], &format!("stderr, last 2 lines {NOTE}:\n\nlast\nx"));
    read(&mails[0], "stdout:\n\n(cannot be read: supervisord at unix://");
    read(
        &mails[0],
        " cannot read the log (it answered HTTP 500, as it does when a log is not UTF-8)",
    );
    read(&mails[1], &format!("stderr, last 2 lines {NOTE}:\n\nplain\nplain"));
    let log = ends_well(listener);
    let complaint = "cannot tell all about the end of processes: supervisord at unix://";
    assert_eq!(log.matches(complaint).count(), 1, "{log}");
}

#[test]
fn the_mail_goes_out_whatever_supervisord_answers() {
    for (name, answer) in Answer::misbehaviours() {
        let (fake, mailbox) = (fake(), Mailbox::new());
        fake.on("*", answer);
        let mut listener = crashmail(&fake, &mailbox, &["--tail", "5"]);
        listener.event("PROCESS_STATE_EXITED", &exit("foo"));
        assert_eq!(listener.wait_result(), "OK", "{name}");
        let mail = text(&mailbox.wait_for(1)[0]);
        let end = "exited unexpectedly (pid 58597) from state RUNNING\n\nCause:\n\n";
        assert!(mail.contains(end), "{name}: {mail}");
        let known = mail.contains("terminated by SIGSEGV (core dumped)\n");
        let good = ["closed after the answer", "slow", "dripping", "closed within the answer"];
        assert!(known || !good[..3].contains(&name), "{name}: {mail}");
        assert!(known || mail.contains("\nnot known: "), "{name}: {mail}");
        let log = ends_well(listener);
        assert!(known || log.contains("cannot tell all about the end of processes: "), "{log}");
    }
}

#[test]
fn a_supervisord_that_does_not_answer_holds_a_mail_up_for_seconds() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    fake.on("*", Answer::Hold);
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "5"]);
    listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    let mail = &mailbox.wait_for(1)[0];
    assert!(
        mail.contains("\n\nCause:\n\nnot known: no answer from supervisord at unix://"),
        "{mail}"
    );
    assert_eq!(fake.calls().len(), 1, "nothing more is asked");
    ends_well(listener);
}

#[test]
fn a_start_that_is_given_up_has_its_error() {
    let (fake, smtp) = (fake(), SmtpServer::new());
    let mut missing = FakeProcess::not_running("missing", ProcessState::Fatal).logs("", "");
    missing.spawnerr = "can't find command 'nosuch'".to_owned();
    fake.add(missing);
    let mut listener = Subject::ours(ours(), "fatalmailbatch")
        .server_url(&fake.server_url())
        .args(["-t", "bob@example.com", "-f", "supervisord@example.com"])
        .args(["-H", &smtp.address(), "--tail", "3", "--program", "miss*"])
        .spawn();
    listener.event("PROCESS_STATE_FATAL", &fatal("missing"));
    listener.event("PROCESS_STATE_FATAL", &fatal("other"));
    listener.event("TICK_60", "when:1201063880");
    let body = smtp.wait_for(1)[0].body.replace("\r\n", "\n");
    let (line, rest) = body.split_once('\n').unwrap();
    assert!(line.ends_with(" -- Process missing:missing failed to start too many times"), "{line}");
    let expected = "    Cause: can't find command 'nosuch'\n    stderr:\n    | (empty)\n    \
                    stdout:\n    | (empty)";
    assert_eq!(rest.trim_end(), expected);
    let log = ends_well(listener);
    let unselected = "not mailed, since no --program selects it: 2";
    assert!(log.contains(unselected) && !log.contains("Cause"), "{log}");
}

#[test]
fn crashes_are_counted() {
    let (fake, mailbox) = (fake(), Mailbox::new());
    let mut listener = crashmail(&fake, &mailbox, &["--tail", "0"]);
    for _ in 0..3 {
        listener.event("PROCESS_STATE_EXITED", &exit("foo"));
    }
    let mails = mailbox.wait_for(3);
    assert!(!mails[0].contains("in the last hour"), "{}", mails[0]);
    assert!(mails[2].ends_with("(core dumped); the 3rd time in the last hour"), "{}", mails[2]);
    ends_well(listener);
}

#[test]
fn it_needs_a_supervisord_that_can_be_asked() {
    let addresses = ["-t", "a", "-f", "b"];
    for (tool, arguments) in
        [("crashmail", &[][..]), ("crashmailbatch", &addresses[..]), ("fatalmailbatch", &addresses)]
    {
        let tool = Subject::ours(ours(), tool).args(arguments.iter().copied());
        let output = tool.args(["--tail", "5"]).output(Duration::from_secs(10));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let why =
            ": --tail asks supervisord: cannot reach supervisord: SUPERVISOR_SERVER_URL is not set";
        assert!(said.contains(why) && said.contains("[unix_http_server]"), "{said}");
    }
}
