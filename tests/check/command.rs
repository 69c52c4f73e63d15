//! The command as a user meets it: output, exit status, and that it writes nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use superlance_testing::Scratch;

use crate::ours;

/// What a run has printed, and its exit status.
pub(super) fn check(folder: &Path, arguments: &[&str]) -> (String, String, i32) {
    let output = Command::new(ours())
        .arg("check")
        // The tests may run in a container.
        .args(["--ignore", "SL501,SL502,SL503,SL504"])
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn with(text: &str) -> Scratch {
    let folder = Scratch::new();
    std::fs::write(folder.join("supervisord.conf"), text).unwrap();
    folder
}

const WELL: &str = "[supervisord]\n[program:cat]\ncommand=/bin/cat\n";

#[test]
fn nothing_to_say_is_one_line_and_success() {
    let (stdout, stderr, status) = check(with(WELL).path(), &["-c", "supervisord.conf"]);
    let expected = "supervisord.conf: nothing found in 1 section with a command; only the file was \
                    looked at: it has no server to be asked at\n";
    assert_eq!(stdout, expected);
    assert_eq!((stderr.as_str(), status), ("", 0));
}

#[test]
fn the_exit_status_says_how_bad_it_is() {
    let typo = format!("{WELL}autostarts=true\n");
    let warning = format!("{WELL}startsecs=0\n");
    for (text, arguments, expected) in [
        (&typo[..], &[][..], 1),
        (&typo, &["--fail-on", "never"], 0),
        (&typo, &["--ignore", "sl401"], 0),
        (&typo, &["--ignore=SL403,SL401"], 0),
        (&warning, &[], 0),
        (&warning, &["--fail-on=warning"], 1),
        ("[program:cat]\n", &[], 2),
        ("[program:cat]\n", &["--fail-on", "never", "--ignore", "SL100"], 2),
        (WELL, &["--ignore", "SL999"], 2),
        (WELL, &["--nonsense"], 2),
        (WELL, &["-c", "nowhere.conf"], 2),
    ] {
        let (stdout, stderr, status) = check(with(text).path(), arguments);
        assert_eq!(status, expected, "{arguments:?} of {text}: {stdout}{stderr}");
    }
}

#[test]
fn a_comment_silences_a_code_where_it_stands() {
    let typo = "[program:cat]\n{}\ncommand=/bin/cat\n{}\nautostarts=true\n";
    for (above, before, expected) in [
        ("; superlance: ignore SL401", "", 0),
        ("# superlance: ignore SL203, sl401", "", 0),
        ("", "; superlance: ignore SL401", 0),
        ("", "; superlance: ignore SL402", 1),
        ("; ignore SL401", "", 1),
    ] {
        let text = typo.replacen("{}", above, 1).replacen("{}", before, 1);
        let folder = with(&format!("[supervisord]\n{text}"));
        assert_eq!(check(folder.path(), &[]).2, expected, "{text}");
    }
    // One in another section silences nothing.
    let text = format!("[supervisord]\n; superlance: ignore SL401\n{}", typo.replace("{}", ""));
    assert_eq!(check(with(&text).path(), &[]).2, 1);
}

#[test]
fn a_machine_that_lacks_folders_is_no_reason_to_refuse() {
    let folder = with("[supervisord]\nlogfile=/nowhere/at/all/x.log\n");
    let (stdout, _, status) = check(folder.path(), &["--no-live"]);
    assert_eq!(status, 2, "{stdout}");
    assert!(
        stdout.contains("supervisord.conf:2: error SL407: supervisord refuses this"),
        "{stdout}"
    );
    assert!(stdout.ends_with("; supervisord would not start\n"), "{stdout}");
    assert_eq!(check(folder.path(), &["--ignore", "SL407"]).2, 0);
}

#[test]
fn a_code_is_explained() {
    let folder = Scratch::new();
    let (stdout, _, status) = check(folder.path(), &["--explain", "sl201"]);
    assert!(stdout.starts_with("SL201 error: A listener does not get the events"), "{stdout}");
    assert_eq!(status, 0);
    let (_, stderr, status) = check(folder.path(), &["--explain", "SL999"]);
    assert!(stderr.contains("expected a code such as SL201"), "{stderr}");
    assert_eq!(status, 2);
}

#[test]
fn json_and_sarif_have_all_findings() {
    let folder = with(&format!("{WELL}autostarts=true\npriority=x\ncolour=red\n"));
    let (stdout, _, status) = check(folder.path(), &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let codes: Vec<_> =
        json["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!((codes, status), (vec!["SL401", "SL100", "SL401"], 2));
    assert!(json["refused"].as_str().unwrap().contains("invalid literal for int()"), "{json}");
    let path = folder.path().canonicalize().unwrap().join("supervisord.conf");
    assert_eq!(json["files"][0].as_str().map(PathBuf::from), Some(path));

    let (stdout, ..) = check(folder.path(), &["--sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(
        (sarif["version"].as_str(), sarif["runs"].as_array().unwrap().len()),
        (Some("2.1.0"), 1)
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for (result, level) in results.iter().zip(["error", "error", "note"]) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"], "the index is that of the rule");
        assert_eq!(result["level"], level);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "supervisord.conf");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 4);
    }
}

#[test]
fn it_writes_nothing_and_needs_no_right_to() {
    let folder = with(WELL);
    let before = std::fs::metadata(folder.path()).unwrap().modified().unwrap();
    check(folder.path(), &["--json"]);
    assert_eq!(std::fs::metadata(folder.path()).unwrap().modified().unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_memmon_of_the_python_package_is_told_from_ours() {
    let (_links, ours) = crate::links();
    let theirs = superlance_testing::venv::bin();
    for (path, expected) in [(&ours, false), (&theirs, true)] {
        let folder = with(&format!(
            "[supervisord]\n[program:cat]\ncommand=/bin/cat\n[unix_http_server]\n\
             file=%(here)s/s\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=x:y\n\
             [eventlistener:memmon]\ncommand=memmon -p cat=1GB\nevents=TICK_60\n\
             environment=PATH=\"{}:/bin\"\n",
            path.display()
        ));
        let (stdout, ..) = check(folder.path(), &["--no-live"]);
        assert_eq!(stdout.contains("error SL308"), expected, "{stdout}");
        let is_bad =
            stdout.lines().any(|line| line.contains(": error ") || line.contains(": warning "));
        assert_eq!(is_bad, expected, "{stdout}");
    }
}
