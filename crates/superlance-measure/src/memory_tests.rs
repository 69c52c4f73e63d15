//! Readings of families, and a procfs of files.

use super::*;

#[test]
fn each_process_is_counted_once_in_each_family() {
    let families = HashMap::from([(1, vec![1, 2, 3]), (2, vec![2, 3]), (9, vec![9])]);
    let usage = |rss| Usage::resident(rss, Unavailable::NotAsked);
    // Process 3 has vanished since the table was read, and process 9 is none.
    let usages = HashMap::from([(1, usage(1)), (2, usage(10))]);
    let readings = sum(&families, &usages);
    let rss = |pid| readings.get(&pid).map(|reading| (reading.alone.rss, reading.family.rss));
    assert_eq!([1, 2, 9].map(rss), [Some((1, 11)), Some((10, 10)), None]);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::process::{Child, Command, Stdio};

    use tempfile::TempDir;

    use super::*;

    const ALL: [Metric; 5] =
        [Metric::Rss, Metric::Pss, Metric::Uss, Metric::Swap, Metric::RssAndSwap];

    #[test]
    fn proc_and_ps_agree_about_this_process() {
        let own = std::process::id();
        for cumulative in [false, true] {
            let read = |memory: Memory| {
                let reading = memory.read(&[own], &[Metric::Rss], cumulative).unwrap()[&own];
                reading.of(Metric::Rss, cumulative).unwrap()
            };
            let (proc, ps) = (read(Memory::of_this_system()), read(Memory::Ps));
            assert!(proc.abs_diff(ps) < 16 << 20, "{proc} by /proc, {ps} by ps");
        }
    }

    #[test]
    fn ps_knows_the_resident_set_only() {
        let own = std::process::id();
        let reading = Memory::Ps.read(&[own], &ALL, false).unwrap()[&own];
        assert!(reading.alone.rss > 0);
        for metric in &ALL[1..] {
            assert_eq!(reading.alone.get(*metric), Err(Unavailable::Ps));
        }
    }

    /// A sleeping process does not change, so the numbers must be the kernel's to the byte.
    struct Sleeper(Child);

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn the_numbers_are_the_kernels() {
        let sleep = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let sleeper = Sleeper(sleep);
        let pid = sleeper.0.id();
        // It is asleep when it has a wait channel, and its memory is what it will be.
        let stat = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let exe = || fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
        while !stat().contains(") S ") || exe() != "sleep\n" {
            std::thread::yield_now();
        }
        let usage = Memory::of_this_system().read(&[pid], &ALL, false).unwrap()[&pid].alone;
        let sum = |file: &str, keys: &[&str]| -> u64 {
            let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            let lines = lines.filter(|(key, _)| keys.contains(key));
            let kb = |value: &str| value.split_whitespace().next().unwrap().parse::<u64>().unwrap();
            lines.map(|(_, value)| kb(value) * 1024).sum()
        };
        assert_eq!(usage.uss, Ok(sum("smaps_rollup", &["Private_Clean", "Private_Dirty"])));
        assert_eq!(usage.swap, Ok(sum("status", &["VmSwap"])));
        // Its libraries are shared with others, who come and go.
        let pss = usage.pss.unwrap();
        assert!(pss.abs_diff(sum("smaps_rollup", &["Pss"])) < 1 << 20, "{pss}");
        assert!(usage.uss.unwrap() <= pss && pss <= usage.rss, "{usage:?}");
        assert!(usage.rss.abs_diff(sum("status", &["VmRSS"])) < 1 << 20, "{usage:?}");
    }

    #[test]
    fn a_process_that_is_gone_is_missing() {
        let readings = Memory::of_this_system().read(&[u32::MAX], &ALL, false).unwrap();
        assert_eq!(readings, Readings::new());
    }

    /// A process that has ended and is not reaped.
    #[test]
    fn a_zombie_has_no_memory() {
        let child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let stat = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        while !stat().contains(") Z ") {
            std::thread::yield_now();
        }
        let usage = Memory::of_this_system().read(&[pid], &ALL, false).unwrap()[&pid].alone;
        assert_eq!(usage, Usage { rss: 0, pss: Ok(0), uss: Ok(0), swap: Ok(0) });
        drop(Sleeper(child));
    }

    /// `/proc` has a folder for each thread, too, which it does not list.
    #[test]
    fn a_process_whose_first_thread_has_ended_has_memory() {
        let (root, memory) = procfs(&[(7, 1, 0), (8, 7, 3)], &[]);
        for thread in [7, 8] {
            fs::create_dir_all(root.path().join(format!("7/task/{thread}"))).unwrap();
        }
        let usage = memory.read(&[7], &[Metric::Rss], false).unwrap()[&7].alone;
        assert_eq!(usage.rss, 3 * page());
    }

    fn page() -> u64 {
        let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
        page.unwrap().unwrap().try_into().unwrap()
    }

    /// A procfs with processes of so many pages each, and these further files of process 7.
    fn procfs(processes: &[(u32, u32, u64)], files: &[(&str, &str)]) -> (TempDir, Memory) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("self")).unwrap();
        for (pid, parent, pages) in processes {
            let directory = root.path().join(pid.to_string());
            fs::create_dir(&directory).unwrap();
            let zeros = "0 ".repeat(48);
            // Names in `stat` are not escaped: this one has a parenthesis, spaces and a line end.
            let stat = format!("{pid} (foo) Z 1 2\n) S {parent} {zeros}\n");
            fs::write(directory.join("stat"), stat).unwrap();
            fs::write(directory.join("statm"), format!("90 {pages} 0 0 0 0 0\n")).unwrap();
        }
        for (name, text) in files {
            fs::write(root.path().join("7").join(name), text).unwrap();
        }
        let memory = Memory::Proc(root.path().to_owned());
        (root, memory)
    }

    #[test]
    fn a_hostile_name_does_not_confuse_the_parser() {
        let (_root, memory) = procfs(&[(7, 1, 3), (8, 7, 4)], &[]);
        let page = page();
        let read = |descendants| memory.read(&[7, 9], &[Metric::Rss], descendants).unwrap();
        assert_eq!((read(false)[&7].family.rss, read(false).len()), (3 * page, 1));
        assert_eq!((read(true)[&7].alone.rss, read(true)[&7].family.rss), (3 * page, 7 * page));
        assert_eq!(read(false)[&7].alone.pss, Err(Unavailable::NotAsked));
    }

    /// A `status` that is longer than the buffer (it has lists of processors), of a program with a
    /// name that is no text, and then a short one again.
    #[test]
    fn a_long_file_is_read_to_its_end() {
        let (root, memory) = procfs(&[(7, 1, 3), (8, 1, 4)], &[]);
        let swap = "VmRSS:\t 9 kB\nVmSwap:\t 4 kB\n";
        for (length, pid) in [(4096 - swap.len(), 7), (9999, 7), (0, 8)] {
            let text = [&vec![0xe9; length], swap.as_bytes()].concat();
            fs::write(root.path().join(pid.to_string()).join("status"), text).unwrap();
            let readings = memory.read(&[7, 8], &[Metric::Swap], false).unwrap();
            assert_eq!(readings[&pid].alone.swap, Ok(4 << 10), "{length}");
        }
    }

    #[test]
    fn every_number_is_read_from_its_line() {
        let rollup = "0-1 ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss: 5 kB\nPss_Anon: 1 kB\n\
                      Private_Clean: 2 kB\nPrivate_Dirty: 1 kB\n";
        let status = "Name:\tfoo\nVmRSS:\t      9 kB\nVmSwap:\t      4 kB\n";
        let (_root, memory) = procfs(&[(7, 1, 3)], &[("smaps_rollup", rollup), ("status", status)]);
        let usage = memory.read(&[7], &ALL, false).unwrap()[&7].alone;
        let page = page();
        let expected =
            Usage { rss: 3 * page, pss: Ok(5 << 10), uss: Ok(3 << 10), swap: Ok(4 << 10) };
        assert_eq!(usage, expected);
        assert_eq!(usage.get(Metric::RssAndSwap), Ok(3 * page + (4 << 10)));
    }

    #[test]
    fn what_the_kernel_does_not_tell_is_no_zero() {
        let status = "Name:\tfoo\nVmRSS:\t      9 kB\n";
        for files in [&[("status", status)][..], &[("status", status), ("smaps_rollup", "\n")]] {
            let (_root, memory) = procfs(&[(7, 1, 3)], files);
            let usage = memory.read(&[7], &ALL, false).unwrap()[&7].alone;
            for metric in &ALL[1..] {
                assert_eq!(usage.get(*metric), Err(Unavailable::Kernel), "{metric:?}");
            }
        }
    }

    #[test]
    fn a_proc_that_is_not_there_is_an_error() {
        let memory = Memory::Proc(PathBuf::from("/no/such/proc"));
        for cumulative in [false, true] {
            let error = memory.read(&[1], &[Metric::Rss], cumulative).unwrap_err();
            assert!(error.starts_with("cannot read /no/such/proc: "), "{error}");
        }
    }
}
