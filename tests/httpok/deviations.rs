//! What httpok does otherwise than the original, on purpose: each test shows both. The numbers are
//! the headings of docs/compatibility.md.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use superlance_testing::{
    Answer, Certificate, FakeSupervisor, HttpAnswer, HttpServer, Outcome, SOON, Subject,
    Transcript, Until, Who, record, record_both,
};

use super::{acts, foo, httpok, ill, one_tick, running};
use crate::ours;
use crate::verdict::{BAD_ANSWERS, MAIL, assert_died, deviates};

/// What a restart of `foo` comes to.
const RESTART: [&str; 2] = ["stopProcess(foo:foo)", "startProcess(foo:foo)"];

/// `foo`, restarted at a tick.
fn restart(title: &str, arguments: &[&str]) -> Transcript {
    foo(title, &[arguments, &["{http}/"]].concat(), ill()).event("TICK_60", "when:1")
}

#[track_caller]
fn run_ours(transcript: &Transcript) -> Outcome {
    transcript.run(&Who::Ours(ours().to_owned()))
}

#[test]
fn d4_a_start_that_failed_is_made_good() {
    let transcript = foo("start refused", &["{http}/"], ill())
        .act(|fake| fake.once("startProcess", Answer::fault(20, "NO_FILE: /usr/bin/foo")))
        .event("TICK_60", "when:1");
    let said = "Failed to start process foo: <Fault 20: 'NO_FILE: /usr/bin/foo'>\n";
    // There it stays stopped; ours starts it a second later, on its own.
    let theirs = transcript.run(&Who::Theirs);
    assert!(acts(&theirs) == RESTART && theirs.log.contains(said), "{theirs:#?}");
    let ours = run_ours(&transcript.until(Until::Mails(2)));
    assert_eq!(acts(&ours), [RESTART[0], RESTART[1], RESTART[1]]);
    assert!(ours.log.contains(said) && ours.log.contains("foo:foo was started again\n"));
    assert!(ours.mails[1].ends_with(": bad status returned\n\nfoo:foo was started again"));
    record_both("D4", "httpok", "start refused", &theirs, &ours);
}

#[test]
fn d5_it_never_restarts_itself() {
    for arguments in [&["-a"][..], &["-p", "httpok"], &["-p", "httpok:httpok", "-p", "httpok"]] {
        let arguments = [arguments, &["{http}/"]].concat();
        let transcript = one_tick("itself", &arguments, &[running("httpok")], ill());
        deviates("D5", &transcript, |theirs, ours| {
            assert_eq!(acts(theirs), ["stopProcess(httpok:httpok)", "startProcess(httpok:httpok)"]);
            assert!(acts(ours).is_empty(), "{ours:#?}");
        });
    }
}

#[test]
fn d9_a_body_is_searched() {
    let body = |text: &str| HttpAnswer::status(200).body(text);
    for (option, text, found) in [
        ("-b", "all is well today", true),
        ("--body", "all is well", true),
        ("-b", "all was well", false),
        ("--b", "", false),
    ] {
        let arguments = [option, "all is well", "{http}/"];
        let transcript = foo(&format!("{option} and {text:?}"), &arguments, body(text));
        deviates("D9", &transcript.event("TICK_60", "when:1"), |theirs, ours| {
            assert_died(theirs, "TypeError: a bytes-like object is required, not 'str'");
            assert_eq!(ours.mails.is_empty(), found);
            if !found {
                let head = "To: bob@example.com\nSubject: httpok: [HTTP]/: bad body returned\n\n\
                            status contacting [HTTP]/: 200 OK\nRestarting selected";
                assert!(ours.mails[0].starts_with(head), "{}", ours.mails[0]);
            }
        });
    }
}

/// Before Python 3.12 the original succeeds here too, without a word on which server it means.
#[test]
fn d10_https_works_and_names_the_server() {
    let server = HttpServer::builder().tls(&Certificate::self_signed());
    let names = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&names);
    let arguments = [&MAIL[..], &["-p", "foo", "https://localhost:{http-port}/"]].concat();
    let transcript = httpok("https, self-signed", &arguments, &[running("foo")])
        .http(server)
        .event("TICK_60", "when:1")
        .act_on_http(move |http| seen.borrow_mut().push(http.server_names()));
    deviates("D10", &transcript, |theirs, ours| {
        assert!(theirs.mails.len() == 1 || theirs.requests == ["GET /"], "{theirs:#?}");
        assert_eq!((&*ours.log, &*ours.requests), ("", &["GET /".to_owned()][..]));
        let names = names.borrow();
        assert!(names[0].iter().all(String::is_empty), "{names:?}");
        assert_eq!(names[1], ["localhost"]);
    });
}

