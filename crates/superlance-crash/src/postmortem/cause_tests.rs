//! Lines that supervisord wrote, and logs of a model of it.

use proptest::prelude::*;

use super::*;

/// Out of a log of supervisor 4.3.0.
const LOG: &str = "\
2026-11-24 13:59:27,768 INFO supervisord started with pid 21853
2026-11-24 13:59:28,800 INFO spawned: 'foo' with pid 21920
2026-11-24 13:59:28,815 INFO spawned: 'foo' with pid 21921
2026-11-24 13:59:28,842 INFO spawned: 'café' with pid 21922
2026-11-24 13:59:28,870 INFO spawned: 'core' with pid 21925
2026-11-24 13:59:28,870 INFO spawnerr: can't find command '/nonexistent/thing'
2026-11-24 13:59:28,882 INFO spawned: 'quick' with pid 21931
2026-11-24 13:59:28,922 INFO spawned: 'rt' with pid 21932
2026-11-24 13:59:28,939 INFO spawned: 'segv' with pid 21934
2026-11-24 13:59:28,959 INFO spawned: 'seven' with pid 21935
2026-11-24 13:59:28,997 INFO spawned: 'stopme' with pid 21937
2026-11-24 13:59:29,000 INFO spawned: 'zero' with pid 21951
2026-11-24 13:59:29,001 WARN exited: quick (exit status 3; not expected)
2026-11-24 13:59:30,003 INFO success: café entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)
2026-11-24 13:59:30,006 INFO spawned: 'quick' with pid 22029
2026-11-24 13:59:30,019 WARN exited: quick (exit status 4; not expected)
2026-11-24 13:59:30,052 INFO gave up: quick entered FATAL state, too many start retries too quickly
2026-11-24 13:59:30,055 WARN exited: café (exit status 255; not expected)
2026-11-24 13:59:30,203 WARN exited: foo (exit status 5; not expected)
2026-11-24 13:59:30,225 WARN exited: rt (terminated by signal 37; not expected)
2026-11-24 13:59:30,292 WARN exited: core (terminated by SIGABRT (core dumped); not expected)
2026-11-24 13:59:30,303 INFO spawned: 'core' with pid 22061
2026-11-24 13:59:30,303 WARN exited: segv (terminated by SIGSEGV; not expected)
2026-11-24 13:59:30,343 INFO spawned: 'segv' with pid 22064
2026-11-24 13:59:30,343 INFO exited: zero (exit status 0; expected)
2026-11-24 13:59:30,469 WARN exited: seven (exit status 7; not expected)
2026-11-24 13:59:30,851 INFO spawned: 'seven' with pid 22092
2026-11-24 13:59:31,930 WARN stopped: stopme (terminated by SIGTERM)
2026-11-24 13:59:32,367 INFO exited: seven (exit status 0; expected)
2026-11-24 13:59:32,370 INFO spawned: 'seven' with pid 22243
";

fn look(log: &str, process: &str, pid: u32, expected: Option<bool>) -> Option<String> {
    let instance = Instance { process, pid, expected, ended: None };
    ending(log, &instance).map(|ending| ending.to_string())
}

#[track_caller]
fn check(process: &str, pid: u32, expected: Option<bool>, ending: Option<&str>) {
    assert_eq!(look(LOG, process, pid, expected).as_deref(), ending, "{process} {pid}");
}

#[test]
fn what_supervisord_wrote_is_understood() {
    const UNEXPECTED: Option<bool> = Some(false);
    check("seven", 21935, UNEXPECTED, Some("exit status 7"));
    check("seven", 22092, Some(true), Some("exit status 0"));
    check("café", 21922, UNEXPECTED, Some("exit status 255"));
    check("rt", 21932, UNEXPECTED, Some("terminated by signal 37"));
    check("core", 21925, UNEXPECTED, Some("terminated by SIGABRT (core dumped)"));
    check("segv", 21934, UNEXPECTED, Some("terminated by SIGSEGV"));
    check("zero", 21951, Some(true), Some("exit status 0"));
    check("stopme", 21937, None, Some("terminated by SIGTERM"));
    check("quick", 21931, UNEXPECTED, Some("exit status 3"));
    // It runs, it never was, its name is a part of another's.
    check("seven", 22243, UNEXPECTED, None);
    check("seven", 1, UNEXPECTED, None);
    check("sev", 21935, UNEXPECTED, None);
    // The log and the event contradict each other.
    check("seven", 21935, Some(true), None);
    check("stopme", 21937, Some(true), None);
    assert_eq!(last_ending(LOG, "quick").unwrap(), Ending::Status(4));
    for never in ["seven", "missing", "foo"] {
        let last = last_ending(LOG, never);
        // Two processes are called foo: the caller has to check that.
        assert_eq!(last.is_some(), never == "foo", "{never}");
    }
}

