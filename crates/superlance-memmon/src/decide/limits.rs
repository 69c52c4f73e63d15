//! The limits of a process, and whether it is over one. Pure.

use litemap::LiteMap;
use superlance_core::options::selector::Selector;
use superlance_core::supervisor::ProcessInfo;
use superlance_core::system::order;

use crate::decide::amount::Amount;

/// A limit for the processes that a selector matches.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    pub(crate) selector: Selector,
    pub(crate) amount: Amount,
}

/// Reads `NAME=SIZE`.
pub(crate) fn parse_limit(text: &str) -> Result<Limit, String> {
    // The last `=`, so that a name may contain one.
    let (name, size) =
        text.rsplit_once('=').ok_or_else(|| format!("expected NAME=SIZE, such as {text}=200MB"))?;
    let selector = Selector::parse_lenient(name).map_err(|error| error.to_string())?;
    let amount = size.parse::<Amount>().map_err(|error| error.to_string())?;
    Ok(Limit { selector, amount })
}

/// The limits of the command line.
#[derive(Debug)]
pub(crate) struct Limits {
    /// By the text of their selectors, which is the order in which the log names them.
    programs: LiteMap<String, Limit>,
    groups: LiteMap<String, Limit>,
    any: Option<Amount>,
    /// Whether only the most specific of them count.
    specific: bool,
}

/// How closely a limit means a process; the first is the closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Namespec,
    Name,
    Pattern,
    Group,
    GroupPattern,
    Any,
}

/// A limit that concerns a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied<'a> {
    rank: Rank,
    pub(crate) amount: Amount,
    /// The option, and what it names if it names something.
    option: (&'static str, &'a str),
}

impl Applied<'_> {
    /// As it is written on the command line: `-p foo`.
    pub(crate) fn option(&self) -> String {
        let (option, name) = self.option;
        format!("{option} {name}").trim_end().to_owned()
    }
}

/// What comparing a process with its limits came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Limits compared with, up to the first that is exceeded; the log has a line for each.
    pub(crate) compared: usize,
    /// The last of them, if it is exceeded.
    pub(crate) over: Option<u64>,
}

/// Compares a process that uses `bytes` with its limits. Only more than a limit is over.
pub(crate) fn verdict(limits: &[u64], bytes: u64) -> Verdict {
    let first = limits.iter().position(|limit| bytes > *limit);
    Verdict {
        compared: first.map_or(limits.len(), |first| first + 1),
        over: first.and_then(|first| limits.get(first)).copied(),
    }
}

impl Limits {
    /// Of several limits for the same selector, the last counts.
    pub(crate) fn new(
        programs: &[Limit],
        groups: &[Limit],
        any: Option<Amount>,
        specific: bool,
    ) -> Self {
        let by_text = |limits: &[Limit]| {
            let named = |limit: &Limit| (limit.selector.as_str().to_owned(), limit.clone());
            order::map(limits.iter().map(named))
        };
        Self { programs: by_text(programs), groups: by_text(groups), any, specific }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.programs.is_empty() && self.groups.is_empty() && self.any.is_none()
    }

    /// Whether one is a part of the memory.
    pub(crate) fn has_shares(&self) -> bool {
        let amounts = self.programs.values().chain(self.groups.values()).map(|limit| &limit.amount);
        amounts.chain(&self.any).any(|amount| matches!(amount, Amount::Share(_)))
    }

    /// The limits of a process, in the order in which they are compared: by its name, by `group:name`,
    /// by its group, by `-a`. Where an exact name is given, patterns that also match do not count.
    pub(crate) fn of(&self, process: &ProcessInfo) -> Vec<Applied<'_>> {
        let mut all = [self.programs_of(process), self.groups_of(process)].concat();
        let any = |amount| Applied { rank: Rank::Any, amount, option: ("-a", "") };
        all.extend(self.any.map(any));
        if self.specific {
            let closest = all.iter().map(|applied| applied.rank).min();
            all.retain(|applied| Some(applied.rank) == closest);
        }
        all
    }

    fn programs_of(&self, process: &ProcessInfo) -> Vec<Applied<'_>> {
        if self.programs.is_empty() {
            return Vec::new();
        }
        let exact = |rank, name: &str| Some(applied(rank, "-p", self.programs.get(name)?));
        let (name, namespec) = (&process.name, &process.namespec());
        let exact = [exact(Rank::Name, name), exact(Rank::Namespec, namespec)];
        if exact.iter().any(Option::is_some) {
            return exact.into_iter().flatten().collect();
        }
        let means = |limit: &&Limit| limit.selector.matches(process.names());
        let matching = self.programs.values().filter(means);
        matching.map(|limit| applied(Rank::Pattern, "-p", limit)).collect()
    }

    fn groups_of(&self, process: &ProcessInfo) -> Vec<Applied<'_>> {
        let group = &process.group;
        if let Some(limit) = self.groups.get(group) {
            return vec![applied(Rank::Group, "-g", limit)];
        }
        let matching = self.groups.values().filter(|limit| limit.selector.matches_group(group));
        matching.map(|limit| applied(Rank::GroupPattern, "-g", limit)).collect()
    }

    /// The selectors that mean none of these processes, as they are written on the command line.
    pub(crate) fn idle_selectors(&self, all: &[ProcessInfo]) -> Vec<String> {
        let idle = |means: &dyn Fn(&ProcessInfo) -> bool| !all.iter().any(means);
        let programs = self.programs.values().map(|limit| &limit.selector);
        let groups = self.groups.values().map(|limit| &limit.selector);
        let programs = programs.filter(|selector| idle(&|p| selector.matches(p.names())));
        let groups = groups.filter(|selector| idle(&|p| selector.matches_group(&p.group)));
        let programs = programs.map(|selector| format!("-p {}", selector.as_str()));
        programs.chain(groups.map(|selector| format!("-g {}", selector.as_str()))).collect()
    }

    /// What the log says at the beginning of a check, as the original says it.
    pub(crate) fn describe(&self, memory: Option<u64>) -> Vec<String> {
        let list = |kind: &str, limits: &LiteMap<String, Limit>| {
            let pair = |limit: &Limit| {
                format!("{}={}", limit.selector.as_str(), limit.amount.describe(memory))
            };
            let pairs: Vec<_> = limits.values().map(pair).collect();
            (!pairs.is_empty()).then(|| format!("Checking {kind} {}", pairs.join(", ")))
        };
        let any = self.any.map(|amount| format!("Checking any={}", amount.describe(memory)));
        let lines = [list("programs", &self.programs), list("groups", &self.groups), any];
        lines.into_iter().flatten().collect()
    }
}

fn applied<'a>(rank: Rank, option: &'static str, limit: &'a Limit) -> Applied<'a> {
    Applied { rank, amount: limit.amount, option: (option, limit.selector.as_str()) }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
