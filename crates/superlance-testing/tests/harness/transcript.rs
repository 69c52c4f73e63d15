//! Transcripts, with the original in disguise as ours.

use std::path::PathBuf;

use superlance_testing::{
    Answer, Ballast, FakeProcess, HttpAnswer, HttpServer, Scratch, SmtpAnswer, SmtpServer,
    Transcript, Until, Who, deviates, same, venv,
};

/// A multi-call program that is the original, with something changed in its input or output.
fn disguised(scratch: &Scratch, change: &str) -> PathBuf {
    let bin = venv::bin();
    scratch.executable(
        "superlance",
        format!("#!/bin/sh\nname=$1; shift\nPATH={}:$PATH\n{change}\n", bin.display()),
    )
}

fn restart(ballast_pid: u32) -> Transcript {
    Transcript::new("memmon", "restarts and mails")
        .args(["-a", "1MB", "-m", "bob@example.com", "-s", "{mailbox}"])
        .processes([
            FakeProcess::running("bar", ballast_pid).uptime(5),
            FakeProcess::running("foo:one", ballast_pid).next_pid(ballast_pid),
        ])
        .event("TICK_60", "when:1")
}

#[test]
fn the_same_is_the_same() {
    let (scratch, ballast) = (Scratch::new(), Ballast::new(5).spawn());
    let ours = disguised(&scratch, r#"exec "$name" "$@""#);
    same(&restart(ballast.pid()), &ours);
    let longer = restart(ballast.pid())
        .event("PROCESS_STATE_EXITED", "processname:x")
        .until(Until::Mails(2))
        .event("TICK_60", "when:2");
    same(&longer, &ours);
    // When both are dead, that they did the same is no comfort.
    let deadly = restart(ballast.pid())
        .act(|fake| fake.on("stopProcess", Answer::fault(30, "FAILED: no")))
        .event("TICK_60", "when:2")
        .event("TICK_60", "never sent, as the original is dead");
    let compare = std::panic::AssertUnwindSafe(|| same(&deadly, &ours));
    let panic = std::panic::catch_unwind(compare).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().starts_with("memmon has died, restarts"));
}

#[test]
fn an_outcome_is_complete_and_filtered() {
    let ballast = Ballast::new(5).spawn();
    let outcome = restart(ballast.pid()).run(&Who::Theirs);
    let calls = outcome.calls.join(" ");
    assert_eq!(
        calls,
        "getAllProcessInfo() getProcessInfo(bar:bar) stopProcess(bar:bar) startProcess(bar:bar) \
         getProcessInfo(foo:one) stopProcess(foo:one) startProcess(foo:one)"
    );
    assert_eq!(
        outcome.mails[0],
        "To: bob@example.com\nSubject: memmon: process bar:bar restarted\n\n\
         memmon.py restarted the process named bar:bar at [TIME] UTC because it was consuming \
         too much memory ([RSS] bytes RSS)"
    );
    assert_eq!(outcome.mails.len(), 2);
    assert_eq!(outcome.protocol, "READY\nRESULT 2\nOKREADY\n");
    assert!(outcome.log.ends_with("RSS of foo:one is [RSS]\nRestarting foo:one\n"));
    assert!(outcome.alive && !outcome.unknown);
    assert_eq!(outcome.afterwards.log, "[TRACEBACK] KeyError: 'len'\n");
    assert_eq!(outcome.exit, Some(1));
}

