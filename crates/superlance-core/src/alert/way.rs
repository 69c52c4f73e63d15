//! A way out for alerts.

use super::Alert;
use crate::fate::Fate;

/// A way for alerts to get to people. It may take its time: it is called on a thread of its own, at
/// the end of the listener on several.
pub(crate) trait Way: Send + Sync {
    /// What the log calls it. No secret is part of it.
    fn name(&self) -> String;

    /// Whom it delivers to, where each may have a fate of its own.
    fn targets(&self) -> Vec<String> {
        vec![String::new()]
    }

    /// Tries to deliver `alert`. There is a fate for each of `targets`, in their order.
    fn deliver(&self, alert: &Alert, targets: &[String]) -> Vec<Fate>;

    /// What the log says when it was delivered to `targets`, if it says something.
    fn delivered(&self, alert: &Alert, _targets: &[String]) -> Option<String> {
        Some(format!("Sent to {}: {}", self.name(), alert.subject))
    }

    /// What the log says when it is given up: the alert with it, since nobody else will tell.
    fn given_up(&self, alert: &Alert, reason: &str) -> String {
        let (name, subject, text) = (self.name(), &alert.subject, alert.whole_text());
        format!("Not sent to {name}: {reason}. The alert was:\n\n{subject}\n\n{text}")
    }

    /// What the log says when it is not delivered by the time that everything must end.
    fn unfinished(&self, alert: &Alert) -> String {
        let (name, subject, text) = (self.name(), &alert.subject, alert.whole_text());
        format!("Not sent in time to {name}:\n\n{subject}\n\n{text}")
    }
}
