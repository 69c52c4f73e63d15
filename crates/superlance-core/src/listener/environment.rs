//! The environment of a listener: all that supervisord and the system tell it at its start. Only
//! this module reads environment variables (but for `TZ`, see [`crate::system::clock`], and those in
//! configurations, see [`crate::system::surroundings`]).

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::getppid;

use crate::listener::in_flight::InFlight;
use crate::options::supervisord::configuration;
use crate::options::usage::StartError;
use crate::supervisor::Supervisor;
use crate::supervisor::none::NoSupervisor;
use crate::supervisor::rpc::RpcClient;
use crate::system::log::Log;
use crate::system::secret::Secret;

/// The environment of a listener, with the parts it shares with the program around it.
pub struct Environment {
    /// `SUPERVISOR_SERVER_URL`.
    pub server_url: Option<String>,
    /// `SUPERVISOR_USERNAME` and `SUPERVISOR_PASSWORD`, empty when not set.
    pub credentials: (String, Secret),
    /// `SUPERLANCE_SMTP_PASSWORD`: other users can see a password on the command line.
    pub smtp_password: Option<Secret>,
    /// The proxy of `HTTPS_PROXY` and the like, for requests that leave this host.
    pub proxy: Option<ureq::Proxy>,
    /// `NO_PROXY`: hosts to which requests go without it.
    pub no_proxy: String,
    /// `group:name` of the listener itself, from `SUPERVISOR_GROUP_NAME` and `SUPERVISOR_PROCESS_NAME`.
    pub own_namespec: Option<String>,
    /// `SUPERLANCE_RUN_PID`: the process id of the `superlance run` that runs supervisord.
    pub run_pid: Option<i32>,
    /// `SUPERLANCE_EXIT_FILE`: the file for the exit status of the container.
    pub exit_file: Option<PathBuf>,
    /// `SUPERLANCE_LOG`: what the log looks like.
    pub log_format: Option<String>,
    pub log: Arc<Log>,
    /// The register of unfinished work.
    pub in_flight: InFlight,
}

impl Environment {
    /// That of this program.
    #[must_use]
    pub fn read() -> Self {
        let variable = |name| env::var(name).ok();
        let own = variable("SUPERVISOR_GROUP_NAME").zip(variable("SUPERVISOR_PROCESS_NAME"));
        Self {
            server_url: variable("SUPERVISOR_SERVER_URL"),
            credentials: (
                variable("SUPERVISOR_USERNAME").unwrap_or_default(),
                variable("SUPERVISOR_PASSWORD").unwrap_or_default().into(),
            ),
            smtp_password: variable("SUPERLANCE_SMTP_PASSWORD").map(Secret::from),
            proxy: ureq::Proxy::try_from_env(),
            no_proxy: variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default(),
            own_namespec: own.map(|(group, name)| format!("{group}:{name}")),
            run_pid: variable("SUPERLANCE_RUN_PID").and_then(|pid| pid.parse().ok()),
            exit_file: env::var_os("SUPERLANCE_EXIT_FILE").map(PathBuf::from),
            log_format: env::var_os("SUPERLANCE_LOG")
                .map(|name| name.to_string_lossy().into_owned()),
            log: Arc::new(Log::new(io::stderr())),
            in_flight: InFlight::default(),
        }
    }

    /// Whether supervisord has started this program.
    #[must_use]
    pub fn is_under_supervisord(&self) -> bool {
        self.server_url.is_some() || env::var_os("SUPERVISOR_ENABLED").is_some()
    }

    /// The proxy for requests to `host`, if there is one.
    #[must_use]
    pub fn proxy_for(&self, host: &str) -> Option<ureq::Proxy> {
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let direct = local || is_excepted(host, &self.no_proxy);
        self.proxy.clone().filter(|_| !direct)
    }

    /// The identity of the supervisord that runs this listener, the same after its restart: where
    /// it serves, or else its configuration file.
    #[must_use]
    pub fn supervisord(&self) -> Option<String> {
        let socket = |url: &String| url.strip_prefix("unix://").unwrap_or(url).to_owned();
        self.server_url.as_ref().map(socket).or_else(named_configuration)
    }

