//! `-m` and `-s`: mails through a command, such as `sendmail -t -i`.

use std::time::Duration;

use super::{Alert, Way};
use crate::command;
use crate::fate::Fate;

/// Time for a mail program.
const LIMIT: Duration = Duration::from_secs(60);

/// Pipes each mail into a shell command.
pub(super) struct MailCommand {
    pub(super) command: String,
    /// The `To:` line.
    pub(super) to: String,
    /// Whether the log has every mail that was sent, which is the original's way in some listeners.
    pub(super) confirms: bool,
}

impl Way for MailCommand {
    fn name(&self) -> String {
        format!("{:?}", self.command)
    }

    /// A mail whose command failed is not sent again: it may have gone out all the same.
    fn deliver(&self, alert: &Alert, _: &[String]) -> Vec<Fate> {
        let outcome = command::run(&self.command, &alert.mail(&self.to).render(), LIMIT);
        vec![outcome.map_or_else(|error| Fate::Refused(error.to_string()), |()| Fate::Delivered)]
    }

    fn delivered(&self, alert: &Alert, _: &[String]) -> Option<String> {
        self.confirms.then(|| format!("Mailed:\n\n{}", alert.mail(&self.to).plain()))
    }

    fn given_up(&self, alert: &Alert, reason: &str) -> String {
        let (command, mail) = (&self.command, alert.mail(&self.to).plain());
        format!("Mail not sent with {command:?}: {reason}. The mail was:\n\n{mail}")
    }

    fn unfinished(&self, alert: &Alert) -> String {
        format!("Mail not sent in time:\n\n{}", alert.mail(&self.to).plain())
    }
}
