//! The command line of `superlance check`.

use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum};

use crate::codes;
use crate::severity::Severity;

const AFTER_HELP: &str = "\
Exit status: 0 when nothing is as bad as --fail-on says, 1 when something is, 2 for a wrong command \
line or a configuration that supervisord refuses.

A comment  ; superlance: ignore SL203  before a key silences that code for the key, right under the \
name of a section for the whole section.

Examples:

  superlance check
  superlance check -c /etc/supervisor/supervisord.conf --fail-on warning
  superlance check --explain SL201";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "superlance check", about = crate::ABOUT, disable_help_flag = true, infer_long_args = true)]
#[command(after_help = AFTER_HELP, override_usage = "superlance check [OPTION]... [FILE]")]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Configuration to look at; if not given, it is searched where supervisord searches
    #[arg(short, long, value_name = "FILE")]
    configuration: Option<PathBuf>,

    /// The same as -c FILE
    #[arg(value_name = "FILE", conflicts_with = "configuration")]
    file: Option<PathBuf>,

    /// Insist on a comparison with the supervisord that runs
    #[arg(long, conflicts_with = "no_live")]
    pub(crate) live: bool,

    /// Look at the files only; without it, they are compared with what a supervisord runs that
    /// answers
    #[arg(long)]
    pub(crate) no_live: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,

    /// Print SARIF 2.1.0, for code scanners
    #[arg(long)]
    pub(crate) sarif: bool,

    /// The least bad finding that gives exit status 1: error, warning, info or never
    #[arg(long, value_name = "SEVERITY", default_value = "error", hide_possible_values = true)]
    pub(crate) fail_on: FailOn,

    /// Leave findings with this code out (repeatable)
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = parse_code)]
    pub(crate) ignore: Vec<String>,

    /// Print what a code means and what to do, and nothing else
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    pub(crate) explain: Option<String>,

    /// Print findings of severity info, too
    #[arg(long)]
    pub(crate) all: bool,

    /// The configuration is for a container; without it, that is seen from inside of one only
    #[arg(long)]
    pub(crate) container: bool,
}

impl Options {
    /// The configuration to look at, if one is named.
    pub(crate) fn configuration(&self) -> Option<PathBuf> {
        self.configuration.clone().or_else(|| self.file.clone())
    }
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    pub(crate) fn includes(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Info => true,
            Self::Never => false,
        }
    }
}

fn parse_code(text: &str) -> Result<String, String> {
    let entry = codes::find(text.trim());
    entry
        .map(|entry| entry.code.to_owned())
        .ok_or_else(|| "expected a code such as SL201; docs/check.md has all of them".to_owned())
}
