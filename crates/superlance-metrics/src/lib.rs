//! `superlance metrics` gives Prometheus the metrics of the processes under supervisord.
//!
//! A [`watcher`] looks at supervisord, its [`listeners`] and the memory of its processes ([`mod@look`]),
//! counts restarts ([`restarts`]), and makes that metrics ([`exposition`]); once, or again and again into a
//! file ([`mod@serve`]) and over HTTP ([`endpoint`]).

mod endpoint;
mod exposition;
mod listeners;
mod look;
mod options;
mod restarts;
mod serve;
mod watcher;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Command, CommandFactory as _, FromArgMatches as _};
use signal_hook::low_level::{emulate_default_handler, signal_name};
use superlance_action::report::output_file::OutputFile;
use superlance_config::server::{self, Connection, NoServer, ServerOptions};
use superlance_core::listener::environment::Environment;
use superlance_core::options::getopt::{with_hints, with_version};
use superlance_core::options::usage::StartError;
use superlance_core::run::answer::may_be_listener;
use superlance_core::run::applet::report;
use superlance_core::system::log::Log;

use crate::options::Options;
use crate::serve::Ended;
use crate::watcher::Watcher;

/// What it is called, after `superlance`.
pub const NAME: &str = "metrics";

/// What its messages begin with.
const FULL_NAME: &str = "superlance metrics";

/// What it is for, in a line.
pub const ABOUT: &str = "Give Prometheus the metrics of the processes under supervisord";

/// The command line.
#[must_use]
pub fn command() -> Command {
    with_version(Options::command())
}

/// Runs the command. The first of `arguments` is the name that it was called by.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let options = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Options::from_arg_matches(&matches))
        .and_then(Options::checked);
    let options = match options {
        Ok(options) => options,
        Err(error) => return report(&with_hints(error, &command()), FULL_NAME),
    };
    let environment = Environment::read();
    let log = Arc::clone(&environment.log);
    let server = match connect(options.server.clone(), &environment) {
        Ok(server) => server,
        Err(NoServer::Usage(message)) => return fail(&log, message, ExitCode::from(2)),
        Err(NoServer::Configuration(message)) => return fail(&log, message, ExitCode::FAILURE),
    };
    let mut watcher = Watcher::new(server, options.label.clone(), Arc::clone(&log));
    if !options.goes_on() {
        return print(&mut watcher, &log);
    }
    let ended = go_on(&options, watcher, may_be_listener(&environment), &log);
    end(ended, &log)
}

/// Writes and answers until it is told to end.
fn go_on(
    options: &Options,
    watcher: Watcher,
    may_be_listener: bool,
    log: &Log,
) -> Result<Ended, String> {
    let watcher = Arc::new(Mutex::new(watcher));
    let metrics = move || watcher.lock().unwrap_or_else(PoisonError::into_inner).continued();
    if let Some(address) = options.listen {
        endpoint::listen(address, metrics.clone())?;
    }
    let version = env!("CARGO_PKG_VERSION");
    log.line(format_args!("{FULL_NAME} (superlance {version}): {}", options.task()));
    let Some(file) = &options.file else {
        return serve::serve(None, may_be_listener, || {});
    };
    let mut file = OutputFile::new(file.clone());
    let ended =
        serve::serve(Some(options.interval), may_be_listener, || file.write(&metrics(), log));
    // Metrics of a program that has ended would pass for those of now.
    file.remove(log);
    ended
}

/// Prints the metrics once.
fn print(watcher: &mut Watcher, log: &Log) -> ExitCode {
    let (text, is_up) = watcher.once();
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(log, format_args!("cannot print: {error}"), ExitCode::FAILURE)
        }
        _ if is_up => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The exit status of a program that went on; told to end by a signal, it dies of that signal.
fn end(ended: Result<Ended, String>, log: &Log) -> ExitCode {
    match ended {
        Ok(Ended::OfInput) => ExitCode::SUCCESS,
        Ok(Ended::BySignal(signal)) => {
            let name = signal_name(signal).unwrap_or("a signal");
            log.line(format_args!("{FULL_NAME}: ended by {name}"));
            let died = emulate_default_handler(signal);
            died.map_or_else(|error| fail(log, error, ExitCode::FAILURE), |()| ExitCode::SUCCESS)
        }
        Err(message) => fail(log, message, ExitCode::FAILURE),
    }
}

fn fail(log: &Log, message: impl Display, code: ExitCode) -> ExitCode {
    log.line(format_args!("{FULL_NAME}: {message}"));
    code
}

/// The supervisord that the command line names, or that runs this program, or that supervisorctl would
/// find.
fn connect(options: ServerOptions, environment: &Environment) -> Result<Connection, NoServer> {
    let is_named = options.configuration.is_some() || options.url.is_some();
    if is_named || environment.server_url.is_none() {
        return server::connect(options, &server::Environment::here());
    }
    let client = environment.supervisor().map_err(StartError::text);
    let client = client.map_err(NoServer::Configuration)?;
    let origin = "from SUPERVISOR_SERVER_URL".to_owned();
    Ok(Connection { client, file: environment.configuration(), origin })
}
