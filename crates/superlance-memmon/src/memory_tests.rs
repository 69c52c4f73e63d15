//! Sums over process trees, and a procfs of files.

use std::fs;

use proptest::prelude::*;

use super::*;

fn entry(pid: u32, parent: u32, bytes: u64) -> Entry {
    Entry { pid, parent, bytes }
}

#[test]
fn a_tree_is_a_process_with_all_its_descendants() {
    let table =
        [entry(1, 0, 1), entry(2, 1, 10), entry(3, 2, 100), entry(4, 2, 1000), entry(5, 1, 10_000)];
    assert_eq!(sum_trees(&[2, 5, 9], &table), Readings::from([(2, 1110), (5, 10_000)]));
    assert_eq!(sum_trees(&[1], &table)[&1], 11_111);
}

#[test]
fn in_a_circle_each_counts_once() {
    let table = [entry(1, 2, 1), entry(2, 1, 10)];
    assert_eq!(sum_trees(&[1], &table), Readings::from([(1, 11)]));
}

proptest! {
    /// Parents always have smaller numbers here, so that the table is a forest.
    #[test]
    fn a_tree_sums_what_its_parts_sum(parents in prop::collection::vec(0u32..50, 1..50)) {
        let table: Vec<_> = (1u32..)
            .zip(&parents)
            .map(|(pid, parent)| entry(pid, parent % pid, u64::from(pid)))
            .collect();
        let pids: Vec<_> = table.iter().map(|entry| entry.pid).collect();
        let sums = sum_trees(&pids, &table);
        for parent in &table {
            let children = table.iter().filter(|child| child.parent == parent.pid);
            let below: u64 = children.map(|child| sums[&child.pid]).sum();
            prop_assert_eq!(sums[&parent.pid], parent.bytes + below);
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;

    #[test]
    fn proc_and_ps_agree_about_this_process() {
        let own = std::process::id();
        let read = |memory: Memory, cumulative| memory.read(&[own], cumulative).unwrap()[&own];
        for cumulative in [false, true] {
            let proc = read(Memory::of_this_system(false), cumulative);
            let ps = read(Memory::of_this_system(true), cumulative);
            assert!(proc.abs_diff(ps) < 16 << 20, "{proc} by /proc, {ps} by ps");
        }
    }

    #[test]
    fn a_process_that_is_gone_is_missing() {
        let readings = Memory::of_this_system(false).read(&[u32::MAX], false).unwrap();
        assert_eq!(readings, Readings::new());
    }

    /// Names in `stat` are not escaped: this one has a parenthesis, spaces and a line end.
    #[test]
    fn a_hostile_name_does_not_confuse_the_parser() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("self")).unwrap();
        for (pid, parent, pages) in [(7, 1, 3), (8, 7, 4)] {
            let directory = root.path().join(pid.to_string());
            fs::create_dir(&directory).unwrap();
            let zeros = "0 ".repeat(48);
            let stat = format!("{pid} (foo) Z 1 2\n) S {parent} {zeros}\n");
            fs::write(directory.join("stat"), stat).unwrap();
            fs::write(directory.join("statm"), format!("90 {pages} 0 0 0 0 0\n")).unwrap();
        }
        let memory = Memory::Proc(root.path().to_owned());
        let page = procfs::page_size();
        assert_eq!(memory.read(&[7, 9], false).unwrap(), Readings::from([(7, 3 * page)]));
        assert_eq!(memory.read(&[7], true).unwrap(), Readings::from([(7, 7 * page)]));
    }

    #[test]
    fn a_proc_that_is_not_there_is_an_error() {
        let memory = Memory::Proc(PathBuf::from("/no/such/proc"));
        for cumulative in [false, true] {
            let error = memory.read(&[1], cumulative).unwrap_err();
            assert!(error.starts_with("cannot read /no/such/proc: "), "{error}");
        }
    }
}
