//! The comparison with a supervisord that runs: SL109, SL206 and SL412.

use std::str::FromStr as _;

use litemap::LiteMap;
use nix::sys::signal::Signal;
use superlance_config::values::LogFile;
use superlance_config::{Group, Process, Program, Section};
use superlance_core::supervisor::deaf::{OWN_LOG, is_deaf};
use superlance_core::supervisor::rpc::RpcClient;
use superlance_core::supervisor::rpc::config_info::ConfigInfo;
use superlance_core::supervisor::{Channel, ProcessInfo, State, Supervisor as _};
use superlance_core::system::order;

use crate::finding::Finding;
use crate::report::Live;
use crate::scene::{Item, Scene};

/// What a supervisord says.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    configured: Vec<ConfigInfo>,
    processes: Vec<ProcessInfo>,
    /// The end of its own log.
    log: String,
    /// The last line of the log of listeners that do not run, by namespec.
    last_lines: LiteMap<String, String>,
}

/// Asks the supervisord whose server the configuration has.
pub(crate) fn ask(scene: &Scene<'_>) -> (Live, Answers) {
    let Some(server) = scene.read.server_for_processes() else {
        return (Live::Silent("it has no server to be asked at".to_owned()), Answers::default());
    };
    let (username, password) = server.credentials.clone().unwrap_or_default();
    let url = server.url();
    let answers = RpcClient::new(&url, &username, &password.into())
        .map_err(|error| error.to_string())
        .and_then(|mut client| answers(&mut client).map_err(|error| error.to_string()));
    match answers {
        Ok(answers) => (Live::Answered(url), answers),
        Err(why) => (Live::Silent(why), Answers::default()),
    }
}

fn answers(client: &mut RpcClient) -> Result<Answers, superlance_core::supervisor::RpcError> {
    let (configured, processes) = (client.config_info()?, client.all()?);
    // supervisord may have no log that can be read.
    let log = client.own_log(OWN_LOG).map(|end| end.text).unwrap_or_default();
    let mut last_lines = LiteMap::new();
    for process in processes.iter().filter(|process| is_down(process.state)) {
        let namespec = process.namespec();
        let end = client.tail(&namespec, Channel::Stderr, 2048).unwrap_or_default();
        let lines = end.text.lines().rev();
        if let Some(line) = lines.map(str::trim).find(|line| !line.is_empty()) {
            last_lines.insert(namespec, line.to_owned());
        }
    }
    Ok(Answers { configured, processes, log, last_lines })
}

fn is_down(state: State) -> bool {
    matches!(state, State::Fatal | State::Backoff | State::Unknown)
}

/// What the answers say of the configuration.
pub(crate) fn findings(scene: &Scene<'_>, live: &Live, answers: &Answers) -> Vec<Finding> {
    match live {
        Live::NotAsked => Vec::new(),
        Live::Silent(why) => vec![scene.at_file("SL109", why.clone())],
        Live::Answered(_) => {
            let mut findings = listeners(scene, answers);
            findings.extend(differences(scene, answers));
            findings.extend(removed(scene, answers));
            findings
        }
    }
}

fn listeners(scene: &Scene<'_>, answers: &Answers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in scene.items().filter(Item::is_listener) {
        for process in &item.program.processes {
            let is_it =
                |info: &&ProcessInfo| info.group == item.program.group && info.name == process.name;
            let Some(info) = answers.processes.iter().find(is_it) else { continue };
            let message = if is_down(info.state) {
                let line = answers.last_lines.get(&info.namespec());
                let line = line.map_or_else(String::new, |line| format!("; its log ends: {line}"));
                format!("{} is {}{line}", info.short_name(), info.state.name())
            } else if is_deaf(&answers.log, &process.name) {
                format!(
                    "{} runs and gets no events any more: supervisord took something on its standard \
                     output for a wrong answer",
                    info.short_name()
                )
            } else {
                continue;
            };
            let fix = format!("supervisorctl tail {} stderr", info.short_name());
            findings.push(scene.at_section("SL206", item.section, message).fix(fix));
        }
    }
    findings
}

fn differences(scene: &Scene<'_>, answers: &Answers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in scene.items().filter(|item| !item.is_guess()) {
        if let Some((message, fix)) = difference(scene, item, answers) {
            findings.push(scene.at_section("SL412", item.section, message).fix(fix));
        }
    }
    findings
}

const BOTH: &str = "supervisorctl reread, and then supervisorctl update";

