//! The command line of dependent-startup.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Command, CommandFactory, Parser, ValueEnum};
use superlance_alerts::options::{AlertOptions, MailOptions};
use superlance_core::options::getopt::as_getopt;
use superlance_core::options::units::parse_duration;
use superlance_core::system::log::Format;

use crate::graph::Lenience;
use crate::level::Level;

/// The options of the original.
const LONG: &[&str] = &[
    "log-file",
    "log-level",
    "log-format",
    "config",
    "config-filename",
    "fail-on-warning",
    "error-action",
];

const AFTER_HELP: &str = "\
TIME is a number of seconds, or one with a suffix: 30m, 12h, 2d (s, m, h, d).

Example, in supervisord.conf:

  [program:db]
  command=postgres -D /var/lib/db
  autostart=false
  dependent_startup=true

  [program:web]
  command=gunicorn app
  autostart=false
  dependent_startup=true
  dependent_startup_wait_for=db:running migrate:exited

  [eventlistener:dependent-startup]
  command=dependent-startup
  events=PROCESS_STATE
  buffer_size=256";

/// Start programs under supervisord once others have reached a state
#[derive(Debug, Parser)]
#[command(name = "dependent-startup", disable_help_flag = true, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// The configuration of supervisord [default: the one that supervisord was started with, or else
    /// that of --config-filename]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Name of the configuration, looked for where supervisord looks for its own
    /// [default: supervisord.conf]
    #[arg(long, value_name = "NAME")]
    config_filename: Option<String>,

    /// File to add the log to [default: standard error]
    #[arg(long, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,

    /// The least that is logged
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: Level,

    /// What to do about faults in the keys of programs: not start these programs (skip), end with exit
    /// status 3 (exit), or pass over unknown names and states (ignore)
    #[arg(long, value_name = "ACTION", default_value = "skip")]
    error_action: ErrorAction,

    #[arg(long, hide = true)]
    fail_on_warning: bool,

    /// Send an alert when a program has waited for TIME
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Restart a program that runs when one that it waits for was started anew, once that is there
    #[arg(long)]
    pub(crate) restart_dependents: bool,

    /// Stop a program while one that it waits for is FATAL or STOPPED
    #[arg(long)]
    pub(crate) stop_dependents: bool,

    /// Print which program waits for which, and start nothing
    #[arg(long)]
    pub(crate) plan: bool,

    #[command(flatten)]
    pub(crate) mail: MailOptions,

    #[command(flatten)]
    pub(crate) alerts: AlertOptions,
}

/// What to do about faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorAction {
    Exit,
    Skip,
    Ignore,
}

pub(crate) fn command() -> Command {
    // The original's --log-format is of another kind, and must not be refused.
    as_getopt(Options::command(), LONG)
        .mut_arg("log_format", |arg| arg.value_parser(parse_log_format))
}

/// Whether this is a format of the original: one for Python's logging.
fn is_of_python(format: &str) -> bool {
    format.contains('%')
}

fn parse_log_format(text: &str) -> Result<Format, String> {
    match Format::from_str(text, false) {
        Err(_) if is_of_python(text) => Ok(Format::default()),
        Err(_) => Err("expected plain, time or json".to_owned()),
        format => format,
    }
}

/// The `--log-format` that is of no use here, if one is given.
pub(crate) fn unused_log_format(matches: &ArgMatches) -> Option<String> {
    let given = matches.get_raw("log_format")?.next_back()?.to_string_lossy().into_owned();
    is_of_python(&given).then_some(given)
}

impl Options {
    pub(crate) fn config_filename(&self) -> Option<&str> {
        self.config_filename.as_deref()
    }

    /// Whether a fault ends it.
    pub(crate) fn ends(&self) -> bool {
        self.fail_on_warning || self.error_action == ErrorAction::Exit
    }

    pub(crate) fn lenience(&self) -> Lenience {
        match self.error_action {
            ErrorAction::Ignore if !self.ends() => Lenience::Ignore,
            _ => Lenience::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    fn read(arguments: &str) -> Result<(Options, ArgMatches), clap::Error> {
        let arguments = ["dependent-startup"].into_iter().chain(arguments.split(' '));
        let matches =
            command().try_get_matches_from(arguments.filter(|argument| !argument.is_empty()))?;
        Ok((Options::from_arg_matches(&matches)?, matches))
    }

    #[test]
    fn the_options_of_the_original() {
        let (options, _) = read(
            "-c /etc/s.conf --config-filename x.conf --log-file /l --log-level warn --error-action exit",
        )
        .unwrap();
        assert_eq!(options.config, Some(PathBuf::from("/etc/s.conf")));
        assert_eq!(options.config_filename(), Some("x.conf"));
        assert_eq!((options.log_level, options.ends()), (Level::Warning, true));
        for level in ["critial", "critical", "error", "warning", "info", "debug", "notset"] {
            read(&format!("--log-level {level}")).unwrap();
        }
        let (options, _) = read("--fail-on-warning --error-action ignore").unwrap();
        assert!(options.ends() && options.lenience() == Lenience::None);
        let (options, _) = read("--error ignore").unwrap();
        assert!(!options.ends() && options.lenience() == Lenience::Ignore);
    }

    #[test]
    fn a_log_format_of_python_is_taken_and_of_no_use() {
        for (arguments, unused) in [
            ("", None),
            ("--log-format json", None),
            ("--log-format %(levelname)s", Some("%(levelname)s")),
        ] {
            let (_, matches) = read(arguments).unwrap();
            assert_eq!(unused_log_format(&matches).as_deref(), unused, "{arguments}");
        }
        let error = read("--log-format xml").unwrap_err().to_string();
        assert!(error.contains("expected plain, time or json"), "{error}");
    }
}
