//! SL2xx: event listeners.

use superlance_config::{Kind, Pool, events};

use super::Rule::{self, Each, Whole};
use crate::command::words::{Segment, base_name};
use crate::command::{Ours, without_wrappers};
use crate::finding::Finding;
use crate::scene::{Item, Scene};

pub(super) const RULES: &[Rule] = &[
    Each(missing_events),
    Each(needless_events),
    Each(short_queue),
    Each(printing),
    Whole(not_again),
    Each(stdout_log),
    Each(several),
    Whole(as_program),
    Whole(the_same),
];

/// What one of ours needs of its section.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Whether it asks supervisord.
    pub(crate) asks: bool,
    /// Events that it cannot do without, each by a name that covers what is enough.
    pub(crate) events: Vec<String>,
}

/// What a command line needs.
pub(crate) fn needs(ours: &Ours) -> Needs {
    let states = |default: &str| {
        let words = ours.value("on").unwrap_or_else(|| default.to_owned());
        let state = |word: &str| match word.trim().to_uppercase().as_str() {
            "EXPECTED" => "PROCESS_STATE_EXITED".to_owned(),
            state => format!("PROCESS_STATE_{state}"),
        };
        let mut states: Vec<_> = words.split(',').map(state).collect();
        states.dedup();
        states
    };
    let with_tick = |mut events: Vec<String>| {
        let tick = ours.value("tickEvent").unwrap_or_else(|| "TICK_60".to_owned());
        events.push(tick.trim().to_uppercase());
        events
    };
    let asks = ours.has("recovery") || !ours.values("tail").is_empty();
    match ours.name() {
        "memmon" | "httpok" => Needs { asks: true, events: vec!["TICK".to_owned()] },
        "crashmail" => Needs { asks, events: states("exited") },
        "crashmailbatch" | "crashsms" => Needs { asks, events: with_tick(states("exited")) },
        "dependent-startup" => Needs { asks: true, events: vec!["PROCESS_STATE".to_owned()] },
        "exitmon" => exitmon(ours, states("fatal,exited")),
        "fatalmailbatch" => Needs { asks, events: with_tick(states("fatal")) },
        _ => Needs { asks: true, events: Vec::new() },
    }
}

/// With `--when all` its `--on` does not apply. Without supervisord's answers only FATAL counts.
fn exitmon(ours: &Ours, on: Vec<String>) -> Needs {
    let plain = ["PROCESS_STATE_FATAL", "PROCESS_STATE_EXITED"].map(str::to_owned);
    let is_job = ours.value("when").is_some_and(|when| when == "all");
    let is_plain = on.contains(&plain[0]) && on.iter().all(|event| plain.contains(event));
    let needs_ticks =
        ["listeners", "heartbeat", "heartbeat-fail"].iter().any(|option| ours.has(option));
    let asks = is_job || needs_ticks || ours.has("max-exits") || !is_plain;
    let mut events = if is_job { plain.to_vec() } else { on };
    events.extend(needs_ticks.then(|| "TICK".to_owned()));
    Needs { asks, events }
}

/// Whether `events=` has what is needed: any tick stands for "TICK".
fn has(pool: &Pool, needed: &str) -> bool {
    pool.events
        .iter()
        .any(|asked| events::covers(asked, needed) || needed == "TICK" && asked.starts_with("TICK"))
}

/// A listener that runs one of ours, with what that needs.
fn wants(item: Item<'_>) -> Option<(&Pool, Needs)> {
    let ours = item.ours().filter(|ours| ours.parsed.is_ok())?;
    Some((item.pool.filter(|pool| !pool.events.is_empty())?, needs(ours)))
}

