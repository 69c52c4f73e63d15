//! httpok against a supervisord of values and a check that says what it is told to say.

use std::collections::VecDeque;

use clap::FromArgMatches;
use superlance_core::supervisor::{RpcError, State};
use superlance_core::testing::{ScriptedSupervisor, World, frame};
use superlance_probe::outcome::{Class, Failed, Outcome, Verdict};

use super::*;
use crate::options;

pub(super) const URL: &str = "http://h/";

fn outcome(verdict: Verdict, status: Option<u16>) -> Outcome {
    Outcome { verdict, took: Duration::from_millis(20), status, certificate_end: None, note: None }
}

pub(super) fn failed(class: Class, text: &str, status: Option<u16>) -> Outcome {
    let (text, refused) = (text.to_owned(), status.is_none());
    outcome(Verdict::Failed(Failed { class, text, refused }), status)
}

pub(super) fn bad() -> Outcome {
    failed(Class::Status, "status contacting http://h/: 500 Internal Server Error", Some(500))
}

pub(super) fn good() -> Outcome {
    outcome(Verdict::Good, Some(200))
}

fn refused() -> Outcome {
    let text = "error contacting http://h/:\n\n [Errno 111] Connection refused";
    failed(Class::Connect, text, None)
}

fn lost() -> RpcError {
    RpcError::NoAnswer("connection lost".to_owned())
}

/// httpok with these arguments, and outcomes for its checks; `bad()` when they are used up.
pub(super) fn httpok(arguments: &[&str], outcomes: Vec<Outcome>) -> HttpOk {
    let arguments = ["httpok"].iter().chain(arguments).chain(&[URL]);
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    let mut outcomes = VecDeque::from(outcomes);
    let ask = move |_: &[&ProcessInfo]| {
        vec![vec![Probed {
            url: URL.to_owned(),
            outcome: outcomes.pop_front().unwrap_or_else(bad),
        }]]
    };
    HttpOk::new(options, URL.to_owned(), Some("own:own".to_owned()), false, Box::new(ask))
}

/// httpok with `--each` and these arguments; each word says of the processes that run how their checks
/// are in a tick.
pub(super) fn httpok_each(arguments: &[&str], words: &'static [&'static str]) -> HttpOk {
    let mut words = words.iter();
    let ask = move |running: &[&ProcessInfo]| {
        let word = words.next().unwrap();
        assert_eq!(word.len(), running.len(), "{word}");
        let round = |(info, how): (&&ProcessInfo, char)| {
            let url = format!("http://h/{}", info.name);
            let text = format!("status contacting {url}: 500");
            let outcome = match how {
                '+' => good(),
                '?' => outcome(Verdict::Trouble(format!("cannot check {url}")), None),
                _ => failed(Class::Status, &text, Some(500)),
            };
            vec![Probed { url, outcome }]
        };
        running.iter().zip(word.chars()).map(round).collect()
    };
    let arguments = ["httpok"].iter().chain(arguments).chain(&[URL]);
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    let own = Some("own:own".to_owned());
    let mut httpok = HttpOk::new(options, "http://h/{name}".to_owned(), own, false, Box::new(ask));
    httpok.responder.each = true;
    httpok
}

pub(super) fn world() -> World {
    let supervisor = ScriptedSupervisor::at(1000).with("foo:foo", 7).with("grp:bar", 8);
    World::new(supervisor.with("off:off", 0).with("own:own", 9))
}

#[track_caller]
pub(super) fn tick(world: &mut World, httpok: &mut HttpOk) {
    world.event(httpok, "TICK_60", "when:1").unwrap();
}

/// One tick with a bad answer. Returns calls and log.
#[track_caller]
fn act(mut world: World, arguments: &[&str]) -> (Vec<String>, String) {
    tick(&mut world, &mut httpok(arguments, vec![]));
    (std::mem::take(&mut world.supervisor.calls), world.log())
}

const RESTART_BOTH: [&str; 7] = [
    "all()",
    "info(foo:foo)",
    "stop(foo:foo)",
    "start(foo:foo)",
    "info(grp:bar)",
    "stop(grp:bar)",
    "start(grp:bar)",
];

