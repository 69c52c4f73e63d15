//! SL403 to SL409, and SL411: programs.

use std::path::Path;

use superlance_config::environment::{Pairs, quote};
use superlance_config::values::{Autorestart, LogFile, byte_size};
use superlance_config::{Kind, Process, Program};

use super::Rule::{self, Each, Whole};
use crate::command::without_wrappers;
use crate::command::words::{Segment, base_name};
use crate::finding::Finding;
use crate::scene::{Item, Scene};
use crate::severity::Severity;

pub(super) const RULES: &[Rule] = &[
    Whole(rotation),
    Whole(rotation_of_supervisord),
    Each(children),
    Each(no_startsecs),
    Each(daemon),
    Whole(missing),
    Each(missing_folder),
    Each(home),
    Whole(other_user),
    Whole(lost_environment),
    Whole(priorities),
];

/// Whether a log is a pipe, a terminal or a socket, as a rule.
fn is_stream(path: &str) -> bool {
    let streams = ["/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/console"];
    streams.contains(&path)
        || path.starts_with("/dev/fd/")
        || path.starts_with("/proc/self/fd/")
        || path.starts_with("/proc/1/fd/")
}

fn rotation(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in scene.items() {
        let Some(process) = item.program.processes.first() else { continue };
        for (key, output) in
            [("stdout_logfile", &process.stdout), ("stderr_logfile", &process.stderr)]
        {
            let LogFile::Path(path) = &output.file else { continue };
            if is_stream(path) && output.maxbytes != 0 {
                let message = format!(
                    "supervisord looks with each write whether {path} is to be rotated \
                     ({key}_maxbytes= is 50MB unless set), and logs an error when it is a pipe (Illegal \
                     seek)"
                );
                let finding = scene.at_key("SL403", item.section, key, message);
                findings.push(finding.fix(format!("{key}_maxbytes=0")));
            }
        }
    }
    findings
}

fn rotation_of_supervisord(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(section) = scene.section("supervisord") else { return Vec::new() };
    let size = scene.text("supervisord", "logfile_maxbytes");
    let is_rotated = size.is_none_or(|size| byte_size(size).is_ok_and(|bytes| bytes != 0));
    let path = scene.text("supervisord", "logfile").filter(|path| is_stream(path));
    let finding = |path: &str| {
        let message = format!(
            "supervisord looks whether {path} is to be rotated (logfile_maxbytes= is 50MB unless set), \
             and ends when it is a pipe (Illegal seek)"
        );
        let finding = scene.at_key("SL403", section, "logfile", message);
        finding.severity(Severity::Error).fix("logfile_maxbytes=0")
    };
    path.filter(|_| is_rotated).map(finding).into_iter().collect()
}

fn children(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let last = item.command.script.last()?;
    // A shell runs a single command in its own place, and so does `exec`.
    let is_single = item.command.script.len() == 1 && last.end.is_empty();
    // At the end of a loop or a case, the shell itself is the program.
    let ends = ["exec", "done", "fi", "esac", "}", "wait"];
    let is_exec = last.words.first().is_some_and(|word| ends.contains(&word.as_str()));
    let is_stopped = item.program.stopasgroup || item.program.killasgroup;
    let message = "supervisord stops the shell, and what the shell has started lives on";
    (!is_single && !is_exec && !is_stopped).then(|| {
        let finding = scene.at_key("SL404", item.section, "command", message);
        finding.fix("stopasgroup=true and killasgroup=true, or exec before the last command")
    })
}

fn no_startsecs(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let is_restarted = item.program.autorestart != Autorestart::Never;
    let message = "with startsecs=0 every start counts as a success: the program is never FATAL, \
                   startretries= has no effect, and it may be started again without end";
    (item.program.startsecs == 0 && is_restarted).then(|| {
        let finding = scene.at_key("SL405", item.section, "startsecs", message);
        finding.fix("startsecs=1, or autorestart=false for what ends by itself")
    })
}

/// Words of which one keeps a program in the foreground; without any, it goes into the background.
const DAEMONS: &[(&str, &[&str])] = &[
    ("sshd", &["-D"]),
    ("cron", &["-f"]),
    ("crond", &["-f", "-n", "-d", "-s"]),
    ("rsyslogd", &["-n", "-iNONE"]),
    ("httpd", &["-DFOREGROUND", "FOREGROUND", "-X"]),
    ("apache2", &["-DFOREGROUND", "FOREGROUND", "-X"]),
    ("apachectl", &["-DFOREGROUND", "FOREGROUND"]),
    ("apache2ctl", &["-DFOREGROUND", "FOREGROUND"]),
    ("vsftpd", &["-obackground=NO", "/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf"]),
];

