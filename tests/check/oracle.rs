//! Configurations, each read by us and by supervisor 4.3.0.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use superlance_config::values::LogFile;
use superlance_config::{Configuration, Process, Program, Supervisord, ThisHost, load};
use superlance_testing::{Scratch, venv};

use crate::docs::file;

/// What supervisor makes of some files.
fn ask(files: &[PathBuf], variables: &[(&str, &str)]) -> Vec<Value> {
    let mut command = Command::new(venv::python());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/check/oracle.py"));
    let command = command.args(files).env_clear().env("HOME", "/root");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), files.len(), "{}", String::from_utf8_lossy(&output.stderr));
    answers
}

/// Compares both readings of some files; how many of them supervisor accepts.
fn compare(files: &[PathBuf]) -> usize {
    let mut accepted = 0;
    for (file, theirs) in files.iter().zip(ask(files, &[])) {
        let text = std::fs::read_to_string(file).unwrap();
        let ours = ours(file);
        let is_refused = [&theirs, &ours].map(|answer| !answer["refused"].is_null());
        assert_eq!(is_refused[0], is_refused[1], "{theirs:#}\n{ours:#}\n{text}");
        for key in ["sections", "groups", "url"] {
            assert_eq!(theirs[key], ours[key], "{key} of {text}");
        }
        accepted += usize::from(!is_refused[0]);
    }
    accepted
}

fn ours(file: &Path) -> Value {
    let host = ThisHost {
        working_folder: std::env::current_dir().unwrap(),
        variables: vec![("HOME".to_owned(), "/root".to_owned())],
    };
    let text = std::fs::read_to_string(file).unwrap();
    let mut answer = json!({});
    if let Ok(configuration) = Configuration::parse(&text, file) {
        answer["sections"] = sections(&configuration);
    }
    let loaded = load(file, &host);
    let read = Supervisord::read(&loaded, file, &host);
    if let Some(refusal) = read.refusals.first() {
        answer["refused"] = json!(refusal.reason);
    } else if let Some(unset) = read.unset.first() {
        answer["refused"] = json!(unset.variable);
    } else if let Some(unset) = loaded.unset {
        answer["refused"] = json!(unset);
    } else {
        answer["groups"] = groups(&read);
        answer["url"] = json!(read.server_for_processes().map(|server| server.url()));
    }
    answer
}

fn sections(configuration: &Configuration) -> Value {
    let section = |section: &superlance_config::Section| {
        let all = configuration.defaults().values().chain(section.values());
        let values: BTreeMap<_, _> = all.map(|(key, value)| (key, value.text.as_str())).collect();
        json!([section.name, values])
    };
    configuration.sections().iter().map(section).collect()
}

/// Sorted as supervisord sorts them.
fn groups(read: &Supervisord) -> Value {
    let all = |program: &Program| {
        let mut processes: Vec<_> = program.processes.iter().collect();
        processes.sort_by(|a, b| a.name.cmp(&b.name));
        let process = |process: &Process| self::process(read, program, process);
        processes.into_iter().map(process).collect::<Vec<_>>()
    };
    let mut groups: Vec<_> = read
        .groups
        .iter()
        .map(|group| {
            let processes: Vec<_> = group.programs.iter().flat_map(all).collect();
            (group.priority, group.name.clone(), None, processes)
        })
        .collect();
    groups.extend(read.listeners.iter().map(|pool| {
        let processes = all(&pool.program);
        (pool.priority, pool.program.group.clone(), Some(pool.buffer_size), processes)
    }));
    groups.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    groups
        .into_iter()
        .map(|(priority, name, buffer_size, processes)| {
            json!({
                "name": name, "priority": priority, "buffer_size": buffer_size,
                "processes": processes,
            })
        })
        .collect()
}

