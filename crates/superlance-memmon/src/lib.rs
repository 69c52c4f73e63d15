//! `memmon` restarts processes under supervisord that use too much memory.
//!
//! At each tick it asks supervisord for all processes and the system for their memory ([`look`],
//! [`memory`]), decides by the limits of the command line and what it remembers ([`decide`], [`past`]),
//! and acts ([`act`]); [`listener`] is where these come together. What it writes into the log and into
//! mails without options of its own is the original's, word for word.
//!
//! Measuring ([`Memory`], [`Metric`], [`Machine`]) and the meaning of memmon's limits ([`Watch`]) are
//! public, for whoever shows how much memory processes use.

mod act;
mod action;
mod alerts;
mod amount;
mod before;
mod decide;
mod deeds;
mod files;
mod history;
mod limits;
mod listener;
mod look;
mod machine;
mod memory;
mod metric;
mod options;
mod past;
mod proc;
mod prometheus;
mod ps;
mod report;
mod tree;
mod watch;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_alerts::Raiser;
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;

pub use crate::amount::{Amount, BadAmount};
pub use crate::machine::Machine;
pub use crate::memory::{Memory, Reading, Readings};
pub use crate::metric::{Metric, Usage, Withheld};
pub use crate::watch::{Limited, Watch};

use crate::listener::Memmon;
use crate::options::Options;

/// The command `memmon`.
pub const APPLET: Applet = Applet { name: "memmon", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: false, mails_without_address: false };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let options = Options::from_arg_matches(matches).map_err(bad)?;
    options.check(&options.memory()).map_err(StartError::Usage)?;
    options.warn(&environment.log);
    let supervisor = environment.supervisor()?;
    let alerts = superlance_alerts::pipeline(
        &environment,
        RAISER,
        Some(&options.mail),
        &options.alerts,
        matches,
    )?;
    let Environment { own_namespec, log, unfinished, .. } = environment;
    Ok(Service {
        listener: Box::new(Memmon::new(options, own_namespec)),
        supervisor: Box::new(supervisor),
        alerts: Box::new(alerts),
        log,
        unfinished,
    })
}