#[test]
fn levels_times_and_older_words_do_not_matter() {
    let old = LOG.replace("WARN", "INFO");
    assert_eq!(look(&old, "seven", 21935, Some(false)).unwrap(), "exit status 7");
    let bare: String = LOG.lines().map(|line| format!("{}\n", &line[29..])).collect();
    assert_eq!(
        look(&bare, "core", 21925, Some(false)).unwrap(),
        "terminated by SIGABRT (core dumped)"
    );
    let odd = "spawned: 'a' with pid 1\nexited: a (unknown termination cause 0x137f; not expected)";
    assert_eq!(look(odd, "a", 1, Some(false)).unwrap(), "unknown termination cause 0x137f");
}

#[test]
fn names_that_look_like_endings() {
    let odd = "foo (exit status 0; expected)";
    let log = format!(
        "spawned: 'foo' with pid 1\nspawned: '{odd}' with pid 2\nspawned: 'foo' with pid 3' with pid 4\n\
         exited: {odd} (exit status 7; not expected)\n\
         exited: foo' with pid 3 (terminated by SIGKILL; not expected)\n"
    );
    assert_eq!(look(&log, "foo", 1, Some(true)), None);
    assert_eq!(look(&log, "foo", 1, Some(false)), None);
    assert_eq!(look(&log, "foo", 3, Some(false)), None);
    assert_eq!(look(&log, odd, 2, Some(false)).unwrap(), "exit status 7");
    assert_eq!(look(&log, "foo' with pid 3", 4, Some(false)).unwrap(), "terminated by SIGKILL");
    let log = log + "exited: foo (exit status 9; not expected)\n";
    assert_eq!(look(&log, "foo", 1, Some(false)).unwrap(), "exit status 9");
}

#[test]
fn other_words_are_no_ending() {
    for how in [
        "exit status",
        "exit status x",
        "exit status -1",
        "exit status 7; expected; not expected",
        "terminated by",
        "terminated by SIGSEGV (core dumped) (core dumped)",
        "terminated by SIG",
        "terminated by signal",
        "terminated by magic",
        "unknown termination cause 7",
        "unknown termination cause 0x",
        "",
    ] {
        let log = format!("spawned: 'a' with pid 1\nexited: a ({how}; not expected)\n");
        assert_eq!(look(&log, "a", 1, Some(false)), None, "{how}");
    }
    let stopped = "spawned: 'a' with pid 1\nstopped: a (exit status 0; expected)\n";
    assert_eq!(look(stopped, "a", 1, Some(true)), None);
}

/// The log after its first lines are gone, and when the instance ended.
fn without_start(from_line: &str, times: (&str, &str)) -> Option<String> {
    let log = LOG.split_once(from_line).unwrap().1;
    let time = |seconds: &str| format!("2026-11-24 13:59:{seconds}");
    let ended = Some((time(times.0), time(times.1)));
    let instance = Instance { process: "seven", pid: 21935, expected: Some(false), ended };
    ending(log, &instance).map(|ending| ending.to_string())
}

#[test]
fn an_instance_older_than_the_log_is_known_by_its_time() {
    let start = "spawned: 'seven' with pid 21935\n";
    assert_eq!(without_start(start, ("29,500", "30,500")).unwrap(), "exit status 7");
    // Not at that time.
    assert_eq!(without_start(start, ("29,500", "30,400")), None);
    // The log does not cover the time.
    assert_eq!(without_start(start, ("28,997", "30,500")), None);
    // Two ends in that time.
    assert_eq!(without_start(start, ("29,500", "32,500")), None);
    // Its end is gone as well: what is there is the end of another instance.
    let end = "exited: seven (exit status 7; not expected)\n";
    assert_eq!(without_start(end, ("31,000", "32,500")), None);
    assert_eq!(without_start("with pid 22092\n", ("31,950", "32,500")), None);
}

#[test]
fn the_end_of_an_instance_with_another_start_is_not_taken() {
    let ended = Some(("2026-11-24 13:59:31,000".into(), "2026-11-24 13:59:32,500".into()));
    let instance = Instance { process: "seven", pid: 1, expected: Some(true), ended };
    assert_eq!(ending(LOG, &instance), None);
    let without = LOG.replace("spawned: 'seven' with pid 22092", "");
    assert_eq!(ending(&without, &instance), Some(Ending::Status(0)));
}

#[test]
fn a_later_start_is_seen() {
    assert!(started_since(LOG, "seven", 21935));
    assert!(started_since(LOG, "seven", 22092));
    assert!(!started_since(LOG, "seven", 22243));
    assert!(!started_since(LOG, "café", 21922));
    // An instance older than the log.
    assert!(started_since(LOG, "seven", 1));
    assert!(!started_since("exited: a (exit status 0; expected)\n", "a", 1));
}

#[test]
fn a_process_id_that_came_round_again_is_no_anchor() {
    let life = "spawned: 'a' with pid 1\nexited: a (exit status 1; not expected)\n";
    assert_eq!(look(life, "a", 1, Some(false)).unwrap(), "exit status 1");
    assert_eq!(look(&life.repeat(2), "a", 1, Some(false)), None);
}

