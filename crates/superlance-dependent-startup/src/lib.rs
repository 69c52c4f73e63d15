//! `dependent-startup` starts programs once others have reached a state.
//!
//! The keys of supervisord.conf ([`wait_for`]) become a [`graph`] of [`program`]s and [`condition`]s,
//! with what is wrong in it ([`fault`], [`cycles`]). From it and the [`states`] of processes follows
//! which may start and what the others wait for ([`mod@decide`]); the [`listener`] acts on that.
//! [`mod@plan`] prints the graph.

mod alerts;
pub mod condition;
mod cycles;
mod decide;
mod dependents;
pub mod fault;
mod find;
mod follow;
pub mod graph;
mod health;
pub mod keys;
mod level;
mod listener;
mod opening;
mod options;
mod plan;
pub mod program;
mod starts;
pub mod states;
mod texts;
mod troubles;
mod unknown;
mod wait_for;

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use clap::{ArgMatches, Error, FromArgMatches};
use litemap::LiteMap;
use superlance_alerts::{Raiser, pipeline};
use superlance_config::ThisHost;
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::run::Service;
use superlance_core::run::applet::Applet;
use superlance_core::supervisor::ProcessInfo;
use superlance_core::system::log::Log;

use crate::decide::decide;
use crate::graph::{Graph, Reading};
use crate::listener::DependentStartup;
use crate::options::{Options, unused_log_format};
use crate::plan::plan;
use crate::states::States;

const NAME: &str = "dependent-startup";

pub const APPLET: Applet = Applet { name: NAME, command: options::command, service };

/// The conditions that processes, by `group:name`, still wait for, as they are written. Health is not
/// asked for, so that it counts as one of them.
#[must_use]
pub fn waits_for(graph: &Graph, all: &[ProcessInfo]) -> LiteMap<String, Vec<String>> {
    let mut states = States::default();
    states.look(all);
    let mut waits = LiteMap::new();
    for waiting in decide(graph, &states).waiting {
        let unmet: Vec<_> = waiting.unmet.iter().map(|condition| condition.text()).collect();
        let new = waiting.program.processes.iter().filter(|process| states.is_new(process));
        for process in new {
            waits.insert(process.clone(), unmet.clone());
        }
    }
    waits
}

const RAISER: Raiser = Raiser { name: NAME, confirms: false, mails_without_address: false };

/// The exit status of `--error-action exit`, as in the original.
const FAULTS: u8 = 3;

/// The exit status for a configuration that cannot be found or read.
const NO_CONFIGURATION: u8 = 2;

fn service(matches: &ArgMatches, mut environment: Environment) -> Result<Service, StartError> {
    let bad = |error: Error| StartError::Usage(error.to_string());
    let options = Options::from_arg_matches(matches).map_err(bad)?;
    let no_configuration = |reason: String| match options.plan {
        true => StartError::Usage(reason),
        false => StartError::Exit(NO_CONFIGURATION, reason),
    };
    let file = find::find(&options, &environment).map_err(no_configuration)?;
    let host = ThisHost::here();
    let reading = Reading::load(&file, &host, options.lenience()).map_err(no_configuration)?;
    if options.plan {
        let is_good = reading.graph.programs.iter().all(|program| program.faults.is_empty());
        return Err(StartError::Printed(u8::from(!is_good), plan(&reading.graph)));
    }
    if let Some(path) = &options.log_file {
        environment.log = Arc::new(log_file(path, &environment.log)?);
    }
    if let Some(format) = unused_log_format(matches) {
        environment.log.line(format_args!(
            "dependent-startup: --log-format {format} is without effect: expected plain, time or json"
        ));
    }
    let faults = reading.graph.programs.iter().flat_map(texts::faults);
    let faults: Vec<_> = faults.filter(|_| options.ends()).collect();
    if !faults.is_empty() {
        return Err(StartError::Exit(
            FAULTS,
            format!("--error-action exit: {}", faults.join("; ")),
        ));
    }
    let supervisor = environment.supervisor()?;
    let alerts = pipeline(&environment, RAISER, Some(&options.mail), &options.alerts, matches)?;
    let own_namespec = environment.own_namespec.clone();
    let mut listener = DependentStartup::new(reading, &file, &options, own_namespec);
    listener.keep(alerts.restarts(), &environment.in_flight);
    Ok(Service::new(listener, Box::new(supervisor), alerts, environment))
}

/// The log, written to a file.
fn log_file(path: &Path, log: &Log) -> Result<Log, StartError> {
    let file = OpenOptions::new().append(true).create(true).open(path).map_err(|error| {
        StartError::Environment(format!("--log-file {}: {error}", path.display()))
    })?;
    Ok(log.redirected(file))
}
