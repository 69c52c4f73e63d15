//! The options that say when something is done about a failure, and what.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use superlance_action::action::{Action, Intervention};
use superlance_action::decide::rules::{Budget, MaxUnavailable, Rules, Threshold};
use superlance_core::options::units::{parse_duration, parse_short_duration};
use superlance_core::supervisor::State;
use superlance_probe::outcome::Class;

/// The options that say when something is done about a failure, and what.
#[derive(Debug, Clone, Args)]
pub(crate) struct Deciding {
    /// Act only when N checks in a row have failed, or N of the last M
    #[arg(long = "for", value_name = "N[/M]", default_value = "1")]
    pub(crate) threshold: Threshold,

    /// Leave a process alone until it has been up for TIME, or a check has succeeded; until then
    /// failures do not count
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0")]
    grace: Duration,

    /// Failures that count, the others are only reported: connect, timeout, tls, status, body, slow
    /// [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_class)]
    pub(crate) fail_on: Vec<Class>,

    /// Treat an answer that takes longer than TIME as a failure
    #[arg(long, value_name = "TIME", value_parser = parse_short_duration)]
    pub(crate) slow: Option<Duration>,

    /// What is done: restart, stop, signal:NAME (such as signal:USR1), or alert, which only tells
    #[arg(long, value_name = "ACTION", default_value = "restart")]
    pub(crate) action: Action,

    /// Also start processes in these states: fatal, exited, stopped
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_state)]
    pub(crate) start: Vec<State>,

    /// Command to run before the action, after a core dump; it has SUPERLANCE_URL and other variables
    /// and five minutes, and its output goes into log and mail
    #[arg(long, value_name = "COMMAND")]
    pub(crate) before: Option<String>,

    /// Act at most N times within TIME on a process; then it is left alone for TIME, and one mail
    /// reports that
    #[arg(long, value_name = "N/TIME")]
    max_restarts: Option<Budget>,

    /// Act on one process of a group in a tick, so that a pool is never down as a whole
    #[arg(long)]
    stagger: bool,

    /// Touch nothing when more processes than this would be unavailable at once: a number, or a part
    /// of them such as 50%
    #[arg(long, value_name = "N|P%")]
    max_unavailable: Option<MaxUnavailable>,

    /// Mail already when N checks have failed, before the action of --for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) warn_after: Option<u32>,

    /// Check, decide and log, but touch nothing and mail nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Write checks and recent actions to this file after each tick, as JSON
    #[arg(long, value_name = "PATH")]
    pub(crate) status_file: Option<PathBuf>,

    /// The same for Prometheus, for the textfile collector of node_exporter (PATH should end in
    /// .prom)
    #[arg(long, value_name = "PATH")]
    pub(crate) metrics_file: Option<PathBuf>,
}

impl Deciding {
    /// Refuses what means nothing. With `each`, each process has a check of its own.
    pub(crate) fn check(&self, each: bool) -> Result<(), String> {
        let restarts = self.action == Action::Intervene(Intervention::Restart);
        let (failures, warn_after) = (self.threshold.failures, self.warn_after.unwrap_or(0));
        let wrong = if warn_after >= failures && self.warn_after.is_some() {
            format!(
                "--warn-after {warn_after} needs a larger number in --for, which is {}",
                self.threshold
            )
        } else if !self.start.is_empty() && !restarts {
            format!("--start goes with --action restart only, and not with {}", self.action)
        } else if self.max_unavailable.is_some() && self.action == Action::Alert {
            "--max-unavailable means nothing with --action alert, which touches nothing".to_owned()
        } else if self.max_unavailable.is_some() && !each && !self.stagger {
            "--max-unavailable needs --each or --stagger: otherwise one URL that fails means all \
             processes"
                .to_owned()
        } else {
            return Ok(());
        };
        Err(wrong)
    }

    /// What they say about deciding.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            threshold: self.threshold,
            grace: self.grace,
            success_ends_grace: true,
            budget: self.max_restarts,
            stagger: self.stagger,
            max_unavailable: self.max_unavailable,
            only_tell: self.action == Action::Alert,
        }
    }
}

fn parse_class(text: &str) -> Result<Class, String> {
    let class = Class::ALL.into_iter().find(|class| class.name() == text.trim());
    let names = Class::ALL.map(Class::name).join(", ");
    class.ok_or_else(|| format!("expected a list of {names}"))
}

fn parse_state(text: &str) -> Result<State, String> {
    match text.trim() {
        "fatal" => Ok(State::Fatal),
        "exited" => Ok(State::Exited),
        "stopped" => Ok(State::Stopped),
        "backoff" => Err("supervisord itself starts a process that is in BACKOFF".to_owned()),
        _ => Err("expected a list of fatal, exited, stopped".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;
    use crate::options::{Options, command};

    fn parse(arguments: &[&str], each: bool) -> Result<Deciding, String> {
        let arguments = ["httpok"].iter().chain(arguments).chain(&["http://h/"]);
        let matches = command().try_get_matches_from(arguments).map_err(|e| e.to_string())?;
        let options = Options::from_arg_matches(&matches).map_err(|e| e.to_string())?;
        options.deciding.check(each).map(|()| options.deciding)
    }

    #[test]
    fn without_options_the_rules_are_the_originals() {
        let deciding = parse(&[], false).unwrap();
        let rules = Rules { success_ends_grace: true, ..Rules::default() };
        assert_eq!((deciding.rules(), deciding.action.to_string()), (rules, "restart".to_owned()));
        assert!(deciding.fail_on.is_empty() && deciding.start.is_empty());
    }

    #[test]
    fn lists() {
        let deciding = parse(&["--start", "fatal, exited", "--fail-on=connect,timeout"], false);
        let deciding = deciding.unwrap();
        assert_eq!(deciding.start, [State::Fatal, State::Exited]);
        assert_eq!(deciding.fail_on, [Class::Connect, Class::Timeout]);
    }

    #[test]
    fn what_makes_no_sense_says_what_was_expected() {
        for (arguments, expected) in [
            (&["--for", "0"][..], "is not N or N/M such as 3 or 3/5"),
            (&["--start", "backoff"], "supervisord itself starts a process that is in BACKOFF"),
            (&["--start", "running"], "expected a list of fatal, exited, stopped"),
            (&["--fail-on", "status,x"], "expected a list of connect, timeout, tls, status, body"),
            (&["--max-unavailable", "101%", "--stagger"], "is not a number of processes such as 2"),
            (&["--max-unavailable", "2"], "--max-unavailable needs --each or --stagger: otherwise"),
            (&["--warn-after", "3", "--for", "3"], "--warn-after 3 needs a larger number in --for"),
            (&["--warn-after", "1"], "--warn-after 1 needs a larger number in --for, which is 1"),
            (&["--warn-after", "0"], "0 is not in 1.."),
            (&["--start", "fatal", "--action", "stop"], "--start goes with --action restart only"),
            (
                &["--max-unavailable", "1", "--action", "alert", "--stagger"],
                "--max-unavailable means nothing with --action alert",
            ),
        ] {
            let error = parse(arguments, false).unwrap_err();
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
        assert!(parse(&["--max-unavailable", "2"], true).is_ok());
        assert!(parse(&["--warn-after", "2", "--for", "3/9"], false).is_ok());
    }
}
