//! What memmon does otherwise than the original, on purpose: each test shows both. The numbers are
//! the headings of docs/compatibility.md.

use nix::sys::signal::Signal;
use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, Outcome, SOON, Scratch, Subject, Until, Who,
    record, record_both,
};

use super::{RESTART, memmon, one_tick, twenty_megabytes};
use crate::ours;
use crate::verdict::{BAD_ANSWERS, MAIL, assert_died, deviates};

#[test]
fn d1_a_program_may_be_named_with_its_group() {
    let (_ballast, foo) = twenty_megabytes("g:foo");
    let transcript = one_tick("-p group:name", &["-p", "g:foo=5MB"], &[foo]);
    deviates("D1", &transcript, |theirs, ours| {
        assert_died(theirs, "KeyError: 'foo'");
        assert_eq!(ours.calls[2..], ["stopProcess(g:foo)", "startProcess(g:foo)"]);
        assert!(ours.log.ends_with("RSS of g:foo is [RSS]\nRestarting g:foo\n"), "{}", ours.log);
    });
}

#[test]
fn d2_a_name_is_the_one_of_n() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let subject = |outcome: &Outcome| outcome.mails[0].lines().nth(1).unwrap().to_owned();
    for (arguments, expected_theirs, expected_ours) in [
        (&["-n", "x", "-p", "foo=5MB"][..], "memmon [foo]", "memmon [x]"),
        (&["-p", "foo=5MB", "-g", "bar=5MB"], "memmon [bar]", "memmon"),
    ] {
        let transcript =
            one_tick("the name in the subject", &[arguments, &MAIL].concat(), &[foo.clone()]);
        deviates("D2", &transcript, |theirs, ours| {
            let rest = ": process foo:foo restarted";
            assert_eq!(subject(theirs), format!("Subject: {expected_theirs}{rest}"));
            assert_eq!(subject(ours), format!("Subject: {expected_ours}{rest}"));
        });
    }
}

#[test]
fn d3_a_process_over_several_limits_is_restarted_once() {
    let (ballast, foo) = twenty_megabytes("foo");
    let foo = foo.next_pid(ballast.pid());
    let arguments = [&["-p", "foo=5MB", "-g", "foo=5MB", "-a", "5MB"], &MAIL[..]].concat();
    deviates("D3", &one_tick("over three limits", &arguments, &[foo]), |theirs, ours| {
        let stops = |outcome: &Outcome| {
            outcome.calls.iter().filter(|call| call.starts_with("stopProcess")).count()
        };
        assert_eq!((stops(theirs), theirs.mails.len()), (2, 2));
        assert_eq!((stops(ours), ours.mails.len()), (1, 1));
    });
}

#[test]
fn d4_a_fault_on_the_stop_ends_nothing() {
    let (_first, foo) = twenty_megabytes("foo");
    let (_second, zoo) = twenty_megabytes("zoo");
    let transcript = memmon("stop refused", &[&["-a", "5MB"], &MAIL[..]].concat(), &[foo, zoo])
        .act(|fake| fake.once("stopProcess(foo:foo)", Answer::fault(70, "NOT_RUNNING: foo:foo")))
        .event("TICK_60", "when:1");
    deviates("D4", &transcript, |theirs, ours| {
        let fault = "<Fault 70: 'NOT_RUNNING: foo:foo'>";
        assert_died(theirs, fault);
        let mail = |subject: &str, text: &str| {
            format!("To: bob@example.com\nSubject: memmon: {subject}\n\n{text}: {fault}")
        };
        assert_eq!(
            theirs.mails,
            [mail(
                "failed to stop process foo:foo, exiting",
                "Failed to stop process foo:foo (RSS [RSS]), exiting"
            )]
        );
        assert_eq!(
            ours.mails[0],
            mail("failed to stop process foo:foo", "Failed to stop process foo:foo (RSS [RSS])")
        );
        assert!(
            ours.log.contains("Restarting foo:foo\nFailed to stop process foo:foo (RSS [RSS]): ")
        );
        assert_eq!(theirs.calls.len(), 3);
        assert_eq!(ours.calls.last().unwrap(), "startProcess(zoo:zoo)");
    });
}

