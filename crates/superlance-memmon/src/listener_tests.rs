//! memmon against a supervisord of values; memory is that of real processes.

use std::process::{Child, Command, Stdio};

use clap::FromArgMatches;
use superlance_core::supervisor::{ProcessInfo, RpcError, State};
use superlance_core::testing::{ScriptedSupervisor, World, frame};

use super::*;
use crate::options;
use superlance_measure::Memory;
use superlance_measure::SystemMemory;

/// A process to measure.
pub(super) struct Sleeper(Child);

impl Sleeper {
    pub(super) fn new() -> Self {
        Self(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn world(&self) -> World {
        World::new(ScriptedSupervisor::at(1000).with("foo:foo", self.0.id()).with("off:off", 0))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn memmon(arguments: &[&str]) -> Memmon {
    let arguments = ["memmon"].iter().chain(arguments);
    let matches = options::command().try_get_matches_from(arguments).unwrap();
    Memmon::new(Options::from_arg_matches(&matches).unwrap(), Some("own:own".to_owned()))
}

pub(super) const RESTART: [&str; 4] = ["all()", "info(foo:foo)", "stop(foo:foo)", "start(foo:foo)"];

/// One tick for a memmon with these arguments. Returns the calls.
#[track_caller]
fn check(world: &mut World, arguments: &[&str], calls: &[&str]) {
    world.event(&mut memmon(arguments), "TICK_60", "when:1").unwrap();
    assert_eq!(world.supervisor.calls, calls);
}

#[test]
fn what_is_over_is_restarted_once_whatever_limits_it_is_over() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let limits = ["-p", "foo=1", "-p", "foo:foo=1", "-g", "foo=1", "-a", "1", "-m", "bob"];
    check(&mut world, &limits, &RESTART);
    let mail = &world.alerts[0];
    assert_eq!((mail.kind.as_str(), world.alerts.len()), ("restarted", 1));
    let process = mail.process.as_ref().unwrap();
    assert_eq!((process.group.as_str(), process.pid), ("foo", Some(sleeper.0.id())));
    assert_eq!(mail.subject, "memmon: process foo:foo restarted");
    let start = "memmon.py restarted the process named foo:foo at Mon Jan  1 ";
    assert!(mail.text.starts_with(start), "{}", mail.text);
    let log = world.log();
    let (first, rest) = log.split_once("\nRSS of foo:foo is ").unwrap();
    assert_eq!(first, "Checking programs foo=1, foo:foo=1\nChecking groups foo=1\nChecking any=1");
    assert!(rest.ends_with("\nRestarting foo:foo\n") && rest.lines().count() == 2, "{rest}");
}

#[test]
fn what_is_not_over_or_not_named_is_left_alone() {
    let sleeper = Sleeper::new();
    check(&mut sleeper.world(), &["-a", "1GB"], &["all()"]);
    let mut world = sleeper.world();
    check(&mut world, &["-p", "bar=1", "-p", "off=1", "-g", "bar=1"], &["all()"]);
    let log = world.log();
    let limits = "Checking programs bar=1, off=1\nChecking groups bar=1\n";
    let idle = "No process of supervisord matches -p bar, -g bar: compare with supervisorctl \
                status (SL301)\n";
    assert_eq!(log, [limits, idle].concat());
}

#[test]
fn a_selector_that_means_nothing_is_named_once_until_that_changes() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-p", "foo=1GB", "-p", "bar=1GB"]);
    let mut tick = |world: &mut World| world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    tick(&mut world);
    tick(&mut world);
    let said = "matches -p bar: compare";
    assert_eq!(world.log().matches(said).count(), 1, "{}", world.log());
    world.supervisor = std::mem::take(&mut world.supervisor).with("x:bar", 0);
    tick(&mut world);
    assert!(world.log().contains("\nEvery option matches a process now\n"), "{}", world.log());
    world.supervisor.processes.retain(|info| info.name != "bar");
    tick(&mut world);
    assert_eq!(world.log().matches(said).count(), 2, "{}", world.log());
}

#[test]
fn another_metric_is_named_in_log_and_mail() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    check(&mut world, &["-a", "1KB", "--metric", "uss", "-m", "bob"], &RESTART);
    assert!(world.log().contains("\nUSS of foo:foo is "), "{}", world.log());
    let mail = &world.alerts[0];
    assert!(mail.text.ends_with(" bytes USS)"), "{}", mail.text);
}

#[test]
fn a_number_that_is_withheld_is_no_zero_and_without_any_memmon_is_blind() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "--metric", "swap"]);
    memmon.sampler.memory = Memory::Ps;
    for _ in 0..3 {
        world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    }
    assert_eq!(world.supervisor.calls, ["all()"; 3]);
    let log = world.log();
    let said =
        "cannot read the swap of foo:foo: ps(1), which tells memory here, knows only the RSS";
    assert_eq!(log.matches(said).count(), 1, "{log}");
    assert!(!log.contains("swap of foo:foo is") && !log.contains("Checking"), "{log}");
    let kinds: Vec<_> = world.alerts.iter().map(|alert| alert.kind.as_str()).collect();
    assert_eq!(kinds, ["blind"]);
    assert!(world.alerts[0].text.ends_with(said), "{:?}", world.alerts);
}

