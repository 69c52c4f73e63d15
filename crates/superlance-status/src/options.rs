//! The command line of `superlance status`.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Parser, ValueEnum};
use superlance_config::server::ServerOptions;
use superlance_core::options::selector::Selector;
use superlance_core::options::units::{parse_duration, parse_size};

const AFTER_HELP: &str = "\
After -- come the options of memmon, as they are in its command= line. They say what is measured \
and what the limits are; nothing is restarted.

Exit status: 0 when all is well, 1 when supervisord cannot be asked, 2 for a wrong command line, \
3 when a process is over its limit.

Examples:

  superlance status
  superlance status --watch -- -c -p foo=200MB -a 1GB
  superlance status --json 'workers:*'";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "superlance status", about = crate::ABOUT, disable_help_flag = true, infer_long_args = true)]
#[command(after_help = AFTER_HELP)]
#[command(override_usage = "superlance status [OPTION]... [NAME]... [-- MEMMON-OPTION...]")]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    /// Print JSON, with every number in bytes or seconds
    #[arg(long, conflicts_with = "watch")]
    pub(crate) json: bool,

    /// Go on, and look again every TIME (2 seconds if not given), until q or Ctrl-C
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2")]
    #[arg(value_parser = parse_interval)]
    pub(crate) watch: Option<Duration>,

    /// What comes first: the order of supervisorctl (name), the largest (rss, pss, swap), the one
    /// that has run longest (uptime), or the least headroom; headroom if there are limits, or else
    /// name
    #[arg(long, value_name = "ORDER", value_enum, hide_possible_values = true)]
    pub(crate) sort: Option<Sort>,

    /// Show only these: name, group:name, group:* or a pattern such as web*
    #[arg(value_name = "NAME", value_parser = parse_name)]
    pub(crate) names: Vec<Selector>,

    /// Options of memmon
    #[arg(last = true, value_name = "MEMMON-OPTION", allow_hyphen_values = true, hide = true)]
    pub(crate) memmon: Vec<OsString>,
}

/// An order of processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Name,
    Rss,
    Pss,
    Swap,
    Uptime,
    Headroom,
}

impl Options {
    /// What is probably not meant, where it can have no other meaning.
    pub(crate) fn mistake(&self) -> Option<String> {
        let is_mistake =
            self.server.username.is_none() && is_limit(self.server.password.as_ref()?.expose());
        is_mistake.then(|| {
            "-p is the password for supervisord here, as in supervisorctl, and without -u it looks \
             like a limit; limits go after --: superlance status -- -p NAME=SIZE"
                .to_owned()
        })
    }
}

/// Whether `text` is what -p of memmon takes.
fn is_limit(text: &str) -> bool {
    let amount = |amount: &str| amount.ends_with('%') || parse_size(amount).is_ok();
    text.rsplit_once('=').is_some_and(|(name, value)| !name.is_empty() && amount(value))
}

fn parse_name(text: &str) -> Result<Selector, String> {
    if is_limit(text) {
        let advice = "limits go after --, as options of memmon:";
        return Err(format!("{advice} superlance status -- -p {text}"));
    }
    Selector::parse(text).map_err(|error| error.to_string())
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|error| format!("{error}; names go before it"))?;
    match interval.is_zero() {
        true => Err("expected one second or more".to_owned()),
        false => Ok(interval),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words = ["superlance status"].into_iter().chain(line.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_makes_sense() {
        Options::command().debug_assert();
    }

    #[test]
    fn options_are_those_of_supervisorctl() {
        let options = parse("-c f -s http://h -u bob -p x=y").unwrap();
        assert_eq!(options.server.configuration, Some("f".into()));
        assert_eq!(options.server.url.as_deref(), Some("http://h"));
        assert_eq!(options.server.username.as_deref(), Some("bob"));
        assert_eq!(options.server.password, Some("x=y".into()));
        let long = parse("--conf=f --serverurl=http://h --user bob --password x").unwrap();
        assert_eq!(long.server.configuration, Some("f".into()));
    }

    #[test]
    fn what_comes_after_two_hyphens_is_memmons() {
        let options = parse("web* --watch -- -c -p foo=200MB --json").unwrap();
        assert_eq!(options.memmon, ["-c", "-p", "foo=200MB", "--json"]);
        assert_eq!(options.names[0].as_str(), "web*");
        assert!(!options.json);
    }

    #[test]
    fn intervals() {
        let watch = |line| parse(line).map(|options| options.watch.map(|watch| watch.as_secs()));
        for (line, seconds) in [
            ("", None),
            ("--watch", Some(2)),
            ("--watch 5", Some(5)),
            ("--watch=1m foo", Some(60)),
            ("foo --watch", Some(2)),
        ] {
            assert_eq!(watch(line), Ok(seconds), "{line}");
        }
        assert!(watch("--watch foo").unwrap_err().contains("names go before it"));
        assert!(watch("--watch 0").unwrap_err().contains("expected one second or more"));
    }

    #[test]
    fn a_limit_before_the_two_hyphens_earns_a_hint() {
        for (line, is_mistake) in [
            ("-p foo=200MB", true),
            ("-pworkers:a=40%", true),
            ("-p foo=200MB -u bob", false),
            ("-p secret", false),
            ("-p =5", false),
            ("-p a=b", false),
        ] {
            let mistake = parse(line).unwrap().mistake();
            assert_eq!(mistake.is_some(), is_mistake, "{line}");
        }
        let mistake = parse("-p foo=200MB").unwrap().mistake().unwrap();
        assert!(mistake.ends_with("superlance status -- -p NAME=SIZE"), "{mistake}");
        let as_name = parse("foo=200MB").unwrap_err();
        assert!(as_name.contains("superlance status -- -p foo=200MB"), "{as_name}");
    }
}
