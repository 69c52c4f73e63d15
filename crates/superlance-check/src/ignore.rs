//! `; superlance: ignore SL203`: findings that are not wanted. Pure.

use superlance_config::Place;
use superlance_config::load::SourceFile;
use superlance_core::system::order;

use crate::finding::Finding;
use crate::scene::Scene;

/// The codes in a comment, and the line that it covers.
#[derive(Debug)]
struct Ignored {
    place: Place,
    codes: Vec<String>,
}

/// Takes away what comments or `--ignore` silence.
pub(crate) fn apply(findings: Vec<Finding>, scene: &Scene<'_>, codes: &[String]) -> Vec<Finding> {
    let comments: Vec<_> = scene.loaded.files.iter().flat_map(comments).collect();
    let is_ignored = |finding: &Finding| {
        let has =
            |codes: &[String]| codes.iter().any(|code| code.eq_ignore_ascii_case(finding.code));
        has(codes)
            || comments.iter().any(|ignored| has(&ignored.codes) && covers(ignored, finding, scene))
    };
    findings.into_iter().filter(|finding| !is_ignored(finding)).collect()
}

fn comments(file: &SourceFile) -> Vec<Ignored> {
    let ignored = |comment: &superlance_config::ini::Comment| {
        let text = comment.text.trim_start_matches([';', '#', ' ', '\t']);
        let codes = text.strip_prefix("superlance:")?.trim_start().strip_prefix("ignore")?;
        let codes = codes.split([' ', ',', '\t']).filter(|code| !code.is_empty());
        let place = Place { file: file.path.as_path().into(), line: comment.line };
        Some(Ignored { place, codes: codes.map(str::to_owned).collect() })
    };
    file.comments.iter().filter_map(ignored).collect()
}

/// A comment covers the key or section that comes next; right under the name of a section, all of it.
fn covers(ignored: &Ignored, finding: &Finding, scene: &Scene<'_>) -> bool {
    let Place { file, line } = &ignored.place;
    if *file != finding.place.file {
        return false;
    }
    let sections = scene.loaded.configuration.sections().iter();
    let heads = sections.clone().flat_map(|section| &section.places);
    let keys = sections.flat_map(|section| section.values().map(|(_, value)| &value.place));
    let in_file = |place: &&Place| place.file == *file;
    let mut lines: Vec<_> =
        heads.clone().chain(keys).filter(in_file).map(|place| place.line).collect();
    order::sort(&mut lines);
    let next = lines.iter().find(|next| *next > line).copied();
    let head = lines.iter().rev().find(|before| *before < line).copied();
    let head = head.filter(|head| heads.clone().filter(in_file).any(|place| place.line == *head));
    let end = heads.filter(in_file).map(|place| place.line).filter(|next| next > line).min();
    let is_in_section =
        head.is_some_and(|head| (head..end.unwrap_or(usize::MAX)).contains(&finding.place.line));
    next == Some(finding.place.line) || is_in_section
}
