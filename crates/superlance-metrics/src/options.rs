//! The command line of `superlance metrics`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser};
use superlance_config::server::ServerOptions;
use superlance_core::options::units::parse_interval;

const AFTER_HELP: &str = "\
Without --file, they are printed once.

Exit status: 0 when all is well, 1 when supervisord cannot be asked, 2 for a wrong command line.

Examples:

  superlance metrics
  superlance metrics --file /var/lib/prometheus/node-exporter/supervisord.prom";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "superlance metrics", about = crate::ABOUT, disable_help_flag = true, infer_long_args = true)]
#[command(after_help = AFTER_HELP, override_usage = "superlance metrics [OPTION]...")]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    /// Go on, and write them into this file again and again, for node_exporter's textfile collector: at
    /// each TICK as an event listener, or else every --interval
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,

    /// How long --file waits before it writes again, where no TICK comes
    #[arg(long, value_name = "TIME", requires = "file", default_value = "15")]
    #[arg(value_parser = parse_interval)]
    pub(crate) interval: Duration,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words = ["superlance metrics"].into_iter().chain(line.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_makes_sense() {
        Options::command().debug_assert();
    }

    #[test]
    fn an_interval_is_for_a_file() {
        let seconds = |line| parse(line).map(|options| options.interval.as_secs());
        assert_eq!(seconds("--file x"), Ok(15));
        assert_eq!(seconds("--file x --interval 1m"), Ok(60));
        assert!(seconds("--interval 1m").unwrap_err().contains("--file <PATH>"));
        assert!(seconds("--file x --interval 0").unwrap_err().contains("one second or more"));
    }
}
