//! memmon's new options: the real binary with a fake supervisord, real processes, and ticks from the test.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use nix::sys::signal::Signal;
use superlance_testing::{Ballast, FakeProcess, SOON, Scratch, Subject, wait_for, wait_until};

use super::{Clockwork, twenty_megabytes};
use crate::ours;

#[test]
fn wrong_values_are_errors_that_say_what_was_expected() {
    for (option, value, expected) in [
        ("-a", "101%", "is not a part of the memory such as 40%"),
        ("-p", "~(=5MB", "is not ~ and a regular expression such as ~^web: unclosed group"),
        ("--exclude", "", "is not a process name"),
        ("--metric", "vss", "[possible values: rss, pss, uss, swap, rss+swap]"),
        ("--total", "x", "is not a size such as 200MB"),
        ("--for", "0", "\"0\" is not N or N/M such as 3"),
        ("--grace", "soon", "is not a time such as 90"),
        ("--action", "kill", "is not an action: restart, stop, signal:NAME or alert"),
        ("--action", "signal:FOO", "has no signal such as USR1"),
        ("--max-restarts", "3", "is not N/TIME such as 3/1h"),
        ("--history", "1", "1 is not in 2..=1000"),
    ] {
        let memmon = Subject::ours(ours(), "memmon").args([option, value]);
        let output = memmon.output(Duration::from_secs(10));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(expected), "{error}");
    }
}

#[test]
fn through_ps_there_is_only_rss() {
    let memmon = Subject::ours(ours(), "memmon");
    let memmon = memmon.args(["-a", "5MB", "--metric", "pss", "--through-ps"]);
    let output = memmon.output(Duration::from_secs(10));
    let error = String::from_utf8_lossy(&output.stderr);
    let expected = "--metric pss is not possible here: ps(1), which tells memory here, knows only";
    assert!(output.status.code() == Some(2) && error.contains(expected), "{error}");
}

#[test]
fn a_percentage_is_of_the_memory_of_this_machine() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let mut run = Clockwork::new(&["-a", "100%", "-p", "foo=0.0001%"], &[foo]);
    let log = run.tick();
    let any = log.lines().find_map(|line| line.strip_prefix("Checking any=")).unwrap();
    let (bytes, rest) = any.split_once(' ').unwrap();
    assert_eq!(rest, format!("(100% of {bytes})"));
    let physical = fs::read_to_string("/proc/meminfo").unwrap();
    let physical = physical.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    assert!(bytes.parse::<u64>().unwrap() <= physical.parse::<u64>().unwrap() * 1024);
    assert_eq!(run.count("startProcess"), 1);
}

#[test]
fn who_is_meant() {
    let (_first, foo) = twenty_megabytes("web:web_1");
    let (_second, bar) = twenty_megabytes("db:db");
    let processes = [foo, bar];
    for (arguments, restarted) in [
        (&["-p", "~^web_\\d$=5MB"][..], &["startProcess(web:web_1)"][..]),
        (&["-g", "~^(web|db)$=5MB"], &["startProcess(db:db)", "startProcess(web:web_1)"]),
        (&["-a", "5MB", "--exclude", "web:*"], &["startProcess(db:db)"]),
        (&["-a", "5MB", "--exclude", "~_1$", "--exclude", "db"], &[]),
        (&["-a", "5MB", "-p", "db=1GB", "--specific"], &["startProcess(web:web_1)"]),
        (&["-g", "db=1GB", "-p", "d*=5MB", "--specific"], &["startProcess(db:db)"]),
    ] {
        let mut run = Clockwork::new(arguments, &processes);
        run.tick();
        let calls = run.fake.calls();
        let calls: Vec<_> = calls.iter().filter(|call| call.starts_with("start")).collect();
        assert_eq!(calls, restarted, "{arguments:?}");
    }
}

#[test]
fn a_name_that_means_nobody_is_named_once_until_that_changes() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let mut run = Clockwork::new(&["-p", "foo=5GB", "-g", "fo=5GB"], &[foo.clone()]);
    let said =
        "No process of supervisord matches -g fo: compare with supervisorctl status (SL301)\n";
    assert!(run.tick().contains(said));
    assert!(!run.tick().contains(said));
    let mut fo = foo;
    fo.group = "fo".to_owned();
    run.fake.add(fo);
    assert!(run.tick().contains("Every option matches a process now\n"));
    run.fake.remove("fo:foo");
    assert!(run.tick().contains(said));
}