fn difference(
    scene: &Scene<'_>,
    item: Item<'_>,
    answers: &Answers,
) -> Option<(String, &'static str)> {
    let mut differing: Vec<&str> = Vec::new();
    for process in &item.program.processes {
        let is_it = |it: &&ConfigInfo| it.group == item.program.group && it.name == process.name;
        let Some(theirs) = answers.configured.iter().find(is_it) else {
            return Some(("supervisord has not read this section yet".to_owned(), BOTH));
        };
        if theirs.values.get("inuse").is_some_and(|inuse| inuse == "False") {
            let message = "supervisord has read this section and not started it".to_owned();
            return Some((message, "supervisorctl update"));
        }
        let ours = values(scene, item, process).into_iter();
        // supervisord may have been started with other variables.
        let is_certain = |(rpc, _): &(&'static str, String)| {
            let text = scene.text(&item.section.name, key_of(rpc)).unwrap_or_default();
            !text.contains("%(ENV_")
        };
        let ours: Vec<_> = ours.filter(is_certain).collect();
        let differs = |(key, value): &&(&'static str, String)| {
            theirs.values.get(*key).is_some_and(|theirs| theirs != value)
        };
        differing.extend(ours.iter().filter(differs).map(|(rpc, _)| key_of(rpc)));
    }
    order::sort(&mut differing);
    differing.dedup();
    let message = format!("supervisord has other values: {}", differing.join(", "));
    (!differing.is_empty()).then_some((message, BOTH))
}

/// The key of a value that `getAllConfigInfo` calls by another name.
fn key_of(rpc: &'static str) -> &'static str {
    match rpc {
        "process_prio" | "group_prio" => "priority",
        "uid" => "user",
        key => key,
    }
}

/// The values of a process as `getAllConfigInfo` tells them.
fn values(scene: &Scene<'_>, item: Item<'_>, process: &Process) -> Vec<(&'static str, String)> {
    let program: &Program = item.program;
    let boolean = |value: bool| if value { "True" } else { "False" }.to_owned();
    let number = |value: i64| value.to_string();
    let none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let signal = Signal::from_str(&format!("SIG{}", program.stopsignal)).map(|s| s as i32);
    let mut values = vec![
        ("autostart", boolean(program.autostart)),
        ("directory", none(&process.directory)),
        ("command", process.command.clone()),
        ("exitcodes", format!("{:?}", program.exitcodes)),
        ("killasgroup", boolean(program.killasgroup)),
        ("process_prio", number(program.priority)),
        ("redirect_stderr", boolean(program.redirect_stderr)),
        ("startretries", number(program.startretries)),
        ("startsecs", number(program.startsecs)),
        ("stopwaitsecs", number(program.stopwaitsecs)),
        ("serverurl", none(&program.serverurl)),
        ("stdout_capture_maxbytes", number(program.capture_maxbytes[0])),
        ("stderr_capture_maxbytes", number(program.capture_maxbytes[1])),
        ("stdout_events_enabled", boolean(program.events_enabled[0])),
        ("stderr_events_enabled", boolean(program.events_enabled[1])),
        ("stdout_logfile_maxbytes", number(process.stdout.maxbytes)),
        ("stderr_logfile_maxbytes", number(process.stderr.maxbytes)),
        ("stdout_logfile_backups", number(process.stdout.backups)),
        ("stderr_logfile_backups", number(process.stderr.backups)),
        ("stdout_syslog", boolean(process.stdout.syslog || process.stdout.file == LogFile::Syslog)),
        ("stderr_syslog", boolean(process.stderr.syslog || process.stderr.file == LogFile::Syslog)),
    ];
    values.extend(signal.ok().map(|signal| ("stopsignal", signal.to_string())));
    for (key, output) in [("stdout_logfile", &process.stdout), ("stderr_logfile", &process.stderr)]
    {
        match &output.file {
            // supervisord tells the path that it has chosen.
            LogFile::Auto => {}
            LogFile::None | LogFile::Syslog => values.push((key, "none".to_owned())),
            LogFile::Path(path) => values.push((key, path.clone())),
        }
    }
    let user = program.user.as_deref().map_or(Some("none".to_owned()), |user| {
        scene.machine.user_id(user).map(|id| id.to_string())
    });
    values.extend(user.map(|user| ("uid", user)));
    values.extend(group_priority(scene, item).map(|priority| ("group_prio", number(priority))));
    values
}

fn group_priority(scene: &Scene<'_>, item: Item<'_>) -> Option<i64> {
    if let Some(pool) = item.pool {
        return Some(pool.priority);
    }
    let is_it = |group: &&Group| group.name == item.program.group;
    scene.read.groups.iter().find(is_it).map(|group| group.priority)
}

/// What runs and is in the file no more.
fn removed(scene: &Scene<'_>, answers: &Answers) -> Vec<Finding> {
    let is_known = |theirs: &&ConfigInfo| {
        scene.items().any(|item| {
            let mut processes = item.program.processes.iter();
            item.program.group == theirs.group
                && processes.any(|process| process.name == theirs.name)
        })
    };
    let is_of_a_section = |group: &str| {
        let names =
            |section: &Section| section.name.split_once(':').map(|(_, name)| name.to_owned());
        scene.loaded.configuration.sections().iter().any(|s| names(s).is_some_and(|n| n == group))
    };
    let gone = answers.configured.iter().filter(|theirs| !is_known(theirs));
    // Where the number of processes has changed, the section says it.
    let mut groups: Vec<_> =
        gone.map(|theirs| &theirs.group).filter(|group| !is_of_a_section(group)).collect();
    order::sort(&mut groups);
    groups.dedup();
    let message = |group| format!("supervisord has {group}, which is not in the file any more");
    groups.into_iter().map(|group| scene.at_file("SL412", message(group)).fix(BOTH)).collect()
}
