//! The command line of memmon.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Command, CommandFactory, Parser};
use superlance_core::getopt::{as_getopt, warn_of_stray};
use superlance_core::log::Log;
use superlance_core::selector::Selector;
use superlance_core::units::parse_duration;

use crate::amount::Amount;
use crate::memory::Memory;
use crate::metric::{Metric, Withheld};

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

    /// Command that sends a mail it is given on stdin, headers included [long also: --sendmail]
    #[arg(short, long = "sendmail_program", value_name = "COMMAND")]
    #[arg(default_value = "/usr/sbin/sendmail -t -i")]
    pub(crate) sendmail: String,

    /// Address to mail to when a process was restarted; without it, nothing is mailed
    #[arg(short = 'm', long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,

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

    /// Leave these processes alone, whatever limit concerns them (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude: Vec<Selector>,

    /// Read memory through ps(1) where /proc could be read, as is done on other systems
    #[arg(long = "through-ps", hide = true)]
    pub(crate) through_ps: bool,

    /// Ignored, as in the original, where getopt stops at the first of them
    #[arg(hide = true, trailing_var_arg = true)]
    stray: Vec<OsString>,
}

/// A limit for whatever a selector means.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    pub(crate) selector: Selector,
    pub(crate) amount: Amount,
}

pub(crate) fn command() -> Command {
    as_getopt(Options::command(), GETOPT_NAMES)
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    // The last `=`, so that a name may contain one.
    let (name, size) =
        text.rsplit_once('=').ok_or_else(|| format!("expected NAME=SIZE, such as {text}=200MB"))?;
    let selector = Selector::parse(name).map_err(|error| error.to_string())?;
    let amount = size.parse::<Amount>().map_err(|error| error.to_string())?;
    Ok(Limit { selector, amount })
}

impl Options {
    /// Refuses what cannot work on this system.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), String> {
        if *memory == Memory::Ps && self.metric != Metric::Rss {
            let (name, why) = (self.metric.name(), Withheld::Ps.explain());
            return Err(format!("--metric {name} is not possible here: {why}"));
        }
        Ok(())
    }

    /// Where this memmon reads memory.
    pub(crate) fn memory(&self) -> Memory {
        if self.through_ps { Memory::Ps } else { Memory::of_this_system() }
    }

    /// Says what is probably not meant. It is no error: the original accepts it, and a configuration
    /// that worked must not lose its memmon.
    pub(crate) fn warn(&self, log: &Log) {
        warn_of_stray("memmon", &self.stray, log);
        if self.programs.is_empty() && self.groups.is_empty() && self.any.is_none() {
            log.line("memmon: none of -p, -g and -a is given, so no process is watched");
        }
    }
}
