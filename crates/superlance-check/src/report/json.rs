//! Findings for programs, and as SARIF 2.1.0 for code scanners.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Live, Report, absolute};
use crate::codes::CODES;
use crate::finding::Finding;
use crate::severity::Severity;

#[derive(Serialize)]
struct Row<'a> {
    code: &'a str,
    severity: Severity,
    file: String,
    line: usize,
    section: Option<&'a str>,
    key: Option<&'a str>,
    message: &'a str,
    fix: Option<&'a str>,
}

#[derive(Serialize)]
struct Document<'a> {
    findings: Vec<Row<'a>>,
    refused: Option<&'a str>,
    files: Vec<String>,
    sections: usize,
    live: bool,
}

/// One object.
pub(crate) fn render(report: &Report, working_folder: &Path) -> serde_json::Result<String> {
    let path = |path: &Path| absolute(path, working_folder).display().to_string();
    let rows = report.findings.iter().map(|finding| Row {
        code: finding.code,
        severity: finding.severity,
        file: path(&finding.place.file),
        line: finding.place.line,
        section: finding.section.as_deref(),
        key: finding.key.as_deref(),
        message: &finding.message,
        fix: finding.fix.as_deref(),
    });
    let document = Document {
        findings: rows.collect(),
        refused: report.refused.as_deref(),
        files: report.files.iter().map(|file| path(file)).collect(),
        sections: report.sections,
        live: matches!(report.live, Live::Answered(_)),
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

/// The page of all codes.
const PAGE: &str = "docs/check.md";

/// A SARIF log of one run.
pub(crate) fn sarif(report: &Report, working_folder: &Path) -> serde_json::Result<String> {
    let rules: Vec<_> = CODES
        .iter()
        .map(|entry| {
            json!({
                "id": entry.code,
                "shortDescription": { "text": entry.heading },
                "help": { "text": format!("superlance check --explain {}; {PAGE}", entry.code) },
                "defaultConfiguration": { "level": level(entry.severity) },
            })
        })
        .collect();
    let results: Vec<_> = report.findings.iter().map(|f| result(f, working_folder)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "superlance check",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).map(|text| text + "\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn result(finding: &Finding, working_folder: &Path) -> Value {
    let path = absolute(&finding.place.file, working_folder);
    // Scanners want paths from the root of the repository on.
    let uri = match path.strip_prefix(working_folder) {
        Ok(relative) => encode(relative),
        Err(_) => format!("file://{}", encode(&path)),
    };
    let text = match &finding.fix {
        Some(fix) => format!("{}\nfix: {fix}", finding.message),
        None => finding.message.clone(),
    };
    json!({
        "ruleId": finding.code,
        "ruleIndex": CODES.iter().position(|entry| entry.code == finding.code),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri },
            "region": { "startLine": finding.place.line.max(1) },
        } }],
    })
}

/// A path as a part of a URI.
fn encode(path: &Path) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    percent_encoding::utf8_percent_encode(&path.display().to_string(), KEPT).to_string()
}
