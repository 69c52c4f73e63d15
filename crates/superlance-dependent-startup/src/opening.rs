//! What is said at the start: the configuration, and what is wrong with it.

use superlance_core::listener::Ctx;
use superlance_core::system::log::About;

use crate::alerts;
use crate::fault::Fault;
use crate::graph::{Graph, Reading};
use crate::level::Level;
use crate::program::{Program, names};

pub(crate) fn say(reading: &Reading, file: &str, level: Level, ctx: &mut Ctx<'_>) {
    let starting = "supervisord-dependent-startup event listener starting...";
    level.say(Level::Info, ctx.log, starting);
    level.say(Level::Info, ctx.log, &format!("Reading supervisor config: {file}"));
    for (name, section, fault) in &reading.ignored {
        let text = fault.text(name, section);
        let text = match fault {
            Fault::States(_) => format!("Ignoring {text}"),
            _ => text,
        };
        level.say(Level::Warning, ctx.log, &text);
        if let Fault::Unknown(unknown) = fault {
            let text = format!("Removing dependency '{unknown}' from service {name}");
            level.say(Level::Warning, ctx.log, &text);
        }
    }
    for (at, program, faults) in reading.graph.faults() {
        misconfigured((at, program), &faults, &reading.graph, level, ctx);
    }
}

fn misconfigured(
    (at, program): (usize, &Program),
    faults: &[&Fault],
    graph: &Graph,
    level: Level,
    ctx: &mut Ctx<'_>,
) {
    let log = about(program, ctx);
    for fault in faults {
        let text = fault.text(&program.name, &program.section);
        let (least, text) = match (fault, &program.place) {
            (Fault::Cycle(_), _) => (Level::Error, text),
            (Fault::Autostart { .. }, Some(place)) => {
                let file = place.file.display();
                (Level::Warning, format!("Error when reading config '{file}': {text}"))
            }
            _ => (Level::Warning, text),
        };
        level.say(least, log, &text);
    }
    let is_autostart = |fault: &Fault| matches!(fault, Fault::Autostart { .. });
    let what = match program.faults.iter().any(is_autostart) {
        true => {
            let name = &program.name;
            level.say(Level::Warning, log, &format!("Disable handling service '{name}'"));
            "is started by supervisord itself, and waits for nothing"
        }
        false => "is not started until its keys in the configuration are right",
    };
    let sentence = format!("{} {what}", program.label());
    level.say(Level::Warning, log, &sentence);
    ctx.raise(alerts::misconfigured(at, program, &sentence, graph, ctx.now()));
}

/// The log, for messages about a program of one process.
pub(crate) fn about<'a>(program: &'a Program, ctx: &'a Ctx<'_>) -> About<'a> {
    match program.processes.as_slice() {
        [process] => {
            let (group, name) = names(process);
            ctx.log.about(group, name, None)
        }
        _ => ctx.log.into(),
    }
}
