//! Processes with all their descendants. Pure.

use std::collections::{HashMap, HashSet};

/// For each of `roots` that is in the table, itself and all its descendants. The table has pairs of a
/// process id and its parent's.
pub(crate) fn families(roots: &[u32], table: &[(u32, u32)]) -> HashMap<u32, Vec<u32>> {
    let known: HashSet<u32> = table.iter().map(|(pid, _)| *pid).collect();
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, parent) in table {
        children.entry(*parent).or_default().push(*pid);
    }
    let family = |root: u32| {
        let mut members = vec![root];
        // The table is no snapshot: a pid that was used again in between could close a circle.
        let mut seen = HashSet::from([root]);
        let mut waiting = vec![root];
        while let Some(parent) = waiting.pop() {
            for child in children.get(&parent).into_iter().flatten() {
                if seen.insert(*child) {
                    members.push(*child);
                    waiting.push(*child);
                }
            }
        }
        members
    };
    roots.iter().filter(|root| known.contains(root)).map(|root| (*root, family(*root))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(root: u32, table: &[(u32, u32)], expected: &[u32]) {
        let mut members = families(&[root], table).remove(&root).unwrap_or_default();
        members.sort_unstable();
        assert_eq!(members, expected);
    }

    #[test]
    fn a_family_is_a_process_with_all_its_descendants() {
        let table = [(1, 0), (2, 1), (3, 2), (4, 2), (5, 1)];
        check(2, &table, &[2, 3, 4]);
        check(5, &table, &[5]);
        check(1, &table, &[1, 2, 3, 4, 5]);
        check(9, &table, &[]);
    }

    #[test]
    fn in_a_circle_each_counts_once() {
        check(1, &[(1, 2), (2, 1)], &[1, 2]);
    }

    proptest! {
        /// Parents always have smaller numbers here, so that the table is a forest.
        #[test]
        fn a_family_is_its_root_and_the_families_of_its_children(
            parents in prop::collection::vec(0u32..50, 1..50),
        ) {
            let table: Vec<_> = (1u32..)
                .zip(&parents)
                .map(|(pid, parent)| (pid, parent % pid))
                .collect();
            let pids: Vec<_> = table.iter().map(|(pid, _)| *pid).collect();
            let families = families(&pids, &table);
            for pid in &pids {
                let children = table.iter().filter(|(_, parent)| parent == pid);
                let below: usize = children.map(|(child, _)| families[child].len()).sum();
                prop_assert_eq!(families[pid].len(), 1 + below);
            }
        }
    }
}