#[test]
fn selected_processes_are_restarted_and_mailed_about() {
    let mut world = world();
    let arguments =
        ["-p", "foo", "-p", "grp:bar", "-p", "off", "-p", "gone", "-m", "bob", "-n", "x"];
    tick(&mut world, &mut httpok(&arguments, vec![]));
    assert_eq!(world.supervisor.calls, RESTART_BOTH);
    // As the original, which logs all but the first line.
    let text = "status contacting http://h/: 500 Internal Server Error\n\
                Restarting selected processes ['foo', 'grp:bar', 'off', 'gone']\n\
                foo is in RUNNING state, restarting\n\
                foo restarted\n\
                grp:bar is in RUNNING state, restarting\n\
                grp:bar restarted\n\
                off not in RUNNING state, NOT restarting\n\
                Programs not restarted because they did not exist: ['gone']";
    assert_eq!(world.log(), format!("{text}\n"));
    let subject = "httpok [x]: http://h/: bad status returned".to_owned();
    let [alert] = world.alerts.as_slice() else { panic!("{:?}", world.alerts) };
    assert_eq!((&alert.subject, alert.text.as_str()), (&subject, text));
    assert_eq!((alert.kind.as_str(), alert.action.as_deref()), ("bad-status", Some("restart")));
}

#[test]
fn an_alert_is_about_a_process_if_there_is_one() {
    for (arguments, process) in [
        (&["-p", "foo"][..], Some("foo")),
        (&["-p", "grp:*", "-p", "gone"], Some("bar")),
        (&["-p", "gone"], None),
        (&["-a"], None),
    ] {
        let mut world = world();
        tick(&mut world, &mut httpok(&[arguments, &["-m", "bob"]].concat(), vec![]));
        let about = world.alerts[0].process.as_ref().map(|process| process.name.as_str());
        assert_eq!(about, process, "{arguments:?}");
    }
}

#[test]
fn an_alert_names_an_action_only_where_something_was_restarted() {
    for (arguments, action) in [
        (&["-p", "foo"][..], Some("restart")),
        (&["-p", "foo", "-p", "off"], Some("restart")),
        (&["-p", "off"], None),
        (&["-p", "gone"], None),
        (&[], None),
    ] {
        let mut world = world();
        tick(&mut world, &mut httpok(&[arguments, &["-m", "bob"]].concat(), vec![]));
        assert_eq!(world.alerts[0].action.as_deref(), action, "{arguments:?}");
    }
    let mut world = world();
    world.supervisor.refuse("start", 20, "NO_FILE: /x");
    tick(&mut world, &mut httpok(&["-p", "foo", "-m", "bob"], vec![]));
    assert_eq!(world.alerts[0].action, None);
}

#[test]
fn any_means_all_but_itself() {
    let (calls, log) = act(world(), &["-a", "-p", "gone"]);
    assert_eq!(calls, RESTART_BOTH);
    assert!(log.contains("\nRestarting all running processes\nfoo is in RUNNING"), "{log}");
    assert!(log.contains("\noff not in RUNNING state, NOT restarting\n"), "{log}");
    assert!(log.ends_with("did not exist: ['gone']\n") && !log.contains("own"), "{log}");
}

#[test]
fn selectors_are_names_namespecs_and_patterns_and_never_itself() {
    let (calls, log) = act(world(), &["-p", "own", "-p", "own:*"]);
    assert_eq!((calls, log.contains("did not exist")), (vec!["all()".to_owned()], false));
    let (calls, _) = act(world(), &["-p", "grp:*", "-p", "foo:foo"]);
    assert_eq!(calls, RESTART_BOTH);
}

#[test]
fn the_name_of_a_process_is_no_pattern() {
    let supervisor = || ScriptedSupervisor::at(1000).with("g:w*", 7).with("g:web", 8);
    let (calls, _) = act(World::new(supervisor()), &["-p", "w*"]);
    assert_eq!(calls, ["all()", "info(g:w*)", "stop(g:w*)", "start(g:w*)"]);
    let (calls, _) = act(World::new(supervisor()), &["-p", "w?*"]);
    assert_eq!(calls.len(), 7);
}

#[test]
fn a_good_answer_asks_nothing_of_supervisord() {
    let mut world = world();
    tick(&mut world, &mut httpok(&["-a"], vec![good()]));
    assert_eq!((world.supervisor.calls.len(), world.log()), (0, String::new()));
}

