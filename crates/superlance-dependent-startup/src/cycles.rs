//! Programs that wait for each other in a circle. Pure.

use std::collections::BTreeSet;

use litemap::LiteMap;
use superlance_core::system::order;

use crate::fault::Fault;
use crate::program::Program;

/// Adds the fault to each member of a cycle, with all members of its cycle.
pub(crate) fn find(programs: &mut [Program]) {
    let parents: Vec<BTreeSet<usize>> = programs.iter().map(Program::parents).collect();
    let ways: Vec<BTreeSet<usize>> = (0..parents.len()).map(|at| reach(at, &parents)).collect();
    let leads = |from: usize, to: usize| ways.get(from).is_some_and(|way| way.contains(&to));
    let name = |at: &usize| programs.get(*at).map(|program| program.name.clone());
    let mut faults = Vec::new();
    for (at, way) in ways.iter().enumerate().filter(|(at, way)| way.contains(at)) {
        let members: BTreeSet<usize> =
            order::gather(way.iter().copied().filter(|other| leads(*other, at)));
        let waits_for = |member: &usize| {
            let parents = parents.get(*member).into_iter().flatten();
            parents.filter(|parent| members.contains(parent)).filter_map(name).collect()
        };
        let members = members.iter();
        let members: LiteMap<String, Vec<String>> =
            order::map(members.filter_map(|member| Some((name(member)?, waits_for(member)))));
        faults.push((at, Fault::Cycle(members)));
    }
    for (at, fault) in faults {
        if let Some(program) = programs.get_mut(at) {
            program.faults.push(fault);
        }
    }
}

/// All programs that one waits for, directly or through others.
fn reach(at: usize, parents: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut next = vec![at];
    while let Some(from) = next.pop() {
        for parent in parents.get(from).into_iter().flatten() {
            if reached.insert(*parent) {
                next.push(*parent);
            }
        }
    }
    reached
}
