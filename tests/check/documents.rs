//! The configurations in our own documents have no finding.

use std::path::Path;

use serde_json::Value;
use superlance_testing::Scratch;

use super::command::check;
use crate::docs::{file, files_below};

/// What a fragment of a page lacks to be a configuration.
const REST: &[(&str, &str)] = &[
    ("[supervisord]", ""),
    ("[unix_http_server]", "file=/run/supervisor.sock\nchmod=0700\n"),
    (
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
    ),
    ("[supervisorctl]", "serverurl=unix:///run/supervisor.sock\n"),
];

/// Beside files, folders and users of the machine, what a fragment cannot have: the programs that it
/// names, and the rest of the table of codes.
const IGNORED: &str = "SL301,SL305,SL306,SL308,SL407,SL408,SL410,SL501,SL502,SL503,SL504";

/// The configurations in a document: a file of its own, or examples among the text.
fn configurations(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("conf") => vec![text],
        Some("md") => text.split("```ini\n").skip(1).map(|block| until(block, "```")).collect(),
        Some("1" | "7") => {
            let blocks = text.split(".Bd -literal").skip(1);
            let blocks = blocks.filter_map(|block| block.split_once('\n'));
            let blocks = blocks.map(|(_, block)| until(block, ".Ed").replace("\\e", "\\"));
            blocks.filter(|block| block.starts_with('[') && block.contains(":")).collect()
        }
        _ => Vec::new(),
    }
}

fn until(block: &str, end: &str) -> String {
    block.split(end).next().unwrap_or_default().to_owned()
}

#[test]
fn configurations_of_our_documents_have_no_finding() {
    let folder = Scratch::new();
    let (mut count, mut wrong) = (0, Vec::new());
    let mut paths = vec![file("README.md")];
    paths.extend(files_below(&file("docs")).into_iter().map(|path| file("docs").join(path)));
    paths.extend(files_below(&file("man")).into_iter().map(|path| file("man").join(path)));
    for path in paths {
        for mut text in configurations(&path) {
            if !text.contains("\n[") && !text.starts_with('[') {
                continue;
            }
            for (section, values) in
                REST.iter().filter(|(section, _)| !text.contains(*section)).collect::<Vec<_>>()
            {
                text = format!("{text}\n{section}\n{values}");
            }
            std::fs::write(folder.join("x.conf"), &text).unwrap();
            let (stdout, stderr, _) =
                check(folder.path(), &["-c", "x.conf", "--json", "--ignore", IGNORED]);
            let json: Value =
                serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
            let findings = json["findings"].as_array().unwrap().iter();
            let bad: Vec<_> = findings.filter(|finding| finding["severity"] != "info").collect();
            count += 1;
            if !bad.is_empty() || !json["refused"].is_null() {
                wrong.push(format!("{}: {bad:#?}\n{text}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "{count}");
}