#[test]
fn through_ps_another_metric_is_refused() {
    let check = |metric| {
        let arguments = ["memmon", "-a", "1", "--metric", metric, "--through-ps"];
        let matches = options::command().try_get_matches_from(arguments).unwrap();
        let options = Options::from_arg_matches(&matches).unwrap();
        options.check(&options.memory())
    };
    assert_eq!(check("rss"), Ok(()));
    let message =
        "--metric pss is not possible here: ps(1), which tells memory here, knows only the RSS";
    assert_eq!(check("pss"), Err(message.to_owned()));
}

/// 2 GiB of cgroup limit on a machine of 24 GiB.
#[cfg(target_os = "linux")]
#[test]
fn a_percentage_is_of_the_memory_there_is() {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("proc/meminfo", "MemTotal: 25165824 kB\n"),
        ("proc/self/cgroup", "0::/\n"),
        ("cgroup/memory.max", "2147483648\n"),
    ] {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "50%", "-p", "foo=0.0001%"]);
    memmon.sampler.machine =
        SystemMemory { proc: root.path().join("proc"), cgroup: root.path().join("cgroup") };
    world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    let start = "Checking programs foo=2147 (0.0001% of 2147483648)\n\
                 Checking any=1073741824 (50% of 2147483648)\nRSS of foo:foo is ";
    assert!(world.log().starts_with(start), "{}", world.log());
    assert_eq!(world.supervisor.calls, RESTART);

    // Without it, limits in bytes go on counting.
    memmon.sampler.machine.proc = "/no/such".into();
    for _ in 0..2 {
        world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    }
    let said =
        "Limits in percent do not count: cannot read how much memory there is: /no/such/meminfo";
    assert_eq!(world.log().matches(said).count(), 1, "{}", world.log());
}

#[test]
fn what_is_excluded_is_left_alone() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    check(&mut world, &["-a", "1", "--exclude", "foo"], &["all()"]);
    assert_eq!(world.log(), "Checking any=1\n");
    check(&mut sleeper.world(), &["-a", "1", "--exclude", "~^o"], &RESTART);
}

#[test]
fn the_most_specific_limit_decides_if_so_asked() {
    let sleeper = Sleeper::new();
    let limits = ["-p", "foo=1GB", "-a", "1"];
    check(&mut sleeper.world(), &limits, &RESTART);
    check(&mut sleeper.world(), &[&limits[..], &["--specific"]].concat(), &["all()"]);
}

#[test]
fn it_never_restarts_itself() {
    let sleeper = Sleeper::new();
    let mut world = World::new(ScriptedSupervisor::default().with("own:own", sleeper.0.id()));
    check(&mut world, &["-a", "1", "-p", "own=1"], &["all()"]);
}

#[test]
fn a_mail_is_sent_only_for_young_processes_if_so_asked() {
    // The fake's processes have been up for ten seconds.
    for (uptime, mails) in [("9s", 0), ("10s", 1), ("1h", 1)] {
        let sleeper = Sleeper::new();
        let mut world = sleeper.world();
        check(&mut world, &["-a", "1", "-m", "bob", "-n", "x", "-u", uptime], &RESTART);
        let subjects: Vec<_> = world.alerts.iter().map(|mail| mail.subject.as_str()).collect();
        assert_eq!(subjects, vec!["memmon [x]: process foo:foo restarted"; mails], "{uptime}");
    }
}

#[test]
fn a_refused_stop_is_reported_and_the_next_process_is_handled() {
    let (first, second) = (Sleeper::new(), Sleeper::new());
    let mut world = first.world();
    world.supervisor = std::mem::take(&mut world.supervisor).with("zoo:zoo", second.0.id());
    world.supervisor.refuse("stop", 70, "NOT_RUNNING: foo:foo");
    world.event(&mut memmon(&["-a", "1", "-m", "bob"]), "TICK_5", "when:1").unwrap();
    assert_eq!(world.supervisor.calls.last().unwrap(), "start(zoo:zoo)");
    let mail = &world.alerts[0];
    assert_eq!(mail.subject, "memmon: failed to stop process foo:foo");
    assert!(mail.text.starts_with("Failed to stop process foo:foo (RSS "), "{}", mail.text);
    assert!(mail.text.ends_with("): <Fault 70: 'NOT_RUNNING: foo:foo'>"), "{}", mail.text);
    assert!(world.log().contains(&mail.text));
}

