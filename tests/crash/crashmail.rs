//! What crashmail keeps to the letter: the same events go to Python's and to ours, and mails, log and
//! protocol are the same.

use superlance_testing::{Transcript, same};

use super::{Events, crashmail};
use crate::ours;
use crate::verdict::MAIL;

/// What is logged is the same but for the line end after each mail (D32).
#[track_caller]
fn check(transcript: Transcript) {
    same(&transcript.compare_logs(with_line_ends), ours());
}

fn with_line_ends(log: &str) -> String {
    const NEXT: &str = "unexpected exit, mailing\n";
    log.split(NEXT)
        .map(|part| format!("{}\n", part.trim_end_matches('\n')))
        .collect::<Vec<_>>()
        .join(NEXT)
}

/// A crashmail with these arguments that sees one crash, of `foo:foo`, is as the original.
#[track_caller]
fn check_one_crash(title: &str, arguments: &[&str]) {
    check(crashmail(title, arguments).crash("foo"));
}

fn with_mail<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&MAIL, arguments].concat()
}

#[test]
fn a_crash_is_mailed_about() {
    for (title, arguments) in [
        ("every process", &[][..]),
        ("every process by -a", &["-a"]),
        ("every process by --any", &["--any"]),
        ("every process in spite of -p", &["-p", "other", "-a"]),
        ("a program of several", &["-p", "other", "-p", "foo"]),
        ("a program with its group", &["-p", "foo:foo"]),
        ("a group", &["-p", "foo:*"]),
        ("several addresses", &["-m", "a@b, c@d"]),
        ("an address without a domain", &["-m", "root"]),
        ("a name with an address", &["-m", "Bob <bob@example.com>"]),
    ] {
        check_one_crash(title, &with_mail(arguments));
    }
}

#[test]
fn a_header_is_put_before_the_subject() {
    for header in ["host.example.com", "", " ", "--", "a: b %s"] {
        check_one_crash(&format!("-o {header:?}"), &with_mail(&["-o", header]));
    }
}

#[test]
fn names_groups_and_states_are_those_of_the_event() {
    let exit = |rest: &str| format!("{rest} expected:0 pid:7");
    for payload in [
        "processname:foo groupname:bar from_state:RUNNING",
        "processname:foo groupname:foo from_state:STARTING",
        "groupname:g processname:p from_state:STOPPING",
        "processname:a.b-c@d/e groupname:%s from_state:RUNNING",
        "processname:foo groupname:foo from_state:RUNNING more:of it:all",
    ] {
        let transcript = crashmail(payload, &MAIL).event("PROCESS_STATE_EXITED", &exit(payload));
        check(transcript);
    }
}

#[test]
fn an_exit_that_was_expected_is_none_of_its_business() {
    let expected = "processname:foo groupname:foo from_state:RUNNING expected:1 pid:7";
    let transcript = crashmail("an expected exit between two crashes", &MAIL)
        .crash("first")
        .event("PROCESS_STATE_EXITED", expected)
        .crash("second");
    check(transcript);
}

#[test]
fn events_of_other_kinds_are_acknowledged() {
    let transcript = crashmail("events of all kinds", &MAIL)
        .tick()
        .event("TICK_5", "when:1201063880")
        .event("PROCESS_STATE_FATAL", "processname:a groupname:a from_state:BACKOFF")
        .event("PROCESS_STATE_RUNNING", "processname:a groupname:a from_state:STARTING pid:1")
        .event("PROCESS_STATE_STOPPED", "processname:a groupname:a from_state:STOPPING pid:1")
        .event("PROCESS_COMMUNICATION_STDOUT", "processname:a groupname:a pid:1\nexpected:0")
        .event("PROCESS_LOG_STDERR", "processname:a groupname:a pid:1 channel:stderr\ncafé ☃")
        .event("REMOTE_COMMUNICATION", "type:café\nline\nline")
        .event("SUPERVISOR_STATE_CHANGE_STOPPING", "")
        .crash("foo")
        .may_add("crashmail: three events have come (");
    check(transcript);
}

#[test]
fn times_are_those_of_the_zone() {
    for zone in ["Europe/Berlin", ":Asia/Kolkata", ""] {
        let title = format!("TZ={zone}");
        check(crashmail(&title, &MAIL).env("TZ", zone).crash("foo"));
    }
}

#[test]
fn options_are_read_as_getopt_reads_them() {
    for arguments in [
        &["-am", "alice@example.com"][..],
        &["-malice@example.com"],
        &["-aaa"],
        &["-apother"],
        &["--email=alice@example.com"],
        &["--optionalheader=a=b"],
        &["--optionalheader", "--any"],
        &["--program", "foo", "--any"],
        &["-o", "first", "-o", "second"],
        &["-o", "first", "--optionalheader=second"],
        &["-m", "first", "--email", "second"],
        &["-a", "--"],
    ] {
        check_one_crash(&arguments.join(" "), &with_mail(arguments));
    }
    let commands = ["-m", "bob", "-s", "exit 1", "--sendmail_program", "{mailbox}"];
    check_one_crash("of two commands the last", &commands);
}

/// As long as they mean one option only. In one run several options are cut to the same length.
#[test]
fn beginnings_of_long_options_are_enough() {
    for length in 1..="sendmail_program".len() {
        let cut = |option: &str, value: &str| {
            format!("--{}{value}", option.get(..length).unwrap_or(option))
        };
        let arguments = [
            cut("program", "=foo"),
            cut("optionalheader", "=host"),
            cut("sendmail_program", "={mailbox}"),
            cut("email", "=bob@example.com"),
        ];
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        check_one_crash(&arguments.join(" "), &arguments);
    }
    for any in ["--a", "--an", "--any"] {
        check_one_crash(any, &with_mail(&["-p", "other", any]));
    }
}

#[test]
fn a_mail_command_is_one_for_the_shell() {
    for command in [
        "sed 's/^To:/X-To:/' | {mailbox}",
        "cat > {scratch}/mail && {mailbox} < {scratch}/mail",
        "X='a b'; { echo \"From: $X\"; cat; } | {mailbox}",
        "{mailbox} # -t -i",
    ] {
        check_one_crash(command, &["-m", "bob@example.com", "-s", command]);
    }
}

#[test]
fn a_server_at_a_port_is_as_good() {
    check(crashmail("with supervisord at a port", &MAIL).inet().crash("foo"));
}