fn missing_events(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let (pool, needs) = wants(item)?;
    let missing: Vec<_> =
        needs.events.iter().filter(|needed| !has(pool, needed)).map(String::as_str).collect();
    let name = item.ours()?.name();
    let shown: Vec<_> =
        missing.iter().map(|event| if *event == "TICK" { "a TICK" } else { event }).collect();
    let shown = shown.join(" and ");
    // One state suffices for something; only the batch tools need a tick as well.
    let is_state = |event: &str| event.starts_with("PROCESS_STATE");
    let sees = needs.events.iter().any(|needed| is_state(needed) && has(pool, needed));
    let is_enough = sees && (name == "exitmon" || missing.iter().all(|event| is_state(event)));
    let is = if missing.len() == 1 { "is" } else { "are" };
    let message = match is_enough {
        true => format!("{name} is to act on {shown}, which {is} not among its events"),
        false => format!("{name} never does anything without {shown} among its events"),
    };
    let complete: Vec<_> = needs.events.iter().map(|event| written(event)).collect();
    let fix = format!("events={}", complete.join(","));
    (!missing.is_empty()).then(|| scene.at_key("SL201", item.section, "events", message).fix(fix))
}

fn written(event: &str) -> String {
    if event == "TICK" { "TICK_60".to_owned() } else { event.to_owned() }
}

fn needless_events(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let (pool, needs) = wants(item)?;
    let is_needless = |asked: &&String| {
        let covered = needs.events.iter().filter(|needed| events::covers(asked, needed)).count();
        match asked.as_str() {
            "EVENT" => true,
            "PROCESS_STATE" => covered < 4 && !needs.events.contains(asked),
            _ => {
                covered == 0
                    && (asked.starts_with("PROCESS_LOG")
                        || asked.starts_with("PROCESS_COMMUNICATION"))
            }
        }
    };
    let needless: Vec<_> = pool.events.iter().filter(is_needless).map(String::as_str).collect();
    let name = item.ours()?.name();
    let message = format!(
        "{name} needs no more than {} and gets all of {}, which fills its queue",
        needs.events.join(" and "),
        needless.join(" and ")
    );
    let complete: Vec<_> = needs.events.iter().map(|event| written(event)).collect();
    let fix = format!("events={}", complete.join(","));
    let is_finding = !needless.is_empty() && !needs.events.is_empty();
    is_finding.then(|| scene.at_key("SL202", item.section, "events", message).fix(fix))
}

fn short_queue(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let pool = item.pool.filter(|pool| pool.buffer_size > 0)?;
    let others = scene.process_count(|program| program.section != item.section.name);
    let is_wide = pool.events.iter().any(|event| event == "EVENT" || event == "PROCESS_STATE");
    let is_narrow = pool.events.iter().any(|event| event.starts_with("PROCESS_STATE_"));
    // Each start is told as STARTING and as RUNNING.
    let at_once = match (is_wide, is_narrow) {
        (true, _) => 2 * others,
        (false, true) => others,
        (false, false) => 0,
    };
    let size = usize::try_from(pool.buffer_size).unwrap_or(usize::MAX);
    let enough = (4 * others).next_power_of_two().max(256);
    let message = format!(
        "{others} processes may cause {at_once} events at one moment, and {size} are kept: the \
         others are lost"
    );
    (at_once > size).then(|| {
        let finding = scene.at_key("SL204", item.section, "buffer_size", message);
        finding.fix(format!("buffer_size={enough}"))
    })
}

/// Commands that print, unless they are told not to.
const PRINTERS: [&str; 10] =
    ["echo", "printf", "date", "env", "printenv", "cat", "pwd", "ls", "id", "hostname"];

fn prints(segment: &Segment) -> bool {
    let words = without_wrappers(&segment.words);
    let Some(program) = words.first().map(|word| base_name(word)) else {
        // `env` alone.
        return segment.words.first().is_some_and(|word| base_name(word) == "env");
    };
    let is_redirected = words
        .iter()
        .any(|word| word.starts_with('>') || word.starts_with("1>") || word.starts_with("&>"));
    PRINTERS.contains(&program) && !is_redirected && segment.end != "|"
}

