//! The listener behind the three batch tools: crashmailbatch, fatalmailbatch and crashsms.
//!
//! The batch is a value without side effects ([`pending`]); the [`listener`] adds a line for each
//! event and raises a due batch as one alert, which is delivered like any other.

mod choice;
mod listener;
mod mail;
mod options;
pub mod pending;

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{ArgMatches, Command, Error, FromArgMatches as _};

use self::choice::Choice;
use self::listener::BatchListener;
use self::mail::BatchMail;
use self::options::Options;
use crate::trigger::Trigger;
use superlance_alerts::{Raiser, SmtpTransport};
use superlance_core::listener::environment::Environment;
use superlance_core::mail::smtp::SmtpUrl;
use superlance_core::options::usage::StartError;
use superlance_core::protocol::event::ProcessState;
use superlance_core::run::Service;

/// The differences between the three tools.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    pub name: &'static str,
    /// The purpose, in a line of help.
    pub about: &'static str,
    /// The trigger without `--on`.
    pub trigger: Trigger,
    /// Whether the tool has `--on`.
    pub on: bool,
    /// Whether the tool has `--tail`.
    pub tail: bool,
    /// The subject of mails without `-s`.
    pub subject: Option<&'static str>,
    /// The line about a change of state at this time.
    pub line: fn(&ProcessState, SystemTime) -> String,
    /// The text of a mail with these lines, after this many older ones were dropped.
    pub text: fn(&[String], u64) -> String,
    /// Whether its mails have room for a remark below the lines.
    pub remarks: bool,
}

impl Tool {
    #[must_use]
    pub fn command(&self) -> Command {
        options::command(self)
    }

    /// The service that the command line asks for.
    ///
    /// # Errors
    /// When the command line lacks an address, or a value is wrong.
    pub fn service(
        &'static self,
        matches: &ArgMatches,
        environment: Environment,
    ) -> Result<Service, StartError> {
        let bad = |error: Error| StartError::Usage(error.to_string());
        let mut options = Options::from_arg_matches(matches).map_err(bad)?;
        options.warn(self.name, &environment.log);
        let choice = Choice::from_matches(matches, self).map_err(bad)?;
        let raiser = Raiser { name: self.name, confirms: false, mails_without_address: false };
        let password = environment.smtp_password(options.alerts.smtp_password_file.as_deref())?;
        let settings = match &options.alerts.smtp_url {
            Some(url) => SmtpUrl::parse(url)?.settings(password)?,
            None => options.settings(password),
        };
        let supervisor = environment.supervisor_for(choice.tail.asks_supervisord())?;
        let mut alerts =
            superlance_alerts::pipeline(&environment, raiser, None, &options.alerts, matches)?
                .with_heartbeat(&options.heartbeat, &environment)?;
        let subject = options.subject.clone().or(self.subject.map(str::to_owned));
        if let Some((from, to)) = options.addresses() {
            let mut smtp = SmtpTransport::new(settings, from, to, &environment.log);
            smtp.as_mime_text = true;
            alerts.add(Box::new(BatchMail { smtp, has_subject: subject.is_some() }));
        }
        let subject = subject.unwrap_or_default();
        let mut listener = BatchListener::new(self, &options, choice, subject, id_prefix());
        listener.keep(alerts.journal("batch", "lines that wait"), &environment.log);
        Ok(Service::new(listener, supervisor, alerts, environment))
    }
}

/// The text of a mail: how many lines were dropped, and then its lines.
#[must_use]
pub fn plain_text(lines: &[String], dropped: u64) -> String {
    let text = lines.join("\n");
    match dropped {
        0 => text,
        1 => format!("(1 older line was dropped)\n{text}"),
        _ => format!("({dropped} older lines were dropped)\n{text}"),
    }
}

/// The beginning of the ids of all mails of this process. Python's `make_msgid` has the same parts.
fn id_prefix() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{}.{}", since.as_millis() / 10, std::process::id(), since.subsec_nanos())
}
