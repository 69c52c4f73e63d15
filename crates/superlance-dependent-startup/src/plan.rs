//! The order of starts as a tree, for `--plan`. Pure.

use std::collections::BTreeSet;

use crate::condition::Condition;
use crate::graph::{DEFAULT_PRIORITY, Graph};
use crate::program::Program;

/// The programs under those that they wait for, those that are not handled last, and then what is wrong.
#[must_use]
pub(crate) fn plan(graph: &Graph) -> String {
    let mut tree = Tree { graph, shown: BTreeSet::new(), text: String::new() };
    for (at, _) in graph.in_turn(|program| program.handled && program.conditions.is_empty()) {
        tree.add(at, None, "", "");
    }
    for (at, _) in graph.in_turn(|program| !program.handled) {
        tree.add(at, None, "", "");
    }
    // Members of cycles, to which no other leads.
    for (at, _) in graph.in_turn(|program| program.handled) {
        if !tree.shown.contains(&at) {
            tree.add(at, None, "", "");
        }
    }
    let mut faults = String::new();
    for (_, program, its) in graph.faults() {
        let texts = its.into_iter().map(|fault| fault.text(&program.name, &program.section));
        faults.extend(texts.map(|text| text + "\n"));
    }
    if tree.text.is_empty() {
        tree.text.push_str("no programs\n");
    }
    if faults.is_empty() { tree.text } else { format!("{}\n{faults}", tree.text) }
}

struct Tree<'a> {
    graph: &'a Graph,
    /// The programs that are in it, with what is below them.
    shown: BTreeSet<usize>,
    text: String,
}

impl Tree<'_> {
    /// Adds a program and those that wait for it; below another place of it that is not done again.
    fn add(&mut self, at: usize, parent: Option<usize>, branch: &str, indent: &str) {
        let Some(program) = self.graph.get(at) else { return };
        let is_new = self.shown.insert(at);
        let children = self.graph.in_turn(|child| child.parents().contains(&at));
        let more = if is_new || children.is_empty() { "" } else { " …" };
        self.text.push_str(&format!("{branch}{}{more}\n", line(program, parent)));
        if !is_new {
            return;
        }
        let last = children.last().map(|(at, _)| *at);
        for (child, _) in children {
            let (branch, below) = match Some(child) == last {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            self.add(child, Some(at), &format!("{indent}{branch}"), &format!("{indent}{below}"));
        }
    }
}

/// A program, what it waits for in the one above it and elsewhere, and what else matters.
fn line(program: &Program, parent: Option<usize>) -> String {
    let is_above =
        |condition: &&Condition| parent.is_some_and(|above| condition.parents.contains(&above));
    let (above, elsewhere): (Vec<_>, Vec<_>) = program.conditions.iter().partition(is_above);
    let texts = |conditions: Vec<&Condition>| {
        conditions.into_iter().map(Condition::text).collect::<Vec<_>>().join(", ")
    };
    let mut parts = vec![program.name.clone()];
    if !above.is_empty() {
        parts.push(format!("after {}", texts(above.clone())));
    }
    if !elsewhere.is_empty() {
        let word = if above.is_empty() { "after" } else { "and" };
        parts.push(format!("{word} {}", texts(elsewhere)));
    }
    if program.priority != DEFAULT_PRIORITY {
        parts.push(format!("priority {}", program.priority));
    }
    if program.processes.len() != 1 {
        parts.push(format!("{} processes", program.processes.len()));
    }
    match (program.handled, program.faults.is_empty()) {
        (true, true) => {}
        (true, false) => parts.push("not started, see below".to_owned()),
        (false, _) => parts.push("not handled".to_owned()),
    }
    parts.join("  ")
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
