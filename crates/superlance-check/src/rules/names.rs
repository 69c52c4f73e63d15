//! SL301 and SL310: names on the command lines of listeners, and the processes there are.

use strsim::damerau_levenshtein;
use superlance_core::options::selector::{Names, Selector};

use super::Rule::{self, Whole};
use crate::command::Ours;
use crate::finding::Finding;
use crate::scene::{Item, Scene};

pub(super) const RULES: &[Rule] = &[Whole(unmatched), Whole(crashmail_programs)];

/// A name on a command line.
struct Given {
    option: &'static str,
    selector: Selector,
    is_group: bool,
}

fn unmatched(scene: &Scene<'_>) -> Vec<Finding> {
    // Programs may be in files that are not on this machine.
    if scene.is_partial() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (item, ours) in scene.ours().filter(|(item, _)| !item.is_guess()) {
        for given in given(ours) {
            if !matches(&given, scene) {
                findings.push(finding(scene, item, &given));
            }
        }
    }
    findings
}

/// The names that options of one of ours give.
fn given(ours: &Ours) -> Vec<Given> {
    // memmon has a limit behind each name.
    let is_limit = ours.name() == "memmon";
    let options =
        [("program", "-p", false), ("group", "-g", true), ("exclude", "--exclude", false)];
    let mut all = Vec::new();
    for (long, option, is_group) in options {
        for value in ours.values(long) {
            let name = match value.rsplit_once('=') {
                Some((name, _)) if is_limit && long != "exclude" => name,
                _ => value.as_str(),
            };
            // An empty name is said by the listener itself, a malformed one by its parser.
            if let Ok(selector) = Selector::parse(name) {
                all.push(Given { option, selector, is_group });
            }
        }
    }
    all
}

/// Group and name of all processes.
fn processes<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = Names<'a>> {
    scene.read.programs().flat_map(|program| {
        let names = program.processes.iter().map(|process| process.name.as_str());
        names.map(|process| Names { group: &program.group, process })
    })
}

fn matches(given: &Given, scene: &Scene<'_>) -> bool {
    let selector = &given.selector;
    processes(scene).any(|names| match given.is_group {
        true => selector.matches_group(names.group),
        false => selector.matches(names) || selector.as_str() == format!("{}:*", names.group),
    })
}

fn finding(scene: &Scene<'_>, item: Item<'_>, given: &Given) -> Finding {
    let name = given.selector.as_str();
    let what = if given.is_group { "group" } else { "process" };
    let message = format!("{} {name} matches no {what}", given.option);
    let is_group = !given.is_group && processes(scene).any(|names| names.group == name);
    let finding = |message: String| scene.at_key("SL301", item.section, "command", message);
    if is_group {
        let message = format!("{message}, but {name} is a group");
        return finding(message).fix(format!("{} '{name}:*'", given.option));
    }
    match nearest(name, given.is_group, scene) {
        Some(near) => finding(message).fix(format!("{} {near}", given.option)),
        None => finding(format!("{message}; there {}", inventory(scene, given.is_group))),
    }
}

/// The name that was probably meant.
fn nearest(name: &str, is_group: bool, scene: &Scene<'_>) -> Option<String> {
    let processes = processes(scene).flat_map(|names| match is_group {
        true => vec![names.group.to_owned()],
        false => vec![names.process.to_owned(), format!("{}:{}", names.group, names.process)],
    });
    let bare = name.rsplit(':').next().unwrap_or(name);
    let distance = |known: &String| {
        let process = known.rsplit(':').next().unwrap_or(known);
        // `web` where there are `web:web_00` and more, or `other:web` where it is in another group.
        let is_part = process == bare || process.starts_with(&format!("{bare}_"));
        if is_part { 0 } else { damerau_levenshtein(known, name) }
    };
    let nearest = processes.map(|known| (distance(&known), known)).min()?;
    let limit = (name.chars().count() / 3).clamp(1, 3);
    let known = Some(nearest).filter(|(distance, _)| *distance <= limit)?.1;
    // Of several numbered processes all are meant.
    let numbered = known.rsplit_once('_').filter(|(start, number)| {
        start.ends_with(bare) && number.chars().all(|c| c.is_ascii_digit())
    });
    Some(match numbered {
        Some((start, _)) => format!("'{start}_*'"),
        None => known,
    })
}

fn inventory(scene: &Scene<'_>, is_group: bool) -> String {
    let name = |names: Names<'_>| match is_group || names.group == names.process {
        true => names.group.to_owned(),
        false => format!("{}:{}", names.group, names.process),
    };
    let mut all: Vec<_> = processes(scene).map(name).collect();
    all.dedup();
    let shown = all.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len() {
        0 => "is none".to_owned(),
        1 => format!("is only {shown}"),
        2..=5 => format!("are {shown}"),
        more => format!("are {shown} and {} more", more - 5),
    }
}

fn crashmail_programs(scene: &Scene<'_>) -> Vec<Finding> {
    let crashmails = scene.ours().filter(|(_, ours)| ours.name() == "crashmail");
    crashmails
        .filter(|(_, ours)| !ours.values("program").is_empty() && !ours.has("any"))
        .map(|(item, _)| {
            let message = "crashmail of the Python package ignored -p and mailed about every process; \
                           this one mails about those that are named";
            scene.at_key("SL310", item.section, "command", message).fix("-a for every process")
        })
        .collect()
}
