//! SL5xx: supervisord in a container.

use std::path::Path;

use super::Rule::{self, Each, Whole};
use crate::command::SHELLS;
use crate::finding::Finding;
use crate::scene::{Item, Scene};

pub(super) const RULES: &[Rule] =
    &[Whole(many_groups), Each(long_stops), Each(killer), Whole(daemonizes), Whole(behind_a_shell)];

/// The number of groups from which on stopping takes most of the time that docker gives.
const MANY: usize = 8;

/// The seconds after which `docker stop` kills.
const GRACE: i64 = 10;

fn many_groups(scene: &Scene<'_>) -> Vec<Finding> {
    let groups = scene.read.groups.len() + scene.read.listeners.len();
    let message = format!(
        "supervisord stops its {groups} groups one after the other, up to a second for each, and docker \
         kills after {GRACE} s"
    );
    // It has them stopped together.
    let is_behind_run = scene.machine.init().as_deref() == Some("superlance");
    let is_finding = scene.is_container && groups >= MANY && !is_behind_run;
    let fix = "superlance run -- supervisord …, or stop_grace_period: 60s";
    is_finding.then(|| scene.at_file("SL501", message).fix(fix)).into_iter().collect()
}

fn long_stops(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let seconds = item.program.stopwaitsecs;
    let message = format!(
        "the program has {seconds} s to stop, and docker kills the container after {GRACE} s unless \
         told otherwise"
    );
    (scene.is_container && seconds > GRACE).then(|| {
        let finding = scene.at_key("SL502", item.section, "stopwaitsecs", message);
        finding.fix(format!("stop_grace_period: {}s", seconds + GRACE))
    })
}

/// Words in a script that ends supervisord.
const KILLS: [&str; 5] = ["os.getppid()", "$PPID", "supervisord.pid", "kill 1", "kill -15 1"];

fn killer(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    if !scene.is_container || !item.is_listener() || item.ours().is_some() {
        return None;
    }
    let text = script(scene, item)?;
    let kills = text.contains("kill") && KILLS.iter().any(|words| text.contains(words));
    let fault = match text.contains("READY") {
        true if !text.contains("RESULT") => "it never answers, so it sees one event at most",
        true => "the exit status of the program is lost, and docker sees 0",
        false => "it does not speak the event protocol",
    };
    let message = format!("this listener ends supervisord: {fault}");
    kills.then(|| {
        let finding = scene.at_key("SL503", item.section, "command", message);
        finding.fix("command=exitmon, with events=PROCESS_STATE_EXITED,PROCESS_STATE_FATAL")
    })
}

/// The script of a listener: in its command, or the first file that it names.
fn script(scene: &Scene<'_>, item: Item<'_>) -> Option<String> {
    let words = item.command.words.as_ref()?;
    let is_inline =
        words.iter().any(|word| word == "-c" || word.ends_with("c") && word.starts_with('-'));
    if is_inline {
        return Some(words.join(" "));
    }
    let path = item.program.processes.first()?.environment.get("PATH").map(String::as_str);
    let program = words.first().and_then(|word| scene.machine.find_command(word, path));
    let named = words.iter().skip(1).map(Path::new).map(Path::to_path_buf);
    program.into_iter().chain(named).find_map(|file| scene.machine.text(&file))
}

fn daemonizes(scene: &Scene<'_>) -> Vec<Finding> {
    let section =
        scene.section("supervisord").filter(|_| scene.is_container && !scene.read.nodaemon);
    let message = "without nodaemon=true, supervisord goes into the background and the container ends, \
                   unless it is started with -n";
    let finding = |section| scene.at_section("SL504", section, message).fix("nodaemon=true");
    section.map(finding).into_iter().collect()
}

/// Where this is the container itself, and its process 1 a shell.
fn behind_a_shell(scene: &Scene<'_>) -> Vec<Finding> {
    let init = scene.machine.init().filter(|name| SHELLS.contains(&name.as_str()));
    let finding = |name: String| {
        let message = format!(
            "process 1 is {name}, which hands no signal on: docker stop does not reach supervisord"
        );
        scene.at_file("SL504", message).fix("exec supervisord … at the end of the script")
    };
    init.filter(|_| scene.machine.is_container()).map(finding).into_iter().collect()
}
