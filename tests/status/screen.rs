//! At a terminal, of any size.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, ProcessState, RunningBallast, SOON, Scratch,
    Terminal, wait_until,
};

use super::status;

/// A supervisord with a process, which is a child of this test as it is of a supervisord.
fn supervisord() -> (FakeSupervisor, RunningBallast, Scratch) {
    let (fake, ballast) = (FakeSupervisor::unix(), Ballast::new(10).spawn());
    fake.add(FakeProcess::running("workers:worker_00", ballast.pid()));
    let mut fatal = FakeProcess::running("web", 0);
    fatal.state = ProcessState::Fatal;
    fake.add(fatal);
    (fake, ballast, Scratch::new())
}

fn at(fake: &FakeSupervisor, folder: &Scratch, arguments: &[&str]) -> Command {
    let mut command = status(folder, &["-s", &fake.server_url()]);
    command.args(arguments).env("TERM", "xterm");
    command
}

/// What is printed at a terminal of this width.
#[track_caller]
fn at_width(command: Command, columns: u16) -> String {
    let mut terminal = Terminal::spawn(command, columns, 24);
    assert!(terminal.wait_exit().code().is_some());
    terminal.text().replace("\r\n", "\n")
}

#[test]
fn colours_are_for_terminals_that_have_them() {
    let (fake, _ballast, folder) = supervisord();
    let text = at_width(at(&fake, &folder, &[]), 120);
    assert!(text.contains("\x1b[32mRUNNING\x1b[m"), "{text:?}");
    assert!(text.contains("\x1b[1;31mFATAL\x1b[m"), "{text:?}");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "")] {
        let mut command = at(&fake, &folder, &[]);
        command.env(name, value);
        let text = at_width(command, 120);
        assert!(text.contains("RUNNING") && !text.contains('\x1b'), "{name}={value}: {text:?}");
    }
}

#[test]
fn a_narrow_terminal_gets_fewer_columns_and_no_broken_lines() {
    let (fake, _ballast, folder) = supervisord();
    for columns in [20, 30, 40, 60, 80, 100, 200] {
        let mut command = at(&fake, &folder, &[]);
        command.args(["--", "-a", "1MB"]).env("NO_COLOR", "1");
        let text = at_width(command, columns);
        let too_long = |line: &&str| line.chars().count() > usize::from(columns);
        assert_eq!(text.lines().find(too_long), None, "{columns}:\n{text}");
        let titles = text.lines().next().unwrap();
        assert!(titles.starts_with("PROCESS") && text.contains("\nTOTAL"), "{columns}:\n{text}");
        assert_eq!(titles.contains("HEADROOM"), columns >= 30, "{columns}:\n{text}");
        assert_eq!(titles.contains("PID"), columns >= 100, "{columns}:\n{text}");
    }
}

#[test]
fn watching_follows_what_happens_and_q_ends_it() {
    let (fake, _ballast, folder) = supervisord();
    let mut terminal = Terminal::spawn(at(&fake, &folder, &["--watch", "1"]), 100, 10);
    terminal.wait_for("web");
    // A page of its own, without cursor; keys are not shown.
    terminal.wait_for("\x1b[?1049h\x1b[?25l");
    assert!(!terminal.is_ordinary());
    assert!(terminal.page()[0].contains("every 1s, q ends"), "{:?}", terminal.page());
    fake.add(FakeProcess::running("later", 0));
    terminal.wait_for("later");

    for n in 0..20 {
        fake.add(FakeProcess::running(&format!("many:{n}"), 0));
    }
    terminal.wait_for(" more");
    for (columns, lines) in [(60, 8), (30, 5), (100, 30), (10, 3)] {
        terminal.resize(columns, lines);
        let fits = || {
            let page = terminal.page();
            // Until the new page is there as a whole.
            let is_whole = page.len() == usize::from(lines).min(28);
            is_whole && page.iter().all(|line| line.chars().count() <= usize::from(columns))
        };
        wait_until(format!("a page of {columns} by {lines}"), SOON, fits);
    }
    terminal.press("x");
    terminal.press("q");
    assert_eq!(terminal.wait_exit().code(), Some(0));
    assert!(terminal.is_ordinary());
    assert!(terminal.text().ends_with("\x1b[?25h\x1b[?1049l"), "{:?}", terminal.text());
}

#[test]
fn signals_end_it_with_the_terminal_as_it_was() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let (fake, _ballast, folder) = supervisord();
        let mut terminal = Terminal::spawn(at(&fake, &folder, &["--watch"]), 80, 24);
        terminal.wait_for("TOTAL");
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit().signal(), Some(signal as i32), "{signal}");
        assert!(terminal.is_ordinary(), "{signal}");
        assert!(terminal.text().ends_with("\x1b[?25h\x1b[?1049l"), "{signal}");
    }
}

#[test]
fn a_stopped_program_leaves_the_terminal_until_it_goes_on() {
    let (fake, _ballast, folder) = supervisord();
    let mut terminal = Terminal::spawn(at(&fake, &folder, &["--watch"]), 80, 24);
    terminal.wait_for("TOTAL");
    terminal.signal(Signal::SIGTSTP);
    wait_until("the terminal to be given back", SOON, || terminal.is_ordinary());
    let is_stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", terminal.pid()));
        stat.is_ok_and(|stat| stat.contains(") T "))
    };
    wait_until("the program to be stopped", SOON, is_stopped);
    let before = terminal.text().len();
    terminal.signal(Signal::SIGCONT);
    wait_until("another page", SOON, || {
        terminal.text().get(before..).is_some_and(|text| text.contains("TOTAL"))
    });
    terminal.press("q");
    assert_eq!(terminal.wait_exit().code(), Some(0));
}

#[test]
fn a_supervisord_that_goes_away_is_said_and_awaited() {
    let (mut fake, _ballast, folder) = supervisord();
    let mut terminal = Terminal::spawn(at(&fake, &folder, &["--watch", "1"]), 200, 24);
    terminal.wait_for("TOTAL");
    fake.stop();
    terminal.wait_for("cannot talk to supervisord at ");
    // What was last known stays to be seen.
    assert!(terminal.page().iter().any(|line| line.starts_with("workers:worker_00")));
    fake.start();
    wait_until("the trouble to be over", SOON, || {
        terminal.page().first().is_some_and(|line| line.contains("q ends"))
    });
    // Not even a supervisord that hangs keeps it from ending.
    fake.on("*", Answer::Hold);
    let calls = fake.calls().len();
    wait_until("a call that hangs", SOON, || fake.calls().len() > calls);
    terminal.signal(Signal::SIGINT);
    assert_eq!(terminal.wait_exit().signal(), Some(Signal::SIGINT as i32));
}

#[test]
fn at_a_dumb_terminal_one_table_comes_after_the_other() {
    let (fake, _ballast, folder) = supervisord();
    let mut command = at(&fake, &folder, &["--watch", "1"]);
    command.env("TERM", "dumb");
    let terminal = Terminal::spawn(command, 80, 24);
    wait_until("three tables", SOON, || terminal.text().matches("TOTAL").count() >= 3);
    assert!(!terminal.text().contains('\x1b'), "{:?}", terminal.text());
}

#[test]
fn in_a_pipe_too_until_nobody_reads_any_more() {
    let (fake, _ballast, folder) = supervisord();
    let mut command = at(&fake, &folder, &["--watch", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let tables = lines.map(Result::unwrap).filter(|line| line.starts_with("TOTAL")).take(2);
    assert_eq!(tables.count(), 2);
    assert!(child.wait().unwrap().success());
}
