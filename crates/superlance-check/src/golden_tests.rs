//! A configuration for each code, in tests/check/codes, with its findings as text and as JSON.
//!
//! `BLESS=1` writes the texts anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use clap::FromArgMatches as _;
use proptest::prelude::*;
use superlance_config::Host;

use super::*;
use crate::severity::Severity;

/// The folder of the configurations on that machine, wherever the sources are.
const HERE: &str = "/checked";

/// A machine that has every file, folder and user but those that are called missing.
pub(crate) struct Everything {
    /// The folder that is [`HERE`].
    folder: PathBuf,
}

impl Everything {
    fn real(&self, path: &Path) -> PathBuf {
        self.folder.join(path.strip_prefix(HERE).unwrap_or(path))
    }

    fn is_missing(path: &Path) -> bool {
        path.components().any(|part| part.as_os_str() == "missing")
    }
}

impl Host for Everything {
    fn read(&self, path: &Path) -> io::Result<String> {
        fs::read_to_string(self.real(path))
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(self.real(folder)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    fn exists(&self, path: &Path) -> bool {
        match path.starts_with(HERE) {
            true => self.real(path).exists(),
            false => !Self::is_missing(path),
        }
    }

    fn is_folder(&self, path: &Path) -> bool {
        !Self::is_missing(path)
    }

    fn has_user(&self, user: &str) -> bool {
        user != "nobody_of_this_name"
    }

    fn has_group(&self, _group: &str) -> bool {
        true
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "PATH").then(|| "/usr/bin".to_owned())
    }

    fn variables(&self) -> Vec<(String, String)> {
        vec![("PATH".to_owned(), "/usr/bin".to_owned())]
    }

    fn node_name(&self) -> String {
        "node".to_owned()
    }

    fn working_folder(&self) -> PathBuf {
        HERE.into()
    }
}

impl Machine for Everything {
    fn is_executable(&self, path: &Path) -> bool {
        self.exists(path)
    }

