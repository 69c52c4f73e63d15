//! What memmon keeps to the letter: the same events go to Python's memmon and to ours, and calls,
//! mails, log and protocol are the same.

use superlance_testing::{Ballast, FakeProcess, ProcessState, RunningBallast, Transcript, same};

use super::{memmon, one_tick};
use crate::ours;
use crate::verdict::MAIL;

/// A memmon with these arguments that sees `processes` and gets one tick is as the original.
#[track_caller]
fn check(title: &str, arguments: &[&str], processes: &[FakeProcess]) {
    same(&one_tick(title, arguments, processes).may_add(IDLE), ours());
}

/// Ours names options that mean no process.
const IDLE: &str = "No process of supervisord matches";

/// A process of about twenty megabytes, up for exactly a minute.
fn twenty_megabytes(namespec: &str) -> (RunningBallast, FakeProcess) {
    let (ballast, process) = super::twenty_megabytes(namespec);
    (ballast, process.uptime(60))
}

/// These arguments, and such that mail goes into the mailbox. The name comes last, since in the
/// original a later -p or -g overwrites it (D2).
fn with_mail<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&MAIL, arguments, &["-n", "m"]].concat()
}

#[test]
fn what_is_over_a_limit_is_restarted_and_mailed_about() {
    let (_ballast, foo) = twenty_megabytes("foo");
    for (title, arguments) in [
        ("a program over its limit", &["-p", "foo=5MB"][..]),
        ("a group over its limit", &["-g", "foo=5MB"]),
        ("any process over the limit", &["-a", "5MB"]),
        ("with descendants", &["-c", "-a", "5MB"]),
        ("several addresses", &["-a", "5MB", "-m", "a@b, c@d"]),
    ] {
        check(title, &with_mail(arguments), &[foo.clone()]);
    }
}

#[test]
fn a_name_is_part_of_the_subject() {
    let (_ballast, foo) = twenty_megabytes("foo");
    for name in ["Project 1", "", "--", "-b", "a]b: c", "%s"] {
        let arguments = ["-m", "bob", "-s", "{mailbox}", "-a", "5MB", "-n", "x", "-n", name];
        check(&format!("-n {name:?}"), &arguments, &[foo.clone()]);
    }
    let nameless = ["-m", "bob", "-s", "{mailbox}", "-a", "5MB"];
    check("without -n", &nameless, &[foo]);
}

#[test]
fn what_is_not_over_a_limit_is_left_alone() {
    let (_ballast, foo) = twenty_megabytes("foo");
    for (title, arguments) in [
        ("a program below its limit", &["-p", "foo=5GB"][..]),
        ("a group below its limit", &["-g", "foo=5GB"]),
        ("any process below the limit", &["-a", "5GB"]),
        ("another program", &["-p", "bar=5MB"]),
        ("another group", &["-g", "bar=5MB"]),
        ("below all of several limits", &["-p", "foo=5GB", "-g", "foo=6GB", "-a", "7GB"]),
        ("no limit at all", &["-c"]),
    ] {
        let warning = "none of -p, -g and -a is given";
        let transcript = memmon(title, &with_mail(arguments), &[foo.clone()])
            .may_add(warning)
            .may_add(IDLE)
            .event("TICK_60", "when:1201063880");
        same(&transcript, ours());
    }
}

#[test]
fn every_process_is_judged_by_itself() {
    let (_small, small) = twenty_megabytes("small");
    let large = Ballast::new(60).spawn();
    let large = [
        FakeProcess::running("large", large.pid()).uptime(60),
        FakeProcess::running("pool:large", large.pid()).uptime(60),
        small,
        FakeProcess::not_running("stopped", ProcessState::Stopped),
    ];
    for (title, arguments) in [
        ("one of several is over", &["-a", "40MB"][..]),
        ("a name that two groups have", &["-p", "large=40MB"]),
        ("one group of several", &["-g", "pool=40MB"]),
        (
            "many limits in the log, sorted",
            &["-p", "z=1MB", "-p", "a=2MB", "-p", "a:b=3MB", "-a", "5GB"],
        ),
        ("groups in the log, sorted", &["-g", "z=1KB", "-g", "b=2mb", "-g", "a=3MB"]),
    ] {
        check(title, &with_mail(arguments), &large);
    }
}

#[test]
fn a_process_that_does_not_run_or_has_vanished_is_skipped() {
    let vanished = Ballast::new(0).spawn().pid();
    let processes = [
        FakeProcess::not_running("stopped", ProcessState::Stopped),
        FakeProcess::not_running("fatal", ProcessState::Fatal),
        FakeProcess::running("vanished", vanished),
    ];
    check("nothing to measure", &["-a", "1KB"], &processes);
}

#[test]
fn descendants_count_only_if_asked() {
    let family = Ballast::new(5).children(2, 40).spawn();
    let family = FakeProcess::running("family", family.pid()).uptime(60);
    check("children do not count", &with_mail(&["-a", "70MB"]), &[family.clone()]);
    check("children count with -c", &with_mail(&["-c", "-a", "70MB"]), &[family]);
}

#[test]
fn uptime_decides_about_the_mail() {
    // Up for sixty seconds.
    let (_ballast, foo) = twenty_megabytes("foo");
    for limit in ["59", "60", "61s"] {
        let title = format!("mail if up for at most {limit:?}");
        check(&title, &with_mail(&["-a", "5MB", "-u", limit]), &[foo.clone()]);
    }
}

