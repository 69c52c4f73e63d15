//! Which program waits for which, as the configuration says. Pure but for what [`Host`] is asked.

use std::collections::BTreeSet;
use std::path::Path;

use superlance_config::expand::{Item, Names, expand, variable_names};
use superlance_config::{
    Configuration, Host, Kind, Supervisord, load, load::here, program, values,
};
use superlance_core::system::order;

use crate::cycles;
use crate::fault::Fault;
use crate::health;
use crate::keys::{CHECK, HANDLED, INHERITS, WAIT_FOR};
use crate::program::Program;
use crate::wait_for::{Read, read};

/// The priority of a program without one.
pub(crate) const DEFAULT_PRIORITY: i64 = 999;

/// All programs of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    pub programs: Vec<Program>,
}

/// What is done about unknown names and states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lenience {
    /// The program is held back.
    None,
    /// They are passed over, as the original does.
    Ignore,
}

/// A graph, and what was passed over in making it.
#[derive(Debug)]
pub struct Reading {
    pub graph: Graph,
    /// The name and the section of a program, and the fault that does not count.
    pub ignored: Vec<(String, String, Fault)>,
}

impl Reading {
    /// Reads a configuration with all that it includes.
    ///
    /// # Errors
    /// When a file cannot be read or understood.
    pub fn load(file: &Path, host: &impl Host, lenience: Lenience) -> Result<Self, String> {
        let loaded = load(file, host);
        match &loaded.refusal {
            Some(refusal) => Err(refusal.reason.clone()),
            None => {
                let read = Supervisord::read(&loaded, file, host);
                Ok(Self::new(&read, &loaded.configuration, file, host, lenience))
            }
        }
    }

    /// Reads the keys of the programs of a configuration, which was loaded from `file`.
    pub fn new(
        read: &Supervisord,
        configuration: &Configuration,
        file: &Path,
        host: &impl Host,
        lenience: Lenience,
    ) -> Self {
        let here = Item::Text(here(file, host).display().to_string());
        let mut names = variable_names(host.variables());
        names.insert("here".to_owned(), here);
        let keys = Keys { configuration, names, node_name: host.node_name() };
        let programs = read.programs().filter(|program| program.kind != Kind::EventListener);
        let mut programs: Vec<_> = programs.map(|program| keys.program(program)).collect();
        let mut ignored = Vec::new();
        for at in 0..programs.len() {
            let reads = programs.get(at).map(|program| keys.conditions(program, &programs));
            let Some((program, reads)) = programs.get_mut(at).zip(reads) else { continue };
            for Read { condition, fault } in reads {
                program.conditions.extend(condition);
                let is_passed_over = lenience == Lenience::Ignore
                    && matches!(fault, Some(Fault::Unknown(_) | Fault::States(_)));
                if is_passed_over {
                    let names = (program.name.clone(), program.section.clone());
                    ignored.extend(fault.map(|fault| (names.0, names.1, fault)));
                } else {
                    program.faults.extend(fault);
                }
            }
        }
        cycles::find(&mut programs);
        settle(&mut programs);
        Self { graph: Graph { programs }, ignored }
    }
}

impl Graph {
    /// The programs that wait for the one at `at`, and those that wait for these, and so on.
    #[must_use]
    pub fn behind(&self, at: usize) -> BTreeSet<usize> {
        let mut behind = BTreeSet::new();
        let mut next = vec![at];
        while let Some(parent) = next.pop() {
            for (child, program) in self.programs.iter().enumerate() {
                if program.handled && program.parents().contains(&parent) && behind.insert(child) {
                    next.push(child);
                }
            }
        }
        behind.remove(&at);
        behind
    }

    /// All programs with faults; a cycle, which is a fault of each of its members, only with the first.
    #[must_use]
    pub fn faults(&self) -> Vec<(usize, &Program, Vec<&Fault>)> {
        let mut cycles = BTreeSet::new();
        let mut faults = Vec::new();
        for (at, program) in self.programs.iter().enumerate() {
            let mut its: Vec<_> = program.faults.iter().collect();
            its.retain(|fault| match fault {
                Fault::Cycle(members) => cycles.insert(members),
                _ => true,
            });
            if !its.is_empty() {
                faults.push((at, program, its));
            }
        }
        faults
    }

