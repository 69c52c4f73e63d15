//! Applets: from a command line to a running listener and to its exit code.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, Error, FromArgMatches as _};
use signal_hook::low_level::{emulate_default_handler, signal_name};

use crate::listener::alert::Alert;
use crate::listener::environment::Environment;
use crate::options::getopt::with_hints;
use crate::options::log::LogOptions;
use crate::options::usage::StartError;
use crate::protocol::stdio::{Input, Output, is_stdout_stderr};
use crate::run::Tried;
use crate::run::serve::{Ended, Service, serve};
use crate::system::clock::unix_seconds;
use crate::system::log::{Log, Style};

/// One of the commands of the suite. Exit codes: 0 at the end of the events, 1 for surroundings in
/// which it cannot work (and for a lost protocol), 2 for a wrong command line. Told to end by a signal,
/// it dies of that signal.
pub struct Applet {
    pub name: &'static str,
    pub command: fn() -> Command,
    /// Builds the listener.
    pub service: fn(&ArgMatches, Environment) -> Result<Service, StartError>,
}

impl Applet {
    /// Runs the applet until it ends. The first of `arguments` is the name it was called by.
    pub fn main(&self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        match self.run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(code) => code,
        }
    }

    fn run(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<(), ExitCode> {
        let mut command = (self.command)();
        let matches = command
            .try_get_matches_from_mut(arguments)
            .map_err(|error| report(&with_hints(error, &command), self.name))?;
        let mut environment = Environment::read();
        let complaint = self.set_up_log(&matches, &mut environment);
        let log = Arc::clone(&environment.log);
        let (name, own) = (self.name, environment.own_namespec.clone());
        let fail = |message: &str| {
            log.line(format_args!("{name}: {message}"));
            ExitCode::FAILURE
        };
        let outside = !environment.is_under_supervisord();
        let mixed = is_stdout_stderr().unwrap_or(false);
        if outside || mixed {
            // Warnings of a listener that cannot start would only hide the reason.
            environment.log = Arc::new(Log::new(io::sink()));
        }
        if let Some(complaint) = complaint {
            environment.log.line(format_args!("{name}: {complaint}"));
        }
        let service = match (self.service)(&matches, environment) {
            // Errors of the command line come first.
            Err(StartError::Usage(message)) => {
                return Err(report(&command.error(ErrorKind::ValueValidation, message), self.name));
            }
            Err(StartError::Printed(status, text)) => {
                let printed = io::stdout().write_all(text.as_bytes());
                return Err(printed.map_or(ExitCode::FAILURE, |()| ExitCode::from(status)));
            }
            _ if outside => {
                return Err(fail(
                    "must be run as a supervisor event listener: put it into an [eventlistener:x] \
                     section of supervisord.conf",
                ));
            }
            _ if mixed => {
                let _ = fail(
                    "standard output and standard error are one pipe, so that supervisord would take \
                     the first message for an answer and never send an event again: remove 2>&1 from \
                     the command; with redirect_stderr=true the section is a [program:x] and must be \
                     an [eventlistener:x]",
                );
                return Err(ExitCode::from(2));
            }
            Err(StartError::Environment(message)) => return Err(fail(&message)),
            Err(StartError::Exit(status, message)) => {
                let _ = fail(&message);
                return Err(ExitCode::from(status));
            }
            Ok(service) => service,
        };
        let ended = Input::new(io::stdin().as_fd())
            .and_then(|input| Ok((input, Output::take_stdout()?)))
            .map_err(|error| format!("the event protocol is lost: {error}"))
            .and_then(|(input, output)| serve(name, own.as_deref(), service, input, output));
        match ended {
            Ok(Ended::OfInput) => Ok(()),
            Ok(Ended::BySignal(signal)) => {
                let signal_name = signal_name(signal).unwrap_or("a signal");
                log.line(format_args!("{name}: ended by {signal_name}"));
                // An exit status of 0 is one that supervisord expects, so it would not start the
                // listener again.
                emulate_default_handler(signal).map_err(|error| fail(&error.to_string()))
            }
            Err(message) => Err(fail(&message)),
        }
    }

    /// Sends an alert once by each transport that the command line asks for. Nothing is kept and tried
    /// again.
    ///
    /// # Errors
    /// When the command line is wrong, or something that it names is missing.
    pub fn try_alert(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        subject: &str,
        text: &str,
    ) -> Result<Vec<Tried>, String> {
        let mut command = (self.command)();
        let matches = command
            .try_get_matches_from_mut(arguments)
            .map_err(|error| with_hints(error, &command).to_string())?;
        let mut environment = Environment::read();
        // Some listeners begin with a client for supervisord, which is not asked here.
        environment.server_url.get_or_insert_with(|| "http://127.0.0.1:9001".to_owned());
        environment.log = Arc::new(Log::new(io::sink()));
        let mut service = (self.service)(&matches, environment).map_err(StartError::text)?;
        let now = SystemTime::now();
        let alert = Alert::new(self.name, "test", now, subject.to_owned(), text.to_owned());
        let id = format!("test-{}-{}", std::process::id(), unix_seconds(now));
        Ok(service.alerts.try_once(Alert { id, ..alert }))
    }

    /// Gives the log the style that options and environment ask for. What is wrong with that is
    /// returned, and the log is plain.
    fn set_up_log(&self, matches: &ArgMatches, environment: &mut Environment) -> Option<String> {
        let options = LogOptions::from_arg_matches(matches).unwrap_or_default();
        let format = options.format(environment.log_format.as_deref());
        let listener = environment.own_namespec.clone();
        let style = Style {
            format: format.as_ref().copied().unwrap_or_default(),
            quiet: options.quiet,
            listener: listener.unwrap_or_else(|| self.name.to_owned()),
            command: self.name,
        };
        environment.log = Arc::new(Log::styled(io::stderr(), style));
        format.err()
    }
}

/// Prints what clap has to say about a command line, and returns the exit code: help goes to stdout and
/// means 0. An error goes to stderr after the name of the command, since it may stand in a log among
/// those of others, and means 2.
pub fn report(error: &Error, name: &str) -> ExitCode {
    if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(io::stderr(), "{name}: ");
    }
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