#[test]
fn a_failed_start_is_reported_and_made_good() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1", "-m", "bob"]);
    world.supervisor.fail("start", RpcError::NoAnswer("connection lost".to_owned()));
    world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    let text = "Failed to start process foo:foo after stopping it: connection lost";
    assert_eq!(world.alerts[0].text, text);
    assert_eq!(world.supervisor.process("foo:foo").unwrap().state, State::Stopped);
    std::thread::sleep(memmon.deadline().unwrap().saturating_duration_since(Instant::now()));
    world.with_ctx(|ctx| memmon.on_time(ctx));
    assert_eq!(world.supervisor.process("foo:foo").unwrap().state, State::Running);
    assert_eq!(world.alerts[1].subject, "memmon: process foo:foo restarted");
    assert_eq!(memmon.deadline(), None);
}

#[test]
fn an_unreachable_supervisord_is_said_once_and_tried_again() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1GB"]);
    for _ in 0..3 {
        world.supervisor.fail("all", RpcError::Unreachable("no answer".to_owned()));
        world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    }
    world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    let log = world.log();
    assert_eq!(log.matches("no answer").count(), 1, "{log}");
    assert!(log.contains("supervisord answers again\nRSS of foo:foo is "), "{log}");
}

#[test]
fn a_process_that_was_replaced_meanwhile_is_left_alone() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1"]);
    let sample = world.with_ctx(|ctx| memmon.sampler.sample(ctx));
    let decision = Decision::Act { process: 0, excess: Excess::Own { limit: 1 } };
    // The kernel uses pids again.
    let same_pid = |info: &mut ProcessInfo| info.start += 5;
    for replace in [|info: &mut ProcessInfo| info.pid += 1, same_pid] {
        let before = world.supervisor.process("foo:foo").unwrap().clone();
        replace(world.supervisor.process("foo:foo").unwrap());
        world.with_ctx(|ctx| memmon.follow(&decision, &sample.processes, ctx));
        *world.supervisor.process("foo:foo").unwrap() = before;
    }
    assert_eq!(world.supervisor.calls, ["all()", "info(foo:foo)", "info(foo:foo)"]);
}

#[test]
fn a_process_that_is_being_stopped_is_left_alone() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    world.supervisor.process("foo:foo").unwrap().state = State::Stopping;
    check(&mut world, &["-a", "1"], &RESTART[..1]);
    let said = "\nfoo:foo is over its limit, but is being stopped\n";
    assert!(world.log().ends_with(said), "{}", world.log());
    let total = ["--total", "1"];
    check(&mut world, &total, &["all()", "all()"]);
}

/// foo waits for a dead disk, and supervisord does not answer as long as it lives.
#[test]
fn a_stop_that_never_ends_is_told_and_the_others_go_on_being_checked() {
    let (stuck, other) = (Sleeper::new(), Sleeper::new());
    let mut world = stuck.world();
    world.supervisor = std::mem::take(&mut world.supervisor).with("zoo:zoo", other.0.id());
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("m.json");
    let mut memmon = memmon(&["-a", "1", "-m", "bob", "--status-file", status.to_str().unwrap()]);
    let late = "no answer from supervisord at unix:///s within 5m";
    world.supervisor.fail("stop", RpcError::NoAnswer(late.to_owned()));
    world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    assert_eq!(world.alerts[0].kind, "failed-to-stop");
    assert!(world.alerts[0].text.ends_with(&format!(": {late}")), "{}", world.alerts[0].text);
    let pid = other.0.id();
    world.supervisor.process("foo:foo").unwrap().state = State::Stopping;
    world.supervisor.process("zoo:zoo").unwrap().pid = pid;
    world.supervisor.calls.clear();
    world.event(&mut memmon, "TICK_5", "when:1").unwrap();
    assert_eq!(
        world.supervisor.calls,
        ["all()", "info(zoo:zoo)", "stop(zoo:zoo)", "start(zoo:zoo)"]
    );
    assert!(world.log().contains("\nfoo:foo is over its limit, but is being stopped\n"));
    let text = std::fs::read_to_string(&status).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["processes"][0]["stopping"], true);
    assert_eq!(value["actions"][2]["reason"], late);
}

