//! The alert options, which all listeners share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, Args};

use crate::transport::webhook::format::Format;
use superlance_core::options::label::Label;
use superlance_core::options::units::parse_interval;
use superlance_core::options::usage::StartError;
use superlance_core::system::secret::Secret;

/// The heading in `--help` of what all listeners have in common.
pub const HEADING: &str = "Alerts";

/// Mails: memmon, httpok and crashmail.
#[derive(Debug, Clone, Args)]
pub struct MailOptions {
    /// Command that sends a mail it is given on stdin, headers included
    /// [default: /usr/sbin/sendmail -t -i]
    #[arg(short, long = "sendmail_program", value_name = "COMMAND")]
    pub sendmail: Option<String>,

    /// Address to mail to; without it, nothing is mailed
    #[arg(short = 'm', long, value_name = "ADDRESS")]
    pub email: Option<String>,

    /// Address to mail from, with --smtp-url [default: name of the listener, at this host]
    #[arg(long, value_name = "ADDRESS", help_heading = HEADING)]
    pub from: Option<String>,

    #[command(flatten)]
    pub(super) calm: ThrottleOptions,
}

/// `--alert-interval` and `--recovery`. The batch tools have an interval of their own.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ThrottleOptions {
    /// At most one alert of each kind per process in TIME; the rest are summarised at its end
    #[arg(long, value_name = "TIME", value_parser = parse_interval, help_heading = HEADING)]
    pub(super) alert_interval: Option<Duration>,

    /// Send an alert when what was reported is over: a process is RUNNING again or below its limit
    /// for the time of --alert-interval (1m without it), or a URL answers well
    #[arg(long, help_heading = HEADING)]
    pub(super) recovery: bool,
}

impl MailOptions {
    /// The address. As in the original, an empty one is none.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.email.as_deref().filter(|address| !address.is_empty())
    }

    /// The option that needs supervisord, if it is given.
    #[must_use]
    pub fn asks_supervisord(&self) -> Option<&'static str> {
        self.calm.recovery.then_some("--recovery")
    }

    /// The command that sends mails.
    pub(super) fn command(&self) -> &str {
        self.sendmail.as_deref().unwrap_or("/usr/sbin/sendmail -t -i")
    }
}

/// The options of the transports that every listener has.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
pub struct AlertOptions {
    /// Mail server to use instead of a command: smtp://HOST, smtps://HOST or
    /// smtp://HOST?tls=required, with USER@ before HOST if it asks who mails
    #[arg(long, value_name = "URL")]
    pub smtp_url: Option<String>,

    /// File with the password for the mail server; without it, that is in the environment variable
    /// SUPERLANCE_SMTP_PASSWORD
    #[arg(long, value_name = "PATH")]
    pub smtp_password_file: Option<PathBuf>,

    /// Not an option, but easily taken for one
    #[arg(long, hide = true, value_name = "PASSWORD")]
    smtp_password: Option<Secret>,

    /// URL to send alerts to as JSON; env:NAME and file:PATH say where it is (repeatable)
    #[arg(long = "webhook", value_name = "URL")]
    pub webhook: Vec<Secret>,

    /// What the JSON is like: text, json, slack, discord, teams, telegram, ntfy, google-chat,
    /// alertmanager or pagerduty, for the --webhook before it [default: by the host of the URL, or
    /// else text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) webhook_format: Vec<Format>,

    /// Header of the request, for the --webhook before it; VALUE may be env:NAME or file:PATH
    /// (repeatable)
    #[arg(long, value_name = "NAME: VALUE")]
    pub webhook_header: Vec<Secret>,

    /// Where the integration key of PagerDuty is, env:NAME or file:PATH, for the --webhook before it
    #[arg(long, value_name = "KEY")]
    pub(crate) webhook_key: Vec<Secret>,

    /// Label of all alerts for Alertmanager and PagerDuty, such as team=web (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) label: Vec<Label>,

    /// Command to run for every alert: its text on stdin, its fields in SUPERLANCE_* variables
    /// (repeatable)
    #[arg(long, value_name = "COMMAND")]
    pub notify: Vec<String>,

    /// Directory in which alerts are kept until they are delivered, to survive a restart
    #[arg(long, value_name = "DIR")]
    pub spool: Option<PathBuf>,

    /// Begin subjects with the name of this host
    #[arg(long)]
    pub hostname: bool,
}

