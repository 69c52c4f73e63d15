//! `-m` with `--smtp-url`: mails to a server, with an outcome for each recipient.

use std::sync::Arc;

use super::{Transport, TransportConfig};
use superlance_core::listener::alert::Alert;
use superlance_core::mail::mime::addresses;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::mail::smtp::{Message, Settings, Smtp, SmtpUrl};
use superlance_core::options::usage::StartError;
use superlance_core::system::host_name;
use superlance_core::system::log::Log;

/// Mails to an SMTP server.
pub struct SmtpTransport {
    smtp: Smtp,
    server: String,
    /// The `From:` line.
    pub from: String,
    to: Vec<String>,
    host: String,
    /// Whether a text that is not ASCII is written as the original's batch tools write it.
    pub as_mime_text: bool,
    /// Whether the log has every mail that was sent, as with a command.
    pub confirms: bool,
}

pub(crate) fn smtp(plan: &TransportConfig<'_>) -> Result<Vec<Box<dyn Transport>>, StartError> {
    let (Some(url), Some(mail)) = (&plan.options.smtp_url, plan.mail) else {
        return Ok(Vec::new());
    };
    let to: Vec<_> =
        addresses(mail.address().unwrap_or_default()).into_iter().map(str::to_owned).collect();
    if to.is_empty() {
        let message = "--smtp-url is given and -m is not: expected an address to mail to";
        return Err(StartError::Usage(message.to_owned()));
    }
    if mail.sendmail.is_some() {
        let message = "-s and --smtp-url are given: expected one of them";
        return Err(StartError::Usage(message.to_owned()));
    }
    let settings = SmtpUrl::parse(url).and_then(|url| {
        let file = plan.options.smtp_password_file.as_deref();
        url.settings(plan.environment.smtp_password(file)?)
    })?;
    let default = || format!("{}@{}", plan.raiser.name, plan.host);
    let from = mail.from.clone().unwrap_or_else(default);
    let smtp = SmtpTransport::new(settings, from, to, &plan.environment.log);
    Ok(vec![Box::new(SmtpTransport { confirms: plan.raiser.confirms, ..smtp })])
}

impl SmtpTransport {
    /// Mails `from` this address `to` these, with an outcome for each.
    #[must_use]
    pub fn new(settings: Settings, from: String, to: Vec<String>, log: &Arc<Log>) -> Self {
        let (server, host) = (settings.server.to_string(), host_name());
        let smtp = Smtp::new(settings, Arc::clone(log));
        Self { smtp, server, from, to, host, as_mime_text: false, confirms: false }
    }

    /// The server's name for the log.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }
}

impl Transport for SmtpTransport {
    fn name(&self) -> String {
        format!("mail server {}", self.server)
    }

    /// The same key as that of a command: a recipient has a mail, whichever program brought it. Of
    /// several addresses, which a command does not tell apart, each may get it again.
    fn key(&self) -> String {
        "mail".to_owned()
    }

    fn targets(&self) -> Vec<String> {
        self.to.clone()
    }

    fn deliver(&self, alert: &Alert, targets: &[String]) -> Vec<DeliveryOutcome> {
        let outcomes = self.smtp.send(&Message {
            from: self.from.clone(),
            to: self.to.clone(),
            recipients: targets.to_vec(),
            subject: Some(alert.subject.clone()),
            text: alert.whole_text(),
            id: format!("<{}@{}>", alert.id, self.host),
            date: alert.at,
            as_mime_text: self.as_mime_text,
        });
        // A result that is the same for all recipients needs no names.
        let alike = outcomes.windows(2).all(|pair| pair.first() == pair.last());
        let of = |(outcome, target): (DeliveryOutcome, &String)| match outcome {
            DeliveryOutcome::Rejected(reason) if !alike => {
                DeliveryOutcome::Rejected(format!("{reason} (for {target})"))
            }
            DeliveryOutcome::Retry(reason) if !alike => {
                DeliveryOutcome::Retry(format!("{reason} (for {target})"))
            }
            outcome => outcome,
        };
        outcomes.into_iter().zip(targets).map(of).collect()
    }

    fn delivered(&self, alert: &Alert, targets: &[String]) -> Option<String> {
        let whom = targets.join(", ");
        Some(match self.confirms {
            true => format!("Mailed:\n\n{}", alert.mail(&whom).plain()),
            false => format!("Mailed to {whom}: {}", alert.title()),
        })
    }
}
