//! What httpok keeps to the letter: the same events and answers go to Python's httpok and to ours,
//! and calls, mails, requests, log and protocol are the same.

use std::fs;
use std::time::Duration;

use superlance_testing::{
    Answer, FakeProcess, HttpAnswer, HttpServer, ProcessState, Scratch, Who, record, record_both,
    same,
};

use super::{acts, check, httpok, ill, one_tick, running};
use crate::ours;
use crate::verdict::MAIL;

/// Both do the same when they get this answer.
#[track_caller]
fn check_answer(title: &str, arguments: &[&str], answer: HttpAnswer) {
    let arguments = [&MAIL[..], &["-p", "foo"], arguments, &["{http}/"]].concat();
    same(&one_tick(title, &arguments, &[running("foo")], answer), ours());
}

#[test]
fn what_is_selected_and_runs_is_restarted() {
    let processes = [
        running("foo"),
        running("bar:foo"),
        running("bar:baz"),
        FakeProcess::not_running("idle", ProcessState::Stopped),
    ];
    for arguments in [
        &["-p", "foo"][..],
        &["-p", "bar:foo"],
        &["-p", "bar:baz", "-p", "foo"],
        &["-p", "baz", "-p", "idle"],
        &["-p", "bar"],
        &["-p", "nonsense", "-p", "no:sense", "-p", "foo"],
        &["-p", "it's", "-p", "a\"b"],
        &["-a"],
        &["-a", "-p", "foo", "-p", "nonsense"],
        &[],
    ] {
        check(&format!("selected by {arguments:?}"), arguments, &processes);
    }
    check("no process at all", &["-a"], &[]);
}

/// Names that select no process in the original.
#[test]
fn more_names_than_the_original_knows() {
    for name in ["foo:foo", "foo:*", "f*", "*:fo[a-z]"] {
        let arguments = ["-p", name, "{http}/"];
        let transcript = one_tick(name, &arguments, &[running("foo")], ill());
        let theirs = transcript.run(&Who::Theirs);
        let unknown = format!("Programs not restarted because they did not exist: ['{name}']");
        assert!(theirs.log.contains(&unknown) && acts(&theirs).is_empty(), "{theirs:#?}");
        let ours = transcript.run(&Who::Ours(ours().to_owned()));
        assert!(!ours.log.contains(&unknown) && acts(&ours).len() == 2, "{ours:#?}");
        record_both("added", "httpok", &format!("-p {name}"), &theirs, &ours);
    }
}

#[test]
fn only_what_is_running_is_restarted() {
    use ProcessState::{Backoff, Exited, Fatal, Starting, Stopped, Stopping, Unknown};
    let states = [Stopped, Starting, Backoff, Stopping, Exited, Fatal, Unknown];
    let mut processes: Vec<_> = states
        .iter()
        .map(|&state| FakeProcess::not_running(&format!("g:{state:?}"), state))
        .collect();
    processes.push(running("g:running"));
    check("every state", &["-a"], &processes);
}

#[test]
fn a_status_is_expected_or_not() {
    for (codes, status) in [
        (&[][..], 200),
        (&[], 204),
        (&[], 404),
        (&["-c", "404"], 404),
        (&["-c", "404"], 200),
        (&["-c", "200", "-c", "404"], 404),
        (&["-c", "200", "-c", "404"], 500),
        (&["-c", "500", "-c500", "--code", "503", "--code=502"], 502),
    ] {
        let title = format!("{status}, expected {codes:?}");
        check_answer(&title, codes, HttpAnswer::status(status));
    }
}

#[test]
fn the_reason_is_the_servers() {
    let raw = |line: &str| HttpAnswer::raw(format!("{line}\r\nContent-Length: 0\r\n\r\n"));
    for answer in [
        HttpAnswer::status(500).reason("Out of  coffee: 100%"),
        HttpAnswer::status(599).reason(""),
        raw("HTTP/1.1 500"),
        raw("HTTP/1.0 503 Busy"),
        HttpAnswer::status(500).body("a body that is not wanted"),
    ] {
        check_answer(&format!("{answer:?}"), &[], answer);
    }
}

#[test]
fn a_redirect_is_an_answer_and_not_followed() {
    check_answer("a redirect", &[], HttpAnswer::redirect("/elsewhere"));
    check_answer("a redirect, expected", &["-c", "302"], HttpAnswer::redirect("/elsewhere"));
}

#[test]
fn no_answer_is_a_bad_one() {
    check_answer("closed without an answer", &[], HttpAnswer::close());
    for arguments in [&["-t", "1"][..], &["--timeout=1"], &["--t", "1"], &["-t9", "-t1"]] {
        // Not for ever: theirs does not close the connection before the next tick.
        let late = HttpAnswer::status(200).delay(Duration::from_millis(1500));
        check_answer(&format!("no answer within {arguments:?}"), arguments, late);
    }
}

#[test]
fn the_request_is_the_same() {
    for path in ["/", "/a/b?c=d&e=%20f", "/?q", "/#fragment", "/a;b=c", "//x", "/~!$'()*+,"] {
        let url = format!("{{http}}{path}");
        let transcript = httpok(&format!("the path {path:?}"), &[&url], &[]);
        same(&transcript.event("TICK_60", "when:1201063880"), ours());
    }
    let seen = |http: &mut HttpServer| {
        let requests = http.wait_for(2);
        for request in &requests {
            assert_eq!(request.header("User-Agent"), Some("httpok"));
            assert_eq!(request.header("Accept-Encoding"), Some("identity"));
            assert_eq!(request.header("Host"), Some(&*format!("127.0.0.1:{}", http.port())));
            assert!(request.header("Authorization").is_none());
        }
        assert_ne!(requests[0].connection, requests[1].connection);
    };
    let transcript = httpok("headers", &["{http}/"], &[])
        .event("TICK_60", "when:1")
        .event("TICK_60", "when:2")
        .act_on_http(seen);
    same(&transcript, ours());
}

