//! `-m` and `-s`: mails through a command, such as `sendmail -t -i`.

use std::time::Duration;

use super::{Transport, TransportConfig, outcome};
use superlance_core::listener::alert::Alert;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::options::usage::StartError;
use superlance_core::system::command::{Shell, first_word};

/// Time for a mail program.
const LIMIT: Duration = Duration::from_secs(60);

/// Pipes each mail into a shell command.
pub(crate) struct MailCommand {
    pub(crate) command: String,
    /// The `To:` line; empty for none.
    pub(crate) to: String,
    /// Whether the log has every sent mail, as in some listeners of the original.
    pub(crate) confirms: bool,
}

/// The command of `-s`, unless mails go to a server.
pub(crate) fn mail_command(
    plan: &TransportConfig<'_>,
) -> Result<Vec<Box<dyn Transport>>, StartError> {
    let Some(mail) = plan.mail.filter(|_| plan.options.smtp_url.is_none()) else {
        return Ok(Vec::new());
    };
    let to = match mail.address() {
        Some(address) => address.to_owned(),
        None if plan.raiser.mails_without_address && mail.sendmail.is_some() => String::new(),
        None => return Ok(Vec::new()),
    };
    let (command, confirms) = (mail.command().to_owned(), plan.raiser.confirms);
    Ok(vec![Box::new(MailCommand { command, to, confirms })])
}

impl Transport for MailCommand {
    fn name(&self) -> String {
        first_word(&self.command)
    }

    fn key(&self) -> String {
        "mail".to_owned()
    }

    fn targets(&self) -> Vec<String> {
        vec![self.to.clone()]
    }

    /// A mail whose command failed is not sent again, since it may have been sent all the same.
    fn deliver(&self, alert: &Alert, _: &[String]) -> Vec<DeliveryOutcome> {
        let shell = Shell::new(&self.command).input(alert.mail(&self.to).render());
        vec![outcome(shell.limit(LIMIT).run())]
    }

    fn delivered(&self, alert: &Alert, _: &[String]) -> Option<String> {
        self.confirms.then(|| format!("Mailed:\n\n{}", alert.mail(&self.to).plain()))
    }

    fn given_up(&self, alert: &Alert, _: &[String], reason: &str) -> String {
        let (command, mail) = (first_word(&self.command), alert.mail(&self.to).plain());
        format!("Mail not sent with {command}: {reason}. The mail was:\n\n{mail}")
    }

    fn unfinished(&self, alert: &Alert) -> String {
        format!("Mail not sent in time:\n\n{}", alert.mail(&self.to).plain())
    }
}