    /// These programs with their places, in the order in which they start.
    #[must_use]
    pub fn in_turn(&self, is_wanted: impl Fn(&Program) -> bool) -> Vec<(usize, &Program)> {
        let programs = self.programs.iter().enumerate();
        sorted(programs.filter(|(_, program)| is_wanted(program)).collect())
    }

    /// The program at a place.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Program> {
        self.programs.get(at)
    }
}

/// In the order in which they start.
fn sorted(mut programs: Vec<(usize, &Program)>) -> Vec<(usize, &Program)> {
    order::sort_by_key(&mut programs, |(_, program)| program.turn());
    programs
}

/// Reads the keys of one program after the other.
struct Keys<'a> {
    configuration: &'a Configuration,
    /// What the value of each key may name.
    names: Names,
    node_name: String,
}

impl Keys<'_> {
    fn program(&self, read: &program::Program) -> Program {
        let mut program = Program {
            name: read.name.clone(),
            group: read.group.clone(),
            section: read.section.clone(),
            place: read.place.clone(),
            processes: { read.processes.iter() }
                .map(|process| format!("{}:{}", read.group, process.name))
                .collect(),
            priority: if read.priority == 0 { DEFAULT_PRIORITY } else { read.priority },
            ..Program::default()
        };
        program.handled = self.boolean(HANDLED, &mut program);
        program.inherits = program.handled && self.boolean(INHERITS, &mut program);
        program.check = self.value(CHECK, &program).map(|text| {
            let text = text?;
            health::check(&text).map(|_| text)
        });
        if program.handled && read.autostart {
            let is_written = self.configuration.get(&read.section, "autostart").is_some();
            program.faults.push(Fault::Autostart { is_written });
        }
        program
    }

    fn boolean(&self, key: &str, program: &mut Program) -> bool {
        let Some(value) = self.value(key, program) else { return false };
        value.and_then(|value| values::boolean(&value)).unwrap_or_else(|reason| {
            program.faults.push(Fault::Value { key: key.to_owned(), reason });
            false
        })
    }

    /// The value of a key, if it is written.
    fn value(&self, key: &str, program: &Program) -> Option<Result<String, String>> {
        let mut names = self.names.clone();
        for (name, value) in [
            ("program_name", &program.name),
            ("group_name", &program.group),
            ("host_node_name", &self.node_name),
        ] {
            names.insert(name.to_owned(), Item::Text(value.clone()));
        }
        let value = self.configuration.get(&program.section, key)?;
        Some(expand(&value.text, &names).map_err(|error| error.to_string()))
    }

    /// What a program that is handled waits for.
    fn conditions(&self, program: &Program, programs: &[Program]) -> Vec<Read> {
        let value = self.configuration.get(&program.section, WAIT_FOR);
        let Some(value) = value.filter(|_| program.handled) else { return Vec::new() };
        match expand(&value.text, &self.names) {
            Ok(text) => text.split_whitespace().map(|word| read(word, programs)).collect(),
            Err(error) => {
                let fault = Fault::Value { key: WAIT_FOR.to_owned(), reason: error.to_string() };
                vec![Read { condition: None, fault: Some(fault) }]
            }
        }
    }
}

/// Depths and inherited priorities. In a graph of n programs no way is longer than n, so n rounds are
/// enough; cycles, in which depths would grow for ever, end with them.
fn settle(programs: &mut [Program]) {
    for _ in 0..programs.len() {
        let mut has_changed = false;
        for at in 0..programs.len() {
            let Some(program) = programs.get(at) else { continue };
            let parents: Vec<_> =
                program.parents().into_iter().filter_map(|at| programs.get(at)).collect();
            let depth = parents.iter().map(|parent| parent.depth + 1).max().unwrap_or_default();
            let inherited = parents.iter().map(|parent| parent.priority).min();
            let inherited = inherited.filter(|_| program.inherits);
            let priority = inherited.map_or(program.priority, |least| least.min(program.priority));
            has_changed |= (depth, priority) != (program.depth, program.priority);
            if let Some(program) = programs.get_mut(at) {
                (program.depth, program.priority) = (depth, priority);
            }
        }
        if !has_changed {
            return;
        }
    }
}

#[cfg(test)]
#[path = "graph_tests.rs"]
pub(crate) mod tests;
