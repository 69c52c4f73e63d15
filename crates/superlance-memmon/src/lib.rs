//! `memmon` restarts processes under supervisord that use too much memory.
//!
//! At each tick the [`sampler`] asks supervisord for all processes and the system for their memory
//! ([`superlance_measure`]), [`decide`] compares them with the limits of the command line and what is remembered of
//! earlier ticks, and [`act`] restarts and alerts; [`report`] is what the status and metrics files say.
//! The [`listener`] puts these together. What it writes into the log and into mails without options of its
//! own is the original's, word for word.
//!
//! The meaning of memmon's limits ([`Watch`]) is public, for other tools that show how much memory processes
//! use.

mod act;
mod decide;
mod listener;
mod options;
mod report;
mod sampler;
mod watch;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_alerts::{Raiser, pipeline};
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;

pub use crate::decide::amount::{Amount, BadAmount};
pub use crate::watch::{Limited, Watch};

use crate::listener::Memmon;
use crate::options::Options;

/// The command `memmon`.
pub const APPLET: Applet = Applet { name: "memmon", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: false, mails_without_address: false };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let mut options = Options::from_arg_matches(matches).map_err(bad)?;
    options.check(&options.memory()).map_err(StartError::Usage)?;
    options.warn(&environment.log);
    let supervisor = environment.supervisor()?;
    let alerts = pipeline(&environment, RAISER, Some(&options.mail), &options.alerts, matches)?
        .with_heartbeat(&options.heartbeat, &environment)?;
    let own_namespec = environment.own_namespec.clone();
    let mut listener = Memmon::new(options, own_namespec);
    listener.keep(alerts.restarts(), &environment.in_flight);
    Ok(Service::new(listener, Box::new(supervisor), alerts, environment))
}