#[test]
fn a_peak_is_forgiven_and_a_plateau_is_not() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let mut run = Clockwork::new(&["-a", "5MB", "--for", "3"], &[foo.clone()]);
    assert!(run.tick().contains("foo:foo is over its limit, check 1 of 3\n"));
    run.tick();
    // Another instance, which is over from its start.
    run.fake.update("foo", |process| process.start += 1);
    assert!(run.tick().contains("check 1 of 3\n"));
    run.tick();
    assert_eq!(run.count("startProcess"), 0);
    assert!(run.tick().contains("\nRestarting foo:foo\n"));
    assert_eq!(run.count("startProcess"), 1);
}

#[test]
fn the_young_are_left_alone() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let mut run = Clockwork::new(&["-a", "5MB", "--grace", "1m"], &[foo.uptime(59)]);
    assert!(run.tick().contains("foo:foo is over its limit, but up for 59s only (--grace 1m)\n"));
    assert_eq!(run.count("stopProcess"), 0);
    // What the clock of the machine says since is of no matter.
    run.fake.update("foo", |process| process.now = process.now.map(|now| now - 3600));
    wait_until("foo to be a minute old", SOON, || run.tick().contains("Restarting foo:foo\n"));
    assert_eq!(run.count("startProcess"), 1);
}

#[test]
fn what_flaps_is_left_alone() {
    let (ballast, foo) = twenty_megabytes("foo");
    let mut run = Clockwork::new(&["-a", "5MB", "--max-restarts", "2/1h"], &[foo]);
    for _ in 0..4 {
        run.fake.update("foo", |process| process.next_pid = Some(ballast.pid()));
        run.tick();
    }
    assert_eq!((run.count("startProcess"), run.count("stopProcess")), (2, 2));
    let mails = run.mailbox.wait_for(3);
    assert!(mails[2].contains("Subject: memmon: process foo:foo left alone\n"), "{}", mails[2]);
    assert_eq!(mails.len(), 3);
}

#[test]
fn over_the_total_the_largest_goes_first_one_a_tick() {
    let sizes = [("a", 10), ("b", 60), ("c", 30)];
    let ballasts = sizes.map(|(name, mb)| (name, Ballast::new(mb).spawn()));
    let processes = ballasts.each_ref().map(|(name, b)| FakeProcess::running(name, b.pid()));
    let mut run = Clockwork::new(&["--total", "60MB"], &processes);
    let log = run.tick();
    assert!(log.contains(", over 62914560\nRestarting b:b\n"), "{log}");
    assert_eq!(run.count("startProcess"), 1);
    let mail = &run.mailbox.wait_for(1)[0];
    assert!(mail.contains("everything watched was consuming too much memory together ("), "{mail}");
    // The new b has no memory; a and c are together no longer too large, or c goes, too.
    run.tick();
    run.tick();
    let restarted = run.fake.calls().into_iter().filter(|call| call.starts_with("start"));
    let restarted: Vec<_> = restarted.collect();
    assert!(
        ["startProcess(b:b)", "startProcess(c:c)"]
            .starts_with(&restarted.iter().map(String::as_str).collect::<Vec<_>>()),
        "{restarted:?}"
    );
    let log = run.tick();
    assert!(
        log.contains("RSS of everything watched is ") && !log.contains("over 62914560"),
        "{log}"
    );
}

#[test]
fn an_alert_comes_once_and_again_after_it_was_below() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let mut run = Clockwork::new(&["-a", "5MB", "--action", "alert"], &[foo.clone()]);
    run.tick();
    run.tick();
    let mails = run.mailbox.wait_for(1);
    assert!(mails[0].contains("Subject: memmon: process foo:foo uses too much memory\n"));
    let (_other, other) = twenty_megabytes("foo");
    run.fake.add(other);
    run.tick();
    assert_eq!(run.mailbox.wait_for(2).len(), 2);
    assert_eq!((run.count("stopProcess"), run.count("getProcessInfo")), (0, 0));
}

