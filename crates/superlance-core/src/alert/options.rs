//! Where alerts go, as the command line says it. Declared once for all listeners.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::limit::Limiter;
use super::recovery::Recovery;
use crate::applet::{Environment, Failure};
use crate::supervisor::Supervisor;
use crate::units::{UnitError, parse_duration};
use crate::unneeded::Unneeded;

/// Under which the help shows what all listeners have, and one manual page describes.
const HEADING: &str = "Alerts";

/// How long a process has to run to have recovered, unless --alert-interval says otherwise.
const RECOVERY: Duration = Duration::from_secs(60);

/// Mails through a command: memmon, httpok and crashmail.
#[derive(Debug, Clone, Args)]
pub struct MailOptions {
    /// Command that sends a mail it is given on stdin, headers included
    #[arg(short, long = "sendmail_program", value_name = "COMMAND")]
    #[arg(default_value = "/usr/sbin/sendmail -t -i")]
    pub sendmail: String,

    /// Address to mail to; without it, nothing is mailed
    #[arg(short = 'm', long, value_name = "ADDRESS")]
    pub email: Option<String>,
}

impl MailOptions {
    /// The address. As in the original, an empty one is none.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.email.as_deref().filter(|address| !address.is_empty())
    }
}

/// What every listener has for all its ways out.
#[derive(Debug, Clone, Default, Args)]
pub struct KeepOptions {
    /// Directory in which undelivered alerts are kept, to survive a restart
    #[arg(long, value_name = "DIR", help_heading = HEADING)]
    pub spool: Option<PathBuf>,
}

/// Who is spared, and told that all is well: memmon, httpok and crashmail. The batch tools have an
/// interval of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct CalmOptions {
    /// Send one alert of a kind about a process in this time, and tell the others together
    #[arg(long, value_name = "TIME", value_parser = interval, help_heading = HEADING)]
    pub alert_interval: Option<Duration>,

    /// Tell when a process that was reported has been RUNNING for the time of --alert-interval [default: 1m]
    #[arg(long, help_heading = HEADING)]
    pub recovery: bool,
}

impl CalmOptions {
    pub(super) fn limiter(&self) -> Option<Limiter> {
        self.alert_interval.map(Limiter::new)
    }

    pub(super) fn watch(&self) -> Option<Recovery> {
        self.recovery.then(|| Recovery::new(self.alert_interval.unwrap_or(RECOVERY)))
    }

    /// The supervisord of a listener that needs none but for --recovery.
    ///
    /// # Errors
    /// When it is needed, and serves no RPC.
    pub fn supervisor(&self, environment: &Environment) -> Result<Box<dyn Supervisor>, Failure> {
        if self.recovery {
            return Ok(Box::new(environment.supervisor()?));
        }
        Ok(Box::new(Unneeded))
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text).map_err(|error: UnitError| error.to_string())? {
        Duration::ZERO => Err("expected one second or more".to_owned()),
        interval => Ok(interval),
    }
}
