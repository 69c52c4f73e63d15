//! The command line of `superlance metrics`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory as _, Parser};
use superlance_config::server::ServerOptions;
use superlance_core::options::label::Label;
use superlance_core::options::units::{duration_text, parse_interval};

const AFTER_HELP: &str = "\
Without --file and --listen, they are printed once.

Exit status: 0 when all is well, 1 when supervisord cannot be asked, 2 for a wrong command line.

Examples:

  superlance metrics
  superlance metrics --listen 127.0.0.1:9876
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

    /// Go on, and answer Prometheus at http://ADDRESS/metrics; an address and a port, such as
    /// 127.0.0.1:9876
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    pub(crate) listen: Option<SocketAddr>,

    /// Label of all metrics, such as supervisor=blue, where a machine has several supervisords
    /// (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_label)]
    pub(crate) label: Vec<Label>,

    /// How long --file waits before it writes again, where no TICK comes
    #[arg(long, value_name = "TIME", requires = "file", default_value = "15")]
    #[arg(value_parser = parse_interval)]
    pub(crate) interval: Duration,
}

impl Options {
    /// The same, unless two labels have one name.
    pub(crate) fn checked(self) -> Result<Self, clap::Error> {
        match Label::given_twice(&self.label) {
            None => Ok(self),
            Some(message) => Err(Self::command().error(ErrorKind::ArgumentConflict, message)),
        }
    }

    /// Whether it is more than printing once.
    pub(crate) fn goes_on(&self) -> bool {
        self.file.is_some() || self.listen.is_some()
    }

    /// What it does, for the log.
    pub(crate) fn task(&self) -> String {
        let interval = duration_text(self.interval);
        let writes = self.file.as_ref().map(|file| {
            format!("writes {} at each TICK, or else every {interval}", file.display())
        });
        let answers = self.listen.map(|address| format!("answers at http://{address}/metrics"));
        writes.into_iter().chain(answers).collect::<Vec<_>>().join("; ")
    }
}

/// The labels that metrics have already.
const TAKEN: [&str; 5] = ["children", "group", "metric", "name", "version"];

fn parse_label(text: &str) -> Result<Label, String> {
    let label: Label = text.parse()?;
    match TAKEN.contains(&&*label.name) {
        true => Err(format!("the metrics have a label {} of their own", label.name)),
        false => Ok(label),
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected an address and a port, such as 127.0.0.1:9876 or [::]:9876";
    let address: Option<SocketAddr> = text.parse().ok().filter(|it: &SocketAddr| it.port() != 0);
    address.ok_or_else(|| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words = ["superlance metrics"].into_iter().chain(line.split_whitespace());
        let options = Options::try_parse_from(words).and_then(Options::checked);
        options.map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_makes_sense() {
        Options::command().debug_assert();
    }

    #[test]
    fn addresses_are_numbers_with_a_port() {
        for (address, is_good) in [
            ("127.0.0.1:9876", true),
            ("[::1]:9876", true),
            ("9876", false),
            (":9876", false),
            ("localhost:9876", false),
            ("127.0.0.1", false),
            ("127.0.0.1:0", false),
        ] {
            let options = parse(&format!("--listen {address}"));
            assert_eq!(options.is_ok(), is_good, "{address}");
            let said = options.err().unwrap_or_default();
            assert!(is_good || said.contains("such as 127.0.0.1:9876"), "{said}");
        }
    }

    #[test]
    fn labels_are_none_of_ours() {
        assert_eq!(parse("--label a=b --label c=d").unwrap().label.len(), 2);
        assert!(parse("--label group=x").unwrap_err().contains("a label group of their own"));
        assert!(parse("--label a=b --label a=c").unwrap_err().contains("--label a is given twice"));
        assert!(parse("--label x").unwrap_err().contains("expected NAME=VALUE"));
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