#[test]
fn eager_or_not() {
    let (on, off) = (running("foo"), FakeProcess::not_running("foo", ProcessState::Stopped));
    for arguments in [&[][..], &["-e"], &["-E"], &["-eE"], &["-E", "-e"]] {
        for (state, process) in [("running", &on), ("stopped", &off)] {
            let title = format!("{arguments:?} while foo is {state}");
            check(&title, &[arguments, &["-p", "foo"]].concat(), &[process.clone()]);
        }
    }
    let nobody = httpok("-E alone", &["-E", "{http}/"], &[]).may_add("-E without -p or -a");
    same(&nobody.event("TICK_60", "when:1"), ours());
}

#[test]
fn a_core_is_dumped_before_the_restart() {
    let cores = Scratch::new();
    let gcore = cores.executable(
        "gcore",
        "#!/bin/sh\n[ \"$1\" = -o ] && shift\necho core > \"$1.$2\"\n\
         echo \"Saved corefile ${1##*/}.$2\"; echo 'and more'\n",
    );
    let (gcore, folder) = (gcore.to_str().unwrap(), cores.path().to_str().unwrap());
    let with_slash = format!("{folder}/");
    let options = format!("{gcore} -o");
    let processes = [
        running("foo"),
        running("bar:baz"),
        FakeProcess::not_running("idle", ProcessState::Stopped),
    ];
    for (arguments, written) in [
        (&["-a", "-d", folder, "-g", gcore][..], true),
        (&["-a", "-g", &options, "-d", &with_slash], true),
        (&["-p", "foo", "-p", "bar:baz", "-d", "/nonexistent", "-d", folder, "-g", gcore], true),
        (&["-a", "-g", gcore], false),
        (&["-a", "-d", "", "-g", gcore], false),
        (&["-a", "-d", folder, "-g", ""], false),
    ] {
        let both = ["foo.77", "bar:baz.77"].map(|name| cores.join(name));
        check(&format!("a core: {written} {}", arguments.len()), arguments, &processes);
        assert!(both.iter().all(|core| core.exists() == written), "{arguments:?}");
        both.iter().for_each(|core| drop(fs::remove_file(core)));
    }
    check("gcore that says nothing", &["-a", "-d", folder, "-g", "true"], &processes);
}

#[test]
fn a_mail_command_is_one_for_the_shell() {
    for command in [
        "sed 's/^To:/X-To:/' | {mailbox}",
        "cat > {scratch}/mail && {mailbox} < {scratch}/mail",
        "X='a b'; { echo \"From: $X\"; cat; } | {mailbox}",
    ] {
        let arguments = ["-a", "-m", "bob@example.com", "-s", command, "{http}/"];
        same(&one_tick(command, &arguments, &[running("foo")], ill()), ours());
    }
}

#[test]
fn without_an_address_nothing_is_mailed() {
    let arguments = ["-a", "-s", "{mailbox}", "{http}/"];
    same(&one_tick("no -m", &arguments, &[running("foo")], ill()), ours());
}

#[test]
fn a_refused_stop_is_reported_and_the_start_tried() {
    let arguments = [&MAIL[..], &["-a", "{http}/"]].concat();
    for (title, start) in [
        ("the stop", Answer::Value("<value><boolean>1</boolean></value>".to_owned())),
        ("stop and start", Answer::fault(60, "ALREADY_STARTED: foo")),
    ] {
        // The first fault is that of a process that has ended by itself.
        let transcript = httpok(&format!("refused: {title}"), &arguments, &[running("foo")])
            .http(HttpServer::builder().usually(ill()))
            .act(move |fake| {
                fake.once("stopProcess", Answer::fault(70, "NOT_RUNNING: foo"));
                fake.once("startProcess", start.clone());
            })
            .event("TICK_60", "when:1201063880");
        same(&transcript, ours());
    }
}

#[test]
fn only_ticks_matter_and_all_of_them_do() {
    let exited = "processname:a groupname:a from_state:RUNNING expected:0 pid:1";
    let transcript = httpok("events of all kinds", &["{http}/"], &[])
        .event("TICK_5", "when:1201063880")
        .event("PROCESS_STATE_EXITED", exited)
        .event("TICK_3600", "when:1201063880")
        .event("PROCESS_LOG_STDERR", "processname:a groupname:a pid:1 channel:stderr\ncafé ☃")
        .event("REMOTE_COMMUNICATION", "type:café\nline\nline")
        .event("TICK_60", "");
    same(&transcript, ours());
}

#[test]
fn it_works_with_tcp_and_a_login_and_whatever_the_proxy() {
    let arguments = [&MAIL, &["-a", "{http}/"][..]].concat();
    let transcript = one_tick("tcp, login, proxy", &arguments, &[running("foo")], ill())
        .inet()
        .env("SUPERVISOR_USERNAME", "user")
        .env("SUPERVISOR_PASSWORD", "p:a ss€")
        .env("http_proxy", "http://127.0.0.1:1")
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1");
    same(&transcript, ours());
    record("D31", "httpok", "a proxy in the environment");
}
