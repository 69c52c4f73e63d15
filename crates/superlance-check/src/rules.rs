//! The rules: from a configuration to findings. A file for each hundred of codes.

use superlance_core::system::order;

mod containers;
mod dependencies;
mod include;
mod keys;
mod listeners;
mod mail;
mod names;
mod options;
mod programs;
mod refused;
mod server;
mod start;

use crate::finding::Finding;
use crate::scene::{Item, Scene};

pub(crate) use self::refused::code;

/// A rule.
#[derive(Clone, Copy)]
enum Rule {
    /// About the configuration as a whole, or about several places.
    Whole(fn(&Scene<'_>) -> Vec<Finding>),
    /// About each section that runs processes.
    Each(fn(&Scene<'_>, Item<'_>) -> Option<Finding>),
}

impl Rule {
    fn apply(self, scene: &Scene<'_>) -> Vec<Finding> {
        match self {
            Self::Whole(rule) => rule(scene),
            Self::Each(rule) => scene.items().filter_map(|item| rule(scene, item)).collect(),
        }
    }
}

const RULES: &[&[Rule]] = &[
    refused::RULES,
    server::RULES,
    listeners::RULES,
    names::RULES,
    options::RULES,
    start::RULES,
    mail::RULES,
    keys::RULES,
    include::RULES,
    programs::RULES,
    containers::RULES,
    dependencies::RULES,
];

/// What all rules find.
pub(crate) fn all(scene: &Scene<'_>) -> Vec<Finding> {
    RULES.iter().copied().flatten().flat_map(|rule| rule.apply(scene)).collect()
}

/// Puts findings into the order of files and lines.
pub(crate) fn sort(findings: &mut Vec<Finding>, scene: &Scene<'_>) {
    let place = |finding: &Finding| {
        let file = scene.loaded.files.iter().position(|file| *file.path == *finding.place.file);
        (file, finding.place.line, finding.code)
    };
    order::sort_by_key(findings, place);
    findings.dedup();
}