/// Words that send a program into the background.
const TO_BACKGROUND: &[(&str, &[&str])] = &[
    ("redis-server", &["yes"]),
    ("gunicorn", &["-D", "--daemon"]),
    ("uwsgi", &["-d", "--daemonize"]),
    ("celery", &["multi", "--detach", "-D"]),
    ("mongod", &["--fork"]),
    ("nohup", &["&"]),
];

fn daemon(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let words = item.command.words.clone()?;
    let own = [Segment { words, end: "" }];
    let all = if item.command.script.is_empty() { &own[..] } else { &item.command.script };
    let why = all.last().and_then(|last| backgrounds(last, scene))?;
    let message = format!("{why}: supervisord then takes the program for ended");
    let fix = "an option that keeps it in the foreground";
    Some(scene.at_key("SL406", item.section, "command", message).fix(fix))
}

/// Why a command returns before what it starts has ended.
fn backgrounds(segment: &Segment, scene: &Scene<'_>) -> Option<String> {
    let words = without_wrappers(&segment.words);
    let (program, rest) = words.split_first()?;
    let name = base_name(program);
    let has = |wanted: &str| rest.iter().any(|word| word == wanted);
    let goes = |name: &str| Some(format!("{name} goes into the background"));
    if segment.end == "&" || words.last().is_some_and(|word| word == "&") {
        return Some("& starts it in the background".to_owned());
    }
    let is_init = ["service", "systemctl", "rc-service"].contains(&name)
        || program.starts_with("/etc/init.d/")
        || name == "start-stop-daemon" && !has("--background");
    if is_init && (has("start") || has("restart") || has("--start")) {
        return Some(format!("{name} returns when the service is started"));
    }
    if name == "nginx" {
        return (!stays_nginx(rest, scene)).then(|| goes("nginx"))?;
    }
    if let Some((_, options)) = TO_BACKGROUND.iter().find(|(known, _)| *known == name) {
        return options.iter().any(|option| has(option)).then(|| goes(name))?;
    }
    let (_, options) = DAEMONS.iter().find(|(known, _)| *known == name)?;
    // Short options may stand together, as in `cron -fL 15`.
    let stays = |word: &String| {
        options.iter().any(|option| {
            word == option
                || option.len() == 2
                    && word.starts_with('-')
                    && !word.starts_with("--")
                    && word.contains(option.trim_start_matches('-'))
        })
    };
    (!rest.iter().any(stays)).then(|| goes(name))?
}

/// Whether `daemon off` stands on the command line of nginx or in its configuration. A configuration that
/// is not here may say it.
fn stays_nginx(arguments: &[String], scene: &Scene<'_>) -> bool {
    let is_off = |text: &str| {
        let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c == ';').collect();
        words.windows(2).any(|pair| pair == ["daemon", "off"])
    };
    if arguments.iter().any(|word| is_off(word)) || arguments.iter().any(|word| word == "off;") {
        return true;
    }
    let given = arguments.iter().skip_while(|word| *word != "-c").nth(1).map(String::as_str);
    let text = scene.machine.text(Path::new(given.unwrap_or("/etc/nginx/nginx.conf")));
    text.map_or(given.is_some(), |text| is_off(&text))
}

fn missing(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in scene.items().filter(|item| !item.is_guess()) {
        let finding =
            |key: &str, message: String| scene.at_key("SL407", item.section, key, message);
        let Some(process) = item.program.processes.first() else { continue };
        match &item.command.words {
            // What a comment has cut off is said elsewhere.
            None if !is_commented(scene, item) => {
                findings
                    .push(finding("command", "a quote in the command is not closed".to_owned()));
            }
            None => {}
            Some(_) => findings.extend(
                missing_program(scene, item, process)
                    .map(|(message, fix)| finding("command", message).fix(fix)),
            ),
        }
        if let Some(folder) = process.directory.as_deref().filter(|folder| folder.starts_with('/'))
        {
            if !scene.machine.is_folder(Path::new(folder)) {
                let message = format!("there is no folder {folder}, so the program does not start");
                findings.push(finding("directory", message));
            }
        }
    }
    findings
}

