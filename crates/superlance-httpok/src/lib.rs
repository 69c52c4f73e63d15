//! `httpok` restarts processes under supervisord when a URL does not answer as it should.
//!
//! With each tick it makes the checks of the command line ([`options`], [`asking`], [`plan`], by way of
//! [`superlance_probe`]), and judges the outcomes ([`round`]). Where they are not good, the [`responder`] has the decision made
//! that is shared with memmon ([`target`]), and acts on the processes ([`processes`], [`act`]), after a
//! core dump of each if one is wanted ([`gcore`]), and reports it ([`report`], [`alerts`]). The
//! [`listener`] puts these together, and the [`reporter`] writes the status and metrics files. What it
//! writes into the log and into mails without options of its own is the original's, word for word.

mod act;
mod alerts;
mod asking;
mod certificates;
mod check_options;
mod gcore;
mod listener;
mod memory;
mod options;
mod plan;
mod processes;
mod report;
mod reporter;
mod responder;
mod round;
mod target;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_alerts::{Raiser, pipeline};
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;
use superlance_core::supervisor::ProcessInfo;

use crate::listener::HttpOk;
use crate::options::Options;

/// The command `httpok`.
pub const APPLET: Applet = Applet { name: "httpok", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: true, mails_without_address: false };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let mut options = Options::from_arg_matches(matches).map_err(bad)?;
    let plan = asking::plan(&options, &|option, given| environment.secret(option, given))?;
    options.deciding.check(options.checks.each).map_err(StartError::Usage)?;
    options.warn(&environment.log);
    let supervisor = environment.supervisor()?;
    let shown = plan.describe();
    let alerts = pipeline(&environment, RAISER, Some(&options.mail), &options.alerts, matches)?
        .with_heartbeat(&options.heartbeat, &environment)?;
    let own_namespec = environment.own_namespec.clone();
    let any_url = plan.any;
    let ask = Box::new(move |processes: &[&ProcessInfo]| plan.check(processes));
    let mut listener = HttpOk::new(options, shown, own_namespec, any_url, ask);
    listener.keep(alerts.restarts(), &environment.in_flight);
    Ok(Service::new(listener, Box::new(supervisor), alerts, environment))
}