#[test]
fn a_difference_is_shown_side_by_side() {
    let (scratch, ballast) = (Scratch::new(), Ballast::new(5).spawn());
    let ours = disguised(&scratch, r#"exec "$name" "$@" -m eve@example.com -n x"#);
    let transcript = restart(ballast.pid());
    let compare = std::panic::AssertUnwindSafe(|| same(&transcript, &ours));
    let panic = std::panic::catch_unwind(compare).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    let row = text.lines().find(|line| line.contains("eve@example.com")).unwrap();
    assert!(row.starts_with("! To: bob@example.com"), "{text}");
}

#[test]
fn a_deviation_shows_both() {
    let (scratch, ballast) = (Scratch::new(), Ballast::new(5).spawn());
    let ours = disguised(&scratch, r#"exec "$name" -a 1GB -p foo=1GB -n x"#);
    deviates(&restart(ballast.pid()), &ours, "D1", |theirs, ours| {
        assert_eq!((theirs.mails.len(), ours.mails.len()), (2, 0));
        assert_eq!(ours.calls, ["getAllProcessInfo()"]);
    });
}

#[test]
fn ours_may_answer_before_it_acts() {
    let (scratch, ballast) = (Scratch::new(), Ballast::new(5).spawn());
    // Says READY and OK itself, and has the original do the work behind its back, slowly.
    let ours = disguised(
        &scratch,
        r#"echo READY
           while read -r header && read -r -n 6 payload; do
               printf 'RESULT 2\nOKREADY\n'
               printf '%s\n%s' "$header" when:1 | (sleep 0.3; "$name" "$@" 2>&1 > /dev/null) |
                   sed '/^Traceback/,$d' >&2
           done"#,
    );
    let text = std::fs::read_to_string(&ours).unwrap().replace("/bin/sh", "/bin/bash");
    std::fs::write(&ours, text).unwrap();
    same(&restart(ballast.pid()), &ours);
    same(&restart(ballast.pid()).event("TICK_60", "when:2").event("TICK_60", "when:3"), &ours);
}

fn crash() -> Transcript {
    let crash = "processname:foo groupname:foo from_state:RUNNING expected:0 pid:7";
    Transcript::new("crashmailbatch", "mails about a crash")
        .args(["-t", "bob@example.com, eve@example.com", "-f", "me@example.com", "-H", "{smtp}"])
        .event("PROCESS_STATE_EXITED", crash)
        .event("TICK_60", "when:60")
}

#[test]
fn what_goes_by_smtp_is_part_of_it() {
    let refusing = SmtpServer::builder().on("RCPT eve@example.com", SmtpAnswer::Code(550));
    let transcript = crash().smtp(refusing);
    let outcome = transcript.run(&Who::Theirs);
    assert_eq!(
        outcome.received[0].to_text(),
        "MAIL FROM: me@example.com\nRCPT TO: bob@example.com\nTLS: false\n\n\
         Content-Type: text/plain; charset=\"us-ascii\"\nMIME-Version: 1.0\n\
         Content-Transfer-Encoding: 7bit\nSubject: Crash alert from supervisord\n\
         From: me@example.com\nTo: bob@example.com, eve@example.com\n\
         Date: [DATE]\nMessage-ID: [ID]\n\n\
         [TIME] -- Process foo:foo (pid [PID]) died unexpectedly\n"
    );
    assert_eq!(outcome.received[0].subject.as_deref(), Some("Crash alert from supervisord"));
    assert_eq!((outcome.received.len(), outcome.mails.len()), (1, 0));

    let scratch = Scratch::new();
    let ours = disguised(&scratch, r#"exec "$name" "$@""#);
    let longer = transcript
        .until(Until::Mails(1))
        .act_on_smtp(SmtpServer::stop)
        .event("TICK_60", "when:120")
        .act_on_smtp(SmtpServer::start)
        .event("TICK_60", "when:180");
    same(&longer, &ours);
    let other = disguised(&scratch, r#"exec "$name" "$@" -f eve@example.com"#);
    deviates(&crash().smtp(SmtpServer::builder()), &other, "D1", |theirs, ours| {
        assert_eq!(theirs.received[0].from, "me@example.com");
        assert_eq!(ours.received[0].from, "eve@example.com");
        assert_ne!(theirs.received[0].to_text(), ours.received[0].to_text());
    });
}

#[test]
fn a_server_that_is_down_is_part_of_it() {
    let outcome =
        crash().smtp(SmtpServer::builder()).act_on_smtp(SmtpServer::stop).run(&Who::Theirs);
    assert_eq!(outcome.received.len(), 1, "what is said after the last event comes too late");
    let down = Transcript::new("crashmailbatch", "down from the start")
        .args(["-t", "a@b", "-f", "c@d", "-H", "{smtp}"])
        .smtp(SmtpServer::builder())
        .act_on_smtp(SmtpServer::stop)
        .event("PROCESS_STATE_EXITED", "processname:a groupname:a expected:0 pid:7")
        .event("TICK_60", "when:60")
        .run(&Who::Theirs);
    assert!(down.log.contains("Error sending email: [Errno 111] Connection refused"));
    assert!(down.received.is_empty());
}

#[test]
fn what_goes_by_http_is_part_of_it() {
    let ballast = Ballast::new(1).spawn();
    let transcript = Transcript::new("httpok", "a status that is not 200")
        .args(["-p", "foo", "-m", "bob@example.com", "-s", "{mailbox}", "{http}/a?b"])
        .processes([FakeProcess::running("foo", ballast.pid())])
        .http(HttpServer::builder().then(HttpAnswer::status(500).reason("Sick")))
        .event("TICK_60", "when:60")
        .act_on_http(|http| http.usually(HttpAnswer::close()))
        .event("TICK_60", "when:120")
        .act_on_http(|http| http.usually(HttpAnswer::status(200)))
        .event("TICK_60", "when:180");
    let outcome = transcript.run(&Who::Theirs);
    assert_eq!(outcome.requests, ["GET /a?b"; 3]);
    assert_eq!(outcome.mails.len(), 2);
    assert!(outcome.mails[0].contains("status contacting [HTTP]/a?b: 500 Sick\n"));
    assert!(outcome.mails[1].contains("Remote end closed connection without response"));

    let scratch = Scratch::new();
    same(&transcript, &disguised(&scratch, r#"exec "$name" "$@""#));
    let other = disguised(&scratch, r#"exec "$name" "${@:1:$#-1}" "${@: -1}c""#);
    let text = std::fs::read_to_string(&other).unwrap().replace("/bin/sh", "/bin/bash");
    std::fs::write(&other, text).unwrap();
    let panic = std::panic::AssertUnwindSafe(|| same(&transcript, &other));
    let panic = std::panic::catch_unwind(panic).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("GET /a?bc"));
}
