//! The command line of memmon.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Command, CommandFactory, Parser, value_parser};
use superlance_action::action::Action;
use superlance_action::decide::rules::{Budget, Rules, Threshold};
use superlance_alerts::HeartbeatOptions;
use superlance_alerts::options::{AlertOptions, MailOptions};
use superlance_core::listener::selection::describe;
use superlance_core::options::getopt::{as_getopt, drop_nameless, warn_of_stray};
use superlance_core::options::selector::Selector;
use superlance_core::options::units::{parse_duration, size_text};
use superlance_core::system::log::Log;

use crate::decide::amount::Amount;
use crate::decide::limits::{Limit, parse_limit};
use superlance_measure::{Memory, Metric, Unavailable};

/// The original's long options.
const GETOPT_NAMES: &[&str] = &[
    "help",
    "cumulative",
    "program",
    "group",
    "any",
    "sendmail_program",
    "email",
    "uptime",
    "name",
];

const AFTER_HELP: &str = "\
SIZE is a number of bytes, or one with a suffix: 200MB, 1.5GB (B, KB, MB, GB, TB; 1KB is 1024);
or a part of the memory there is: 40% (of the cgroup's limit, when that is lower).
TIME is a number of seconds, or one with a suffix: 30m, 12h, 2d (s, m, h, d).

Example, in supervisord.conf:

  [eventlistener:memmon]
  command=memmon -p foo=200MB -g workers=1GB -m bob@example.com
  events=TICK_60";

/// Restart processes under supervisord that use too much memory
#[derive(Debug, Parser)]
#[command(name = "memmon", disable_help_flag = true, arg_required_else_help = true, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Count a process together with all its descendants
    #[arg(short, long)]
    pub(crate) cumulative: bool,

    /// Restart this process when it uses more than SIZE; NAME is name, group:name, group:*, a
    /// pattern such as web*, or ~REGEX (repeatable)
    #[arg(short = 'p', long = "program", value_name = "NAME=SIZE", value_parser = parse_limit)]
    pub(crate) programs: Vec<Limit>,

    /// Restart any process of this group when it uses more than SIZE (repeatable) [long also:
    /// --groupname]
    #[arg(short = 'g', long = "group", alias = "groupname", value_name = "NAME=SIZE")]
    #[arg(value_parser = parse_limit)]
    pub(crate) groups: Vec<Limit>,

    /// Restart any process when it uses more than SIZE
    #[arg(short, long, value_name = "SIZE")]
    pub(crate) any: Option<Amount>,

    #[command(flatten)]
    pub(crate) mail: MailOptions,

    /// Mail only if the process had been up for TIME at most
    #[arg(short, long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) uptime: Option<Duration>,

    // Not a doc comment, where [NAME] would be a link.
    #[arg(short, long, value_name = "NAME")]
    #[arg(help = "Name of this memmon, for the subjects of its mails: \"memmon [NAME]: …\"")]
    pub(crate) name: Option<String>,

    /// What is measured; with pss, memory that processes share is divided among them
    #[arg(long, value_name = "METRIC", default_value = "rss")]
    pub(crate) metric: Metric,

    /// Let only the most specific limit of a process count: -p before -g before -a
    #[arg(long)]
    pub(crate) specific: bool,

    /// Leave these processes alone, whichever limits they exceed (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude: Vec<Selector>,

    /// Restart the largest, one a tick, when everything watched uses more than SIZE together
    #[arg(long, value_name = "SIZE")]
    pub(crate) total: Option<Amount>,

    /// Act only after N checks in a row over the limit, or N of the last M
    #[arg(long = "for", value_name = "N[/M]", default_value = "1")]
    pub(crate) threshold: Threshold,

    /// Leave a process alone until it has been up for TIME
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0")]
    pub(crate) grace: Duration,

    /// What is done: restart, stop, signal:NAME (such as signal:USR1), or alert, which only tells
    #[arg(long, value_name = "ACTION", default_value = "restart")]
    pub(crate) action: Action,

    /// Command to run before that, to save a heap dump say; it has SUPERLANCE_PID and other
    /// variables and five minutes, and its output goes into log and mail
    #[arg(long, value_name = "COMMAND")]
    pub(crate) before: Option<String>,

    /// Act at most N times within TIME on a process; then it is left alone for TIME, and one mail
    /// reports that
    #[arg(long, value_name = "N/TIME")]
    pub(crate) max_restarts: Option<Budget>,

    /// Act on one process of a group in a tick, so that a pool is never down as a whole
    #[arg(long)]
    pub(crate) stagger: bool,

    /// Measure, decide and log, but touch nothing and mail nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Keep the last N readings of each process; log and mail show how it grew
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(2..=1000))]
    pub(crate) history: Option<u16>,

    /// Write readings, limits and recent actions to this file after each tick, as JSON
    #[arg(long, value_name = "PATH")]
    pub(crate) status_file: Option<PathBuf>,

    /// The same for Prometheus, for the textfile collector of node_exporter (PATH should end in
    /// .prom)
    #[arg(long, value_name = "PATH")]
    pub(crate) metrics_file: Option<PathBuf>,

    /// Read memory through ps(1) where /proc could be read, as is done on other systems
    #[arg(long = "through-ps", hide = true)]
    pub(crate) through_ps: bool,

    #[command(flatten)]
    pub(crate) alerts: AlertOptions,

    #[command(flatten)]
    pub(crate) heartbeat: HeartbeatOptions,

    /// Ignored, as in the original, where getopt stops at the first of them
    #[arg(hide = true, trailing_var_arg = true)]
    stray: Vec<OsString>,
}

