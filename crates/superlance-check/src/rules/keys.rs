//! SL401 and SL402: what supervisord does not know, and what is there twice.

use strsim::damerau_levenshtein;
use superlance_config::{Place, Section, Value};

use super::Rule::{self, Whole};
use crate::finding::Finding;
use crate::known;
use crate::scene::Scene;
use crate::severity::Severity;

pub(super) const RULES: &[Rule] = &[Whole(unknown_sections), Whole(unknown_keys), Whole(twice)];

/// The known name that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let distance = |known: &&str| damerau_levenshtein(known, &lower);
    let limit = (name.len() / 4).clamp(1, 2);
    known.into_iter().min_by_key(distance).filter(|known| distance(known) <= limit)
}

fn unknown_sections(scene: &Scene<'_>) -> Vec<Finding> {
    let sections = scene.loaded.configuration.sections().iter();
    let unknown = sections.filter(|section| known::kind(&section.name).is_none());
    let finding = |section: &Section| {
        let (start, rest) = match section.name.split_once(':') {
            Some((start, rest)) => (format!("{start}:"), rest),
            None => (section.name.clone(), ""),
        };
        // Without a colon, `[program]` is near `program:`.
        let near = nearest(&start, known::SECTIONS);
        let message = format!("supervisord does not know [{}], and ignores it", section.name);
        let finding = scene.at_section("SL401", section, message);
        match near {
            Some(near) if near.ends_with(':') && rest.is_empty() => {
                finding.fix(format!("[{near}NAME]"))
            }
            Some(near) => finding.fix(format!("[{near}{rest}]")),
            None => finding.severity(Severity::Info),
        }
    };
    unknown.map(finding).collect()
}

fn unknown_keys(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in scene.loaded.configuration.sections() {
        let Some(keys) = known::keys(&section.name) else { continue };
        for (key, _) in section.values().filter(|(key, _)| !keys.contains(key)) {
            let message = format!("supervisord does not know {key}= here, and ignores it");
            let finding = scene.at_key("SL401", section, key, message);
            findings.push(match nearest(key, keys.iter().copied()) {
                Some(near) => finding.fix(format!("{near}=")),
                None => finding.severity(Severity::Info),
            });
        }
    }
    findings
}

fn twice(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // An [include] in a second file is a finding of its own.
    let sections = scene.loaded.configuration.sections().iter();
    for section in sections.filter(|section| section.name != "include") {
        for (key, value) in section.values() {
            findings.extend(key_twice(section, key, value));
        }
        findings.extend(section_twice(section));
    }
    findings
}

fn key_twice(section: &Section, key: &str, value: &Value) -> Option<Finding> {
    let last = value.earlier.last()?;
    let message =
        format!("{key}= is set again, so that {} does not count", shown(last, &value.place));
    let finding = Finding::new("SL402", value.place.clone(), message);
    Some(finding.about(&section.name, Some(key)).fix("one of the two lines"))
}

/// A section that is continued. Where nothing of it is replaced and the files differ, this is how a file
/// in conf.d adds to `[supervisord]`.
fn section_twice(section: &Section) -> Option<Finding> {
    let [.., before, last] = section.places.as_slice() else { return None };
    let is_replaced = section.values().any(|(_, value)| !value.earlier.is_empty());
    let is_addition = before.file != last.file && !section.name.contains(':');
    let message = format!("[{}] goes on with what {} has begun", section.name, shown(before, last));
    let finding = Finding::new("SL402", last.clone(), message).about(&section.name, None);
    match (is_replaced, is_addition) {
        // The lines that are replaced say it.
        (true, _) => None,
        (false, true) => Some(finding.severity(Severity::Info)),
        (false, false) => Some(finding.fix("another name, or one section for both")),
    }
}

/// A place as seen from another.
fn shown(place: &Place, from: &Place) -> String {
    match place.file == from.file {
        true => format!("line {}", place.line),
        false => format!("{}:{}", place.file.display(), place.line),
    }
}