#[test]
fn d10_https_works_over_ipv6() {
    let server = HttpServer::builder().tls(&Certificate::self_signed()).ipv6();
    let transcript = foo("https over IPv6", &["{http}/"], ill()).http(server);
    deviates("D10", &transcript.event("TICK_60", "when:1"), |theirs, ours| {
        assert!(acts(theirs) == RESTART && theirs.requests.is_empty(), "{theirs:#?}");
        assert_eq!((&*ours.log, &*ours.requests), ("", &["GET /".to_owned()][..]));
    });
}

/// An option that the original does not have.
#[test]
fn d10_a_certificate_is_verified_if_asked() {
    let (signed, elsewhere) = (Certificate::signed(), Certificate::for_elsewhere());
    let (alone, expired) = (Certificate::self_signed(), Certificate::expired());
    let file = |certificate: &Certificate| certificate.authority().display().to_string();
    for (certificate, authority, verdict) in [
        (&signed, file(&signed), Ok(())),
        (&signed, file(&alone), Err("is not issued by an authority that is trusted")),
        (&alone, file(&signed), Err("is not issued by an authority that is trusted")),
        (&elsewhere, file(&elsewhere), Err("is not for localhost but for ")),
        (&expired, file(&expired), Err("expired on ")),
    ] {
        let arguments = ["--tls-verify", "https://localhost:{http-port}/"];
        let transcript = foo("--tls-verify", &arguments, ill())
            .http(HttpServer::builder().tls(certificate))
            .env("SSL_CERT_FILE", &authority)
            .event("TICK_60", "when:1");
        let ours = run_ours(&transcript);
        match verdict {
            Ok(()) => assert_eq!((&*ours.log, ours.requests.len()), ("", 1)),
            Err(why) => {
                let head = "error contacting https://localhost:[PORT]/:\n\n its certificate";
                assert!(ours.log.starts_with(&format!("{head} {why}")), "{}", ours.log);
                assert!(ours.requests.is_empty() && acts(&ours) == RESTART, "{ours:#?}");
            }
        }
        record("D10", "httpok", "--tls-verify");
    }
}

#[test]
fn d11_not_eager_still_means_to_check() {
    for arguments in [&["-E", "-p", "g:foo"][..], &["-E", "-a"], &["-aE", "-p", "bar"]] {
        let title = format!("{arguments:?}");
        let arguments = [arguments, &["{http}/"]].concat();
        let transcript = one_tick(&title, &arguments, &[running("g:foo")], ill());
        deviates("D11", &transcript, |theirs, ours| {
            assert!(theirs.requests.is_empty() && acts(theirs).is_empty(), "{theirs:#?}");
            assert_eq!(acts(ours), ["stopProcess(g:foo)", "startProcess(g:foo)"]);
        });
    }
}

#[test]
fn d12_a_refused_connection_is_called_so() {
    let transcript = foo("connection refused", &["{http}/"], ill())
        .act_on_http(HttpServer::stop)
        .event("TICK_60", "when:1");
    deviates("D12", &transcript, |theirs, ours| {
        let mail = |why: &str| format!("error contacting [HTTP]/:\n\n {why}\nRestarting selected");
        assert!(theirs.mails[0].contains(&mail("getaddrinfo returns an empty list")));
        let expected = mail("[Errno 111] Connection refused");
        assert!(ours.mails[0].contains(&expected), "{}", ours.mails[0]);
        assert_eq!(acts(theirs), acts(ours));
    });
}

#[test]
fn d12_a_refused_connection_is_tried_again_after_ten_seconds() {
    let transcript = foo("a server that starts slowly", &["-t", "11", "{http}/"], ill())
        .http(HttpServer::builder())
        .act_on_http(HttpServer::stop)
        .event("TICK_60", "when:1")
        .act_on_http(HttpServer::start);
    let theirs = transcript.run(&Who::Theirs);
    assert_eq!(acts(&theirs), RESTART, "{}", theirs.log);
    // The next tick finds the check of the first one under way, and adds none.
    let transcript = transcript.event("TICK_60", "when:2").until(Until::Requests(1));
    let ours = run_ours(&transcript);
    assert_eq!((&*ours.log, ours.requests.len()), ("", 1));
    record_both("D12", "httpok", "a server that starts slowly", &theirs, &ours);
}

#[test]
fn d13_a_server_that_drips_is_not_well() {
    let pause = Duration::from_millis(40);
    let body = HttpAnswer::status(200).body([b'x'; 40]);
    for (title, answer) in [
        ("headers that drip", HttpAnswer::status(200).drip_head(pause)),
        ("a body that drips", body.drip_body(pause)),
    ] {
        let transcript = foo(title, &["-t", "1", "{http}/"], answer).event("TICK_60", "when:1");
        deviates("D13", &transcript, |theirs, ours| {
            assert!(acts(theirs).is_empty() && theirs.requests.len() == 1, "{theirs:#?}");
            assert_eq!(acts(ours), RESTART);
            let head = "error contacting [HTTP]/:\n\n timed out\n";
            assert!(ours.log.starts_with(head), "{}", ours.log);
        });
    }
}