    fn text(&self, path: &Path) -> Option<String> {
        let text = match path.to_str()? {
            "/opt/python/bin/memmon" => "#!/opt/python/bin/python3\nimport superlance.memmon\n",
            "/opt/quiet.sh" => {
                "#!/bin/sh\n# echo nothing\ncd /srv >/dev/null 2>&1\necho x | tee y >&2\nexec memmon -p wbe=200MB\n"
            }
            "/opt/loud.sh" => {
                "#!/usr/bin/env bash\nset -e\necho \"starting $1\"\nexec memmon -a $LIMIT\n"
            }
            "/opt/killer.sh" => "#!/bin/sh\nprintf 'READY\\n'\nread line\nkill -15 1\n",
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn leads_to_us(&self, _program: &str) -> bool {
        false
    }

    fn is_member(&self, _user: &str, _group: &str) -> bool {
        false
    }

    fn owner(&self, _path: &Path) -> Option<String> {
        None
    }

    fn init(&self) -> Option<String> {
        Some("sh".to_owned())
    }

    fn user_id(&self, _user: &str) -> Option<u32> {
        None
    }

    fn memory(&self) -> Option<u64> {
        Some(8 << 30)
    }

    fn is_container(&self) -> bool {
        false
    }
}

const APPLETS: &[&Applet] = &[
    &superlance_crashmail::APPLET,
    &superlance_crashmailbatch::APPLET,
    &superlance_crashsms::APPLET,
    &superlance_dependent_startup::APPLET,
    &superlance_exitmon::APPLET,
    &superlance_fatalmailbatch::APPLET,
    &superlance_httpok::APPLET,
    &superlance_memmon::APPLET,
];

fn tests(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/check")
        .join(folder)
        .canonicalize()
        .unwrap()
}

fn report(folder: &Path, file: &str, arguments: &[&str]) -> Report {
    let words = ["check", "--no-live"].into_iter().chain(arguments.iter().copied());
    let matches = command().try_get_matches_from(words).unwrap();
    let options = Options::from_arg_matches(&matches).unwrap();
    check(Path::new(file), &Everything { folder: folder.to_owned() }, APPLETS, &options)
}

fn compare(path: &Path, text: &str) {
    if env::var_os("BLESS").is_some() {
        fs::write(path, text).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

#[test]
fn each_code_has_a_configuration_with_this_finding_alone() {
    let folder = tests("codes");
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    let (mut codes, mut wrong) = (BTreeSet::new(), Vec::new());
    for name in names.iter().filter(|name| name.ends_with(".conf")) {
        let code = &name[..5];
        let arguments: &[&str] = if code >= "SL501" { &["--container"] } else { &[] };
        let report = report(&folder, name, arguments);
        let own = report.findings.iter().filter(|finding| finding.code == code);
        let Some(found) = own.max_by_key(|finding| finding.severity) else {
            wrong.push(format!("{name}: {:#?}", report.findings));
            continue;
        };
        let others = report.findings.iter().filter(|other| other.severity > Severity::Info);
        let others = others.filter(|other| *other != found).collect::<Vec<_>>();
        if !others.is_empty() {
            wrong.push(format!("{name}: {others:#?}"));
        }
        let all = found.severity == Severity::Info;
        let path = |ending: &str| folder.join(name.replace(".conf", ending));
        // Of this machine, the texts have nothing.
        let relative = |text: String| text.replace(&format!("{HERE}/"), "/");
        let text = text::render(&report, View { all, colour: false });
        compare(&path(".txt"), &relative(text));
        compare(&path(".json"), &relative(json::render(&report, Path::new(HERE)).unwrap()));
        codes.insert(code.to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // These need a supervisord that runs.
    let live = ["SL109", "SL206", "SL412"];
    let codes_of_files = codes::CODES.iter().filter(|entry| !live.contains(&entry.code));
    let expected = codes_of_files.map(|entry| entry.code.to_owned()).collect();
    assert_eq!(codes, expected);
}

/// Configurations from public repositories, with other names, and what a careful reader says of them.
#[test]
fn public_configurations_have_the_findings_of_a_careful_reader() {
    let folder = tests("public");
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let names: BTreeSet<_> = names.filter(|name| name.ends_with(".conf")).collect();
    for name in &names {
        let arguments: &[&str] = if name.contains("container") { &["--container"] } else { &[] };
        let report = report(&folder, name, arguments);
        let text = text::render(&report, View { all: false, colour: false });
        compare(&folder.join(name.replace(".conf", ".txt")), &text);
    }
    assert!(names.len() >= 25, "{names:?}");
}

#[test]
fn severities_have_colours_and_control_characters_do_not_pass() {
    let folder = tests("codes");
    let mut report = report(&folder, "SL401.conf", &[]);
    report.findings[0].message.push_str("\x1b[2J");
    let text = text::render(&report, View { all: false, colour: true });
    let expected = "SL401.conf:5: \x1b[1;31merror SL401\x1b[m: supervisord does not know";
    assert!(text.starts_with(expected), "{text:?}");
    assert!(text.contains("ignores it?[2J\n"), "{text:?}");
}

#[test]
fn names_may_be_those_of_programs_in_files_that_are_not_here() {
    let folder = tempfile::tempdir().unwrap();
    let include = |files: &str| {
        let text = fs::read_to_string(tests("codes").join("SL301.conf")).unwrap();
        fs::write(folder.path().join("x.conf"), format!("{text}\n[include]\nfiles={files}\n"))
            .unwrap();
        let report = report(folder.path(), "x.conf", &[]);
        report.findings.iter().any(|finding| finding.code == "SL301")
    };
    fs::write(folder.path().join("more.conf"), "[program:more]\ncommand=/bin/cat\n").unwrap();
    assert!(include("more.conf"));
    for files in ["nowhere/*.conf", "%(ENV_NOWHERE)s/*.conf", "more.conf nowhere.conf"] {
        assert!(!include(files), "{files}");
    }
}

proptest! {
    #[test]
    fn no_configuration_makes_it_panic(
        lines in proptest::collection::vec(
            prop_oneof![
                "\\[(supervisord|program:a|eventlistener:m|include|group:g|unix_http_server|[a-z:]{0,9})\\]",
                "command=(memmon|httpok|crashmail|sh -c|python -m superlance\\.memmon|env) ?[-a-z =\"';&|>%<0-9./]{0,30}",
                "(events|user|environment|file|port|numprocs|programs|files|startsecs)=[-A-Za-z_,=\"%()0-9*/:. ]{0,20}",
                "[ ;#]?[a-z_]{0,9} ?=?[a-z ;#%]{0,9}",
            ],
            0..14,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.conf"), lines.join("\n")).unwrap();
        let report = report(folder.path(), "x.conf", &["--container"]);
        let printed = text::render(&report, View { all: true, colour: true });
        prop_assert!(printed.ends_with('\n'));
        json::render(&report, folder.path()).unwrap();
        json::sarif(&report, folder.path()).unwrap();
    }
}