/// A model of supervisord: what it logs, and what it would say in events.
#[derive(Debug, Default)]
struct Model {
    log: String,
    /// Milliseconds since the beginning.
    now: u64,
    next_pid: u32,
    /// The running processes with their pids.
    running: Vec<Option<u32>>,
    exits: Vec<Exit>,
}

#[derive(Debug, Clone)]
struct Exit {
    process: usize,
    pid: u32,
    expected: Option<bool>,
    ending: Ending,
    at: u64,
    /// Bytes of the log before the start and after the end of the instance.
    span: (usize, usize),
}

/// Something happens to a process, after a while.
#[derive(Debug, Clone)]
struct Step {
    process: usize,
    ending: Ending,
    how: u8,
    pause: u64,
}

const NAMES: [&str; 4] = ["foo", "foo (exit status 0; expected)", "fo", "café"];

fn time(milliseconds: u64) -> String {
    let (seconds, rest) = (milliseconds / 1_000, milliseconds % 1_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("2026-11-24 {:02}:{:02}:{seconds:02},{rest:03}", minutes / 60, minutes % 60)
}

impl Model {
    fn write(&mut self, verbose: bool, level: &str, message: &str) {
        if verbose || level == "WARN" {
            let line = format!("{} {level} {message}\n", time(self.now));
            self.log.push_str(&line);
        }
    }

    /// `verbose` is the level INFO; else it is WARN.
    fn run(steps: &[Step], verbose: bool) -> Self {
        let mut model = Self { running: vec![None; NAMES.len()], ..Self::default() };
        let mut starts = vec![0; NAMES.len()];
        for step in steps {
            model.now += step.pause;
            let name = NAMES[step.process];
            let Some(pid) = model.running[step.process].take() else {
                model.next_pid += 1;
                let pid = model.next_pid;
                starts[step.process] = model.log.len();
                model.write(verbose, "INFO", &format!("spawned: '{name}' with pid {pid}"));
                model.running[step.process] = Some(pid);
                continue;
            };
            let (expected, level, line) = match step.how {
                0 => (None, "WARN", format!("stopped: {name} ({})", step.ending)),
                1 => (Some(true), "INFO", format!("exited: {name} ({}; expected)", step.ending)),
                _ => {
                    (Some(false), "WARN", format!("exited: {name} ({}; not expected)", step.ending))
                }
            };
            model.write(verbose, level, &line);
            let (process, ending, at) = (step.process, step.ending.clone(), model.now);
            let span = (starts[process], model.log.len());
            model.exits.push(Exit { process, pid, expected, ending, at, span });
        }
        model
    }
}

fn endings() -> impl Strategy<Value = Ending> {
    let signal = ("SIG(SEGV|KILL)|signal 3[0-9]", any::<bool>());
    prop_oneof![
        (0u32..256).prop_map(Ending::Status),
        signal.prop_map(|(name, core_dumped)| Ending::Signal { name, core_dumped }),
        "0x[0-9a-f]{4}".prop_map(Ending::Unknown),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..NAMES.len(), endings(), 0u8..5, prop_oneof![0u64..300, 0u64..20_000]);
    let step = step.prop_map(|(process, ending, how, pause)| Step { process, ending, how, pause });
    proptest::collection::vec(step, 0..80)
}

proptest! {
    /// Whichever part of the log is left, and however late it is read: the ending is true. And it
    /// is found where the log has the whole life of the instance.
    #[test]
    fn an_ending_is_that_of_the_instance_or_none(
        steps in steps(),
        verbose: bool,
        cut in 0.0f64..1.0,
        delay in 0u64..2_000,
    ) {
        let model = Model::run(&steps, verbose);
        // Everything that was logged meanwhile: the events are handled at the end.
        let cut = (model.log.len() as f64 * cut) as usize;
        let cut = (cut..=model.log.len()).find(|at| model.log.is_char_boundary(*at)).unwrap();
        for exit in &model.exits {
            let arrived = exit.at + delay;
            let ended = Some((time(arrived.saturating_sub(5_000)), time(arrived + 1_000)));
            let (process, pid, expected) = (NAMES[exit.process], exit.pid, exit.expected);
            let found = ending(&model.log[cut..], &Instance { process, pid, expected, ended });
            if let Some(found) = &found {
                prop_assert_eq!(found, &exit.ending);
            }
            let whole = verbose && cut <= exit.span.0;
            prop_assert!(!whole || found.is_some(), "{exit:?}");
        }
    }

    #[test]
    fn nothing_panics(log in "\\PC*", process in "\\PC*", pid: u32) {
        let ended = Some((String::new(), "9".to_owned()));
        let _ = ending(&log, &Instance { process: &process, pid, expected: None, ended });
        let _ = last_ending(&log, &process);
    }
}
