//! `crashmail` mails when a process under supervisord exits unexpectedly.

mod listener;
mod options;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_alerts::{Raiser, pipeline};
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;

use crate::listener::Crashmail;
use crate::options::Options;

pub const APPLET: Applet = Applet { name: "crashmail", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: true, mails_without_address: true };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let mut options = Options::from_arg_matches(matches).map_err(bad)?;
    let tail = options.tail.asks_supervisord();
    let supervisor = environment.supervisor_for(tail.or(options.mail.asks_supervisord()))?;
    let alerts = pipeline(&environment, RAISER, Some(&options.mail), &options.alerts, matches)?;
    let told = alerts.has_transports();
    options.warn(told, &environment.log);
    Ok(Service::new(Crashmail::new(options, told), supervisor, alerts, environment))
}