fn process(read: &Supervisord, program: &Program, process: &Process) -> Value {
    let log = |file: &LogFile| match file {
        LogFile::None | LogFile::Syslog => json!(null),
        LogFile::Auto => json!("auto"),
        LogFile::Path(path) => json!(path),
    };
    let mut environment: BTreeMap<_, _> = read.environment.iter().cloned().collect();
    environment.extend(process.environment.clone());
    json!({
        "name": process.name,
        "command": process.command,
        "directory": process.directory,
        "priority": program.priority,
        "autostart": program.autostart,
        "autorestart": format!("{:?}", program.autorestart),
        "startsecs": program.startsecs,
        "startretries": program.startretries,
        "stopwaitsecs": program.stopwaitsecs,
        "stopasgroup": program.stopasgroup,
        "killasgroup": program.killasgroup,
        "exitcodes": program.exitcodes,
        "redirect_stderr": program.redirect_stderr,
        "environment": environment,
        "logs": [log(&process.stdout.file), log(&process.stderr.file)],
        "maxbytes": [process.stdout.maxbytes, process.stderr.maxbytes],
    })
}

fn write(folder: &Scratch, texts: impl IntoIterator<Item = String>) -> Vec<PathBuf> {
    let write = |(number, text): (usize, String)| {
        let path = folder.join(&format!("{number}.conf"));
        std::fs::write(&path, text).unwrap();
        path
    };
    texts.into_iter().enumerate().map(write).collect()
}

fn generated<T>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn lines_mean_what_configparser_takes_them_for() {
    let line = prop_oneof![
        4 => "[a-c] ?[=:] ?[a-d;#%= ]{0,9}",
        2 => "\\[[ab]\\]",
        1 => "\\[(DEFAULT|a\\]|)\\]",
        2 => "[ \t]{1,3}[a-c=;#\\[\\]]{0,5}",
        1 => "[;#] ?[a-c=]{0,4}",
        1 => "",
        1 => "[a-c;# \u{1c}\u{a0}=]{0,6}",
    ];
    let lines =
        proptest::collection::vec((line, prop_oneof![9 => Just("\n"), 1 => Just("\r\n")]), 1..12);
    let text = lines.prop_map(|lines| {
        let lines = lines.into_iter().map(|(line, end)| line + end);
        "[a]\n".to_owned() + &lines.collect::<String>()
    });
    let folder = Scratch::new();
    assert_eq!(compare(&write(&folder, generated(text, 1500))), 0, "none has [supervisord]");
}

#[test]
fn sections_make_the_processes_that_supervisord_makes_of_them() {
    let pair = prop_oneof![
        ("(priority|startsecs|startretries|stopwaitsecs|numprocs_start)", "(1|-2|0_7| 5|x|)"),
        ("(autostart|stopasgroup|killasgroup|redirect_stderr)", "(true|OFF|1|no|maybe)"),
        ("autorestart", "(true|unexpected|False|always)"),
        ("numprocs", "(1|2|0|3)"),
        ("process_name", "(%\\(program_name\\)s_%\\(process_num\\)02d|x y|p%\\(process_num\\)s|q)"),
        (
            "command",
            "(/bin/cat %\\(here\\)s|a 100%|a %% b|%\\(process_num\\)d %\\(group_name\\)s|%\\(ENV_A\\)s|%\\(x\\)s)"
        ),
        ("environment", "(A=1|A=\"x,y\",B=2|A=b c|A|A='%\\(program_name\\)s'|A=x\\?y=1|)"),
        ("directory", "(/|%\\(ENV_A\\)s/x|/%\\(process_num\\)d)"),
        (
            "(stdout_logfile|stderr_logfile)",
            "(NONE|AUTO|syslog|/tmp/%\\(program_name\\)s.log|/no/x.log|x.log|/dev/stdout)"
        ),
        ("(stdout_logfile_maxbytes|stderr_logfile_maxbytes)", "(0|5MB|1gb|5 MB|x)"),
        ("exitcodes", "(0,2|300|x|)"),
        ("stopsignal", "(TERM|sighup|9|FOO|99)"),
        ("umask", "(022|9|0o7)"),
        ("user", "(root|0|nobody_there)"),
    ];
    let well = prop_oneof![3 => Just(true), 1 => Just(false)];
    let pairs = proptest::collection::vec(pair, 0..4);
    let section = ("(program:a|program:b|program:c d|fcgi-program:f)", pairs.clone(), well)
        .prop_map(|(name, pairs, has_command)| {
            let pairs = pairs.into_iter().map(|(key, value)| format!("{key}={value}\n"));
            let command = if has_command { "command=/bin/cat\nsocket=tcp://h:1\n" } else { "" };
            format!("[{name}]\n{command}{}", pairs.collect::<String>())
        });
    let listener = ("(events=TICK_5\n|events=tick_60, EVENT\n|events=FOO\n|)", pairs).prop_map(
        |(events, pairs)| {
            let pairs = pairs.into_iter().map(|(key, value)| format!("{key}={value}\n"));
            format!("[eventlistener:l]\ncommand=/bin/cat\n{events}{}", pairs.collect::<String>())
        },
    );
    let rest = "(|\\[group:g\\]\nprograms=(a|a,b|z)\n|\\[supervisord\\]\nenvironment=A=2\n|\\[unix_http_server\\]\nfile=%\\(here\\)s/s\n|\\[inet_http_server\\]\nport=(:9001|h:1|x)\n)";
    let text = (proptest::collection::vec(section, 0..3), listener, any::<bool>(), rest).prop_map(
        |(sections, listener, has_listener, rest)| {
            let listener = if has_listener { listener } else { String::new() };
            format!("[supervisord]\n{}{listener}{rest}", sections.concat())
        },
    );
    let folder = Scratch::new();
    let accepted = compare(&write(&folder, generated(text, 1500)));
    assert!((200..1300).contains(&accepted), "{accepted} are accepted");
}

