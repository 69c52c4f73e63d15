//! `httpok` restarts processes under supervisord when a URL does not answer as it should.
//!
//! With each tick it makes the checks of the command line ([`options`], [`asking`], [`plan`], by way of
//! [`superlance_probe`]), and where one fails restarts the processes it was given ([`processes`]), after a
//! core dump of each if one is wanted ([`gcore`]), and reports it ([`report`]). The [`listener`] puts these together. What it writes into the log and into
//! mails is the original's, word for word.

mod asking;
mod check_options;
mod gcore;
mod listener;
mod options;
mod plan;
mod processes;
mod report;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_alerts::{Raiser, pipeline};
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;

use crate::listener::HttpOk;
use crate::options::Options;

/// The command `httpok`.
pub const APPLET: Applet = Applet { name: "httpok", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: true, mails_without_address: false };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let mut options = Options::from_arg_matches(matches).map_err(bad)?;
    let plan = asking::plan(&options, &|option, given| environment.secret(option, given))?;
    options.warn(&environment.log);
    let supervisor = environment.supervisor()?;
    let shown = plan.describe();
    let alerts = pipeline(&environment, RAISER, Some(&options.mail), &options.alerts, matches)?;
    let own_namespec = environment.own_namespec.clone();
    let mut listener =
        HttpOk::new(options, shown, own_namespec, move || plan::together(&plan.check(), plan.any));
    listener.keep(alerts.restarts(), &environment.in_flight);
    Ok(Service::new(listener, Box::new(supervisor), alerts, environment))
}
