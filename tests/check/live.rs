//! A check beside a real supervisord.

use std::fs;

use serde_json::Value;
use superlance_testing::{SOON, Supervisord, wait_for};

use super::command::check;
use crate::links;

/// Code, section and text of what is found above info.
fn found(supervisord: &Supervisord, arguments: &[&str]) -> Vec<(String, String, String)> {
    let all = [&["-c", "supervisord.conf", "--json"], arguments].concat();
    let (stdout, stderr, _) = check(supervisord.scratch().path(), &all);
    let json: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
    let text = |finding: &Value, key| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] != "info")
        .map(|finding| (text(finding, "code"), text(finding, "section"), text(finding, "message")))
        .collect()
}

#[test]
fn what_runs_is_compared_with_the_file() {
    let (_folder, path) = links();
    let supervisord = Supervisord::builder()
        .first_in_path(&path)
        .program("web", "/bin/cat", &[("startsecs", "0"), ("autorestart", "false")])
        .program("worker", "/bin/cat", &[("exitcodes", "0,2"), ("stopsignal", "INT")])
        .section("eventlistener:cat", &[("command", "/bin/cat"), ("events", "TICK_5")])
        .start();
    assert_eq!(found(&supervisord, &["--live"]), [], "nothing differs");

    let file = supervisord.scratch().join("supervisord.conf");
    let text = fs::read_to_string(&file).unwrap();
    let changed = text.replace("exitcodes=0,2", "exitcodes=0").replace("stopsignal=INT\n", "");
    assert_ne!(changed, text);
    let changed = changed.replace("[program:web]", "[program:renamed]");
    fs::write(&file, changed).unwrap();
    let found_now = found(&supervisord, &[]);
    let shown: Vec<_> = found_now
        .iter()
        .map(|(code, section, text)| (code.as_str(), section.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("SL412", "", "supervisord has web, which is not in the file any more"),
            ("SL412", "program:renamed", "supervisord has not read this section yet"),
            ("SL412", "program:worker", "supervisord has other values: exitcodes, stopsignal"),
        ]
    );
    assert_eq!(found(&supervisord, &["--no-live"]), []);
}

#[test]
fn listeners_that_do_not_run_or_hear_nothing_are_found() {
    let supervisord = Supervisord::builder()
        .section(
            "eventlistener:cut",
            &[("command", "sh -c 'echo hello; exec cat >/dev/null'"), ("events", "TICK_5")],
        )
        .section(
            "eventlistener:down",
            &[
                ("command", "sh -c 'echo the reason >&2; exit 1'"),
                ("events", "TICK_5"),
                ("startretries", "0"),
            ],
        )
        .start();
    wait_for("the listener to be cut off", SOON, || {
        supervisord.log().contains("entered the UNKNOWN state").then_some(())
    });
    wait_for("the other to be FATAL", SOON, || {
        (supervisord.state_of("down") == "FATAL").then_some(())
    });
    let found = found(&supervisord, &["--live"]);
    let found: Vec<_> = found.iter().filter(|(code, ..)| code == "SL206").collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].2.starts_with("cut runs and gets no events any more"), "{found:?}");
    assert_eq!(found[1].2, "down is FATAL; its log ends: the reason");
}

#[test]
fn without_a_supervisord_the_file_is_looked_at() {
    let supervisord = Supervisord::builder().program("web", "/bin/cat", &[]).start();
    let folder = superlance_testing::Scratch::new();
    let text = fs::read_to_string(supervisord.scratch().join("supervisord.conf")).unwrap();
    drop(supervisord);
    let at = folder.path().display().to_string();
    let socket = text.lines().find_map(|line| line.strip_prefix("file=")).unwrap();
    fs::write(folder.join("supervisord.conf"), text.replace(socket, &format!("{at}/no.sock")))
        .unwrap();
    let (stdout, _, status) =
        check(folder.path(), &["-c", "supervisord.conf", "--ignore", "SL407,SL106"]);
    assert!(stdout.contains("; only the file was looked at: "), "{stdout}");
    assert_eq!(status, 0, "{stdout}");
    let (stdout, _, status) =
        check(folder.path(), &["-c", "supervisord.conf", "--ignore", "SL407,SL106", "--live"]);
    assert!(stdout.contains(":1: error SL109: "), "{stdout}");
    assert_eq!(status, 1, "{stdout}");
}