fn printing(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    // Another listener may speak the protocol with these commands.
    let ours = item.ours().filter(|_| item.is_listener())?;
    let command = item.command;
    let script = if command.script.is_empty() { &command.wrapper } else { &command.script };
    let what = if let Some(segment) = script.iter().find(|segment| prints(segment)) {
        format!("{:?} prints", segment.words.join(" "))
    } else {
        let own = script.iter().find(|segment| segment.words.contains(&ours.program))?;
        match own.words.iter().any(|word| word == "2>&1") {
            _ if own.end == "|" => "the output goes through a pipe".to_owned(),
            true => "2>&1 puts the log".to_owned(),
            false => return None,
        }
    };
    let message = format!(
        "{what} into the standard output of the listener, which supervisord takes for an answer; \
         then it sends no event again (state UNKNOWN)"
    );
    let fix = "command= with nothing but the listener, or >&2 behind what prints";
    Some(scene.at_key("SL205", item.section, "command", message).fix(fix))
}

fn not_again(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours().filter(|(item, _)| item.is_listener()) {
        let written = |key: &str| item.section.own(key).map(|value| value.text.to_lowercase());
        let restart = written("autorestart");
        let never = ["false", "no", "off", "0", "unexpected"];
        let key = match (&restart, written("startretries").as_deref()) {
            (Some(value), _) if never.contains(&value.as_str()) => "autorestart",
            (_, Some("0")) => "startretries",
            _ => continue,
        };
        let fix = if key == "autorestart" { "autorestart=true" } else { "startretries=3" };
        let value = written(key).unwrap_or_default();
        let message = format!(
            "with {key}={value}, {} may stay ended, and nothing watches the others any more",
            ours.name()
        );
        findings.push(scene.at_key("SL207", item.section, key, message).fix(fix));
    }
    findings
}

fn stdout_log(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let written = item.section.own("stdout_logfile").filter(|_| item.is_listener())?;
    let is_none = ["none", "off"].contains(&written.text.to_lowercase().as_str());
    let message = "standard output of a listener is the event protocol; its log is stderr_logfile=";
    (!is_none).then(|| {
        let finding = scene.at_key("SL208", item.section, "stdout_logfile", message);
        finding.fix("stdout_logfile=NONE, and stderr_logfile= with a path")
    })
}

fn several(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let is_pool = item.is_listener() && item.program.numprocs > 1;
    let message = format!(
        "each event goes to one of the {} processes only, the first that is ready, so the others \
         rarely see one",
        item.program.numprocs
    );
    is_pool.then(|| {
        let finding = scene.at_key("SL209", item.section, "numprocs", message);
        finding.fix("numprocs=1; for other options a section of its own")
    })
}

fn as_program(scene: &Scene<'_>) -> Vec<Finding> {
    let programs = scene.ours().filter(|(item, _)| item.program.kind != Kind::EventListener);
    programs
        .map(|(item, ours)| {
            let message = format!("{} gets events in an [eventlistener:x] only", ours.name());
            let events: Vec<_> = needs(ours).events.iter().map(|event| written(event)).collect();
            let fix =
                format!("[eventlistener:{}] with events={}", item.program.name, events.join(","));
            scene.at_section("SL210", item.section, message).fix(fix)
        })
        .collect()
}

/// Two sections with the same command line, or two that watch everything for memory.
fn the_same(scene: &Scene<'_>) -> Vec<Finding> {
    let listeners: Vec<_> = scene.ours().filter(|(item, _)| item.is_listener()).collect();
    let mut findings = Vec::new();
    for (index, (item, ours)) in listeners.iter().enumerate() {
        let earlier = listeners.get(..index).unwrap_or_default();
        let is_same = |(_, other): &&(Item<'_>, &Ours)| {
            let both_watch = |long| ours.value(long).is_some() && other.value(long).is_some();
            let is_memmon = ours.name() == "memmon" && both_watch("any");
            other.name() == ours.name() && (other.arguments == ours.arguments || is_memmon)
        };
        if let Some((other, _)) = earlier.iter().find(is_same) {
            let message = format!(
                "[{}] runs {} for the same processes, so everything happens twice",
                other.section.name,
                ours.name()
            );
            findings.push(scene.at_section("SL211", item.section, message));
        }
    }
    findings
}
