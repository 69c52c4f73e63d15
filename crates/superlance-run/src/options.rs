//! The command line of `superlance run`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Parser};
use superlance_core::options::units::parse_duration;

const AFTER_HELP: &str = "\
TIME is a number of seconds, or one with a suffix: 30m, 12h, 2d (s, m, h, d).

Exit status: the number in the exit file, if one was written and no signal from outside began the end; \
otherwise that of COMMAND, or 128 and the number of the signal that ended it. 127 when COMMAND is not \
found, 126 when it cannot be run, 2 for a wrong command line.

In a Dockerfile:

  ENTRYPOINT [\"superlance\", \"run\", \"--\"]
  CMD [\"supervisord\", \"-n\", \"-c\", \"/etc/supervisord.conf\"]";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "superlance run", about = crate::ABOUT, disable_help_flag = true, infer_long_args = true)]
#[command(after_help = AFTER_HELP, args_override_self = true)]
#[command(override_usage = "superlance run [OPTION]... [--] COMMAND [ARGUMENT]...")]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Time from the first signal to the end; then everything is killed that is left
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "8")]
    pub(crate) stop_timeout: Duration,

    /// Stop groups of equal priority together, which is the default
    #[arg(long, overrides_with = "no_fast_stop")]
    fast_stop: bool,

    /// Leave it to supervisord to stop one group after the other
    #[arg(long)]
    no_fast_stop: bool,

    /// File in which exitmon leaves the exit status; emptied at the start [default: a file of its own]
    #[arg(long, value_name = "PATH")]
    pub(crate) exit_file: Option<PathBuf>,

    /// End with M in the place of the exit status N (repeatable)
    #[arg(long = "map", value_name = "N:M")]
    pub(crate) maps: Vec<Map>,

    /// supervisord, and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl Options {
    pub(crate) fn is_fast(&self) -> bool {
        !self.no_fast_stop || self.fast_stop
    }
}

/// `--map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Map {
    pub(crate) from: u8,
    pub(crate) to: u8,
}

impl FromStr for Map {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once(':');
        let numbers = numbers.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        let (from, to) =
            numbers.ok_or("expected two numbers from 0 to 255, such as 143:0".to_owned())?;
        Ok(Self { from, to })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words = ["superlance run"].into_iter().chain(line.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_makes_sense() {
        Options::command().debug_assert();
    }

    #[test]
    fn what_follows_is_the_command() {
        for line in
            ["-- supervisord -n -c f", "supervisord -n -c f", "--map 1:2 supervisord -n -c f"]
        {
            assert_eq!(parse(line).unwrap().command, ["supervisord", "-n", "-c", "f"], "{line}");
        }
        assert!(parse("").is_err() && parse("--").is_err());
        // A mistyped option is not the command.
        let error = parse("--stop-in 3s supervisord -n").unwrap_err();
        assert!(error.contains("'--stop-in'") && error.contains("'--stop-timeout'"), "{error}");
    }

    /// Docker kills at ten seconds.
    #[test]
    fn the_time_limit_is_eight_seconds_by_default() {
        assert_eq!(parse("x").unwrap().stop_timeout, Duration::from_secs(8));
        assert_eq!(parse("--stop-timeout 1m x").unwrap().stop_timeout, Duration::from_secs(60));
    }

    #[test]
    fn of_fast_and_not_fast_the_last_counts() {
        for (line, is_fast) in [
            ("x", true),
            ("--no-fast-stop x", false),
            ("--no-fast-stop --fast-stop x", true),
            ("--fast-stop --no-fast-stop x", false),
        ] {
            assert_eq!(parse(line).unwrap().is_fast(), is_fast, "{line}");
        }
    }

    #[test]
    fn maps() {
        assert_eq!(parse("--map 143:0 --map 1:2 x").unwrap().maps.len(), 2);
        for bad in ["143", "a:0", "256:0", "1:-1"] {
            let error = parse(&format!("--map {bad} x")).unwrap_err();
            assert!(error.contains("expected two numbers from 0 to 255"), "{error}");
        }
    }
}