    /// The configuration that the supervisord which runs this listener was started with, if its command
    /// line names it.
    #[must_use]
    pub fn configuration(&self) -> Option<PathBuf> {
        let folder = fs::read_link(format!("/proc/{}/cwd", getppid()));
        Some(folder.unwrap_or_default().join(named_configuration()?))
    }

    /// A client for the supervisord that runs this listener.
    ///
    /// # Errors
    /// When supervisord serves no RPC, or its URL is wrong.
    pub fn supervisor(&self) -> Result<RpcClient, StartError> {
        let Some(url) = &self.server_url else {
            return Err(StartError::Environment(
                "cannot reach supervisord: SUPERVISOR_SERVER_URL is not set, so its configuration \
                 needs a [unix_http_server] or [inet_http_server] section, and \
                 [rpcinterface:supervisor]; the listener itself must be in an \
                 [eventlistener:x] section"
                    .to_owned(),
            ));
        };
        let (username, password) = &self.credentials;
        RpcClient::new(url, username, password)
            .map_err(|error| StartError::Environment(format!("SUPERVISOR_SERVER_URL: {error}")))
    }

    /// The same for a listener that needs nothing of supervisord unless this option is given, and
    /// asks only where it can.
    ///
    /// # Errors
    /// When the option is given and there is no client.
    pub fn supervisor_for(&self, option: Option<&str>) -> Result<Box<dyn Supervisor>, StartError> {
        match (self.supervisor(), option) {
            (Ok(supervisor), _) => Ok(Box::new(supervisor)),
            (Err(_), None) => Ok(Box::new(NoSupervisor)),
            (Err(StartError::Environment(why)), Some(option)) => {
                Err(StartError::Environment(format!("{option} asks supervisord: {why}")))
            }
            (Err(failure), Some(_)) => Err(failure),
        }
    }

    /// The value of an option that may be a secret and should not be on the command line:
    /// `env:NAME` and `file:PATH` refer to it.
    ///
    /// # Errors
    /// When the variable or file is missing.
    pub fn secret(&self, option: &str, given: &str) -> Result<Secret, StartError> {
        let missing = |what: String| StartError::Environment(format!("{option} {given}: {what}"));
        if let Some(name) = given.strip_prefix("env:") {
            let value = env::var(name).ok().filter(|value| !value.trim().is_empty());
            let value = value.ok_or_else(|| missing("no such environment variable".to_owned()))?;
            return Ok(value.trim().into());
        }
        match given.strip_prefix("file:") {
            Some(path) => Secret::of_file(Path::new(path)).map_err(missing),
            None => Ok(given.into()),
        }
    }

    /// The password for a mail server, from the file or the environment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn smtp_password(&self, file: Option<&Path>) -> Result<Option<Secret>, StartError> {
        let Some(path) = file else {
            return Ok(self.smtp_password.clone().filter(|password| !password.is_empty()));
        };
        let missing = |what| {
            StartError::Environment(format!("--smtp-password-file {}: {what}", path.display()))
        };
        Secret::of_file(path).map(Some).map_err(missing)
    }
}

/// Whether `NO_PROXY` excepts a host, as curl reads it: `example.com` and `.example.com` stand for
/// that host and all below it, `*` for every host.
fn is_excepted(host: &str, no_proxy: &str) -> bool {
    let host = host.to_ascii_lowercase();
    no_proxy.to_ascii_lowercase().split([',', ' ']).any(|entry| {
        let name = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || !name.is_empty() && (host == name || host.ends_with(&format!(".{name}")))
    })
}

/// The configuration in the command line of the parent.
fn named_configuration() -> Option<String> {
    let arguments = fs::read(format!("/proc/{}/cmdline", getppid())).ok()?;
    configuration(String::from_utf8_lossy(&arguments).split('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_a_proxy() {
        for (no_proxy, host, expected) in [
            ("example.com", "hooks.Example.com", true),
            ("a, .example.com", "example.com", true),
            ("a,*.example.com", "hooks.example.com", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("*", "anything", true),
            ("example.com", "notexample.com", false),
            ("", "example.com", false),
            (",", "example.com", false),
        ] {
            assert_eq!(is_excepted(host, no_proxy), expected, "{no_proxy} {host}");
        }
    }
}