/// Theirs would read it for hours, and keep it all.
#[test]
fn d13_a_body_without_end_is_not_waited_for() {
    let endless = HttpAnswer::status(200).body(vec![b'x'; 4_000_000]);
    let endless = endless.drip_body(Duration::from_millis(1));
    let transcript = foo("an endless body", &["-t", "1", "{http}/"], endless);
    let ours = run_ours(&transcript.event("TICK_60", "when:1"));
    assert_eq!(acts(&ours), RESTART, "{}", ours.log);
    record("D13", "httpok", "an endless body");
}

#[test]
fn d14_user_and_password_in_the_url() {
    let requests = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&requests);
    let url = "http://bob:se%40cret@127.0.0.1:{http-port}/x";
    let transcript = foo("user and password", &[url], HttpAnswer::status(200))
        .event("TICK_60", "when:1")
        .act_on_http(move |http| *seen.borrow_mut() = http.requests());
    deviates("D14", &transcript, |theirs, ours| {
        assert!(theirs.requests.is_empty() && acts(theirs) == RESTART, "{theirs:#?}");
        assert_eq!((&*ours.log, &*ours.requests), ("", &["GET /x".to_owned()][..]));
        // bob:se@cret
        let expected = Some("Basic Ym9iOnNlQGNyZXQ=");
        assert_eq!(requests.borrow()[0].header("Authorization"), expected);
    });
    // The password is in neither.
    let ours = run_ours(&foo("", &[url], ill()).event("TICK_60", "when:1"));
    assert!(!format!("{} {:?}", ours.log, ours.mails).contains("cret"), "{ours:#?}");
    let shown = "Subject: httpok: http://bob:***@127.0.0.1:[PORT]/x: bad status returned\n";
    assert!(ours.mails[0].contains(shown), "{}", ours.mails[0]);
}

#[test]
fn d33_supervisord_is_asked_when_it_matters() {
    let well = foo("well", &["{http}/"], HttpAnswer::status(200)).event("TICK_60", "when:1");
    deviates("D33", &well, |theirs, ours| {
        assert_eq!(theirs.calls, ["getAllProcessInfo()"]);
        assert!(ours.calls.is_empty());
    });
    let ill = foo("ill", &["{http}/"], ill()).event("TICK_60", "when:1");
    deviates("D33", &ill, |theirs, ours| {
        let asked = ["getAllProcessInfo()"; 2];
        assert_eq!(theirs.calls, [&asked[..], &["stopProcess(foo)", "startProcess(foo)"]].concat());
        let asked = ["getAllProcessInfo()", "getProcessInfo(foo:foo)"];
        assert_eq!(ours.calls, [&asked[..], &RESTART].concat());
    });
}

#[test]
fn d35_a_core_is_private_and_its_name_only_a_name() {
    let gcore = "f() { umask; echo \"$1\"; }; f";
    let arguments = ["-a", "-g", gcore, "-d", "/tmp", "{http}/"];
    let transcript = one_tick("cores", &arguments, &[running("../x$((6*7))")], ill());
    deviates("D35", &transcript, |theirs, ours| {
        let dump = |outcome: &Outcome| {
            let rest = outcome.log.split("gcore output for ../x$((6*7)):\n\n ").nth(1).unwrap();
            let mut lines = rest.lines();
            let umask = u32::from_str_radix(lines.next().unwrap(), 8).unwrap();
            (umask, lines.next().unwrap().to_owned())
        };
        let ((theirs_umask, theirs), (ours_umask, ours)) = (dump(theirs), dump(ours));
        assert_eq!((theirs.as_str(), ours.as_str()), ("/tmp/../x42", "/tmp/.._x$((6*7))"));
        assert_eq!(ours_umask, theirs_umask | 0o007);
    });
}

#[test]
fn d15_a_gcore_that_reads_cannot_touch_the_protocol() {
    // It asks a question, as debuggers do, and gets no answer.
    let gcore = "f() { echo 'Really?'; read answer || answer=nothing; echo \"$answer\"; }; f";
    let http = HttpServer::builder().usually(ill()).start();
    let arguments = ["-a", "-g", gcore, "-d", "/tmp", &format!("{}/", http.url())];
    let started = |subject: Subject| {
        let fake = FakeSupervisor::unix();
        fake.add(running("foo"));
        let mut listener = subject.args(arguments).server_url(&fake.server_url()).spawn();
        listener.event("TICK_60", "when:1");
        (listener, fake)
    };
    let (mut theirs, _fake) = started(Subject::theirs("httpok"));
    theirs.wait_for_log("Restarting all running processes");
    // The next event becomes the answer.
    theirs.write(b"ver:3.0 eventname:TICK_60 len:0\n");
    theirs.wait_for_log("Really?\nver:3.0 eventname:TICK_60");
    let (mut ours, fake) = started(Subject::ours(ours(), "httpok"));
    ours.event("TICK_60", "when:2");
    fake.wait_for_call("startProcess");
    assert!(ours.wait_for_log("foo restarted").contains("Really?\nnothing\n"));
    assert_eq!(ours.wait_result(), "OK");
    record("D15", "httpok", "a gcore that reads");
}