#[test]
fn a_bad_body_is_called_so() {
    let mut world = world();
    let outcome = failed(Class::Body, "status contacting http://h/: 200 OK", Some(200));
    tick(&mut world, &mut httpok(&["-m", "bob", "-b", "x"], vec![outcome]));
    assert_eq!(world.alerts[0].subject, "httpok: http://h/: bad body returned");
    let text = "status contacting http://h/: 200 OK\nRestarting selected processes []";
    assert_eq!(world.alerts[0].text, text);
}

#[test]
fn when_not_eager_something_that_is_watched_must_run() {
    for (arguments, checks) in [
        (&["-E", "-p", "off"][..], false),
        (&["-E", "-p", "own"], false),
        (&["-E"], false),
        (&["-E", "-p", "grp:bar"], true),
        (&["-E", "-a"], true),
        (&["-p", "off"], true),
    ] {
        let (_, log) = act(world(), arguments);
        assert_eq!(!log.is_empty(), checks, "{arguments:?}: {log}");
    }
}

#[test]
fn a_refused_connection_is_tried_again_later_and_ticks_wait_for_it() {
    for (arguments, tries) in [(&["-a"][..], 1), (&["-a", "-t", "11"], 2), (&["-a", "-t", "35"], 4)]
    {
        let mut world = world();
        let mut httpok = httpok(arguments, vec![refused(), refused(), refused(), refused()]);
        for _ in 1..tries {
            tick(&mut world, &mut httpok);
            assert_eq!(world.log(), "", "{arguments:?}");
            assert!(httpok.deadline().unwrap() > Instant::now() + PAUSE / 2);
            world.with_ctx(|ctx| httpok.on_time(ctx));
            assert_eq!(world.log(), "", "not before its time");
            httpok.refused.as_mut().unwrap().again = Instant::now();
            world.with_ctx(|ctx| httpok.on_time(ctx));
        }
        if tries == 1 {
            tick(&mut world, &mut httpok);
        }
        let expected = "error contacting http://h/:\n\n [Errno 111] Connection refused\n";
        assert!(world.log().starts_with(expected), "{}", world.log());
        assert_eq!(httpok.deadline(), None);
    }
}

#[test]
fn a_refused_connection_that_recovers_is_good_and_one_at_the_end_is_given_up() {
    let mut world = world();
    let mut httpok = httpok(&["-a", "-t", "11"], vec![refused(), good(), refused()]);
    tick(&mut world, &mut httpok);
    httpok.refused.as_mut().unwrap().again = Instant::now();
    world.with_ctx(|ctx| httpok.on_time(ctx));
    assert_eq!((world.log().as_str(), httpok.deadline()), ("", None));
    tick(&mut world, &mut httpok);
    world.with_ctx(|ctx| httpok.finish(ctx));
    assert_eq!((world.log().as_str(), httpok.deadline()), ("", None));
}

#[test]
fn what_fails_because_supervisord_ends_is_logged_and_not_told() {
    let mut world = world();
    world.supervisor.refuse("start", 6, "SHUTDOWN_STATE");
    tick(&mut world, &mut httpok(&["-p", "foo"], vec![]));
    let log = world.log();
    assert!(log.contains("\nFailed to start process foo: <Fault 6: 'SHUTDOWN_STATE'>\n"), "{log}");
    assert_eq!(world.alerts.len(), 0, "{:?}", world.alerts);
}

#[test]
fn after_a_refused_stop_the_start_is_tried_as_in_the_original() {
    let mut world = world();
    world.supervisor.refuse("stop", 70, "NOT_RUNNING: foo");
    let (calls, log) = act(world, &["-p", "foo"]);
    let [before @ .., start] = &RESTART_BOTH[..4] else { panic!("{RESTART_BOTH:?}") };
    assert_eq!(calls, [before, &["info(foo:foo)", start]].concat());
    let lines = "\nFailed to stop process foo: <Fault 70: 'NOT_RUNNING: foo'>\nfoo restarted\n";
    assert!(log.ends_with(lines), "{log}");
}