#[test]
fn options_are_read_as_getopt_reads_them() {
    let (_ballast, foo) = twenty_megabytes("foo");
    for arguments in [
        &["-ca", "5MB"][..],
        &["-a5MB"],
        &["-ca5MB"],
        &["--any=5MB"],
        &["--any", "5MB"],
        &["--cumulative", "--any=5MB"],
        &["-pfoo=5MB"],
        &["--program=foo=5MB"],
        &["-a", "9GB", "-a", "5MB"],
        &["-a", "5MB", "-a", "9GB"],
        &["-p", "foo=5MB", "-p", "foo=9GB"],
        &["-g", "foo=9GB", "-g", "foo=5MB"],
        &["-a", "5MB", "-u", "5", "-u", "90"],
    ] {
        check(&arguments.join(" "), &with_mail(arguments), &[foo.clone()]);
    }
    check("an end of options", &["-a", "5MB", "--"], &[foo]);
}

/// Every beginning of a long option that getopt accepts, in a run on which the option has an effect.
#[track_caller]
fn check_prefixes(option: &str, value: &str, rest: &[&str]) {
    let (_ballast, foo) = twenty_megabytes("foo");
    for length in 1..=option.len() {
        let argument = format!("--{}{value}", &option[..length]);
        let arguments = match option {
            "name" => [with_mail(rest), vec![argument.as_str()]].concat(),
            _ => with_mail(&[rest, &[argument.as_str()]].concat()),
        };
        check(&argument, &arguments, &[foo.clone()]);
    }
}

#[test]
fn prefixes_of_the_limits() {
    check_prefixes("program", "=foo=5MB", &[]);
    check_prefixes("group", "=foo=5MB", &[]);
    check_prefixes("any", "=5MB", &[]);
}

#[test]
fn prefixes_of_cumulative() {
    let family = Ballast::new(5).children(1, 60).spawn();
    let family = FakeProcess::running("family", family.pid()).uptime(60);
    for length in 1..="cumulative".len() {
        let argument = format!("--{}", &"cumulative"[..length]);
        check(&argument, &with_mail(&[&argument, "-a", "50MB"]), &[family.clone()]);
    }
}

#[test]
fn prefixes_of_sendmail_program() {
    check_prefixes("sendmail_program", "={mailbox}", &["-a", "5MB", "-s", "false"]);
}

#[test]
fn prefixes_of_the_other_options() {
    check_prefixes("email", "=alice@example.com", &["-a", "5MB"]);
    check_prefixes("uptime", "=59", &["-a", "5MB"]);
    check_prefixes("name", "=x", &["-a", "5MB"]);
}

#[test]
fn a_mail_command_is_one_for_the_shell() {
    let (_ballast, foo) = twenty_megabytes("foo");
    for command in [
        "sed 's/^To:/X-To:/' | {mailbox}",
        "cat > {scratch}/mail && {mailbox} < {scratch}/mail",
        "X='a b'; { echo \"From: $X\"; cat; } | {mailbox}",
    ] {
        check(command, &["-a", "5MB", "-m", "bob@example.com", "-s", command], &[foo.clone()]);
    }
}

#[test]
fn without_an_address_nothing_is_mailed() {
    let (_ballast, foo) = twenty_megabytes("foo");
    check("no -m", &["-a", "5MB", "-s", "{mailbox}"], &[foo]);
}

#[test]
fn times_are_those_of_the_zone() {
    let (_ballast, foo) = twenty_megabytes("foo");
    for zone in ["UTC", "Europe/Berlin", "America/Sao_Paulo", ":Asia/Kolkata", "XYZ-3", ""] {
        let transcript = memmon(&format!("TZ={zone}"), &with_mail(&["-a", "5MB"]), &[foo.clone()])
            .env("TZ", zone)
            .event("TICK_60", "when:1201063880");
        same(&transcript, ours());
    }
}

#[test]
fn only_ticks_matter_and_all_of_them_do() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = memmon("events of all kinds", &["-a", "9GB"], &[foo])
        .event("TICK_5", "when:1201063880")
        .event(
            "PROCESS_STATE_EXITED",
            "processname:a groupname:a from_state:RUNNING expected:0 pid:1",
        )
        .event("TICK_3600", "when:1201063880")
        .event("PROCESS_COMMUNICATION_STDOUT", "processname:a groupname:a pid:1\nfoo")
        .event("PROCESS_LOG_STDERR", "processname:a groupname:a pid:1 channel:stderr\ncafé ☃")
        .event("REMOTE_COMMUNICATION", "type:café\nline\nline")
        .event("TICK_60", "");
    same(&transcript, ours());
}

#[test]
fn over_tcp_as_over_a_unix_socket() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = Transcript::new("memmon", "over TCP")
        .args(with_mail(&["-a", "5MB"]))
        .inet()
        .processes([foo])
        .event("TICK_60", "when:1201063880");
    same(&transcript, ours());
}

#[test]
fn a_login_from_the_environment() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let transcript = memmon("with user name and password", &with_mail(&["-a", "5MB"]), &[foo])
        .env("SUPERVISOR_USERNAME", "user")
        .env("SUPERVISOR_PASSWORD", "p:a ss€")
        .act(|fake| fake.require_login("user", "p:a ss€"))
        .event("TICK_60", "when:1201063880");
    same(&transcript, ours());
}
