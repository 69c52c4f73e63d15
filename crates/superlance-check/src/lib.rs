//! `superlance check` says what is wrong with a supervisord.conf, before supervisord reads it.
//!
//! The configuration is read as supervisord reads it ([`superlance_config`]), the commands of its
//! sections as a shell and our own parsers read them ([`mod@command`]); all of it is a [`scene`] on a
//! [`machine`]. The [`rules`] make findings of it, comments take some away ([`ignore`]), and a
//! [`mod@report`] prints the rest. It writes nothing.

mod codes;
mod command;
mod finding;
mod ignore;
mod known;
mod live;
mod machine;
mod options;
mod report;
mod rules;
mod scene;
mod severity;
pub mod test_alert;

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory as _, FromArgMatches as _};
use superlance_config::ThisHost;
use superlance_config::server::Environment;
use superlance_core::options::getopt::{with_hints, with_version};
use superlance_core::run::applet::{Applet, report};
use superlance_core::system::paint;

use crate::finding::Finding;
use crate::machine::Machine;
use crate::options::Options;
use crate::report::text::View;
use crate::report::{Live, Report, json, text};
use crate::scene::Scene;

/// What it is called, after `superlance`.
pub const NAME: &str = "check";

/// What it is for, in a line.
pub const ABOUT: &str = "Say what is wrong with supervisord.conf";

/// The command line.
#[must_use]
pub fn command() -> Command {
    with_version(Options::command())
}

/// The reason for the exit status 2.
enum Failure {
    /// clap has the text.
    CommandLine(clap::Error),
    NoFile(String),
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs the command. The first of `arguments` is the name that it was called by; `applets` are the
/// listeners whose command lines it can read.
pub fn main(arguments: Vec<OsString>, applets: &[&'static Applet]) -> ExitCode {
    let complain = |message: &str| {
        let _ = writeln!(io::stderr(), "superlance {NAME}: {message}");
    };
    match run(arguments, applets) {
        Ok(code) => code,
        Err(Failure::CommandLine(error)) => report(&error, &format!("superlance {NAME}")),
        Err(Failure::NoFile(message)) => {
            complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => {
            complain(&format!("cannot print: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Vec<OsString>, applets: &[&'static Applet]) -> Result<ExitCode, Failure> {
    let options = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Options::from_arg_matches(&matches))
        .map_err(|error| Failure::CommandLine(with_hints(error, &command())))?;
    if let Some(entry) = options.explain.as_deref().and_then(codes::find) {
        write!(io::stdout(), "{}", codes::explain(entry).unwrap_or_default())?;
        return Ok(ExitCode::SUCCESS);
    }
    let host = ThisHost::here();
    let file = options.configuration().map_or_else(search, Ok).map_err(Failure::NoFile)?;
    let report = check(&file, &host, applets, &options);
    let printed = match (options.json, options.sarif) {
        (true, _) => json::render(&report, &host.working_folder).map_err(io::Error::from)?,
        (_, true) => json::sarif(&report, &host.working_folder).map_err(io::Error::from)?,
        _ => text::render(&report, View { all: options.all, colour: wants_colour() }),
    };
    write!(io::stdout(), "{printed}")?;
    let is_bad = |finding: &Finding| options.fail_on.includes(finding.severity);
    Ok(match (&report.refused, report.findings.iter().any(is_bad)) {
        (Some(_), _) => ExitCode::from(2),
        (None, true) => ExitCode::FAILURE,
        (None, false) => ExitCode::SUCCESS,
    })
}

/// All that a check finds in a configuration and what it includes.
fn check<M: Machine>(
    file: &Path,
    machine: &M,
    applets: &[&'static Applet],
    options: &Options,
) -> Report {
    let scene = Scene::new(file, machine, applets, options.container);
    // A file that is not there names no supervisord.
    let (live, answers) = match options.no_live || scene.loaded.files.is_empty() {
        true => (Live::NotAsked, live::Answers::default()),
        false => live::ask(&scene),
    };
    let mut findings = rules::all(&scene);
    if options.live || matches!(live, Live::Answered(_)) {
        findings.extend(live::findings(&scene, &live, &answers));
    }
    rules::sort(&mut findings, &scene);
    let findings = ignore::apply(findings, &scene, &options.ignore);
    // What this machine lacks may be there where supervisord runs; then --ignore has the code.
    let is_wanted = |code: &str| !options.ignore.iter().any(|ignored| ignored == code);
    let refusals = scene.read.refusals.iter();
    let refused = refusals
        .filter(|refusal| {
            !refusal.cause.is_about_the_machine() || is_wanted(rules::code(refusal.cause))
        })
        .map(|refusal| refusal.reason.clone())
        .next();
    Report {
        main: file.to_owned(),
        findings,
        refused,
        files: scene.loaded.files.iter().map(|file| file.path.clone()).collect(),
        sections: scene.items().count(),
        live,
    }
}

/// The file that this program runs from.
fn own_program() -> io::Result<PathBuf> {
    env::current_exe()
}

/// The configuration that supervisord would find.
fn search() -> Result<PathBuf, String> {
    let places = Environment::here().search_path();
    places.iter().find(|path| path.exists()).cloned().ok_or_else(|| {
        let places: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
        format!("no configuration was found in {}; name one with -c", places.join(", "))
    })
}

fn wants_colour() -> bool {
    let (term, no_color) = (env::var("TERM").ok(), env::var("NO_COLOR").ok());
    io::stdout().is_terminal() && paint::wants_colour(term.as_deref(), no_color.as_deref())
}

#[cfg(test)]
mod golden_tests;
