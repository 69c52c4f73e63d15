//! What delivers alerts: mail commands, mail servers, webhooks and other commands.
//!
//! Each implements [`Transport`] in a file of its own; `setup.rs` has the table of them.

mod config;
pub(crate) mod exec;
pub(crate) mod sendmail;
pub(crate) mod smtp;
pub(crate) mod webhook;

pub use self::config::Raiser;
pub(crate) use self::config::TransportConfig;

use superlance_core::listener::alert::Alert;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::system::command::CommandError;

/// A way for alerts to get to people. It may take its time: it is called on a thread of its own, at
/// the end of the listener on several.
pub trait Transport: Send + Sync {
    /// What the log calls it. No secret is part of it.
    fn name(&self) -> String;

    /// What distinguishes it from all others, whatever listener asks. It may be a secret: only its
    /// hash is written down.
    fn key(&self) -> String;

    /// Whom it delivers to, where each may have an outcome of its own.
    fn targets(&self) -> Vec<String> {
        vec![String::new()]
    }

    /// Tries to deliver `alert`. There is an outcome for each of `targets`, in their order.
    fn deliver(&self, alert: &Alert, targets: &[String]) -> Vec<DeliveryOutcome>;

    /// What the log says when it was delivered to `targets`, if it says something.
    fn delivered(&self, alert: &Alert, targets: &[String]) -> Option<String> {
        let targets: Vec<_> = targets.iter().filter(|target| !target.is_empty()).cloned().collect();
        let whom = if targets.is_empty() { self.name() } else { targets.join(", ") };
        Some(format!("Sent to {whom}: {}", alert.title()))
    }

    /// What the log says when it could not be delivered to `targets`, until it can.
    fn failed(&self, _targets: &[String], reason: &str) -> String {
        format!("{}: {reason}; alerts are kept, and tried again", self.name())
    }

    /// What the log says when it is given up for `targets`: the alert with it, which is told nowhere
    /// else.
    fn given_up(&self, alert: &Alert, _targets: &[String], reason: &str) -> String {
        format!("Not sent to {}: {reason}. The alert was:\n\n{}", self.name(), whole(alert))
    }

    /// What the log says when it is not delivered by the time that everything must end.
    fn unfinished(&self, alert: &Alert) -> String {
        format!("Not sent in time to {}:\n\n{}", self.name(), whole(alert))
    }
}

fn whole(alert: &Alert) -> String {
    format!("{}\n\n{}", alert.title(), alert.whole_text())
}

/// What became of an alert that was given to a command.
fn outcome(ended: Result<(), CommandError>) -> DeliveryOutcome {
    match ended {
        Ok(()) => DeliveryOutcome::Delivered,
        Err(error) if error.is_shortage() => DeliveryOutcome::Retry(error.to_string()),
        Err(error) => DeliveryOutcome::Rejected(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_command_that_was_not_started_is_tried_again() {
        let started = |errno| outcome(Err(CommandError::Start(io::Error::from(errno))));
        for errno in [nix::errno::Errno::EAGAIN, nix::errno::Errno::EMFILE] {
            assert!(matches!(started(errno), DeliveryOutcome::Retry(_)), "{errno}");
        }
        assert!(matches!(started(nix::errno::Errno::E2BIG), DeliveryOutcome::Rejected(_)));
        assert_eq!(outcome(Ok(())), DeliveryOutcome::Delivered);
    }
}
