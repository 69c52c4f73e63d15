//! What is wrong on a command line is said on stderr, helpfully, with exit status 2; wrong
//! surroundings with 1. stdout is the protocol, and stays empty.

use std::time::Duration;

use superlance_testing::Subject;

use crate::ours;

const SOON: Duration = Duration::from_secs(10);

/// `name` with these arguments ends with `code` and says all of `texts`.
#[track_caller]
fn check(subject: Subject, arguments: &[&str], code: i32, texts: &[&str]) {
    let output = subject.args(arguments.iter().copied()).output(SOON);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed to stdout");
    for text in texts {
        assert!(said.contains(text), "{arguments:?} should say {text:?}, but says:\n{said}");
    }
}

fn memmon() -> Subject {
    Subject::ours(ours(), "memmon").server_url("unix:///nonexistent")
}

#[test]
fn a_bad_value_is_shown_with_what_was_expected() {
    let size = "is not a size such as 200MB (B, KB, MB, GB or TB, in steps of 1024)";
    for (arguments, texts) in [
        (
            &["-p", "foo"][..],
            &["'foo'", "--program <NAME=SIZE>", "expected NAME=SIZE, such as foo=200MB"][..],
        ),
        (&["-p", "foo=abc"], &["\"abc\"", size]),
        (&["-g", "=5MB"], &["\"\" is not a process name, a group:name"]),
        (&["-a", "abc"], &["\"abc\"", size]),
        (&["-a", "-5MB"], &["\"-5MB\" is negative", "a size such as 200MB"]),
        (&["-a", "99999999999GB"], &["\"99999999999GB\" is too large", "2^64"]),
        (
            &["-a", "5MB", "-u", "soon"],
            &["\"soon\" is not a time such as 90, 30m, 12h, 2d or 1h30m"],
        ),
        (&["-a"], &["--any <SIZE>"]),
        (&["--nonsense"], &["'--nonsense'", "--help"]),
        (&["-x"], &["'-x'", "--help"]),
        (&[], &["Usage: memmon", "--program <NAME=SIZE>", "200MB"]),
    ] {
        check(memmon(), arguments, 2, texts);
    }
}

#[test]
fn outside_supervisord_it_says_where_it_belongs() {
    let outside = || {
        Subject::ours(ours(), "memmon")
            .env_remove("SUPERVISOR_ENABLED")
            .env_remove("SUPERVISOR_PROCESS_NAME")
            .env_remove("SUPERVISOR_GROUP_NAME")
    };
    let message = "memmon: must be run as a supervisor event listener: put it into an \
                   [eventlistener:x] section of supervisord.conf\n";
    check(outside(), &["-a", "5MB"], 1, &[message]);
    // What is wrong with the command line is said first.
    check(outside(), &["-a", "x"], 2, &["is not a size"]);
}

#[test]
fn a_server_that_cannot_be_is_said() {
    let subject = || Subject::ours(ours(), "memmon");
    check(subject(), &["-a", "5MB"], 1, &["memmon: ", "[unix_http_server] or [inet_http_server]"]);
    let bad = subject().server_url("nonsense");
    check(bad, &["-a", "5MB"], 1, &["SUPERVISOR_SERVER_URL: \"nonsense\" is not a server URL"]);
}

#[test]
fn help_goes_to_stdout_everywhere() {
    for arguments in [["-h"], ["--help"], ["--he"]] {
        let subject = Subject::ours(ours(), "memmon").env_remove("SUPERVISOR_ENABLED");
        let output = subject.args(arguments).output(SOON);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains("Usage: memmon"), "{arguments:?}");
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_warning_is_no_end() {
    for (arguments, text) in [
        (
            &["-a", "5MB", "bar=2MB", "-x"][..],
            "memmon: ignored, since no option takes the first of them: bar=2MB -x",
        ),
        (&["-m", "bob"], "memmon: none of -p, -g and -a is given, so no process is watched"),
    ] {
        // With nothing on stdin, it ends after READY.
        let output = memmon().args(arguments.iter().copied()).output(SOON);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "READY\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{text}\n"));
    }
}
