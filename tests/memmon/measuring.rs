//! What memmon measures, against the kernel's own numbers.

use std::collections::HashMap;
use std::fs;

use superlance_testing::{Ballast, FakeProcess};

use super::Clockwork;

const MB: u64 = 1 << 20;

/// The sum over lines `KEY: N kB` of a file of `/proc/PID`, in bytes.
fn kernel(pid: u32, file: &str, keys: &[&str]) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let lines = lines.filter(|(key, _)| keys.contains(key));
    let kb = |value: &str| value.split_whitespace().next().unwrap().parse::<u64>().unwrap();
    lines.map(|(_, value)| kb(value) * 1024).sum()
}

/// The metric of a process by the kernel.
fn expected(pid: u32, metric: &str) -> u64 {
    match metric {
        "rss" => kernel(pid, "status", &["VmRSS"]),
        "pss" => kernel(pid, "smaps_rollup", &["Pss"]),
        "uss" => kernel(pid, "smaps_rollup", &["Private_Clean", "Private_Dirty"]),
        "swap" => kernel(pid, "status", &["VmSwap"]),
        "rss+swap" => kernel(pid, "status", &["VmRSS", "VmSwap"]),
        other => panic!("{other}"),
    }
}

fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap();
    let pids = all.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()
    };
    pids.filter(|child| parent(child) == Some(pid)).collect()
}

/// The numbers of lines such as `PSS of foo:foo is 5`, by name.
fn readings(log: &str) -> HashMap<String, u64> {
    let reading = |line: &str| {
        let (name, number) = line.split_once(" of ")?.1.split_once(" is ")?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    log.lines().filter_map(reading).collect()
}

#[test]
fn every_metric_is_the_kernels_number() {
    let ballast = Ballast::new(30).spawn();
    let foo = FakeProcess::running("foo", ballast.pid());
    for metric in ["rss", "pss", "uss", "swap", "rss+swap"] {
        let mut run = Clockwork::new(&["-a", "9GB", "--metric", metric], &[foo.clone()]);
        let log = run.tick();
        let (ours, theirs) = (readings(&log)["foo:foo"], expected(ballast.pid(), metric));
        // The libraries that it shares are counted among more or fewer processes meanwhile.
        assert!(ours.abs_diff(theirs) < MB, "{metric}: {ours} by memmon, {theirs} by the kernel");
        assert!(metric == "swap" || ours > 30 * MB, "{metric}: {ours}");
    }
}

/// The parent loads 60 MB and forks four workers, which share them: five times 60 MB of RSS, once 60 MB
/// of PSS.
#[test]
fn with_pss_the_memory_of_a_server_that_forks_counts_once() {
    let server = Ballast::new(0).sharing(60).children(4, 5).spawn();
    let family = [vec![server.pid()], children(server.pid())].concat();
    assert_eq!(family.len(), 5);
    let process = FakeProcess::running("server", server.pid());
    let check = |metric: &str, limit: &str| {
        let arguments = ["-c", "-a", limit, "--metric", metric];
        let mut run = Clockwork::new(&arguments, &[process.clone()]);
        let log = run.tick();
        let ours = readings(&log)["server:server"];
        let theirs: u64 = family.iter().map(|pid| expected(*pid, metric)).sum();
        assert!(
            ours.abs_diff(theirs) < 2 * MB,
            "{metric}: {ours} by memmon, {theirs} by the kernel"
        );
        (ours / MB, run.count("startProcess"))
    };
    let (rss, restarts) = check("rss", "200MB");
    assert!(rss > 300 && restarts == 1, "{rss} MB of RSS");
    let (pss, restarts) = check("pss", "200MB");
    assert!((80..150).contains(&pss) && restarts == 0, "{pss} MB of PSS");
    let (uss, _) = check("uss", "9GB");
    assert!((20..90).contains(&uss), "{uss} MB of USS");
}
