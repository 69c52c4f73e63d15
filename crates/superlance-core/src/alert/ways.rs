//! The ways out that there are.

mod command;
mod notify;
mod smtp;
mod webhook;

use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;

#[cfg(test)]
pub(super) use self::command::MailCommand;
pub(crate) use self::webhook::Format;
use super::options::{AlertOptions, MailOptions};
use super::pipeline::Parts;
use super::store::Store;
use super::{Pipeline, Way};
use crate::applet::{Environment, Failure};
use crate::smtp::host_name;

/// Makes what the command line asks for of a way out.
type Maker = fn(&Plan<'_>) -> Result<Vec<Box<dyn Way>>, Failure>;

/// Every way out.
const WAYS: &[Maker] = &[command::mail_command, smtp::smtp, webhook::webhooks, notify::notify];

/// Who raises alerts.
#[derive(Debug, Clone, Copy)]
pub struct Raiser {
    /// Name of the command, such as `memmon`.
    pub name: &'static str,
    /// Whether the log has every mail that was sent, which is the original's way in some listeners.
    pub confirms: bool,
}

/// What a way out is made of.
struct Plan<'a> {
    raiser: Raiser,
    /// None in the batch tools, which mail their digests themselves.
    mail: Option<&'a MailOptions>,
    options: &'a AlertOptions,
    /// The command line, for what depends on the order in it.
    matches: &'a ArgMatches,
    environment: &'a Environment,
    /// This host's name.
    host: String,
}

impl Environment {
    /// What the alerts of a listener go through.
    ///
    /// # Errors
    /// When something about the ways out makes no sense.
    pub fn alerts(
        &self,
        raiser: Raiser,
        mail: Option<&MailOptions>,
        options: &AlertOptions,
        matches: &ArgMatches,
    ) -> Result<Pipeline, Failure> {
        let host = host_name();
        let plan = Plan { raiser, mail, options, matches, environment: self, host: host.clone() };
        let mut ways = Vec::new();
        for make in WAYS {
            ways.extend(make(&plan)?);
        }
        let name = self.own_namespec.clone().unwrap_or_else(|| raiser.name.to_owned());
        let store = |parent: &PathBuf| Store::new(parent.clone(), name, Arc::clone(&self.log));
        Ok(Pipeline::new(Parts {
            listener: raiser.name,
            prefix: options.hostname.then(|| host.clone()),
            host,
            ways,
            store: options.spool.as_ref().map(store),
            limiter: mail.and_then(|mail| mail.calm.limiter()),
            recovery: mail.and_then(|mail| mail.calm.recovery()),
            log: Arc::clone(&self.log),
            unfinished: self.unfinished.clone(),
        }))
    }
}
