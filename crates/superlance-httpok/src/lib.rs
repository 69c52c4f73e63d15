//! `httpok` restarts processes under supervisord when a URL does not answer as it should.
//!
//! With each tick it sends a GET request ([`superlance_probe`]), and where the answer is not what the
//! command line expects ([`options`]) restarts the processes it was given ([`processes`]), after a
//! core dump of each if one is wanted ([`gcore`]), and reports it ([`report`]). The [`listener`] puts these together. What it writes into the log and into
//! mails is the original's, word for word.

mod gcore;
mod listener;
mod options;
mod processes;
mod report;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_alerts::{Raiser, pipeline};
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;
use superlance_probe::http::Http;

use crate::listener::HttpOk;
use crate::options::Options;

/// The command `httpok`.
pub const APPLET: Applet = Applet { name: "httpok", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: true, mails_without_address: false };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let mut options = Options::from_arg_matches(matches).map_err(bad)?;
    let request = options.request().map_err(StartError::Usage)?;
    options.warn(&environment.log);
    let supervisor = environment.supervisor()?;
    let shown = request.target.shown.clone();
    let http = Http::new(request).map_err(StartError::Environment)?;
    let alerts = pipeline(&environment, RAISER, Some(&options.mail), &options.alerts, matches)?;
    let own_namespec = environment.own_namespec.clone();
    let mut listener = HttpOk::new(options, shown, own_namespec, move || http.check());
    listener.keep(alerts.restarts(), &environment.in_flight);
    Ok(Service::new(listener, Box::new(supervisor), alerts, environment))
}
