//! The command line of memmon.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Command, CommandFactory, Parser};
use superlance_core::alert::options::{AlertOptions, MailOptions};
use superlance_core::getopt::{as_getopt, warn_of_stray};
use superlance_core::log::Log;
use superlance_core::selector::Selector;
use superlance_core::units::{parse_duration, parse_size};

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
SIZE is a number of bytes, or one with a suffix: 200MB, 1.5GB (B, KB, MB, GB, TB; 1KB is 1024).
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

    /// Restart this process when it uses more than SIZE; NAME is name, group:name, group:* or a
    /// pattern such as web* (repeatable)
    #[arg(short = 'p', long = "program", value_name = "NAME=SIZE", value_parser = parse_limit)]
    pub(crate) programs: Vec<Limit>,

    /// Restart any process of this group when it uses more than SIZE (repeatable) [long also:
    /// --groupname]
    #[arg(short = 'g', long = "group", alias = "groupname", value_name = "NAME=SIZE")]
    #[arg(value_parser = parse_limit)]
    pub(crate) groups: Vec<Limit>,

    /// Restart any process when it uses more than SIZE
    #[arg(short, long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) any: Option<u64>,

    #[command(flatten)]
    pub(crate) mail: MailOptions,

    /// Mail only if the process had been up for TIME at most
    #[arg(short, long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) uptime: Option<Duration>,

    // Not a doc comment, where [NAME] would be a link.
    #[arg(short, long, value_name = "NAME")]
    #[arg(help = "Name of this memmon, for the subjects of its mails: \"memmon [NAME]: …\"")]
    pub(crate) name: Option<String>,

    /// Read memory through ps(1) where /proc could be read, as is done on other systems
    #[arg(long = "through-ps", hide = true)]
    pub(crate) through_ps: bool,

    #[command(flatten)]
    pub(crate) alerts: AlertOptions,

    /// Ignored, as in the original, where getopt stops at the first of them
    #[arg(hide = true, trailing_var_arg = true)]
    stray: Vec<OsString>,
}

/// A limit for whatever a selector means.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    pub(crate) selector: Selector,
    pub(crate) size: u64,
}

pub(crate) fn command() -> Command {
    let command = as_getopt(Options::command(), GETOPT_NAMES);
    command.mut_arg("sendmail", |arg| {
        let help = arg.get_help().cloned().unwrap_or_default();
        arg.help(format!("{help} [long also: --sendmail]"))
    })
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    // The last `=`, so that a name may contain one.
    let (name, size) =
        text.rsplit_once('=').ok_or_else(|| format!("expected NAME=SIZE, such as {text}=200MB"))?;
    let selector = Selector::parse(name).map_err(|error| error.to_string())?;
    let size = parse_size(size).map_err(|error| error.to_string())?;
    Ok(Limit { selector, size })
}

impl Options {
    /// Says what is probably not meant. It is no error: the original accepts it, and a configuration
    /// that worked must not lose its memmon.
    pub(crate) fn warn(&self, log: &Log) {
        warn_of_stray("memmon", &self.stray, log);
        if self.programs.is_empty() && self.groups.is_empty() && self.any.is_none() {
            log.line("memmon: none of -p, -g and -a is given, so no process is watched");
        }
    }
}
