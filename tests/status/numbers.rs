//! What is shown of real processes under a real supervisord.

use std::fs;
use std::process::{Command, Stdio};

use superlance_testing::{Ballast, Scratch, Supervisord, venv};

use super::{printed, run, status};

/// What a Python expression makes of the JSON that is `d`, as Python prints it.
#[track_caller]
fn evaluate(json: &str, expression: &str) -> String {
    let folder = Scratch::new();
    let file = folder.write("status.json", json);
    let code = format!("import json, sys\nd = json.load(open(sys.argv[1]))\nprint({expression})");
    let mut python = Command::new(venv::python());
    python.args(["-c", &code]).arg(file);
    let (printed, said, code) = run(python);
    assert_eq!(code, 0, "{expression}: {said}\n{json}");
    printed.trim_end().to_owned()
}

#[test]
fn one_process() {
    let supervisord = Supervisord::builder().program("foo", "sleep 1000", &[]).start();
    supervisord.wait_state("foo", "RUNNING");
    let text = printed(&supervisord, &[]);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = text.lines().collect();
    let titles = "PROCESS STATE PID UPTIME RSS PSS SWAP RSS/c PSS/c SWAP/c";
    assert_eq!(words(lines[0]).join(" "), titles);
    let pid = supervisord.pid_of("foo").to_string();
    assert_eq!(words(lines[1])[..3], ["foo", "RUNNING", pid.as_str()]);
    assert_eq!(words(lines[2])[1..], words(lines[1])[4..]);
    assert_eq!(lines[3], "1 process, 1 running");
    // In a pipe, there is nothing but text.
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn numbers_are_the_kernels() {
    let folder = Scratch::new();
    let family = Ballast::new(20).children(2, 10).command(&folder);
    let supervisord = Supervisord::builder()
        .program("family", &family, &[])
        .program("idle", "sleep 1000", &[("autostart", "false")])
        .start();
    supervisord.wait_state("family", "RUNNING");
    let pid = supervisord.pid_of("family");
    // Until the children are there and have their size.
    let children = || {
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>()
    };
    let kilobytes = |pid: u32, file: &str, key: &str| -> u64 {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    };
    let rss = |pid: u32| kilobytes(pid, "status", "VmRSS") * 1024;
    superlance_testing::wait_until("the family to be complete", superlance_testing::SOON, || {
        children().len() == 2 && children().iter().all(|child| rss(*child) > 10 << 20)
    });
    let json = printed(&supervisord, &["--json", "family"]);
    let number = |path: &str| evaluate(&json, path).parse::<u64>().unwrap();
    let close = |path: &str, expected: u64| {
        let number = number(path);
        assert!(number.abs_diff(expected) < 4 << 20, "{path} is {number}, not {expected}");
    };
    let of_children: u64 = children().into_iter().map(rss).sum();
    close("d['processes'][0]['alone']['rss']", rss(pid));
    close("d['processes'][0]['with_descendants']['rss']", rss(pid) + of_children);
    let pss = kilobytes(pid, "smaps_rollup", "Pss") * 1024;
    close("d['processes'][0]['alone']['pss']", pss);
    close("d['total']['with_descendants']['rss']", rss(pid) + of_children);
    assert_eq!(number("d['processes'][0]['alone']['swap']"), 0);
    assert_eq!(number("d['processes'][0]['pid']"), u64::from(pid));
    assert!(number("d['processes'][0]['uptime']") < 60);

    let idle = printed(&supervisord, &["--json", "idle"]);
    let expected = "('STOPPED', None, None, None)";
    let fields = "p['state'], p['pid'], p['uptime'], p['alone']['rss']";
    assert_eq!(evaluate(&idle, &format!("[({fields}) for p in d['processes']][0]")), expected);
}

#[test]
fn limits_are_memmons() {
    let folder = Scratch::new();
    let supervisord = Supervisord::builder()
        .program("large", &Ballast::new(40).command(&folder), &[])
        .program("small", "sleep 1000", &[])
        .start();
    for name in ["large", "small"] {
        supervisord.wait_state(name, "RUNNING");
    }
    let limits = ["--", "-p", "large=20MB", "-a", "1GB", "-m", "bob@example.com", "-p", "nix=1MB"];
    let run_with =
        |arguments: &[&str]| run(status(supervisord.scratch(), &[arguments, &limits[..]].concat()));
    superlance_testing::wait_until("large to be large", superlance_testing::SOON, || {
        run_with(&[]).2 == 3
    });
    let (text, said, _) = run_with(&[]);
    assert_eq!(said, "");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].ends_with("  LIMIT  HEADROOM"), "{text}");
    assert!(lines[1].starts_with("large ") && lines[1].contains("  20.0M  "), "{text}");
    assert!(lines[2].starts_with("small ") && lines[2].contains("  1.00G  "), "{text}");
    assert!(text.contains("\n2 processes, 2 running, 1 over the limit\n"), "{text}");
    assert!(text.contains("\n-p nix means no process"), "{text}");
    let (text, ..) = run_with(&["--sort", "name", "small"]);
    assert!(text.lines().nth(1).unwrap().starts_with("small "), "{text}");
    let (json, _, code) = run_with(&["--json"]);
    let fields = "p['name'], p['limit'], p['limit_from'], p['headroom'] < 0";
    let expected = "[('large', 20971520, '-p large', True), ('small', 1073741824, '-a', False)]";
    assert_eq!(evaluate(&json, &format!("[({fields}) for p in d['processes']]")), expected);
    assert_eq!((evaluate(&json, "d['total']['over_limit']").as_str(), code), ("1", 3));
    // Exactly as supervisorctl has them, with nothing restarted.
    assert_eq!(supervisord.state_of("large"), "RUNNING");
}

#[test]
fn a_name_that_means_nothing_is_said() {
    let supervisord = Supervisord::builder().program("foo", "sleep 1000", &[]).start();
    supervisord.wait_state("foo", "RUNNING");
    let (text, _, code) = run(status(supervisord.scratch(), &["foo", "nix"]));
    assert!(
        text.contains("\nfoo ") && text.contains("\nsupervisord has no process nix\n"),
        "{text}"
    );
    assert_eq!(code, 1);
}

#[test]
fn two_hundred_processes() {
    let lines = [("numprocs", "200"), ("process_name", "%(process_num)03d")];
    let supervisord = Supervisord::builder().program("many", "sleep 1000", &lines).start();
    supervisord.wait_state("many:199", "RUNNING");
    let text = printed(&supervisord, &[]);
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("many:")).collect();
    assert_eq!(rows.len(), 200, "{text}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    assert!(text.contains("\n200 processes, 200 running\n"), "{text}");
    let json = printed(&supervisord, &["--json", "many:1*"]);
    assert_eq!(evaluate(&json, "len(d['processes']), d['processes'][0]['name']"), "100 100");

    // A reader that closes the pipe early is no error.
    let mut command = status(supervisord.scratch(), &["--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""));
}
