//! The order in which groups are stopped. Pure.
//!
//! supervisord stops one group after the other, the highest priority first, and each takes up to a second
//! of its loop. Groups of equal priority have no order that its manual promises, so they are stopped
//! together; event listeners come last, since they are to see the rest.

use std::collections::{HashMap, HashSet};

use litemap::LiteMap;
use superlance_core::supervisor::{Configured, ProcessInfo, State};
use superlance_core::system::order;

/// The priority of a group that says nothing else.
const USUAL: i64 = 999;

/// Groups that are stopped together: the key of the order, and their names.
pub(crate) type Tier = HashSet<String>;

/// The groups of these processes in tiers, those to be stopped first at the beginning.
pub(crate) fn tiers(
    all: &[ProcessInfo],
    configured: &[Configured],
    listeners: &HashSet<String>,
) -> Vec<Tier> {
    let priorities: HashMap<_, _> = configured
        .iter()
        .map(|configured| (configured.group.as_str(), configured.group_priority))
        .collect();
    let mut tiers: LiteMap<(bool, i64), Tier> = LiteMap::new();
    for ProcessInfo { group, .. } in all {
        let priority = priorities.get(group.as_str()).copied().unwrap_or(USUAL);
        let key = match listeners.contains(group) {
            true => (false, 0),
            false => (true, priority),
        };
        tiers.entry(key).or_default().insert(group.clone());
    }
    tiers.into_iter().rev().map(|(_, tier)| tier).collect()
}

/// The processes of a tier that must still be told to stop, in the order in which supervisord tells the
/// processes of a group: the highest priority first.
pub(crate) fn to_be_told<'a>(
    all: &'a [ProcessInfo],
    tier: &Tier,
    configured: &[Configured],
) -> Vec<&'a ProcessInfo> {
    let priority = |info: &ProcessInfo| {
        let own = configured.iter().find(|own| own.group == info.group && own.name == info.name);
        own.map_or(USUAL, |own| own.priority)
    };
    let runs = |info: &&ProcessInfo| {
        matches!(info.state, State::Running | State::Starting | State::Backoff)
    };
    let mut told: Vec<_> =
        all.iter().filter(|info| tier.contains(&info.group)).filter(runs).collect();
    order::sort_by_key(&mut told, |info| std::cmp::Reverse(priority(info)));
    told
}

/// Whether no process of a tier runs any more.
pub(crate) fn has_stopped(all: &[ProcessInfo], tier: &Tier) -> bool {
    let has_ended = |info: &ProcessInfo| {
        matches!(info.state, State::Stopped | State::Exited | State::Fatal | State::Unknown)
    };
    all.iter().filter(|info| tier.contains(&info.group)).all(has_ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(group: &str, name: &str, state: State) -> ProcessInfo {
        let (group, name) = (group.to_owned(), name.to_owned());
        ProcessInfo { name, group, pid: 7, state, start: 1, stop: 0, exit_status: 0, now: 9 }
    }

    fn configured(group: &str, name: &str, group_priority: i64, priority: i64) -> Configured {
        let (group, name) = (group.to_owned(), name.to_owned());
        Configured { group, name, group_priority, priority, exit_codes: vec![0] }
    }

    #[test]
    fn high_priorities_come_first_and_listeners_last() {
        let all =
            ["web", "db", "memmon", "app", "guard"].map(|name| process(name, name, State::Running));
        let configured = [
            configured("web", "web", 999, 999),
            configured("db", "db", 10, 10),
            configured("memmon", "memmon", -1, -1),
            configured("guard", "guard", 2000, -1),
        ];
        let listeners = ["memmon", "guard"].map(str::to_owned).into();
        let tiers = tiers(&all, &configured, &listeners);
        let expected = [&["web", "app"][..], &["db"], &["memmon", "guard"]];
        let expected = expected.map(|tier| tier.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(tiers, expected);
    }

    #[test]
    fn those_that_run_are_told_once() {
        use State::{Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown};
        let tier: Tier = ["g".to_owned()].into();
        let states = [Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown];
        let all = states.map(|state| process("g", state.name(), state));
        let configured = [configured("g", "RUNNING", 1, 1000), configured("g", "BACKOFF", 1, 1)];
        let told: Vec<_> =
            to_be_told(&all, &tier, &configured).iter().map(|info| info.name.as_str()).collect();
        assert_eq!(told, ["RUNNING", "STARTING", "BACKOFF"]);
        for (state, expected) in
            states.into_iter().zip([false, true, true, false, false, true, false, true])
        {
            let all = [process("g", "x", state), process("other", "y", Running)];
            assert_eq!(has_stopped(&all, &tier), expected, "{state:?}");
        }
    }
}