#[test]
fn d4_a_start_that_failed_is_made_good() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = memmon("start refused", &[&["-a", "5MB"], &MAIL[..]].concat(), &[foo])
        .act(|fake| fake.once("startProcess", Answer::fault(20, "NO_FILE: /usr/bin/foo")))
        .event("TICK_60", "when:1");
    // Ours starts it a second later, on its own, so the runs end differently.
    let theirs = transcript.run(&Who::Theirs);
    assert_died(&theirs, "<Fault 20: 'NO_FILE: /usr/bin/foo'>");
    assert_eq!(theirs.calls, RESTART);
    let ours = transcript.until(Until::Mails(2)).run(&Who::Ours(ours().to_owned()));
    assert_eq!(ours.calls[..4], RESTART);
    assert_eq!(ours.calls.last().unwrap(), "startProcess(foo:foo)");
    assert_eq!(
        ours.mails[0],
        "To: bob@example.com\nSubject: memmon: failed to start process foo:foo\n\n\
         Failed to start process foo:foo after stopping it: <Fault 20: 'NO_FILE: /usr/bin/foo'>"
    );
    assert!(
        ours.mails[1]
            .starts_with("To: bob@example.com\nSubject: memmon: process foo:foo restarted\n")
    );
    assert!(ours.log.ends_with("foo:foo was started again\n"), "{}", ours.log);
    record_both("D4", "memmon", "start refused", &theirs, &ours);
}

#[test]
fn d4_a_wrong_password_is_one_clear_line() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = memmon("wrong password", &["-a", "5MB"], &[foo])
        .env("SUPERVISOR_USERNAME", "user")
        .env("SUPERVISOR_PASSWORD", "wrong")
        .act(|fake| fake.require_login("user", "right"))
        .event("TICK_60", "when:1")
        .event("TICK_60", "when:2");
    deviates("D4", &transcript, |theirs, ours| {
        assert_died(theirs, "401 Unauthorized");
        let advice = "set SUPERVISOR_USERNAME and SUPERVISOR_PASSWORD in the environment= line";
        assert_eq!(ours.log.matches(advice).count(), 1, "{}", ours.log);
    });
}

#[test]
fn d5_it_never_restarts_itself() {
    let (_ballast, itself) = twenty_megabytes("memmon");
    for arguments in [&["-a", "5MB"][..], &["-p", "memmon=5MB"], &["-g", "memmon=5MB"]] {
        let transcript = one_tick("itself", arguments, &[itself.clone()]);
        deviates("D5", &transcript, |theirs, ours| {
            assert!(theirs.calls.contains(&"stopProcess(memmon:memmon)".to_owned()));
            assert_eq!(ours.calls, ["getAllProcessInfo()"]);
        });
    }
}

#[test]
fn d6_no_ps_is_needed() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = one_tick("an empty PATH", &["-a", "5MB"], &[foo]).env("PATH", "/nonexistent");
    deviates("D6", &transcript, |theirs, ours| {
        assert!(theirs.log.contains("ps: not found") && theirs.calls.len() == 1, "{theirs:#?}");
        assert_eq!(ours.calls, RESTART);
    });
}

/// Where there is no /proc, a missing or useless ps is said, and once.
#[test]
fn d6_a_useless_ps_is_an_error_in_the_log() {
    let folder = Scratch::new();
    folder.executable("ps", "#!/bin/sh\necho 'ps: unrecognized option: p' >&2; exit 1\n");
    let useless = folder.path().to_str().unwrap();
    for (path, said) in [
        ("/nonexistent", "cannot run ps, which tells memory here: No such file or directory"),
        (useless, "how much memory processes use: ps: unrecognized option: p\n"),
    ] {
        let (_ballast, foo) = twenty_megabytes("foo");
        let transcript = one_tick("ps", &["-a", "5MB", "--through-ps"], &[foo])
            .event("TICK_60", "when:2")
            .env("PATH", path);
        let ours = transcript.run(&Who::Ours(ours().to_owned()));
        assert!(ours.alive && ours.log.matches(said).count() == 1, "{}", ours.log);
        record("D6", "memmon", "a missing or useless ps");
    }
}

#[test]
fn through_ps_all_is_as_through_proc() {
    let family = Ballast::new(5).children(1, 60).spawn();
    let family = FakeProcess::running("foo", family.pid());
    for (arguments, restarts) in
        [(&["-a", "50MB"][..], false), (&["-c", "-a", "50MB"], true), (&["-a", "5MB"], true)]
    {
        let arguments = [arguments, &["--through-ps"]].concat();
        let transcript = one_tick("through ps", &arguments, &[family.clone()]);
        let ours = transcript.run(&Who::Ours(ours().to_owned()));
        assert_eq!(ours.calls.len() == 4, restarts, "{arguments:?}: {}", ours.log);
    }
}

