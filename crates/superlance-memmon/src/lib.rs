//! `memmon` restarts processes under supervisord that use too much memory.
//!
//! With each tick it asks supervisord for all processes ([`listener`]), the system for their memory
//! ([`memory`]), compares that with the limits of the command line ([`options`], [`limits`]), and
//! restarts what is over. What it writes into the log and into mails is the original's, word for word.
//!
//! Measuring ([`Memory`], [`Metric`], [`Machine`]) and the meaning of memmon's limits ([`Watch`]) are
//! public, for whoever shows how much memory processes use.

mod amount;
mod limits;
mod listener;
mod machine;
mod memory;
mod metric;
mod options;
mod proc;
mod ps;
mod tree;
mod watch;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_core::applet::{Applet, Environment, Failure};
use superlance_core::serve::Service;

pub use crate::amount::{Amount, BadAmount};
pub use crate::machine::Machine;
pub use crate::memory::{Memory, Reading, Readings};
pub use crate::metric::{Metric, Usage, Withheld};
pub use crate::watch::{Limited, Watch};

use crate::listener::Memmon;
use crate::options::Options;

/// The command `memmon`.
pub const APPLET: Applet = Applet { name: "memmon", command: options::command, service };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, Failure> {
    let bad = |error: Error| Failure::Usage(error.to_string());
    let options = Options::from_arg_matches(matches).map_err(bad)?;
    options.check(&options.memory()).map_err(Failure::Usage)?;
    options.warn(&environment.log);
    let supervisor = environment.supervisor()?;
    let mailer = environment.outbox(&options.sendmail);
    let Environment { own_namespec, log, unfinished, .. } = environment;
    Ok(Service {
        listener: Box::new(Memmon::new(options, own_namespec)),
        supervisor: Box::new(supervisor),
        mailer: Box::new(mailer),
        log,
        unfinished,
    })
}
