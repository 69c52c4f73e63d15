//! SL6xx: the keys of dependent-startup.

use superlance_config::Section;
use superlance_dependent_startup::fault::Fault;
use superlance_dependent_startup::keys::{CHECK, HANDLED, WAIT_FOR};
use superlance_dependent_startup::program::Program;

use super::Rule::{self, Whole};
use super::keys::nearest;
use crate::finding::Finding;
use crate::scene::{Item, Scene};

pub(super) const RULES: &[Rule] = &[Whole(faults), Whole(nothing_starts), Whole(nothing_waits)];

fn faults(scene: &Scene<'_>) -> Vec<Finding> {
    let faults = scene.graph.faults().into_iter();
    let faults = faults.flat_map(|(_, program, its)| its.into_iter().map(move |it| (program, it)));
    faults.filter_map(|(program, fault)| finding(scene, program, fault)).collect()
}

fn finding(scene: &Scene<'_>, program: &Program, fault: &Fault) -> Option<Finding> {
    let section = scene.section(&program.section)?;
    let (code, key) = match fault {
        Fault::Unknown(_) if scene.is_partial() => return None,
        Fault::Unknown(_) => ("SL601", WAIT_FOR),
        Fault::States(_) => ("SL602", WAIT_FOR),
        Fault::Value { key, .. } => ("SL602", key.as_str()),
        Fault::Cycle(_) => ("SL603", WAIT_FOR),
        Fault::Autostart { .. } => ("SL604", "autostart"),
        Fault::Check { .. } => ("SL605", WAIT_FOR),
    };
    let found = scene.at_key(code, section, key, fault.text(&program.name, &program.section));
    let fix = match fault {
        Fault::Unknown(unknown) => {
            let names = scene.graph.programs.iter().map(|program| program.name.as_str());
            nearest(unknown, names).map(|name| format!("{WAIT_FOR}={name}"))
        }
        Fault::Autostart { .. } => Some("autostart=false".to_owned()),
        Fault::Check { parent, .. } => Some(format!("in [{parent}]: {CHECK}=tcp://localhost:PORT")),
        _ => None,
    };
    Some(match fix {
        Some(fix) => found.fix(fix),
        None => found,
    })
}

/// The key alone does nothing.
fn nothing_starts(scene: &Scene<'_>) -> Vec<Finding> {
    if scene.is_partial() || scene.items().any(starts) {
        return Vec::new();
    }
    let handled = scene.graph.programs.iter().filter(|program| program.is_startable());
    let handled = handled.filter_map(|program| scene.section(&program.section));
    let message = "nothing starts this program: there is no listener dependent-startup";
    let finding = |section| scene.at_key("SL606", section, HANDLED, message);
    handled.map(|section| finding(section).fix("[eventlistener:dependent-startup]")).collect()
}

/// A program that waits, without the key that makes it wait.
fn nothing_waits(scene: &Scene<'_>) -> Vec<Finding> {
    let programs = scene.graph.programs.iter();
    let sections = programs.filter_map(|program| scene.section(&program.section));
    let has = |section: &Section, key| scene.text(&section.name, key).is_some();
    let sections = sections.filter(|one| has(one, WAIT_FOR) && !has(one, HANDLED));
    let message = "this program waits for nothing, since it has no dependent_startup=true";
    let finding = |section| scene.at_key("SL607", section, WAIT_FOR, message);
    sections
        .map(|section| finding(section).fix("dependent_startup=true, with autostart=false"))
        .collect()
}

/// Whether a section runs ours or the original.
fn starts(item: Item<'_>) -> bool {
    let mut words = item.command.words.iter().flatten();
    item.ours().is_some_and(|ours| ours.name() == "dependent-startup")
        || words.any(|word| word.contains("supervisord_dependent_startup"))
}
