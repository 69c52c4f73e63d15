//! `superlance status` shows how much memory the processes under supervisord use, and how far they are
//! from the limits that memmon would be given.
//!
//! It is run at a terminal. It finds supervisord as supervisorctl does ([`superlance_config`]),
//! asks it for its processes and the system for their memory ([`observer`], [`snapshot`]; the numbers
//! and limits are memmon's), and prints that for people ([`view`], [`table`]), for programs ([`json`]),
//! or again and again ([`watch`], [`screen`]).

mod json;
mod local;
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
use superlance_config::server::{self, Environment, ServerOptions};
use superlance_core::options::getopt::{with_hints, with_version};
use superlance_core::run::applet::report;
use superlance_core::supervisor::rpc::{Advice, RpcClient};
use superlance_core::supervisor::{RpcError, Supervisor as _};
use superlance_core::system::clock::asctime_and_zone;
use superlance_core::system::paint;
use superlance_dependent_startup::graph::{Graph, Lenience, Reading};
use superlance_memmon::{Memory, SystemMemory, Watch};
use terminal_size::{Height, Width, terminal_size_of};

use crate::local::Processes;
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

/// The remedy where supervisord refuses, for a user at a terminal.
const ADVICE: Advice = Advice {
    login: "give them with -u and -p, or as username= and password= in the [supervisorctl] section of \
            the configuration",
    access: "run this as a user who may open the socket (sudo), or let this user with chmod= or \
             chown= in the [unix_http_server] section",
};

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
    let Options { configuration, serverurl, username, password, names, sort, memmon, .. } = options;
    let watch = match memmon.is_empty() {
        true => None,
        false => {
            Some(Watch::parse(memmon.into_iter().map(single_percent)).map_err(Failure::Memmon)?)
        }
    };
    let is_given = serverurl.is_some();
    // The configuration found by default need not be that of another server.
    let is_of_server = !is_given || configuration.is_some();
    let environment = Environment {
        program_folder: env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned())),
        working_folder: env::current_dir().unwrap_or_default(),
        root: Path::new("/"),
        variables: variables(),
    };
    let options = ServerOptions { configuration, url: serverurl, username, password };
    let server = server::find(options, &environment).map_err(Failure::Environment)?;
    let client = RpcClient::new(&server.url, &server.username, &server.password);
    let mut client = match client {
        Ok(client) => client.advising(ADVICE),
        Err(error) if is_given => return Err(Failure::Usage(format!("-s: {error}"))),
        Err(error) => {
            return Err(Failure::Environment(format!("{error}; it is {}", server.origin)));
        }
    };
    let memory_of_machine = match &watch {
        Some(watch) if watch.needs_memory() => {
            Some(SystemMemory::default().memory().map_err(Failure::Environment)?)
        }
        _ => None,
    };
    let file = server.file.as_deref().filter(|_| is_of_server);
    let observer = Observer {
        graph: file.and_then(|file| graph(file, &environment)),
        url: client.url().to_owned(),
        watch,
        memory_of_machine,
        names,
        sort,
        memory: Memory::of_this_system(),
        processes: Processes::of_this_system(),
    };
    let is_here = client.is_here();
    Ok(move || {
        let own_pid = is_here.then(|| client.pid()).transpose();
        own_pid.and_then(|own_pid| observer.look(&mut client, own_pid)).map_err(|error| match error
        {
            RpcError::Fault(fault) => format!("supervisord refuses: {}", fault.text),
            RpcError::Unreachable(why) | RpcError::NoAnswer(why) => {
                format!("{why}\n(the address is {})", server.origin)
            }
        })
    })
}

/// What the programs of a configuration wait for. One that this user cannot read whole says nothing of
/// that, and all else is shown.
fn graph(file: &Path, environment: &Environment<'_>) -> Option<Graph> {
    let working_folder = environment.working_folder.clone();
    let host = ThisHost { working_folder, variables: environment.variables.clone() };
    Reading::load(file, &host, Lenience::None).ok().map(|reading| reading.graph)
}

/// The variables of the environment that are text.
fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    env::vars_os().filter_map(text).collect()
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