#[test]
fn a_failed_start_is_reported_and_made_good() {
    let mut world = world();
    let mut httpok = httpok(&["-p", "foo", "-m", "bob"], vec![]);
    world.supervisor.fail("start", lost());
    tick(&mut world, &mut httpok);
    let text = &world.alerts[0].text;
    assert!(text.ends_with("\nFailed to start process foo: connection lost"), "{text}");
    assert_eq!(world.in_flight.texts().len(), 1);
    std::thread::sleep(httpok.deadline().unwrap().saturating_duration_since(Instant::now()));
    world.with_ctx(|ctx| httpok.on_time(ctx));
    assert_eq!(world.supervisor.process("foo:foo").unwrap().state, State::Running);
    let mail = &world.alerts[1];
    let subject = "httpok: http://h/: bad status returned";
    assert_eq!((mail.subject.as_str(), mail.text.as_str()), (subject, "foo:foo was started again"));
    assert_eq!((httpok.deadline(), world.in_flight.texts().len()), (None, 0));
}

#[test]
fn a_stop_without_an_answer_is_followed_up_later() {
    let mut world = world();
    let mut httpok = httpok(&["-p", "foo"], vec![]);
    world.supervisor.fail("stop", lost());
    tick(&mut world, &mut httpok);
    assert_eq!(world.supervisor.calls.last().unwrap(), "stop(foo:foo)");
    assert!(world.log().ends_with("\nFailed to stop process foo: connection lost\n"));
    assert!(httpok.deadline().is_some());
}

#[test]
fn an_unreachable_supervisord_is_no_end() {
    let mut world = world();
    let mut httpok = httpok(&["-E", "-a", "-m", "bob"], vec![]);
    for _ in 0..2 {
        world.supervisor.fail("all", lost());
        tick(&mut world, &mut httpok);
    }
    assert_eq!(world.log(), "Cannot check: connection lost\n");
    httpok.eager = true;
    world.supervisor.fail("all", lost());
    tick(&mut world, &mut httpok);
    let last = "Exception retrieving process info connection lost, not acting\n";
    assert!(world.log().ends_with(last), "{}", world.log());
    // The third tick in a row that could not be worked through.
    let kinds: Vec<_> = world.alerts.iter().map(|alert| alert.kind.as_str()).collect();
    assert_eq!(kinds, ["blind"]);
}

#[test]
fn a_core_dump_comes_before_the_restart_and_into_the_report() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let gcore = "touched() { touch \"$1.$2\"; echo \"wrote $2\"; }; touched";
    let mut world = world();
    let arguments = ["-p", "foo", "-p", "grp:bar", "-m", "bob", "-d", path, "-g", gcore];
    tick(&mut world, &mut httpok(&arguments, vec![]));
    let text = &world.alerts[0].text;
    let expected = "\ngcore output for foo:\n\n wrote 7\n\nfoo is in RUNNING state, restarting\n\
                    foo restarted\ngcore output for grp:bar:\n\n wrote 8\n\ngrp:bar is in RUNNING";
    assert!(text.contains(expected), "{text}");
    assert!(directory.path().join("foo.7").exists() && directory.path().join("grp:bar.8").exists());
}

#[test]
fn only_ticks_are_of_interest() {
    let filter = httpok(&["-a"], vec![]).filter();
    assert_eq!(filter(&frame("TICK_3600", "when:1")), Interest::WhenIdle);
    assert_eq!(filter(&frame("PROCESS_STATE_EXITED", "")), Interest::Nothing);
}

/// For any number of processes, and for none: the URL is what was ill.
#[test]
fn the_next_good_answer_is_the_recovery() {
    for programs in [&["-p", "foo"][..], &["-p", "foo", "-p", "grp:bar"], &[]] {
        let (mut world, outcomes) = (world(), vec![bad(), bad(), good(), good()]);
        let mut httpok = httpok(programs, outcomes);
        for _ in 0..4 {
            tick(&mut world, &mut httpok);
        }
        let kinds: Vec<_> = world.alerts.iter().map(|alert| alert.kind.as_str()).collect();
        assert_eq!(kinds, ["bad-status", "bad-status", "resolved"], "{programs:?}");
        let resolved = world.alerts.last().unwrap();
        let text = "http://h/ answers well again: status 200";
        assert_eq!(
            (resolved.subject.as_str(), resolved.text.as_str()),
            (URL, &*format!("{text}."))
        );
        assert_eq!(world.log().matches(&format!("{text}\n")).count(), 1, "{}", world.log());
    }
}

