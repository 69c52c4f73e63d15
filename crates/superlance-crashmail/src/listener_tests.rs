//! crashmail and exits: which alerts are raised, and what is logged.

use clap::FromArgMatches;
use superlance_core::listener::Interest;
use superlance_core::listener::alert::Alert;
use superlance_core::listener::alert::Process;
use superlance_core::supervisor::Channel;
use superlance_core::testing::{ScriptedSupervisor, World, frame};

use super::*;
use crate::options;

fn crashmail(arguments: &[&str]) -> Crashmail {
    let arguments = ["crashmail"].iter().chain(arguments);
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    let told = options.mail.address().is_some() || options.alerts.tells_others();
    Crashmail::new(options, told)
}

/// The alerts and the log after an exit of `group:process`.
fn exit(arguments: &[&str], process: &str, group: &str, expected: u8) -> World {
    let payload = format!(
        "processname:{process} groupname:{group} from_state:RUNNING expected:{expected} pid:58597"
    );
    let mut world = World::default();
    world.event(&mut crashmail(arguments), "PROCESS_STATE_EXITED", &payload).unwrap();
    world
}

#[track_caller]
fn check(arguments: &[&str], process: &str, mails: usize) {
    let world = exit(arguments, process, "grp", 0);
    assert_eq!(world.alerts.len(), mails, "{arguments:?} {process}");
    let said = if mails == 0 { "not mailed, since" } else { "unexpected exit, mailing\n" };
    assert!(world.log().starts_with(said), "{}", world.log());
}

const TEXT: &str = "Process foo in group grp exited unexpectedly (pid 58597) from state RUNNING";

#[test]
fn an_unexpected_exit_is_mailed_in_the_words_of_the_original() {
    let world = exit(&["-m", "bob@example.com"], "foo", "grp", 0);
    let alert = &world.alerts[0];
    assert_eq!((alert.kind.as_str(), alert.text.as_str()), ("exited", TEXT));
    let (start, time) = alert.subject.split_at(" foo crashed at ".len());
    assert_eq!(start, " foo crashed at ");
    assert!(time.len() == 23 && time.ends_with(":00:00,000"), "{time}");
    assert_eq!(world.log(), "unexpected exit, mailing\n");
    let start = format!("To: bob@example.com\nSubject: {}\n\n{TEXT}", alert.subject);
    assert_eq!(alert.mail("bob@example.com").render(), start);
    let process = Process { group: "grp".to_owned(), name: "foo".to_owned(), pid: Some(58597) };
    assert_eq!(alert.process, Some(process));
}

#[test]
fn the_optional_header_stands_before_the_subject() {
    let world = exit(&["-m", "bob", "-o", "HOST"], "foo", "grp", 0);
    assert!(world.alerts[0].subject.starts_with("HOST: foo crashed at "));
    let world = exit(&["-m", "bob", "-o", ""], "foo", "grp", 0);
    assert!(world.alerts[0].subject.starts_with(" foo crashed at "));
}

#[test]
fn an_expected_exit_and_other_events_are_nothing() {
    let world = exit(&["-m", "bob"], "foo", "grp", 1);
    assert_eq!((world.alerts.len(), world.log().as_str()), (0, ""));
    let filter = crashmail(&[]).filter();
    assert_eq!(filter(&frame("PROCESS_STATE_FATAL", "")), Interest::Nothing);
    assert_eq!(filter(&frame("TICK_60", "when:1")), Interest::Nothing);
}

#[test]
fn an_exit_that_cannot_be_read_is_left_to_the_log() {
    let filter = crashmail(&[]).filter();
    assert_eq!(filter(&frame("PROCESS_STATE_EXITED", "groupname:grp")), Interest::Every);
}

#[test]
fn programs_select_what_is_mailed_about() {
    check(&["-m", "bob"], "foo", 1);
    check(&["-m", "bob", "-p", "foo"], "foo", 1);
    check(&["-m", "bob", "-p", "grp:foo"], "foo", 1);
    check(&["-m", "bob", "-p", "bar", "--program", "f*"], "foo", 1);
    check(&["-m", "bob", "-p", "bar"], "foo", 0);
    check(&["-m", "bob", "-p", "other:foo"], "foo", 0);
    check(&["-m", "bob", "-p", "bar", "-a"], "foo", 1);
}

#[test]
fn what_is_not_mailed_is_logged() {
    let world = exit(&["-m", "bob", "-p", "bar"], "foo", "grp", 0);
    let idle =
        "No process of supervisord matches -p bar: compare with supervisorctl status (SL301)";
    assert_eq!(world.log(), format!("not mailed, since no -p selects it: {TEXT}\n{idle}\n"));
    for arguments in [&[][..], &["-m", ""]] {
        let world = exit(arguments, "foo", "grp", 0);
        assert_eq!(world.alerts.len(), 0);
        assert_eq!(world.log(), format!("not mailed, since neither -m nor -s is given: {TEXT}\n"));
    }
}

/// The alerts and the log after a change of `grp:foo` to this state.
fn change(on: &str, state: &str, rest: &str) -> World {
    let payload = format!("processname:foo groupname:grp from_state:X {rest}");
    let mut world = World::default();
    let mut crashmail = crashmail(&["-m", "bob", "--on", on]);
    world.event(&mut crashmail, &format!("PROCESS_STATE_{state}"), &payload).unwrap();
    world
}