#[test]
fn d15_a_gcore_that_fails_is_reported() {
    let arguments = ["-d", "{scratch}/none", "-g", "echo x; echo y >&2; exit 3 #"];
    deviates("D15", &restart("a gcore that fails", &arguments), |theirs, ours| {
        assert!(theirs.log.contains("gcore output for foo:\n\n x\n\nfoo is in"), "{theirs:#?}");
        let report = "Core directory [SCRATCH]/none does not exist or cannot be written to\n\
                      gcore output for foo:\n\n x\n\n\
                      gcore for foo: the command failed with exit status 3\nfoo is in RUNNING state";
        assert!(ours.log.contains(report) && ours.mails[0].contains(report), "{}", ours.log);
        assert_eq!(acts(theirs), acts(ours));
    });
}

/// With a limit below one the original asks nothing, and takes that for a failure.
#[test]
fn d23_no_time_and_less_are_errors() {
    for limit in ["0", "-5"] {
        let transcript = restart(&format!("-t {limit}"), &["-t", limit]);
        let theirs = transcript.run(&Who::Theirs);
        assert!(theirs.requests.is_empty() && acts(&theirs).len() == 2, "{theirs:#?}");
        let ours = Subject::ours(ours(), "httpok").args(["-t", limit, "http://h/"]).output(SOON);
        assert_eq!((ours.status.code(), ours.stdout.len()), (Some(2), 0));
        record_both("D23", "httpok", &format!("-t {limit}"), &theirs, &ours);
    }
}

#[test]
fn d32_every_message_ends_its_line() {
    let transcript = restart("two reports", &[]).event("TICK_60", "when:2");
    deviates("D32", &transcript, |theirs, ours| {
        let end = |outcome: &Outcome| outcome.log.matches("foo restarted\n").count();
        assert!(theirs.log.contains("foo restartedRestarting selected") && end(theirs) == 2);
        assert!(ours.log.contains("foo restarted\nstatus contacting [HTTP]/: 500"));
        assert_eq!(end(ours), 4, "{}", ours.log);
    });
}

/// What a name of elsewhere says to a terminal is not passed on to the terminal that shows the log.
#[test]
fn d32_control_characters_do_not_reach_the_log() {
    let evil = HttpAnswer::status(500).reason("Sick\u{1b}[2J");
    let transcript = foo("a reason with an escape", &["{http}/"], evil);
    deviates("D32", &transcript.event("TICK_60", "when:1"), |theirs, ours| {
        assert!(theirs.log.contains("Sick\u{1b}[2J"), "{}", theirs.log);
        assert!(!ours.log.contains('\u{1b}'), "{}", ours.log);
    });
}

#[test]
fn d37_an_unreachable_supervisord_is_waited_for() {
    let transcript = foo("a tick without RPC", &["{http}/"], ill())
        .act(FakeSupervisor::stop)
        .event("TICK_60", "when:1")
        .act(FakeSupervisor::start)
        .event("TICK_60", "when:2");
    deviates("D37", &transcript, |theirs, ours| {
        assert_died(theirs, "FileNotFoundError");
        assert_eq!(acts(ours), RESTART);
        let said = "Exception retrieving process info cannot talk to supervisord at [SERVER]: \
                    No such file or directory";
        assert!(ours.log.contains(said) && ours.log.contains(", not acting\n"), "{}", ours.log);
        assert_eq!(ours.mails.len(), 1);
    });
}

#[test]
fn d37_a_bad_answer_ends_nothing() {
    for (title, answer, last_words, said) in BAD_ANSWERS {
        let transcript = foo(title, &["{http}/"], ill())
            .act(move |fake| fake.once("getAllProcessInfo", answer()))
            .event("TICK_60", "when:1")
            .event("TICK_60", "when:2");
        deviates("D37", &transcript, |theirs, ours| {
            assert_died(theirs, last_words);
            // A broken connection is made good at once, anything else at the next tick.
            let restarts = acts(ours).len() / RESTART.len();
            assert_eq!(restarts, if said.is_none() { 2 } else { 1 }, "{ours:#?}");
            let complaint = said.map(|said| format!("Exception retrieving process info {said}"));
            assert!(complaint.is_none_or(|complaint| ours.log.contains(&complaint)), "{ours:#?}");
        });
    }
}
