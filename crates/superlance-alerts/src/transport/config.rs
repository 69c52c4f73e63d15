//! What a transport is made from.

use clap::ArgMatches;

use crate::options::{AlertOptions, MailOptions};
use superlance_core::listener::environment::Environment;

/// Who raises alerts.
#[derive(Debug, Clone, Copy)]
pub struct Raiser {
    /// Name of the command, such as `memmon`.
    pub name: &'static str,
    /// Whether the log has every mail that was sent, which is the original's way in some listeners.
    pub confirms: bool,
    /// Whether a command that `-s` names is run without an address, too: it may know its recipients
    /// itself.
    pub mails_without_address: bool,
}

/// What a way out is made of.
pub(crate) struct TransportConfig<'a> {
    pub(crate) raiser: Raiser,
    /// None in the batch tools, which have options of their own for mails.
    pub(crate) mail: Option<&'a MailOptions>,
    pub(crate) options: &'a AlertOptions,
    /// The command line, for what depends on the order in it.
    pub(crate) matches: &'a ArgMatches,
    pub(crate) environment: &'a Environment,
    /// This host's name.
    pub(crate) host: String,
}
