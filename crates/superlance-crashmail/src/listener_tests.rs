//! crashmail and exits: what is raised, and what is logged.

use clap::FromArgMatches;
use superlance_core::alert::Process;
use superlance_core::testing::{World, frame};

use super::*;
use crate::options;

fn crashmail(arguments: &[&str]) -> Crashmail {
    let arguments = ["crashmail"].iter().chain(arguments);
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    let told = options.mail.address().is_some() || options.alerts.tells_others();
    Crashmail::new(options, told)
}

/// What becomes of an exit of `group:process`.
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
    assert_eq!(world.log(), format!("not mailed, since no -p selects it: {TEXT}\n"));
    for arguments in [&[][..], &["-m", ""]] {
        let world = exit(arguments, "foo", "grp", 0);
        assert_eq!(world.alerts.len(), 0);
        assert_eq!(world.log(), format!("not mailed, since -m is not given: {TEXT}\n"));
    }
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
        assert_eq!(options.mail.sendmail, "x");
        assert!(options.any);
        assert_eq!(options.programs[0].as_str(), "p");
    }
    for bad in [&["-x"][..], &["-p"], &["--nosuch"], &["-p", ""], &["--any=x"]] {
        let all = ["crashmail"].iter().chain(bad);
        let error = options::command().try_get_matches_from(all).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{bad:?}");
    }
}
