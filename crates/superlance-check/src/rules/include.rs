//! SL410: `[include]`.

use superlance_config::Place;
use superlance_config::load::Include;

use super::Rule::{self, Whole};
use crate::finding::Finding;
use crate::scene::Scene;

pub(super) const RULES: &[Rule] = &[Whole(without_effect), Whole(nested)];

fn without_effect(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for include in &scene.loaded.includes {
        let finding = |message: String| {
            Finding::new("SL410", include.place.clone(), message).about("include", Some("files"))
        };
        if include.matched == 0 {
            let message = format!("no file matches {}", include.pattern.display());
            findings.push(match other_ending(scene, include) {
                Some(found) => finding(message).fix(format!("there are files {found}")),
                None => {
                    finding(message).fix("a pattern from the folder of this file on, or a path")
                }
            });
        }
        for path in &include.unreadable {
            let message = format!(
                "{} cannot be read by this user, and supervisord passes over such files in silence",
                path.display()
            );
            findings.push(finding(message));
        }
    }
    findings
}

/// `*.ini` where the pattern is `*.conf` and there are such files, or the other way round.
fn other_ending(scene: &Scene<'_>, include: &Include) -> Option<String> {
    let (folder, name) = (include.pattern.parent()?, include.pattern.file_name()?.to_str()?);
    let (from, to) = [(".conf", ".ini"), (".ini", ".conf")]
        .into_iter()
        .find(|(from, _)| name.ends_with(from))?;
    let has_others = scene.machine.list(folder).iter().any(|name| name.ends_with(to));
    has_others.then(|| name.replace(from, to))
}

fn nested(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(section) = scene.section("include") else { return Vec::new() };
    let is_included = |place: &&Place| place.file != scene.main.file;
    let finding = |place: &Place| {
        let message = "an [include] in a file that is included itself is not read";
        Finding::new("SL410", place.clone(), message)
            .about("include", None)
            .fix("the pattern in files= of the main file")
    };
    section.places.iter().filter(is_included).map(finding).collect()
}