#[test]
fn included_files_come_in_the_order_of_supervisord() {
    let folder = Scratch::new();
    for (path, text) in [
        ("conf.d/b.conf", "[program:b]\ncommand=/bin/cat %(here)s\n[program:a]\ncommand=second\n"),
        ("conf.d/a.conf", "[program:a]\ncommand=first\n[DEFAULT]\nstartsecs=7\n"),
        ("conf.d/.hidden.conf", "[program:hidden]\ncommand=x\n"),
        ("conf.d/c.ini", "[program:c]\ncommand=x\n[include]\nfiles=never.conf\n"),
        ("conf.d/[x].conf", "[program:brackets]\ncommand=x\n"),
        ("never.conf", "[program:never]\ncommand=x\n"),
        ("bad/a.conf", "x=1\n"),
        ("folder/a.conf/x", ""),
    ] {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let main = |include: &str| {
        format!("[supervisord]\n[program:m]\ncommand=/bin/cat %(here)s\n[include]\n{include}\n")
    };
    let includes = [
        "files=conf.d/*.conf",
        "files = %(here)s/conf.d/*.ini conf.d/?.conf",
        "files=conf.d/[ab].conf conf.d/[!a].conf",
        "files=conf.d/[[]x].conf",
        "files=conf.d/.*.conf nothing/*.conf",
        "files=**/*.conf",
        "files=folder/*.conf",
        "files=bad/*.conf",
        "files=%(ENV_NONE)s/x",
        "files=%(program_name)s",
        "file=x",
    ];
    assert_eq!(compare(&write(&folder, includes.map(main))), 6);
}

/// What the findings of these say of supervisor, it does: refuse, or start.
#[test]
fn supervisor_refuses_what_is_said_to_be_refused_and_nothing_else() {
    let folder = file("tests/check/codes");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        names.filter(|path| path.extension().is_some_and(|e| e == "conf")).collect();
    for (path, theirs) in
        files.iter().zip(ask(&files, &[("PORT_OF_WEB", "1"), ("HOST_OF_WEB", "h")]))
    {
        let json = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let ours: Value = serde_json::from_str(&json).unwrap();
        let (theirs, ours) = (&theirs["refused"], &ours["refused"]);
        assert_eq!(theirs.is_null(), ours.is_null(), "{}: {theirs} {ours}", path.display());
    }
    assert!(files.len() > 80, "{}", files.len());
}
