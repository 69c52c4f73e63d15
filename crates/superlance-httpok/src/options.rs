//! The command line of httpok.

pub(crate) mod deciding;

use std::borrow::Cow;
use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::{ArgAction, Command, CommandFactory, Parser};
use superlance_alerts::HeartbeatOptions;
use superlance_alerts::options::{AlertOptions, MailOptions};
use superlance_core::options::getopt::{as_getopt, drop_nameless, first_of};
use superlance_core::options::selector::Selector;
use superlance_core::options::units::parse_duration;
use superlance_core::system::log::Log;
use superlance_probe::expectation::parse_statuses;

use crate::check_options::CheckOptions;
use crate::options::deciding::Deciding;

/// The original's long options.
const GETOPT_NAMES: &[&str] = &[
    "help",
    "program",
    "any",
    "timeout",
    "code",
    "body",
    "sendmail_program",
    "email",
    "gcore",
    "coredir",
    "eager",
    "not-eager",
    "name",
];

/// The longest time limit; a longer one is cut to it. It keeps sums of times within their type.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

const AFTER_HELP: &str = "\
URL is what to check, http or https; user:password@ before the host means basic authentication.
TIME is a number of seconds, or one with a suffix: 30s, 2m (s, m, h, d).

Example, in supervisord.conf:

  [eventlistener:httpok]
  command=httpok -p foo -p group:bar -m bob@example.com http://localhost:8080/health
  events=TICK_60";

/// Restart processes under supervisord when a URL does not answer as it should
#[derive(Debug, Parser)]
#[command(name = "httpok", disable_help_flag = true, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Restart this process if it is running; NAME is name, group:name, group:*, a pattern such as
    /// web*, or ~REGEX (repeatable)
    #[arg(short = 'p', long = "program", value_name = "NAME", value_parser = Selector::parse_lenient)]
    pub(crate) programs: Vec<Selector>,

    /// Restart all running processes, even with -p
    #[arg(short, long)]
    pub(crate) any: bool,

    /// Time for the headers of an answer, and as much again for its body
    #[arg(short, long, value_name = "TIME", value_parser = parse_timeout, default_value = "10")]
    pub(crate) timeout: Duration,

    /// HTTP status that is expected, or a class or range such as 2xx and 200-399 (repeatable)
    /// [default: 200]
    #[arg(short = 'c', long = "code", value_name = "STATUS", value_parser = parse_statuses)]
    pub(crate) codes: Vec<RangeInclusive<u16>>,

    /// Text that is expected somewhere in the body
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) body: Option<OsString>,

    #[command(flatten)]
    pub(crate) mail: MailOptions,

    /// Command that writes a core dump; it is given a file name and a process id
    #[arg(short, long, value_name = "COMMAND", default_value = "/usr/bin/gcore -o")]
    pub(crate) gcore: String,

    /// Directory for a core dump of each process before it is restarted; without it, none is made
    #[arg(short = 'd', long, value_name = "DIRECTORY")]
    pub(crate) coredir: Option<String>,

    /// Check the URL even if none of the processes is running, which is the default
    #[arg(short, long, overrides_with = "not_eager")]
    eager: bool,

    /// Check the URL only if one of the processes is running
    #[arg(short = 'E', long, overrides_with = "eager")]
    pub(crate) not_eager: bool,

    // Not a doc comment, in which `[NAME]` would be a link.
    #[arg(short, long, value_name = "NAME")]
    #[arg(help = "Name of this httpok, for the subjects of its mails: \"httpok [NAME]: …\"")]
    pub(crate) name: Option<String>,

    /// Treat a certificate that is not valid as an error; without this, it is not looked at
    #[arg(long)]
    pub(crate) tls_verify: bool,

    #[command(flatten)]
    pub(crate) checks: CheckOptions,

    #[command(flatten)]
    pub(crate) deciding: Deciding,

    #[command(flatten)]
    pub(crate) alerts: AlertOptions,

    #[command(flatten)]
    pub(crate) heartbeat: HeartbeatOptions,

    /// What to check. Whether it is one URL is seen later, to say what is wrong with more or less.
    #[arg(hide = true, trailing_var_arg = true)]
    urls: Vec<String>,
}

pub(crate) fn command() -> Command {
    as_getopt(Options::command(), GETOPT_NAMES).override_usage("httpok [OPTIONS] URL")
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_duration(text).map_err(|error| error.to_string())?;
    if timeout.is_zero() {
        return Err("expected one second or more".to_owned());
    }
    Ok(timeout.min(LONGEST_TIMEOUT))
}

impl Options {
    /// What is checked, if it is no command.
    pub(crate) fn urls(&self) -> Result<Vec<&str>, String> {
        let further = self.checks.further.iter();
        let positional = match (self.urls.as_slice(), &self.checks.exec) {
            ([], Some(_)) if further.len() == 0 => None,
            (_, Some(_)) => return Err("expected either --exec or a URL, and not both".to_owned()),
            ([], None) if further.len() > 0 => None,
            ([url], None) => Some(url),
            ([], None) => {
                return Err("expected a URL, such as http://localhost:8080/health".to_owned());
            }
            ([_, rest @ ..], None) => {
                return Err(format!(
                    "expected one URL, and every option before it (further ones with --url); \
                     after it stands: {}",
                    first_of(rest.iter().map(Cow::from)).unwrap_or_default()
                ));
            }
        };
        // A line continuation copied with `\` leaves a blank before the URL.
        Ok(positional.into_iter().chain(further).map(|url| url.trim()).collect())
    }

    /// Says what is probably not meant, and leaves out what means nothing. It is no error, because the
    /// original accepts it.
    pub(crate) fn warn(&mut self, log: &Log) {
        drop_nameless(&mut self.programs, |program| program, ("httpok", "-p"), log);
        let option = if self.checks.each { "--each" } else { "-E" };
        if (self.checks.each || self.not_eager) && !self.any && self.programs.is_empty() {
            log.line(format_args!(
                "httpok: {option} without -p or -a: no process is watched, so nothing is checked"
            ));
        }
    }
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
