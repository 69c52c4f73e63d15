//! What httpok remembers of its targets from tick to tick, besides what the shared decision does. Pure.

use std::collections::{BTreeSet, HashSet};

use litemap::LiteMap;
use superlance_action::decide::row::Row;
use superlance_action::instance::Instance;
use superlance_core::supervisor::ProcessInfo;
use superlance_probe::outcome::Verdict;

use crate::round::Judgement;
use crate::target::Target;

/// What is remembered of all targets.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// By the key of the target.
    targets: LiteMap<String, Health>,
    /// What has not answered well since it failed, by what recovers.
    ill: HashSet<String>,
    /// Failures in a row of each check, by target and URL.
    failures: LiteMap<(String, String), u32>,
    /// Why checks could not be made in the last tick.
    pub(crate) troubles: Said,
    /// What was to be known of checks in the last tick.
    pub(crate) notes: Said,
    /// Whether people were told that too many processes fail at once.
    pub(crate) guarded: bool,
}

/// What is remembered of a target until it is good again.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Whether people were warned of the row of failures.
    pub(crate) warned: bool,
    /// Failures that do not count.
    pub(crate) uncounted: Row,
    /// Whether people were told that it fails.
    pub(crate) told: bool,
    /// The processes of which people were told that they are left alone.
    pub(crate) left_alone: HashSet<String>,
}

impl Memory {
    pub(crate) fn of(&mut self, key: &str) -> &mut Health {
        self.targets.entry(key.to_owned()).or_default()
    }

    /// Failures in a row of the check of this URL.
    pub(crate) fn failures(&self, key: &str, url: &str) -> u32 {
        self.failures.get(&(key.to_owned(), url.to_owned())).copied().unwrap_or_default()
    }

    /// Forgets the processes that are not there any more; one that is just being started is.
    pub(crate) fn keep(&mut self, processes: &[(ProcessInfo, Instance)]) {
        let there: HashSet<String> = processes.iter().map(|(info, _)| info.namespec()).collect();
        self.targets.retain(|key, _| there.contains(key));
        self.failures.retain(|(key, _), _| there.contains(key));
    }

    /// Takes note of the targets of a tick. Returns what has recovered: what it is, and in which words.
    pub(crate) fn note(&mut self, targets: &[Target<'_>]) -> Vec<(String, String)> {
        self.count(targets);
        let mut recovered = Vec::new();
        for target in targets {
            match target.judgement {
                _ if target.round.is_empty() => {}
                Judgement::Good => *self.of(&target.key()) = Health::default(),
                Judgement::Failed(culprit) | Judgement::Uncounted(culprit) => {
                    self.ill.insert(target.recovery_key(culprit.url));
                }
                Judgement::Unknown => {}
            }
            recovered.extend(target.good());
        }
        recovered
    }

    /// Whether this was ill until now.
    pub(crate) fn recover(&mut self, key: &str) -> bool {
        self.ill.remove(key)
    }

    fn count(&mut self, targets: &[Target<'_>]) {
        for target in targets {
            for probed in target.round {
                let check = (target.key(), probed.url.clone());
                let failures = self.failures.entry(check).or_default();
                match probed.outcome.verdict {
                    Verdict::Good => *failures = 0,
                    Verdict::Failed(_) => *failures = failures.saturating_add(1),
                    Verdict::Trouble(_) => {}
                }
            }
        }
    }
}

/// What was said in the last tick, and need not be said again.
#[derive(Debug, Default)]
pub(crate) struct Said(BTreeSet<String>);

impl Said {
    /// What of this is new in this tick.
    pub(crate) fn news(&mut self, all: BTreeSet<String>) -> Vec<String> {
        let news = all.difference(&self.0).cloned().collect();
        self.0 = all;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_new_until_it_was_there_in_the_tick_before() {
        let mut said = Said::default();
        let mut tick = |reasons: &[&str]| {
            said.news(reasons.iter().map(|reason| (*reason).to_owned()).collect())
        };
        assert_eq!(tick(&["a"]), ["a"]);
        assert_eq!(tick(&["a", "b"]), ["b"]);
        assert!(tick(&["b"]).is_empty());
        assert_eq!(tick(&["a"]), ["a"]);
    }
}