#[test]
fn a_command_saves_what_would_be_gone() {
    let (ballast, foo) = twenty_megabytes("foo");
    let folder = Scratch::new();
    let dump = folder.join("dump");
    let command = format!("cp /proc/$SUPERLANCE_PID/status {}; echo done", dump.display());
    let mut run = Clockwork::new(&["-a", "5MB", "--before", &command], &[foo]);
    let log = run.tick();
    let said = "Output of --before for foo:foo:\ndone\nRestarting foo:foo\n";
    assert!(log.ends_with(said), "{log}");
    let dump = fs::read_to_string(dump).unwrap();
    assert!(dump.contains(&format!("\nPid:\t{}\n", ballast.pid())), "{dump}");
    let mail = &run.mailbox.wait_for(1)[0];
    assert!(mail.ends_with("\n\nOutput of --before for foo:foo:\n\ndone"), "{mail}");
}

/// A process that is stopped now might not be started in time.
#[test]
fn told_to_end_while_the_command_runs_it_stops_nothing() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let folder = Scratch::new();
    let begun = folder.join("begun");
    let command = format!("touch {}; sleep 1", begun.display());
    let mut run = Clockwork::new(&["-a", "5MB", "--before", &command], &[foo]);
    run.memmon.event("TICK_5", "when:1");
    wait_until("the command", SOON, || begun.exists());
    run.memmon.signal(Signal::SIGTERM);
    assert_eq!(run.memmon.wait_exit(SOON).signal(), Some(Signal::SIGTERM as i32));
    let log = run.memmon.stderr();
    let end = "\nNothing is done about foo:foo: memmon was told to end\nmemmon: ended by SIGTERM\n";
    assert!(log.ends_with(end), "{log}");
    assert_eq!(run.count("stopProcess"), 0);
}

#[test]
fn a_dry_run_touches_nothing() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let folder = Scratch::new();
    let touch = format!("touch {}", folder.join("touched").display());
    let arguments = ["-a", "5MB", "--dry-run", "--before", &touch];
    let mut run = Clockwork::new(&arguments, &[foo]);
    for _ in 0..2 {
        assert!(run.tick().ends_with("\nWould restart foo:foo\n"));
    }
    assert_eq!(run.fake.calls(), ["getAllProcessInfo()", "getAllProcessInfo()"]);
    assert!(!folder.join("touched").exists() && run.mailbox.mails().is_empty());
}

#[test]
fn growth_is_shown() {
    let growing = Ballast::new(20).growing(5, Duration::from_millis(50)).spawn();
    let foo = FakeProcess::running("foo", growing.pid());
    let mut run = Clockwork::new(&["-a", "60MB", "--history", "100"], &[foo]);
    let log = wait_for("the restart", Duration::from_secs(30), || {
        let log = run.tick();
        log.contains("Restarting").then_some(log)
    });
    let line = log.lines().find(|line| line.contains(" went from ")).unwrap();
    assert!(line.contains(" (+") && line.ends_with('█'), "{line}");
    let mail = &run.mailbox.wait_for(1)[0];
    assert!(mail.contains("\nContent-Type: text/plain; charset=utf-8\n"), "{mail}");
}

#[test]
fn the_files_are_whole_whenever_they_are_read() {
    let (_ballast, foo) = twenty_megabytes("foo");
    let folder = Scratch::new();
    let (status, metrics) = (folder.join("memmon.json"), folder.join("memmon.prom"));
    let files = [status.to_str().unwrap(), metrics.to_str().unwrap()];
    let arguments =
        ["-a", "5MB", "--dry-run", "--status-file", files[0], "--metrics-file", files[1]];
    let mut run = Clockwork::new(&arguments, &[foo]);
    for _ in 0..20 {
        run.memmon.event("TICK_5", "when:1");
        run.memmon.wait_result();
        if let Ok(text) = fs::read_to_string(&status) {
            assert!(text.starts_with("{\n") && text.ends_with("}\n"), "{text}");
        }
        if let Ok(text) = fs::read_to_string(&metrics) {
            assert!(text.starts_with("# HELP ") && text.ends_with('\n'), "{text}");
        }
    }
    run.memmon.wait_idle();
    run.tick();
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["memmon.json", "memmon.prom"]);
    let text = fs::read_to_string(&metrics).unwrap();
    assert!(text.contains("\nsuperlance_memmon_up{memmon=\"memmon:memmon\"} 1\n"), "{text}");
    assert!(text.contains("action=\"restart\",outcome=\"dry-run\"} "), "{text}");
}
