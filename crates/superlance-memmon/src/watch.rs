//! The watched processes and their limits, for memmon and for the table of `superlance status`. Pure.

use std::ffi::OsString;

use clap::{Error, FromArgMatches};
use superlance_core::options::selector::Selector;
use superlance_core::supervisor::ProcessInfo;

use crate::decide::amount::Amount;
use crate::decide::limits::Limits;
use crate::options::{self, Options};
use superlance_measure::Metric;

/// The options of memmon that say who is watched and how much is too much.
#[derive(Debug)]
pub struct Watch {
    limits: Limits,
    excluded: Vec<Selector>,
    metric: Metric,
    cumulative: bool,
    total: Option<Amount>,
}

/// The limit that a process reaches first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// In bytes.
    pub bytes: u64,
    /// The option that it comes from: `-p foo`, `-g workers`, `-a`.
    pub option: String,
}

impl Limited {
    /// How much more the process may use; negative if it is over.
    #[must_use]
    pub fn headroom(&self, used: u64) -> i128 {
        i128::from(self.bytes) - i128::from(used)
    }
}

impl Watch {
    /// Reads memmon's command line: `-p foo=200MB --metric pss`, without the name of the command.
    ///
    /// # Errors
    /// What memmon says of a wrong command line, or its help where that was asked for.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let arguments = [OsString::from("memmon")].into_iter().chain(arguments);
        let matches = options::command().try_get_matches_from(arguments)?;
        Ok(Self::new(&Options::from_arg_matches(&matches)?))
    }

    pub(crate) fn new(options: &Options) -> Self {
        let Options { programs, groups, any, specific, .. } = options;
        Self {
            limits: Limits::new(programs, groups, *any, *specific),
            excluded: options.exclude.clone(),
            metric: options.metric,
            cumulative: options.cumulative,
            total: options.total,
        }
    }

    /// What is measured.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Whether processes count with their descendants.
    #[must_use]
    pub fn cumulative(&self) -> bool {
        self.cumulative
    }

    /// Whether [`SystemMemory::memory`](superlance_measure::SystemMemory::memory) must be known for the limits.
    #[must_use]
    pub fn needs_memory(&self) -> bool {
        self.limits.has_shares() || matches!(self.total, Some(Amount::Share(_)))
    }

    /// Whether the process is watched when it runs. A limit for the sum alone is one for all.
    #[must_use]
    pub fn concerns(&self, process: &ProcessInfo) -> bool {
        let is_excluded = self.excluded.iter().any(|selector| selector.matches(process.names()));
        let is_for_all = self.limits.is_empty() && self.total.is_some();
        !is_excluded && (is_for_all || !self.limits.of(process).is_empty())
    }

    /// The limit for the sum over everything watched, where there are `memory` bytes of memory.
    #[must_use]
    pub fn total(&self, memory: Option<u64>) -> Option<u64> {
        self.total?.bytes(memory)
    }

    /// What the log says at the beginning of a check.
    pub(crate) fn describe(&self, memory: Option<u64>) -> String {
        let mut lines = self.limits.describe(memory);
        let total = |amount: Amount| format!("Checking total={}", amount.describe(memory));
        lines.extend(self.total.map(total));
        lines.join("\n")
    }

    /// The limits of a process in bytes, in the order in which they are compared.
    pub(crate) fn limits(&self, process: &ProcessInfo, memory: Option<u64>) -> Vec<u64> {
        let limits = self.limits.of(process).into_iter();
        limits.filter_map(|applied| applied.amount.bytes(memory)).collect()
    }

    /// The limit that the process reaches first, where there are `memory` bytes of memory; `None` if
    /// it is not watched.
    #[must_use]
    pub fn limit(&self, process: &ProcessInfo, memory: Option<u64>) -> Option<Limited> {
        if !self.concerns(process) {
            return None;
        }
        let limit = |applied: crate::decide::limits::Applied<'_>| {
            Some(Limited { bytes: applied.amount.bytes(memory)?, option: applied.option() })
        };
        self.limits.of(process).into_iter().filter_map(limit).min_by_key(|limit| limit.bytes)
    }

    /// The selectors that mean none of these processes, as they are written on the command line. A
    /// slip of the pen is otherwise found when memory has run out.
    #[must_use]
    pub fn idle_selectors(&self, all: &[ProcessInfo]) -> Vec<String> {
        let means = |selector: &Selector| all.iter().any(|info| selector.matches(info.names()));
        let excluded = self.excluded.iter().filter(|selector| !means(selector));
        let excluded = excluded.map(|selector| format!("--exclude {}", selector.as_str()));
        self.limits.idle_selectors(all).into_iter().chain(excluded).collect()
    }
}

