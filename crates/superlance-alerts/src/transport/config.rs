//! The configuration that transports are made from.

use std::time::Duration;

use clap::ArgMatches;

use crate::options::{AlertOptions, MailOptions};
use superlance_core::listener::environment::Environment;

/// The listener that raises alerts.
#[derive(Debug, Clone, Copy)]
pub struct Raiser {
    /// The name of the command, such as `memmon`.
    pub name: &'static str,
    /// Whether the log has every sent mail, as in some listeners of the original.
    pub confirms: bool,
    /// Whether a command of `-s` also runs without an address: it may know its recipients itself.
    pub mails_without_address: bool,
}

/// What the transports of a listener are made from.
pub(crate) struct TransportConfig<'a> {
    pub(crate) raiser: Raiser,
    /// None in the batch tools, which have mail options of their own.
    pub(crate) mail: Option<&'a MailOptions>,
    pub(crate) options: &'a AlertOptions,
    /// The parsed command line, for options whose order matters.
    pub(crate) matches: &'a ArgMatches,
    pub(crate) environment: &'a Environment,
    pub(crate) host: String,
    /// How long services keep what is over at once.
    pub(crate) interval: Duration,
}
