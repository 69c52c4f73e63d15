//! `memmon` restarts processes under supervisord that use too much memory.
//!
//! With each tick it asks supervisord for all processes ([`listener`]), the system for their memory
//! ([`memory`]), compares that with the limits of the command line ([`options`], [`limits`]), and
//! restarts what is over. What it writes into the log and into mails is the original's, word for word.

mod limits;
mod listener;
mod memory;
mod options;
mod ps;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_core::alert::Raiser;
use superlance_core::applet::{Applet, Environment, Failure};
use superlance_core::serve::Service;

use crate::listener::Memmon;
use crate::options::Options;

/// The command `memmon`.
pub const APPLET: Applet = Applet { name: "memmon", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: false };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, Failure> {
    let bad = |error: Error| Failure::Usage(error.to_string());
    let options = Options::from_arg_matches(matches).map_err(bad)?;
    options.warn(&environment.log);
    let supervisor = environment.supervisor()?;
    let alerts = environment.alerts(RAISER, Some(&options.mail), &options.alerts, matches)?;
    let Environment { own_namespec, log, unfinished, .. } = environment;
    Ok(Service {
        listener: Box::new(Memmon::new(options, own_namespec)),
        supervisor: Box::new(supervisor),
        alerts,
        log,
        unfinished,
    })
}
