//! `exitmon` ends supervisord when a process that matters is gone, and hands on an exit status.
//!
//! Events and looks at all processes ([`look`]) are compared with the rule of the command line
//! ([`rule`]); the [`listener`] then logs why, writes the status ([`status`]) into a file, tells others,
//! and begins the end ([`shutdown`]).

mod listener;
mod look;
mod options;
mod rule;
mod shutdown;
mod status;
mod texts;

use clap::{ArgMatches, Error, FromArgMatches};
use superlance_alerts::{Raiser, pipeline};
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;

use crate::listener::Exitmon;
use crate::look::Eyes;
use crate::options::Options;

pub const APPLET: Applet = Applet { name: "exitmon", command: options::command, service };

const RAISER: Raiser = Raiser { name: APPLET.name, confirms: false, mails_without_address: false };

fn service(matches: &ArgMatches, environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let options = Options::from_arg_matches(matches).map_err(bad)?;
    let supervisor = environment.supervisor_for(options.asks_supervisord())?;
    let sees = environment.supervisor().is_ok();
    if !sees {
        environment.log.line(
            "exitmon: supervisord cannot be asked, so only FATAL counts, and a signal ends it; for more, \
             its configuration needs a [unix_http_server] or [inet_http_server] section, and \
             [rpcinterface:supervisor]",
        );
    }
    let exit_file = options.exit_file.clone().or_else(|| environment.exit_file.clone());
    if exit_file.is_none() {
        environment.log.line(
            "exitmon: nothing hands the exit status on, since supervisord's own is 0 whatever happens: \
             start it by superlance run, or give --exit-file",
        );
    }
    let alerts = pipeline(&environment, RAISER, Some(&options.mail), &options.alerts, matches)?
        .with_heartbeat(&options.heartbeat, &environment)?;
    let own = environment.own_namespec.as_deref();
    let eyes = Eyes::new(options.selected(), own, environment.configuration());
    let listener = Exitmon::new(&options, sees, eyes, exit_file, environment.run_pid);
    Ok(Service::new(listener, supervisor, alerts, environment))
}
