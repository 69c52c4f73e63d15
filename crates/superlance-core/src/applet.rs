//! From the command line to a running listener: the one place that reads the environment (but for `TZ`,
//! see [`crate::clock`]) and decides exit codes.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};

use crate::getopt::with_hints;
use crate::log::Log;
use crate::rpc::RpcClient;
use crate::serve::{Service, serve};
use crate::supervisor::Supervisor;
use crate::unfinished::Unfinished;
use crate::unneeded::Unneeded;
use crate::wire::{Input, Output};

/// One of the commands of the suite. Exit codes: 0 for a listener that was told to end, 1 for
/// surroundings in which it cannot work (and for a lost protocol), 2 for a wrong command line.
pub struct Applet {
    /// What it is called as.
    pub name: &'static str,
    /// Its command line.
    pub command: fn() -> Command,
    /// Puts the listener together.
    pub service: fn(&ArgMatches, Environment) -> Result<Service, Failure>,
}

/// Why a listener cannot begin. The text says what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The command line is wrong: exit code 2.
    Usage(String),
    /// The surroundings are: exit code 1.
    Surroundings(String),
}

/// What a listener is given by supervisord, and what it shares with the program around it.
pub struct Environment {
    /// `SUPERVISOR_SERVER_URL`.
    pub server_url: Option<String>,
    /// `SUPERVISOR_USERNAME` and `SUPERVISOR_PASSWORD`, empty when not set.
    pub credentials: (String, String),
    /// `SUPERLANCE_SMTP_PASSWORD`: a password on the command line shows in lists of processes.
    pub smtp_password: Option<String>,
    /// The proxy of `HTTPS_PROXY` and the like, for requests that leave this host.
    pub proxy: Option<ureq::Proxy>,
    /// `group:name` of the listener itself, from `SUPERVISOR_GROUP_NAME` and `SUPERVISOR_PROCESS_NAME`.
    pub own_namespec: Option<String>,
    /// Where messages go.
    pub log: Arc<Log>,
    /// What must not be lost in silence.
    pub unfinished: Unfinished,
}

impl Environment {
    fn read() -> Self {
        let variable = |name| env::var(name).ok();
        let own = variable("SUPERVISOR_GROUP_NAME").zip(variable("SUPERVISOR_PROCESS_NAME"));
        Self {
            server_url: variable("SUPERVISOR_SERVER_URL"),
            credentials: (
                variable("SUPERVISOR_USERNAME").unwrap_or_default(),
                variable("SUPERVISOR_PASSWORD").unwrap_or_default(),
            ),
            smtp_password: variable("SUPERLANCE_SMTP_PASSWORD"),
            proxy: ureq::Proxy::try_from_env(),
            own_namespec: own.map(|(group, name)| format!("{group}:{name}")),
            log: Arc::new(Log::new(io::stderr())),
            unfinished: Unfinished::default(),
        }
    }

    /// A client for the supervisord that runs this listener.
    ///
    /// # Errors
    /// When supervisord serves no RPC, or where it does makes no sense.
    pub fn supervisor(&self) -> Result<RpcClient, Failure> {
        let Some(url) = &self.server_url else {
            return Err(Failure::Surroundings(
                "supervisord can be neither asked nor told anything (SUPERVISOR_SERVER_URL is not \
                 set): its configuration needs a [unix_http_server] or [inet_http_server] section, \
                 and [rpcinterface:supervisor]"
                    .to_owned(),
            ));
        };
        let (username, password) = &self.credentials;
        RpcClient::new(url, username, password)
            .map_err(|error| Failure::Surroundings(format!("SUPERVISOR_SERVER_URL: {error}")))
    }

    /// The same for a listener that asks nothing of supervisord unless this option is given.
    ///
    /// # Errors
    /// When the option is given and there is no client.
    pub fn supervisor_for(&self, option: Option<&str>) -> Result<Box<dyn Supervisor>, Failure> {
        let Some(option) = option else { return Ok(Box::new(Unneeded)) };
        match self.supervisor() {
            Ok(supervisor) => Ok(Box::new(supervisor)),
            Err(Failure::Surroundings(why)) => {
                Err(Failure::Surroundings(format!("{option} asks supervisord: {why}")))
            }
            Err(failure) => Err(failure),
        }
    }

    /// The value of an option that may be a secret, which should not stand on the command line:
    /// `env:NAME` and `file:PATH` say where it is.
    ///
    /// # Errors
    /// When it is not there.
    pub fn secret(&self, option: &str, given: &str) -> Result<String, Failure> {
        let missing = |what: String| Failure::Surroundings(format!("{option} {given}: {what}"));
        if let Some(name) = given.strip_prefix("env:") {
            let value = env::var(name).ok().filter(|value| !value.trim().is_empty());
            let value = value.ok_or_else(|| missing("no such environment variable".to_owned()))?;
            return Ok(value.trim().to_owned());
        }
        match given.strip_prefix("file:") {
            Some(path) => secret_of_file(Path::new(path)).map_err(missing),
            None => Ok(given.to_owned()),
        }
    }

    /// The password for a mail server: that of the file, or of the environment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn smtp_password(&self, file: Option<&Path>) -> Result<Option<String>, Failure> {
        let Some(path) = file else {
            return Ok(self.smtp_password.clone().filter(|password| !password.is_empty()));
        };
        let missing = |what| {
            Failure::Surroundings(format!("--smtp-password-file {}: {what}", path.display()))
        };
        secret_of_file(path).map(Some).map_err(missing)
    }
}

/// What a file says in its first line.
fn secret_of_file(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err("its first line is empty".to_owned()),
    }
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
        let matches = command.try_get_matches_from_mut(arguments).map_err(|error| {
            // Help goes to stdout and ends with 0, everything else to stderr and with 2.
            let error = with_hints(error, &command);
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })?;
        let mut environment = Environment::read();
        let log = Arc::clone(&environment.log);
        let name = self.name;
        let fail = |message: &str| {
            log.line(format_args!("{name}: {message}"));
            ExitCode::FAILURE
        };
        let outside =
            environment.server_url.is_none() && env::var_os("SUPERVISOR_ENABLED").is_none();
        if outside {
            // Warnings of a listener that cannot begin would only hide why.
            environment.log = Arc::new(Log::new(io::sink()));
        }
        let service = match (self.service)(&matches, environment) {
            // What is wrong with the command line is said first.
            Err(Failure::Usage(message)) => {
                let _ = command.error(ErrorKind::ValueValidation, message).print();
                return Err(ExitCode::from(2));
            }
            _ if outside => {
                return Err(fail(
                    "must be run as a supervisor event listener: put it into an [eventlistener:x] \
                     section of supervisord.conf",
                ));
            }
            Err(Failure::Surroundings(message)) => return Err(fail(&message)),
            Ok(service) => service,
        };
        let ended = Input::new(io::stdin().as_fd())
            .and_then(|input| Ok((input, Output::take_stdout()?)))
            .and_then(|(input, output)| serve(service, input, output));
        ended.map_err(|error| fail(&format!("the event protocol is lost: {error}")))
    }
}