#[test]
fn d23_an_empty_name_is_named_and_ignored() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let arguments = ["-p", "=1KB", "-g", "=1KB", "-a", "5MB"];
    deviates("D23", &one_tick("empty names", &arguments, &[foo]), |theirs, ours| {
        assert_eq!(theirs.calls, RESTART);
        assert_eq!(ours.calls, RESTART);
        let checking = "Checking programs =1024\nChecking groups =1024\n";
        let rest = theirs.log.strip_prefix(checking).unwrap();
        let warning = |option| {
            format!("memmon: {option} without a name is ignored: no process has an empty one\n")
        };
        assert_eq!(ours.log, format!("{}{}{rest}", warning("-p"), warning("-g")));
    });
}

#[test]
fn d23_negative_sizes_are_errors() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let theirs = one_tick("a negative size", &["-a", "-5MB"], &[foo]).run(&Who::Theirs);
    assert!(theirs.calls.contains(&"stopProcess(foo:foo)".to_owned()), "restarts everything");
    let ours = Subject::ours(ours(), "memmon").args(["-a", "-5MB"]).output(SOON);
    assert_eq!(ours.status.code(), Some(2));
    record_both("D23", "memmon", "a negative size", &theirs, &ours);
}

/// What is not answered supervisord sends again, and what is answered it forgets.
#[test]
fn d29_an_event_is_answered_when_it_is_in_the_queue() {
    let killed_in_a_check = |subject: Subject| {
        let fake = FakeSupervisor::unix();
        fake.on("getAllProcessInfo", Answer::Hold);
        let mut listener = subject.args(["-a", "5MB"]).server_url(&fake.server_url()).spawn();
        listener.event("TICK_60", "when:1");
        fake.wait_for_call("getAllProcessInfo");
        listener
    };
    let mut theirs = killed_in_a_check(Subject::theirs("memmon"));
    let mut ours = killed_in_a_check(Subject::ours(ours(), "memmon"));
    assert_eq!(ours.wait_result(), "OK");
    for listener in [&mut theirs, &mut ours] {
        listener.signal(Signal::SIGKILL);
        listener.wait_exit(SOON);
    }
    assert_eq!((theirs.results().len(), ours.results().len()), (0, 1));
    record("D29", "memmon", "kill -9 in the middle of a check");
}

#[test]
fn d37_an_unreachable_supervisord_is_waited_for() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = memmon("three ticks without RPC", &["-a", "5MB"], &[foo])
        .act(FakeSupervisor::stop)
        .event("TICK_60", "when:1")
        .event("TICK_60", "when:2")
        .event("TICK_60", "when:3")
        .act(FakeSupervisor::start)
        .event("TICK_60", "when:4");
    deviates("D37", &transcript, |theirs, ours| {
        assert_died(theirs, "FileNotFoundError");
        assert_eq!(ours.calls, RESTART);
        let complaint =
            "Cannot check: cannot talk to supervisord at [SERVER]: No such file or directory";
        assert_eq!(ours.log.matches(complaint).count(), 1, "{}", ours.log);
        assert!(ours.log.contains("supervisord answers again\nRSS of foo:foo"), "{}", ours.log);
    });
}

#[test]
fn d37_a_bad_answer_ends_nothing() {
    let (_ballast, foo) = twenty_megabytes("foo");
    for (title, answer, last_words, said) in BAD_ANSWERS {
        let transcript = memmon(title, &["-a", "5MB"], std::slice::from_ref(&foo))
            .act(move |fake| fake.once("getAllProcessInfo", answer()))
            .event("TICK_60", "when:1")
            .event("TICK_60", "when:2");
        deviates("D37", &transcript, |theirs, ours| {
            assert_died(theirs, last_words);
            // A broken connection is made good at once, anything else at the next tick.
            let checks = ours.log.matches("Checking any=5242880\n").count();
            assert_eq!(checks, if said.is_none() { 2 } else { 1 }, "{ours:#?}");
            assert!(ours.calls.contains(&"startProcess(foo:foo)".to_owned()), "{ours:#?}");
            let complaint = said.map(|said| format!("Cannot check: {said}"));
            assert!(
                complaint.is_none_or(|complaint| ours.log.starts_with(&complaint)),
                "{ours:#?}"
            );
        });
    }
}