/// A webhook and the options that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WebhookOptions {
    /// The URL, or where to find it.
    pub url: Secret,
    pub format: Option<Format>,
    pub headers: Vec<Secret>,
    pub key: Option<Secret>,
}

impl AlertOptions {
    /// Refuses two labels of one name, and a password on the command line, without showing it.
    pub(super) fn check(&self) -> Result<(), StartError> {
        let password = self.smtp_password.as_ref().map(|_| {
            "--smtp-password is no option, since other users of this machine can see a command line: \
             expected the password in the environment variable SUPERLANCE_SMTP_PASSWORD or in the \
             file of --smtp-password-file"
                .to_owned()
        });
        match password.or_else(|| Label::given_twice(&self.label)) {
            None => Ok(()),
            Some(message) => Err(StartError::Usage(message)),
        }
    }

    /// The webhooks, each with the options after it. Options before the first belong to the first:
    /// with one webhook, the order does not matter.
    pub(super) fn webhooks(&self, matches: &ArgMatches) -> Result<Vec<WebhookOptions>, StartError> {
        let places = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
        let starts = places("webhook");
        let webhook =
            |url: &Secret| WebhookOptions { url: url.clone(), ..WebhookOptions::default() };
        let mut webhooks: Vec<_> = self.webhook.iter().map(webhook).collect();
        let before = |place: usize| starts.iter().filter(|start| **start < place).count();
        let none = |option: &str| {
            StartError::Usage(format!("{option} is given and --webhook is not: expected its URL"))
        };
        for (place, format) in places("webhook_format").into_iter().zip(&self.webhook_format) {
            let webhook = webhooks.get_mut(before(place).saturating_sub(1));
            webhook.ok_or_else(|| none("--webhook-format"))?.format = Some(*format);
        }
        for (place, header) in places("webhook_header").into_iter().zip(&self.webhook_header) {
            let webhook = webhooks.get_mut(before(place).saturating_sub(1));
            webhook.ok_or_else(|| none("--webhook-header"))?.headers.push(header.clone());
        }
        for (place, key) in places("webhook_key").into_iter().zip(&self.webhook_key) {
            let webhook = webhooks.get_mut(before(place).saturating_sub(1));
            webhook.ok_or_else(|| none("--webhook-key"))?.key = Some(key.clone());
        }
        Ok(webhooks)
    }

    /// Whether alerts go anywhere but into a mail.
    #[must_use]
    pub fn tells_others(&self) -> bool {
        !self.webhook.is_empty() || !self.notify.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn webhooks(arguments: &[&str]) -> Result<Vec<(String, Option<Format>, String)>, StartError> {
        let command = AlertOptions::augment_args(Command::new("x").no_binary_name(true));
        let matches = command.try_get_matches_from(arguments).unwrap();
        let options = AlertOptions::from_arg_matches(&matches).unwrap();
        let webhooks = options.webhooks(&matches)?.into_iter();
        let headers =
            |headers: &[Secret]| headers.iter().map(Secret::expose).collect::<Vec<_>>().join("|");
        let shown = |hook: WebhookOptions| {
            (hook.url.expose().to_owned(), hook.format, headers(&hook.headers))
        };
        Ok(webhooks.map(shown).collect())
    }

    #[test]
    fn formats_and_headers_belong_to_the_webhook_before_them() {
        let two = [
            "--webhook",
            "a",
            "--webhook-format",
            "slack",
            "--webhook-header=A: 1",
            "--webhook=b",
            "--webhook-header",
            "B: 2",
            "--webhook-header",
            "C: 3",
        ];
        let first = ("a".to_owned(), Some(Format::Slack), "A: 1".to_owned());
        let second = ("b".to_owned(), None, "B: 2|C: 3".to_owned());
        assert_eq!(webhooks(&two), Ok(vec![first, second]));
        let one = ["--webhook-header=A: 1", "--webhook-format=ntfy", "--webhook", "a"];
        let expected = ("a".to_owned(), Some(Format::Ntfy), "A: 1".to_owned());
        assert_eq!(webhooks(&one), Ok(vec![expected]));
    }

    #[test]
    fn without_a_webhook_they_make_no_sense() {
        for (argument, option) in [
            ("--webhook-format=ntfy", "--webhook-format"),
            ("--webhook-header=A: 1", "--webhook-header"),
        ] {
            let Err(StartError::Usage(message)) = webhooks(&[argument]) else {
                panic!("{argument}")
            };
            assert!(message.starts_with(&format!("{option} is given")), "{message}");
        }
    }
}
