//! Transcripts, with the original in disguise as ours.

use std::path::PathBuf;

use superlance_testing::{
    Answer, Ballast, FakeProcess, Scratch, Transcript, Until, Who, deviates, same, venv,
};

/// A multi-call program that is the original, with something changed in its input or output.
fn disguised(scratch: &Scratch, change: &str) -> PathBuf {
    let bin = venv::bin();
    scratch.script(
        "superlance",
        &format!("#!/bin/sh\nname=$1; shift\nPATH={}:$PATH\n{change}\n", bin.display()),
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
        .act(|fake| fake.on("stopProcess", Answer::fault(30, "FAILED: no")))
        .event("TICK_60", "when:2")
        .event("TICK_60", "never sent, as the original is dead");
    same(&longer, &ours);
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
    deviates(&restart(ballast.pid()), &ours, "D0", |theirs, ours| {
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