#[test]
fn what_an_earlier_listener_told_of_other_urls_and_processes_is_forgotten() {
    let (blind, all) = ("checks of httpok", "the processes of -p foo");
    let (old, url_certificate) = ("http://old/", "certificate of http://h/");
    let keys = [old, "certificate of http://old/", URL, url_certificate, blind, all];
    let keys = [&keys[..], &["process foo:foo", "process grp:bar"]].concat();
    let forgotten = |arguments: &[&str], outcomes| {
        let mut world = world();
        world.tell_before(&keys);
        tick(&mut world, &mut httpok(arguments, outcomes));
        world.forgotten().join(", ")
    };
    assert_eq!(
        forgotten(&["-p", "foo"], vec![bad()]),
        "certificate of http://old/, http://old/, process foo:foo, process grp:bar"
    );
    assert_eq!(
        forgotten(&["-p", "foo", "--each"], vec![bad()]),
        "http://h/, http://old/, process grp:bar"
    );
}

#[test]
fn three_ticks_without_supervisord_are_told_and_so_is_their_end() {
    for (arguments, outcomes) in
        [(&["-a"][..], vec![bad(), bad(), bad(), good()]), (&["-a", "-E"], vec![])]
    {
        let mut world = world();
        let mut httpok = httpok(arguments, outcomes);
        for _ in 0..3 {
            world.supervisor.fail("all", lost());
            tick(&mut world, &mut httpok);
        }
        tick(&mut world, &mut httpok);
        let kinds: Vec<_> = world.alerts.iter().map(|alert| alert.kind.as_str()).collect();
        assert!(
            kinds.contains(&"blind") && kinds.contains(&"recovered"),
            "{arguments:?}: {kinds:?}"
        );
        assert!(world.log().contains("\nsupervisord answers again\n"), "{}", world.log());
    }
}

#[test]
fn trouble_is_told_once_for_each_reason_and_nothing_is_done_about_it() {
    let trouble = |why: &str| outcome(Verdict::Trouble(why.to_owned()), None);
    let outcomes = vec![trouble("a"), trouble("a"), trouble("b"), good(), trouble("b")];
    let (mut world, mut httpok) = (world(), httpok(&["-a", "-n", "x"], outcomes));
    for _ in 0..5 {
        tick(&mut world, &mut httpok);
    }
    assert_eq!((world.log().as_str(), world.supervisor.calls.len()), ("a\nb\nb\n", 0));
    let texts: Vec<_> = world.alerts.iter().map(|alert| (&*alert.kind, &*alert.text)).collect();
    let again = ("resolved", "http://h/ answers well again: status 200.");
    assert_eq!(texts, [("trouble", "a"), ("trouble", "b"), again, ("trouble", "b")]);
    assert_eq!(world.alerts[0].subject, "httpok [x]: http://h/: cannot be checked");
}

/// It needs no answer that is good, and is no reason to act.
#[test]
fn a_certificate_that_expires_soon_is_told_once_a_day() {
    let in_days = |days: u64| {
        // The clock of the fake shows 2001-01-01.
        let end = Duration::from_secs(978_307_200 + days * 86_400 + 3600);
        Outcome { certificate_end: Some(std::time::UNIX_EPOCH + end), ..good() }
    };
    let outcomes = vec![in_days(40), in_days(5), in_days(5), in_days(90), in_days(90)];
    let (mut world, mut httpok) = (world(), httpok(&["-a", "--cert-days", "30"], outcomes));
    for _ in 0..5 {
        tick(&mut world, &mut httpok);
    }
    let log = world.log();
    let expected = "The certificate of http://h/ expires on 2001-01-06, in 5 days (--cert-days 30)\n\
                    The certificate of http://h/ is another one, which expires on 2001-04-01\n";
    assert_eq!(log, expected);
    let kinds: Vec<_> = world.alerts.iter().map(|alert| alert.kind.as_str()).collect();
    assert_eq!(kinds, ["certificate", "resolved"]);
    assert_eq!(world.alerts[0].subject, "httpok: http://h/: certificate expires soon");
    assert_eq!(world.supervisor.calls.len(), 0);
}
