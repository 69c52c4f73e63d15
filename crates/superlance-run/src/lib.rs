//! `superlance run` runs supervisord as the first process of a container, or wherever the way in which it
//! ends matters.
//!
//! It starts the command ([`supervise`]), forwards signals and reaps ([`signals`], [`children`]), stops
//! quickly by supervisord's RPC ([`server`], [`tiers`], [`stop`]), and hands on an exit status; what is
//! decided is in [`plan`].
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports, reason = "it is for Linux"))]

#[cfg(target_os = "linux")]
mod children;
mod options;
mod plan;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod stop;
#[cfg(target_os = "linux")]
mod supervise;
mod tiers;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory as _, FromArgMatches as _};
use superlance_config::ThisHost;
use superlance_core::options::getopt::{with_hints, with_version};
use superlance_core::run::applet::report;
use superlance_core::system::log::Log;

use crate::options::Options;

/// What it is called, after `superlance`.
pub const NAME: &str = "run";

/// What it is for, in a line.
pub const ABOUT: &str =
    "Run supervisord in a container: reap, stop quickly, hand on the exit status";

/// The command line.
#[must_use]
pub fn command() -> Command {
    with_version(Options::command())
}

/// Runs the command. The first of `arguments` is the name that it was called by.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let options = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Options::from_arg_matches(&matches));
    match options {
        Ok(options) => run(&options, &Log::new(io::stderr())),
        Err(error) => report(&with_hints(error, &command()), "superlance run"),
    }
}

#[cfg(not(target_os = "linux"))]
fn run(_: &Options, log: &Log) -> ExitCode {
    log.line("superlance run: this needs Linux");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn run(options: &Options, log: &Log) -> ExitCode {
    let outcome = ExitFile::new(options.exit_file.as_deref(), log)
        .and_then(|exit_file| supervised(options, &exit_file, log));
    match outcome {
        Ok(status) => ExitCode::from(plan::mapped(status, &options.maps)),
        Err(code) => code,
    }
}

/// Starts the command and waits for its end: the exit status.
#[cfg(target_os = "linux")]
fn supervised(options: &Options, exit_file: &ExitFile, log: &Log) -> Result<u8, ExitCode> {
    let fail = |message: String| {
        log.line(format_args!("superlance run: {message}"));
        ExitCode::FAILURE
    };
    if std::process::id() != 1
        && let Err(errno) = nix::sys::prctl::set_child_subreaper(true)
    {
        log.line(format_args!(
            "superlance run: processes that supervisord loses are not reaped here, since this is not \
             process 1 and cannot become a subreaper: {errno}"
        ));
    }
    let no_signals = |error: io::Error| fail(format!("signals cannot be caught: {error}"));
    let early = signals::Early::catch().map_err(no_signals)?;
    let known =
        options.is_fast().then(|| server::find(&options.command, &ThisHost::here())).transpose();
    let known = known.unwrap_or_else(|why| {
        log.line(format_args!(
            "superlance run: stops by a signal, since supervisord cannot be asked: {why}"
        ));
        None
    });
    let pid = supervise::start(&options.command, exit_file.path.as_deref()).map_err(|error| {
        let program = options.command.first().map(|word| word.to_string_lossy());
        fail(format!("cannot run {}: {error}", program.unwrap_or_default()));
        ExitCode::from(if error.kind() == ErrorKind::NotFound { 127 } else { 126 })
    })?;
    let signals = early.go_on().map_err(no_signals)?;
    let plan = plan::Plan::new(options.stop_timeout);
    let supervised = supervise::Supervised::new(pid, signals, plan, known, log);
    let (own, counts) = supervised.wait().map_err(|error| fail(format!("cannot wait: {error}")))?;
    let given = if counts { exit_file.read(log) } else { None };
    log.line(match given {
        Some(status) => {
            format!(
                "superlance run: supervisord ended (exit status {own}); the exit file has {status}"
            )
        }
        None => format!("superlance run: supervisord ended (exit status {own})"),
    });
    Ok(given.unwrap_or(own))
}

/// The file in which exitmon leaves the exit status.
struct ExitFile {
    path: Option<PathBuf>,
    /// Whether it was made here, so that it is removed at the end.
    is_own: bool,
}

#[cfg(target_os = "linux")]
impl ExitFile {
    /// The file that the command line names, emptied, or a new one.
    fn new(given: Option<&Path>, log: &Log) -> Result<Self, ExitCode> {
        if let Some(path) = given {
            // supervisord may change its folder.
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            return match fs::write(&path, "") {
                Ok(()) => Ok(Self { path: Some(path), is_own: false }),
                Err(error) => {
                    let path = path.display();
                    log.line(format_args!(
                        "superlance run: cannot write --exit-file {path}: {error}"
                    ));
                    Err(ExitCode::FAILURE)
                }
            };
        }
        // It belongs to this user alone (mode 0600).
        let template = env::temp_dir().join("superlance-run.XXXXXX");
        let path = nix::unistd::mkstemp(&template).map(|(_, path)| path);
        let path = path.inspect_err(|errno| {
            log.line(format_args!(
                "superlance run: exitmon cannot hand on an exit status, since there is no file for it: \
                 {}: {errno}",
                template.display()
            ));
        });
        Ok(Self { path: path.ok(), is_own: true })
    }

    /// The number in it, if one was written.
    fn read(&self, log: &Log) -> Option<u8> {
        let path = self.path.as_deref()?;
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            text => text.map_err(|error| error.to_string()),
        };
        text.and_then(|text| plan::exit_file(&text)).unwrap_or_else(|error| {
            log.line(format_args!("superlance run: {}: {error}", path.display()));
            None
        })
    }
}

impl Drop for ExitFile {
    fn drop(&mut self) {
        if let Some(path) = self.path.as_ref().filter(|_| self.is_own) {
            let _ = fs::remove_file(path);
        }
    }
}
