//! SL307 to SL309 and SL311: what the command is, and whether its numbers fit.

use std::time::Duration;

use superlance_core::options::quantity::size;
use superlance_core::options::selector::{Names, Selector};
use superlance_core::options::units::parse_duration;
use superlance_memmon::Amount;

use super::Rule::{self, Each, Whole};
use crate::command::{Ours, Via};
use crate::finding::Finding;
use crate::scene::{Item, Scene};
use crate::severity::Severity;

pub(super) const RULES: &[Rule] =
    &[Each(of_python), Each(interpreter), Whole(slow_check), Whole(unreachable_limit)];

/// The first file in the path of a name of ours is a script of the Python package.
fn of_python(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let ours = item.ours()?;
    let path = item.variable(scene, "PATH");
    let file = scene.machine.find_command(&ours.program, path)?;
    let is_script = is_python(&scene.machine.text(&file)?);
    let message = format!("{} is the {} of the Python package", file.display(), ours.name());
    let finding = scene.at_key("SL308", item.section, "command", message);
    (is_script && ours.via == Via::Itself)
        .then(|| finding.fix(format!("command=superlance {} …", ours.name())))
}

fn is_python(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.starts_with("#!") && line.contains("python"))
        || text.starts_with("#!/bin/sh\n'''exec'")
}

fn interpreter(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let ours = item.ours()?;
    let words = item.command.words.as_ref()?.iter();
    let script = words.skip(1).find(|word| word.contains('/') && word.ends_with(ours.name()));
    // A program is no input for an interpreter.
    let is_program = script.is_some_and(|script| {
        let is_file = scene.machine.is_executable(script.as_ref());
        is_file && scene.machine.text(script.as_ref()).is_none()
    });
    let name = ours.name();
    let message = match is_program {
        true => format!("an interpreter cannot run {name}, which is a program"),
        false => format!("this runs the {name} of the Python package, and none of this suite"),
    };
    let finding = scene.at_key("SL311", item.section, "command", message);
    let severity = if is_program { Severity::Error } else { finding.severity };
    let fix = format!("command={name} …, without an interpreter");
    (ours.via == Via::Python).then(|| finding.severity(severity).fix(fix))
}

/// The shortest time between two ticks of a listener.
fn tick(item: Item<'_>) -> Option<Duration> {
    let seconds = |event: &String| match event.strip_prefix("TICK")?.strip_prefix('_') {
        None | Some("5") => Some(5),
        Some(number) => number.parse().ok(),
    };
    item.pool?.events.iter().filter_map(seconds).min().map(Duration::from_secs)
}

fn slow_check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours().filter(|(_, ours)| ours.name() == "httpok") {
        let Some(tick) = tick(item) else { continue };
        let given = ours.value("timeout");
        let timeout = given.as_deref().map_or(Ok(Duration::from_secs(10)), parse_duration);
        let Ok(timeout) = timeout else { continue };
        if timeout >= tick {
            let message = format!(
                "a check may take {} s and there is one every {} s, so ticks are left out while the \
                 URL does not answer",
                timeout.as_secs(),
                tick.as_secs()
            );
            let fix = format!("-t {}, or events=TICK_60", (tick.as_secs() / 2).max(1));
            findings.push(scene.at_key("SL307", item.section, "command", message).fix(fix));
        }
        if let Some((name, startsecs)) = slow_start(scene, ours, tick) {
            let message = format!(
                "{name} takes {startsecs} s to start and is checked every {} s, so it may be \
                 restarted before it is up",
                tick.as_secs()
            );
            findings
                .push(scene.at_key("SL307", item.section, "events", message).fix("events=TICK_60"));
        }
    }
    findings
}

/// A process that httpok restarts and that takes longer to start than a tick.
fn slow_start(scene: &Scene<'_>, ours: &Ours, tick: Duration) -> Option<(String, i64)> {
    let selectors: Vec<_> =
        ours.values("program").iter().filter_map(|name| Selector::parse(name).ok()).collect();
    let programs = scene.read.groups.iter().flat_map(|group| &group.programs);
    let slow = programs.filter(|program| {
        u64::try_from(program.startsecs).is_ok_and(|seconds| seconds >= tick.as_secs())
    });
    slow.flat_map(|program| program.processes.iter().map(move |process| (program, process)))
        .find(|(program, process)| {
            let names = Names { group: &program.group, process: &process.name };
            selectors.iter().any(|selector| selector.matches(names))
        })
        .map(|(program, process)| (process.name.clone(), program.startsecs))
}

fn unreachable_limit(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(memory) = scene.machine.memory() else { return Vec::new() };
    let mut findings = Vec::new();
    for (item, ours) in scene.ours().filter(|(_, ours)| ours.name() == "memmon") {
        for (long, option) in
            [("program", "-p"), ("group", "-g"), ("any", "-a"), ("total", "--total")]
        {
            for value in ours.values(long) {
                let amount = value.rsplit('=').next().unwrap_or(&value).parse::<Amount>();
                let bytes = amount.ok().and_then(|amount| amount.bytes(Some(memory)));
                if bytes.is_some_and(|bytes| bytes > memory) {
                    let message = format!(
                        "{option} {value} is never reached: there are {} of memory, and the kernel \
                         ends a process before",
                        size(memory)
                    );
                    let finding = scene.at_key("SL309", item.section, "command", message);
                    findings
                        .push(finding.fix(format!("{option} with less, or a part such as 40%%")));
                }
            }
        }
    }
    findings
}
