//! The command line of crashmail.

use std::ffi::OsString;

use clap::{ArgAction, Command, CommandFactory, Parser};
use superlance_alerts::options::{AlertOptions, MailOptions};
use superlance_core::options::getopt::{as_getopt, drop_nameless, warn_of_stray};
use superlance_core::options::selector::Selector;
use superlance_core::system::log::Log;
use superlance_crash::postmortem::TailOptions;
use superlance_crash::trigger::OnOptions;

/// The original's long options.
const GETOPT_NAMES: &[&str] =
    &["help", "program", "any", "optionalheader", "sendmail_program", "email"];

const AFTER_HELP: &str = "\
Example, in supervisord.conf:

  [eventlistener:crashmail]
  command=crashmail -p program1 -p group1:program2 -m bob@example.com
  events=PROCESS_STATE_EXITED
  buffer_size=256";

/// Mail when a process under supervisord exits unexpectedly
#[derive(Debug, Parser)]
#[command(name = "crashmail", disable_help_flag = true, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Mail about this process; NAME is name, group:name, group:*, a pattern such as web*, or ~REGEX
    /// (repeatable) [default: every process]
    #[arg(short = 'p', long = "program", value_name = "NAME", value_parser = Selector::parse_lenient)]
    pub(crate) programs: Vec<Selector>,

    /// Mail about every process, even with -p
    #[arg(short, long)]
    pub(crate) any: bool,

    /// Prefix of the subjects of the mails: "TEXT: foo crashed at …"
    #[arg(short, long = "optionalheader", value_name = "TEXT")]
    pub(crate) optional_header: Option<String>,

    #[command(flatten)]
    pub(crate) mail: MailOptions,

    #[command(flatten)]
    pub(crate) on: OnOptions,

    #[command(flatten)]
    pub(crate) tail: TailOptions,

    #[command(flatten)]
    pub(crate) alerts: AlertOptions,

    /// Ignored, as in the original, where getopt stops at the first of them
    #[arg(hide = true, trailing_var_arg = true)]
    stray: Vec<OsString>,
}

pub(crate) fn command() -> Command {
    let email = "Address to mail to; without it and -s, nothing is mailed";
    as_getopt(Options::command(), GETOPT_NAMES).mut_arg("email", |arg| arg.help(email))
}

impl Options {
    /// Warns of options that are probably mistakes, and ignores those that mean nothing. The
    /// original accepts them, so none is an error.
    pub(crate) fn warn(&mut self, told: bool, log: &Log) {
        warn_of_stray("crashmail", &self.stray, log);
        drop_nameless(&mut self.programs, |program| program, ("crashmail", "-p"), log);
        if !told {
            log.line("crashmail: neither -m nor -s is given, so nothing is mailed");
        }
    }
}