/// Files that a listener of ours writes, without making their folders.
const WRITTEN: &[&str] = &["status-file", "metrics-file", "exit-file"];

fn missing_folder(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let ours = item.ours()?;
    WRITTEN.iter().find_map(|option| {
        let file = ours.value(option)?;
        let folder = Path::new(&file).parent().filter(|folder| folder.is_absolute())?;
        let message =
            format!("there is no folder {}, so --{option} cannot be written", folder.display());
        let finding = scene.at_key("SL407", item.section, "command", message);
        let fix = format!("mkdir {}", folder.display());
        (!scene.machine.is_folder(folder)).then(|| finding.severity(Severity::Warning).fix(fix))
    })
}

fn is_commented(scene: &Scene<'_>, item: Item<'_>) -> bool {
    let value = scene.loaded.configuration.get(&item.section.name, "command");
    value.is_some_and(|value| value.comment.is_some())
}

/// What is wrong with the file that supervisord would run, and what to do.
fn missing_program(
    scene: &Scene<'_>,
    item: Item<'_>,
    process: &Process,
) -> Option<(String, &'static str)> {
    let Some(program) = item.command.program() else {
        return Some(("the command is empty".to_owned(), "command=/path/to/program"));
    };
    if program.contains('/') && !program.starts_with('/') {
        return None;
    }
    let path = process.environment.get("PATH").map(String::as_str);
    match scene.machine.find_command(program, path) {
        None if program.contains('/') => {
            Some((format!("there is no {program}, so the program does not start"), "its path"))
        }
        None => Some((format!("{program} is in no folder of PATH"), "its path in full")),
        Some(file) if !scene.machine.is_executable(&file) => {
            Some((format!("{} may not be executed", file.display()), "chmod +x"))
        }
        Some(_) => None,
    }
}

fn home(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let user = item.program.user.as_deref().filter(|user| !["root", "0"].contains(user))?;
    let has_home = item.variable(scene, "HOME").is_some();
    let message = format!("the program runs as {user} and has HOME and USER of supervisord");
    (!has_home).then(|| {
        let finding = scene.at_key("SL408", item.section, "user", message);
        let fix = format!("environment=HOME=\"/home/{user}\",USER=\"{user}\"");
        finding.severity(Severity::Info).fix(fix)
    })
}

fn other_user(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(master) = scene.read.user.as_deref() else { return Vec::new() };
    if ["root", "0"].contains(&master) {
        return Vec::new();
    }
    let finding = |item: Item<'_>| {
        let user = item.program.user.as_deref()?;
        let message = format!("supervisord runs as {master} and so cannot start it as {user}");
        let fix = format!("user={master}, or user=root in [supervisord]");
        (user != master).then(|| scene.at_key("SL408", item.section, "user", message).fix(fix))
    };
    scene.items().filter_map(finding).collect()
}

fn lost_environment(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in scene.loaded.configuration.sections() {
        let Some(value) = section.own("environment") else { continue };
        let Ok(pairs) = Pairs::parse(&value.text) else { continue };
        if let Some(lost) = pairs.lost.first() {
            let before = pairs.pairs.first();
            let shown = before
                .map_or_else(String::new, |(name, value)| format!("{name}={},…", quote(value)));
            let message = format!("{lost:?} is lost: a value with such characters needs quotes");
            let fix = format!("environment={shown} with each value in quotes");
            findings.push(scene.at_key("SL409", section, "environment", message).fix(fix));
        }
    }
    findings
}

fn priorities(scene: &Scene<'_>) -> Vec<Finding> {
    let is_written = |program: &&Program| {
        let section = scene.section(&program.section);
        program.kind != Kind::EventListener && section.is_some_and(|s| s.own("priority").is_some())
    };
    let written: Vec<_> = scene.read.programs().filter(is_written).collect();
    let Some(first) = written.first() else { return Vec::new() };
    let is_ordered = written.iter().any(|program| program.priority != first.priority);
    let message =
        "priorities order the starts, and none of them waits until another program is ready";
    let section = scene.section(&first.section).filter(|_| is_ordered);
    section.map(|section| scene.at_key("SL411", section, "priority", message)).into_iter().collect()
}