#[test]
fn what_fails_because_supervisord_ends_is_logged_and_not_told() {
    let faults = [("stop", 6, "SHUTDOWN_STATE"), ("start", 6, "SHUTDOWN_STATE")];
    for (method, code, text) in faults {
        let sleeper = Sleeper::new();
        let mut world = sleeper.world();
        world.supervisor.refuse(method, code, text);
        world.event(&mut memmon(&["-a", "1", "-m", "bob"]), "TICK_5", "when:1").unwrap();
        assert_eq!(world.alerts.len(), 0, "{:?}", world.alerts);
        assert!(world.log().contains(&format!("Failed to {method} process foo:foo")));
    }
}

#[test]
fn when_it_is_told_to_end_it_begins_no_restart() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    world.ending = true.into();
    check(&mut world, &["-a", "1"], &RESTART[..1]);
}

#[test]
fn what_is_there_and_cannot_be_seen_is_said() {
    // No system has this process id, as if the process were hidden from us.
    let mut world = World::new(ScriptedSupervisor::default().with("foo:foo", 4_194_305));
    let mut memmon = memmon(&["-a", "1"]);
    let said = "cannot see the memory of foo:foo (pid 4194305)";
    for times in [0, 1, 1] {
        world.event(&mut memmon, "TICK_5", "when:1").unwrap();
        assert_eq!(world.log().matches(said).count(), times);
    }
}

#[test]
fn only_ticks_are_of_interest() {
    let filter = memmon(&["-a", "1"]).filter();
    assert_eq!(filter(&frame("TICK_3600", "when:1")), Interest::WhenIdle);
    assert_eq!(filter(&frame("PROCESS_STATE_EXITED", "")), Interest::Nothing);
}

#[test]
fn a_process_recovers_when_it_is_below_its_limit_and_not_before() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let tick = |world: &mut World, memmon: &mut Memmon| {
        world.event(memmon, "TICK_60", "when:1").unwrap();
        world.alerts.iter().map(|alert| alert.kind.clone()).collect::<Vec<_>>()
    };
    // It stays over its limit when enough was done about it, and when an alert is all that is done.
    for arguments in [&["-a", "1", "--max-restarts", "1/1h"][..], &["-a", "1", "--action", "alert"]]
    {
        let mut memmon = memmon(&[arguments, &["-m", "bob"]].concat());
        for _ in 0..3 {
            world.supervisor.process("foo:foo").unwrap().pid = sleeper.pid();
            let kinds = tick(&mut world, &mut memmon);
            assert!(!kinds.contains(&"resolved".to_owned()), "{kinds:?}");
        }
    }
    // Below its limit, in the words of people.
    let kinds = tick(&mut world, &mut memmon(&["-a", "1GB"]));
    assert_eq!(kinds.last().unwrap(), "resolved", "{kinds:?}");
    let alert = world.alerts.last().unwrap();
    assert_eq!(alert.subject, "process foo:foo");
    let text = &alert.text;
    assert!(text.starts_with(&format!("Process foo:foo (pid {}) uses ", sleeper.pid())), "{text}");
    assert!(text.ends_with(" RSS, below its limit of 1.00G."), "{text}");
}

#[test]
fn what_an_earlier_memmon_told_of_other_processes_is_forgotten() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    world.tell_before(&["process foo:foo", "process off:off", "checks of memmon"]);
    // It is not measured, and watched as well.
    world.event(&mut memmon(&["-p", "off=1GB"]), "TICK_60", "when:1").unwrap();
    assert_eq!(world.forgotten(), ["process foo:foo"]);
}

#[test]
fn a_check_that_cannot_be_made_is_not_announced_and_three_are_told() {
    let sleeper = Sleeper::new();
    let mut world = sleeper.world();
    let mut memmon = memmon(&["-a", "1GB", "-m", "bob"]);
    for _ in 0..4 {
        world.supervisor.fail("all", RpcError::Unreachable("wrong password".to_owned()));
        world.event(&mut memmon, "TICK_60", "when:1").unwrap();
    }
    assert_eq!(world.log(), "Cannot check: wrong password\n");
    world.event(&mut memmon, "TICK_60", "when:1").unwrap();
    let again = "\nChecking any=1073741824\nsupervisord answers again\nRSS of foo:foo is ";
    assert!(world.log().contains(again), "{}", world.log());
    memmon.sampler.memory = Memory::Proc("/no/such".into());
    for _ in 0..3 {
        world.event(&mut memmon, "TICK_60", "when:1").unwrap();
    }
    assert_eq!(world.log().matches("Checking any=").count(), 1, "{}", world.log());
    let kinds: Vec<_> = world.alerts.iter().map(|alert| alert.kind.as_str()).collect();
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| *kind != "resolved").collect();
    assert_eq!(kinds, ["blind", "recovered", "blind"]);
}
