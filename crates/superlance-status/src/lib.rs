//! `superlance status` shows how much memory the processes under supervisord use, and how far they are
//! from the limits that memmon would be given.
//!
//! It is run at a terminal. It finds supervisord as supervisorctl does ([`superlance_config`]),
//! asks it for its processes and the system for their memory ([`observer`], [`snapshot`]; the numbers
//! and limits are memmon's), and prints that for people ([`view`], [`table`]), for programs ([`json`]),
//! or again and again ([`watch`], [`screen`]).

mod json;
mod observer;
mod options;
mod screen;
mod snapshot;
mod table;
mod view;
mod watch;

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::error::ErrorKind as ClapError;
use clap::{Command, CommandFactory, FromArgMatches as _};
use superlance_config::ThisHost;
use superlance_config::server::{self, Environment, NoServer};
use superlance_core::options::getopt::{with_hints, with_version};
use superlance_core::run::applet::report;
use superlance_core::system::clock::asctime_and_zone;
use superlance_core::system::paint;
use superlance_dependent_startup::graph::{Graph, Lenience, Reading};
use superlance_measure::{Local, SystemMemory};
use superlance_memmon::Watch;
use terminal_size::{Height, Width, terminal_size_of};

use crate::observer::Observer;
use crate::options::Options;
use crate::snapshot::Snapshot;
use crate::view::Page;

/// What it is called, after `superlance`.
pub const NAME: &str = "status";

/// What its messages begin with.
const FULL_NAME: &str = "superlance status";

/// What it is for, in a line.
pub const ABOUT: &str = "Show how much memory the processes under supervisord use";

/// A process is over its limit.
const OVER: u8 = 3;

/// The reason why there is nothing to show.
enum Failure {
    /// The command line is wrong; clap has the text.
    CommandLine(clap::Error),
    /// The part after `--` is wrong; memmon has the text.
    Memmon(clap::Error),
    /// The command line is wrong.
    Usage(String),
    /// The environment is wrong.
    Environment(String),
    /// The reader of the output or the terminal is gone.
    Output(io::Error),
}

impl From<NoServer> for Failure {
    fn from(error: NoServer) -> Self {
        match error {
            NoServer::Usage(message) => Self::Usage(message),
            NoServer::Configuration(message) => Self::Environment(message),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The command line.
#[must_use]
pub fn command() -> Command {
    with_version(Options::command())
}

/// Runs the command. The first of `arguments` is the name that it was called by.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let complain = |message: &str| {
        let _ = writeln!(io::stderr(), "{FULL_NAME}: {message}");
    };
    match run(arguments) {
        Ok(code) => code,
        Err(Failure::CommandLine(error)) => {
            let code = report(&error, FULL_NAME);
            if error.kind() == ClapError::UnknownArgument {
                complain("options of memmon go after --: superlance status -- -a 1GB");
            }
            code
        }
        Err(Failure::Memmon(error)) => {
            let code = report(&error, FULL_NAME);
            if error.use_stderr() {
                complain("this is about the options after --; superlance help memmon lists them");
            }
            code
        }
        Err(Failure::Usage(message)) => {
            complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::Environment(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => {
            complain(&format!("cannot print: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let options = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Options::from_arg_matches(&matches))
        .map_err(|error| Failure::CommandLine(with_hints(error, &command())))?;
    if let Some(mistake) = options.mistake() {
        return Err(Failure::Usage(mistake));
    }
    let (watch, json) = (options.watch, options.json);
    let mut look = looker(options)?;
    let snapshot = look().map_err(Failure::Environment)?;
    if let Some(interval) = watch {
        again_and_again(snapshot, interval, look)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = match json {
        true => json::render(&snapshot).map_err(io::Error::from)?,
        false => view::render(&snapshot, Page { height: None, ..page() }).join("\n"),
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(if !snapshot.unknown.is_empty() {
        ExitCode::FAILURE
    } else if snapshot.is_over() {
        ExitCode::from(OVER)
    } else {
        ExitCode::SUCCESS
    })
}

/// Takes a snapshot with each call.
fn looker(
    options: Options,
) -> Result<impl FnMut() -> Result<Snapshot, String> + Send + 'static, Failure> {
    let Options { server, names, sort, memmon, .. } = options;
    let watch = match memmon.is_empty() {
        true => None,
        false => {
            Some(Watch::parse(memmon.into_iter().map(single_percent)).map_err(Failure::Memmon)?)
        }
    };
    let mut server = server::connect(server, &Environment::here())?;
    let memory_of_machine = match &watch {
        Some(watch) if watch.needs_memory() => {
            Some(SystemMemory::default().memory().map_err(Failure::Environment)?)
        }
        _ => None,
    };
    let observer = Observer {
        graph: server.file.as_deref().and_then(graph),
        url: server.client.url().to_owned(),
        watch,
        memory_of_machine,
        names,
        sort,
        local: Local::of_this_system(),
    };
    Ok(move || {
        let own_pid = server.client.own_pid();
        let snapshot = own_pid.and_then(|own_pid| observer.look(&mut server.client, own_pid));
        snapshot.map_err(|error| server.explain(&error))
    })
}

/// What the programs of a configuration wait for. One that this user cannot read whole says nothing of
/// that, and all else is shown.
fn graph(file: &Path) -> Option<Graph> {
    let reading = Reading::load(file, &ThisHost::here(), Lenience::None);
    reading.ok().map(|reading| reading.graph)
}

/// A word as supervisord passes it on: a `%` is doubled in its configuration.
fn single_percent(word: OsString) -> OsString {
    match word.into_string() {
        Ok(word) => word.replace("%%", "%").into(),
        Err(word) => word,
    }
}

fn again_and_again(
    first: Snapshot,
    interval: Duration,
    mut look: impl FnMut() -> Result<Snapshot, String> + Send + 'static,
) -> io::Result<()> {
    if io::stdout().is_terminal() && !paint::is_dumb(env::var("TERM").ok().as_deref()) {
        return watch::on_screen(first, interval, page, look);
    }
    let mut snapshot = first;
    loop {
        let lines = view::render(&snapshot, Page { height: None, ..page() });
        writeln!(io::stdout(), "{}\n{}\n", asctime_and_zone(SystemTime::now()), lines.join("\n"))?;
        loop {
            std::thread::sleep(interval);
            match look() {
                Ok(next) => break snapshot = next,
                Err(trouble) => writeln!(io::stderr(), "{FULL_NAME}: {trouble}")?,
            }
        }
    }
}

/// The kind of stdout. A terminal of unknown size is taken for the usual one.
fn page() -> Page {
    if !io::stdout().is_terminal() {
        return Page { width: None, height: None, colour: false };
    }
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse().ok());
    let (width, height) = match terminal_size_of(io::stdout()) {
        Some((Width(width), Height(height))) => (width.into(), height.into()),
        None => (number("COLUMNS").unwrap_or(80), number("LINES").unwrap_or(24)),
    };
    let (term, no_color) = (env::var("TERM").ok(), env::var("NO_COLOR").ok());
    let colour = paint::wants_colour(term.as_deref(), no_color.as_deref());
    Page { width: Some(width), height: Some(height), colour }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_memmon_may_be_written_as_in_supervisord_conf() {
        for (word, expected) in [("40%%", "40%"), ("foo=12.5%%", "foo=12.5%"), ("40%", "40%")] {
            assert_eq!(single_percent(word.into()), expected, "{word}");
        }
    }
}