pub(crate) fn command() -> Command {
    let command = as_getopt(Options::command(), GETOPT_NAMES);
    command.mut_arg("sendmail", |arg| {
        let help = arg.get_help().cloned().unwrap_or_default();
        arg.help(format!("{help} [long also: --sendmail]"))
    })
}

impl Options {
    /// Refuses what cannot work on this system.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), String> {
        if *memory == Memory::Ps && self.metric != Metric::Rss {
            let (name, why) = (self.metric.name(), Unavailable::Ps.explain());
            return Err(format!("--metric {name} is not possible here: {why}"));
        }
        Ok(())
    }

    /// What they say about deciding.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            threshold: self.threshold,
            grace: self.grace,
            budget: self.max_restarts,
            stagger: self.stagger,
            only_tell: self.action == Action::Alert,
            ..Rules::default()
        }
    }

    /// What the log says at the start.
    pub(crate) fn task(&self) -> String {
        let amount = |amount: Amount| match amount {
            Amount::Bytes(bytes) | Amount::Bare(bytes) => size_text(bytes),
            Amount::Share(_) => amount.to_string(),
        };
        let limit = |option: &str, Limit { selector, amount: limit }: &Limit| {
            format!("{option} {}={}", selector.as_str(), amount(*limit))
        };
        let mut options: Vec<_> = self.programs.iter().map(|given| limit("-p", given)).collect();
        options.extend(self.groups.iter().map(|given| limit("-g", given)));
        options.extend(self.any.map(|any| format!("-a {}", amount(any))));
        options.extend(self.total.map(|total| format!("--total {}", amount(total))));
        options.extend((!self.exclude.is_empty()).then(|| describe("--exclude", &self.exclude)));
        match options.is_empty() {
            true => "watches no process".to_owned(),
            false => format!("watches {}", options.join(", ")),
        }
    }

    /// Where this memmon reads memory.
    pub(crate) fn memory(&self) -> Memory {
        if self.through_ps { Memory::Ps } else { Memory::of_this_system() }
    }

    /// Says what is probably not meant, and leaves out what means nothing. It is no error: the original
    /// accepts it, and a configuration that worked must not lose its memmon.
    pub(crate) fn warn(&mut self, log: &Log) {
        warn_of_stray("memmon", &self.stray, log);
        drop_nameless(&mut self.programs, |limit| &limit.selector, ("memmon", "-p"), log);
        drop_nameless(&mut self.groups, |limit| &limit.selector, ("memmon", "-g"), log);
        self.warn_of_units(log);
        let none = self.programs.is_empty() && self.groups.is_empty() && self.any.is_none();
        if none && self.total.is_none() {
            log.line("memmon: none of -p, -g and -a is given, so no process is watched");
        }
    }

    fn warn_of_units(&self, log: &Log) {
        let named = |option, limit: &Limit| {
            (format!("{option} {}={}", limit.selector.as_str(), limit.amount), limit.amount)
        };
        let programs = self.programs.iter().map(|limit| named("-p", limit));
        let groups = self.groups.iter().map(|limit| named("-g", limit));
        let any = self.any.map(|amount| (format!("-a {amount}"), amount));
        let total = self.total.map(|amount| (format!("--total {amount}"), amount));
        for (option, amount) in programs.chain(groups).chain(any).chain(total) {
            if let Some(doubt) = amount.doubt() {
                log.line(format_args!("memmon: {option} is {doubt}"));
            }
        }
    }
}
