//! The words of `dependent_startup_wait_for`. Pure.

use superlance_core::protocol::state::State;

use crate::condition::{Condition, HEALTHY, STATES};
use crate::fault::Fault;
use crate::program::Program;

/// What a word says, as far as that is known, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) condition: Option<Condition>,
    pub(crate) fault: Option<Fault>,
}

/// Reads a word. What is behind the last colon is a list of states if each word of it is one.
pub(crate) fn read(word: &str, programs: &[Program]) -> Read {
    let unknown = |name: &str| Read { condition: None, fault: Some(Fault::Unknown(name.into())) };
    let whole = condition(word, &[State::Running.name()], programs);
    let Some((target, list)) = word.rsplit_once(':') else {
        return whole.map_or_else(|| unknown(word), Read::good);
    };
    let (good, bad): (Vec<_>, Vec<_>) = list.split(',').partition(|word| is_wanted(word));
    match (whole.filter(|_| !bad.is_empty()), condition(target, &good, programs)) {
        (Some(process), _) => Read::good(process),
        (None, None) => unknown(if bad.is_empty() { target } else { word }),
        (None, Some(condition)) => {
            let bad: Vec<_> = bad.iter().map(|word| word.to_uppercase()).collect();
            let states = (!bad.is_empty()).then_some(Fault::States(bad));
            let fault = states.or_else(|| check_of(&condition, programs).err());
            Read { condition: Some(condition), fault }
        }
    }
}

impl Read {
    fn good(condition: Condition) -> Self {
        Self { condition: Some(condition), fault: None }
    }
}

fn condition(target: &str, wanted: &[&str], programs: &[Program]) -> Option<Condition> {
    let (parents, processes) = find(target, programs)?;
    let states = wanted.iter().copied().filter_map(state).collect();
    let healthy = wanted.iter().any(|word| is_healthy(word));
    Some(Condition { target: target.to_owned(), states, healthy, processes, parents })
}

fn is_wanted(word: &str) -> bool {
    is_healthy(word) || state(word).is_some()
}

fn is_healthy(word: &str) -> bool {
    word.eq_ignore_ascii_case(HEALTHY)
}

fn state(word: &str) -> Option<State> {
    State::from_name(&word.to_uppercase()).filter(|state| STATES.contains(state))
}

/// Each program of which health is waited for must have a check.
fn check_of(condition: &Condition, programs: &[Program]) -> Result<(), Fault> {
    let parents = condition.parents.iter().filter(|_| condition.healthy);
    parents.filter_map(|at| programs.get(*at)).try_for_each(|parent| {
        let wrong = match &parent.check {
            Some(Ok(_)) => return Ok(()),
            Some(Err(reason)) => Some(reason.clone()),
            None => None,
        };
        Err(Fault::Check { parent: parent.section.clone(), wrong })
    })
}

/// The programs and processes that a name stands for, if there are any.
fn find(name: &str, programs: &[Program]) -> Option<(Vec<usize>, Vec<String>)> {
    let all = programs.iter().enumerate();
    let found: Vec<(usize, Vec<String>)> = match name.split_once(':') {
        None => {
            let named = all.filter(|(_, program)| program.name == name).take(1);
            named.map(|(at, program)| (at, program.processes.clone())).collect()
        }
        Some((group, "*")) => {
            let members = all.filter(|(_, program)| program.group == group);
            members.map(|(at, program)| (at, program.processes.clone())).collect()
        }
        Some(_) => {
            let with = all.filter(|(_, program)| program.processes.iter().any(|p| p == name));
            with.map(|(at, _)| (at, vec![name.to_owned()])).take(1).collect()
        }
    };
    let (parents, processes): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    (!parents.is_empty()).then(|| (parents, processes.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs() -> Vec<Program> {
        [
            ("a", "a", &["a:a"][..]),
            ("web", "web", &["web:web_00", "web:web_01"]),
            ("one", "grp", &["grp:one"]),
            ("running", "grp", &["grp:running"]),
        ]
        .map(|(name, group, processes)| Program {
            name: name.to_owned(),
            group: group.to_owned(),
            processes: processes.iter().map(ToString::to_string).collect(),
            ..Program::default()
        })
        .to_vec()
    }

    #[test]
    fn words_and_what_they_say() {
        let cases: [(&str, &str, &str); 11] = [
            ("a", "a:a", "RUNNING"),
            ("a:exited", "a:a", "EXITED"),
            ("a:Exited,FATAL", "a:a", "EXITED FATAL"),
            ("web:starting", "web:web_00 web:web_01", "STARTING"),
            ("web:web_01", "web:web_01", "RUNNING"),
            ("web:web_01:backoff", "web:web_01", "BACKOFF"),
            ("grp:*", "grp:one grp:running", "RUNNING"),
            ("grp:*:stopping", "grp:one grp:running", "STOPPING"),
            ("grp:one:running,fatal", "grp:one", "RUNNING FATAL"),
            ("grp:running:running", "grp:running", "RUNNING"),
            ("running:running", "grp:running", "RUNNING"),
        ];
        for (word, processes, states) in cases {
            let Read { condition, fault } = read(word, &programs());
            let condition = condition.unwrap();
            assert_eq!(fault, None, "{word}");
            assert_eq!(condition.processes.join(" "), processes, "{word}");
            assert_eq!(condition.wanted(" "), states, "{word}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_what_is_good_is_kept() {
        let unknown = |name: &str| Some(Fault::Unknown(name.to_owned()));
        let states =
            |names: &[&str]| Some(Fault::States(names.iter().map(ToString::to_string).collect()));
        for (word, fault, kept) in [
            ("b", unknown("b"), None),
            ("b:running", unknown("b"), None),
            ("b:runing", unknown("b:runing"), None),
            ("grp", unknown("grp"), None),
            // It is a state, so it is no process of the group.
            ("grp:running", unknown("grp"), None),
            ("other:*", unknown("other:*"), None),
            ("web:web_02", states(&["WEB_02"]), Some("")),
            ("a:runing", states(&["RUNING"]), Some("")),
            ("a:stopped", states(&["STOPPED"]), Some("")),
            ("a:exited,fatl,unknown", states(&["FATL", "UNKNOWN"]), Some("EXITED")),
            ("a:", states(&[""]), Some("")),
        ] {
            let read = read(word, &programs());
            assert_eq!(read.fault, fault, "{word}");
            let kept_states = read.condition.map(|condition| condition.wanted(" "));
            assert_eq!(kept_states.as_deref(), kept, "{word}");
        }
    }

    #[test]
    fn the_default_state_is_not_written() {
        for (word, text) in [("a:running", "a"), ("grp:*:EXITED,fatal", "grp:*:exited,fatal")] {
            let read = read(word, &programs());
            assert_eq!(read.condition.unwrap().text(), text);
        }
    }
}
