//! SL302 to SL304 and SL312 to SL314: command lines as their tools read them.

use superlance_config::Section;
use superlance_memmon::Amount;

use super::Rule::{self, Each, Whole};
use crate::command::Ours;
use crate::command::words::split;
use crate::finding::Finding;
use crate::scene::{Item, Scene};

pub(super) const RULES: &[Rule] = &[
    Whole(refused),
    Whole(nameless_percent),
    Each(cut_off),
    Whole(without_unit),
    Whole(placeholders),
];

/// What the tool itself says of its command line.
fn refused(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours().filter(|(item, ours)| !item.is_guess() && !ours.is_partial) {
        let finding = |code, message| scene.at_key(code, item.section, "command", message);
        let name = ours.name();
        match &ours.parsed {
            Err(_) if is_cut(scene, item) => {}
            Err(said) => findings.push(match of_fork(ours) {
                Some((option, instead)) => {
                    let message = format!("{name} has no option {option}; a fork of it has");
                    finding("SL314", message).fix(instead)
                }
                None => finding("SL302", format!("{name} refuses its command line: {said}")),
            }),
            Ok(_) => {
                let stray = ours.positional("stray");
                if let Some(first) = stray.first() {
                    let message = format!("{name} ignores {first:?} and all that comes after it");
                    findings.push(finding("SL302", message));
                }
                let urls = ours.positional("urls");
                let has_other = ["exec", "url"].iter().any(|long| ours.value(long).is_some());
                if name == "httpok" && !(has_other && urls.is_empty()) && urls.len() != 1 {
                    let message = match urls.get(1) {
                        None => "httpok needs a URL".to_owned(),
                        Some(word) => format!("httpok takes one URL, and no {word:?} after it"),
                    };
                    findings.push(finding("SL302", message).fix("the URL as the last word"));
                }
            }
        }
    }
    findings
}

/// Options of forks of superlance, and what ours has in their place.
const FORKS: &[(&str, &[&str], &str, &str)] = &[
    ("httpok", &["-r", "--restart-threshold"], "for", "--for N, failed checks in a row"),
    ("httpok", &["-G", "--grace-period"], "grace", "--grace TIME"),
    ("httpok", &["-o", "--grace-count"], "grace", "--grace TIME"),
    ("httpok", &["-D"], "dry-run", "--dry-run"),
    ("httpok", &["-x", "--external-script"], "before", "--before COMMAND"),
    ("httpok", &["-B", "--forbidden-body"], "forbid", "--forbid TEXT"),
    ("crashmail", &["-t"], "email", "-m ADDRESS"),
    ("crashmail", &["-f"], "from", "--from ADDRESS, with --smtp-url"),
    ("crashmail", &["-e", "--environment"], "optionalheader", "-o TEXT"),
];

/// An option of a fork that is given, and what to write instead.
fn of_fork(ours: &Ours) -> Option<(&str, &'static str)> {
    ours.arguments.iter().find_map(|word| {
        let option = word.split('=').next().unwrap_or(word);
        let row = FORKS.iter().find(|(name, options, long, _)| {
            *name == ours.name() && options.contains(&option) && ours.knows(long)
        })?;
        Some((option, row.3))
    })
}

/// `%s` without a name is replaced by a dictionary, which is not refused.
fn nameless_percent(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in scene.loaded.configuration.sections() {
        let is_refused = |key: &str| {
            let mut refusals = scene.read.refusals.iter();
            refusals.any(|refusal| {
                refusal.section.as_deref() == Some(&section.name)
                    && refusal.key.as_deref() == Some(key)
            })
        };
        for (key, value) in section.values() {
            if is_expanded(section, key) && has_nameless(&value.text) && !is_refused(key) {
                let message = format!(
                    "the % in {key}= is replaced by a list of all names that supervisord knows"
                );
                findings.push(scene.at_key("SL303", section, key, message).fix("%% for %"));
            }
        }
    }
    findings
}

/// Keys that supervisord reads.
fn is_expanded(section: &Section, key: &str) -> bool {
    crate::known::keys(&section.name).is_some_and(|keys| keys.contains(&key))
}

fn has_nameless(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let end = after.trim_start_matches(|c: char| "#0- +.".contains(c) || c.is_ascii_digit());
        if end.starts_with(['s', 'r', 'a']) {
            return true;
        }
        rest = after.strip_prefix('%').unwrap_or(after);
    }
    false
}

fn cut_off(scene: &Scene<'_>, item: Item<'_>) -> Option<Finding> {
    let value = item.section.own("command")?;
    let cut = value.comment.as_ref().filter(|_| is_cut(scene, item))?;
    let message = format!("the rest of the command is a comment: {cut}");
    let fix = "no blank before ; and #, or the command in a script";
    Some(scene.at_key("SL304", item.section, "command", message).fix(fix))
}

/// Whether a comment leaves a quote open, or an option without its value.
fn is_cut(scene: &Scene<'_>, item: Item<'_>) -> bool {
    let value = scene.loaded.configuration.get(&item.section.name, "command");
    let has_comment = value.is_some_and(|value| value.comment.is_some());
    let is_open = || value.is_some_and(|value| split(&value.text).is_none());
    let lacks_value = || {
        let said = item.ours().and_then(|ours| ours.parsed.as_ref().err());
        said.is_some_and(|said| said.contains("a value is required"))
    };
    has_comment && (is_open() || lacks_value())
}

fn without_unit(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours().filter(|(_, ours)| ours.name() == "memmon") {
        for (long, option) in
            [("program", "-p"), ("group", "-g"), ("any", "-a"), ("total", "--total")]
        {
            for value in ours.values(long) {
                let amount = value.rsplit('=').next().unwrap_or(&value);
                if let Ok(Amount::Bare(bytes @ 1..0x10_0000)) = amount.parse() {
                    let message = format!(
                        "{option} {value} is {bytes} bytes, and every process uses more; it would be \
                         restarted with every tick"
                    );
                    let fix = format!("{option} {value}MB");
                    findings.push(scene.at_key("SL312", item.section, "command", message).fix(fix));
                }
            }
        }
    }
    findings
}

fn placeholders(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours() {
        // A pattern may have angle brackets, a placeholder has them around words.
        if let Some(word) = ours.arguments.iter().find(|word| is_placeholder(word)) {
            let message = format!("{word} is still to be filled in");
            findings.push(scene.at_key("SL313", item.section, "command", message));
        }
    }
    findings
}

fn is_placeholder(word: &str) -> bool {
    let inside = word.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let is_bracketed = inside.is_some_and(|(name, _)| {
        let is_name = |c: char| c.is_alphanumeric() || " _-.@".contains(c);
        !word.starts_with('~') && !name.is_empty() && name.chars().all(is_name)
    });
    let lower = word.to_lowercase();
    let known = ["your@", "your_", "your-", "@your", "changeme", "change_me", "xxx@"];
    is_bracketed || known.iter().any(|known| lower.contains(known))
}