#[test]
fn other_states_are_mailed_about_in_the_same_style() {
    let all = "exited,expected,fatal,backoff,stopped,running,starting,stopping,unknown";
    for (state, rest, subject, text, kind) in [
        ("EXITED", "expected:0 pid:7", "crashed", "exited unexpectedly (pid 7)", "exited"),
        ("EXITED", "expected:1 pid:7", "exited", "exited as expected (pid 7)", "expected"),
        ("FATAL", "", "failed to start too many times", "failed to start too many times", "fatal"),
        ("BACKOFF", "tries:2", "failed to start", "failed to start (try 2)", "backoff"),
        ("STOPPED", "pid:7", "stopped", "stopped (pid 7)", "stopped"),
        ("RUNNING", "pid:7", "is running", "is running (pid 7)", "running"),
        ("STARTING", "tries:0", "is starting", "is starting", "starting"),
        ("STOPPING", "pid:7", "is stopping", "is stopping (pid 7)", "stopping"),
        ("UNKNOWN", "", "is in an unknown state", "is in an unknown state", "unknown"),
    ] {
        let world = change(all, state, rest);
        let alert = &world.alerts[0];
        assert!(alert.subject.starts_with(&format!(" foo {subject} at ")), "{}", alert.subject);
        assert_eq!(alert.text, format!("Process foo in group grp {text} from state X"));
        assert_eq!(alert.kind, kind);
        let pid = alert.process.as_ref().unwrap().pid;
        assert_eq!(pid, rest.contains("pid").then_some(7));
        // Each trigger alone causes a mail, and no mail comes without it.
        let alone = change(kind, state, rest).alerts.remove(0);
        let expected = Alert { id: alone.id.clone(), ..alert.clone() };
        assert_eq!(alone, expected);
        let others = all.replace(kind, if kind == "exited" { "fatal" } else { "exited" });
        let world = change(&others, state, rest);
        assert_eq!((world.alerts.len(), world.log().as_str()), (0, ""), "{kind}");
    }
    assert_eq!(change("fatal", "FATAL", "").log(), "state FATAL, mailing\n");
    assert_eq!(change("expected", "EXITED", "expected:1 pid:7").log(), "expected exit, mailing\n");
}

#[test]
fn a_tail_says_why() {
    let mut world = World::new(ScriptedSupervisor::at(100).with("grp:foo", 9));
    let payload = "processname:foo groupname:grp from_state:RUNNING expected:0 pid:58597";
    let log = "spawned: 'foo' with pid 58597\nexited: foo (terminated by SIGSEGV; not expected)\n";
    world.supervisor.own_log = Some(log.to_owned());
    let key = ("grp:foo".to_owned(), Channel::Stderr);
    world.supervisor.logs.insert(key, "one\ntwo\nthree\n".to_owned());
    let mut crashmail = crashmail(&["-m", "bob", "--tail", "2", "--tail-by-rpc"]);
    world.event(&mut crashmail, "PROCESS_STATE_EXITED", payload).unwrap();
    let text = format!(
        "{TEXT}\n\nCause:\n\nterminated by SIGSEGV\n\n\
         stderr, last 2 lines (it was started since, and some may be newer):\n\ntwo\nthree"
    );
    assert_eq!(world.alerts[0].mail("bob").text, text);
    let signal = ("signal".to_owned(), "SIGSEGV".to_owned());
    assert!(world.alerts[0].measured.contains(&signal));
}

#[test]
fn options_of_ours_are_checked() {
    let check = |arguments: &[&str], expected: &str| {
        let all = ["crashmail"].iter().chain(arguments);
        let error = options::command().try_get_matches_from(all).unwrap_err();
        let text = error.to_string();
        assert!(error.exit_code() == 2 && text.contains(expected), "{text}");
    };
    check(&["--on", "crashed"], "expected states separated by commas, of exited, expected, fatal");
    check(&["--tail", "x"], "invalid digit");
    check(&["--tail", "1001"], "1001 is not in 0..=1000");
    check(&["--tail", "-1"], "-1 is not in 0..=1000");
}

#[test]
fn the_command_line_of_the_original_keeps_its_meaning() {
    for arguments in [
        &["--email=bob", "--optionalheader=H", "--sendmail_program=x", "--any", "--program=p"][..],
        &["--em", "bob", "--o", "H", "--s", "x", "--a", "--p", "p"],
        &["-aobogus", "-oH", "-mbob", "-sx", "-pp"],
        &["-m", "eve", "-m", "bob", "-o", "H", "-s", "x", "-a", "-p", "p"],
    ] {
        let all = ["crashmail"].iter().chain(arguments);
        let matches = options::command().try_get_matches_from(all).unwrap();
        let options = Options::from_arg_matches(&matches).unwrap();
        assert_eq!(options.mail.address(), Some("bob"), "{arguments:?}");
        assert_eq!(options.optional_header.as_deref(), Some("H"), "{arguments:?}");
        assert_eq!(options.mail.sendmail.as_deref(), Some("x"));
        assert!(options.any);
        assert_eq!(options.programs[0].as_str(), "p");
    }
    for bad in [&["-x"][..], &["-p"], &["--nosuch"], &["-p", "~("], &["--any=x"]] {
        let all = ["crashmail"].iter().chain(bad);
        let error = options::command().try_get_matches_from(all).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{bad:?}");
    }
}