#[cfg(test)]
mod tests {
    use superlance_core::supervisor::State;

    use super::*;

    fn process(namespec: &str) -> ProcessInfo {
        let (group, name) = namespec.split_once(':').unwrap();
        ProcessInfo {
            name: name.to_owned(),
            group: group.to_owned(),
            pid: 1,
            state: State::Running,
            start: 0,
            stop: 0,
            exit_status: 0,
            now: 0,
        }
    }

    fn watch(arguments: &str) -> Watch {
        Watch::parse(arguments.split(' ').map(OsString::from)).unwrap()
    }

    #[test]
    fn the_limit_that_is_reached_first_and_what_is_left() {
        let watch = watch("-p foo=3KB -g bar=50% -a 2KB");
        let limit = |process: &str| watch.limit(&self::process(process), Some(2000));
        let any = Limited { bytes: 2048, option: "-a".to_owned() };
        assert_eq!(limit("foo:foo"), Some(any.clone()));
        assert_eq!(limit("bar:x"), Some(Limited { bytes: 1000, option: "-g bar".to_owned() }));
        assert_eq!((any.headroom(48), any.headroom(2049)), (2000, -1));
        assert!(watch.needs_memory());
        // A percentage of an unknown amount is no limit; the others are.
        assert_eq!(watch.limit(&process("bar:x"), None), Some(any));
    }

    #[test]
    fn what_is_excluded_is_not_watched() {
        let watch = watch("-a 1KB --exclude db:* --exclude ~^tmp");
        assert!(!watch.needs_memory());
        for (name, watched) in [("db:x", false), ("x:tmp_1", false), ("x:db", true)] {
            assert_eq!(watch.concerns(&process(name)), watched, "{name}");
            assert_eq!(watch.limit(&process(name), None).is_some(), watched, "{name}");
        }
    }

    #[test]
    fn a_limit_for_the_sum_alone_watches_all() {
        let watch = self::watch("--total 50% --exclude x");
        assert!(watch.needs_memory());
        assert_eq!((watch.total(Some(8)), watch.total(None)), (Some(4), None));
        assert!(watch.concerns(&process("a:b")) && !watch.concerns(&process("a:x")));
        assert_eq!(watch.limit(&process("a:b"), Some(8)), None);
        assert_eq!(watch.describe(Some(8)), "Checking total=4 (50% of 8)");
        let some = self::watch("-p a=1 --total 1KB");
        assert!(some.concerns(&process("a:a")) && !some.concerns(&process("a:b")));
    }

    #[test]
    fn selectors_that_mean_nothing_are_known() {
        let watch = watch("-p foo=1 -p fo?:x=1 -g bar=1 -g baz*=1 --exclude x --exclude y");
        let all = ["bar:foo", "q:x"].map(process);
        assert_eq!(watch.idle_selectors(&all), ["-p fo?:x", "-g baz*", "--exclude y"]);
        assert_eq!(watch.idle_selectors(&[]).len(), 6);
    }

    #[test]
    fn a_wrong_command_line_is_memmons_error() {
        let error = Watch::parse(["-p", "foo=5XB"].map(OsString::from)).unwrap_err();
        assert!(error.to_string().contains("is not a size such as 200MB"), "{error}");
    }
}
