//! Transports: mail commands, mail servers, webhooks and other commands.
//!
//! Each implements [`Transport`] in a file of its own; `setup.rs` has the table of them.

mod config;
pub(crate) mod exec;
pub(crate) mod sendmail;
pub(crate) mod smtp;
pub(crate) mod webhook;

pub use self::config::Raiser;
pub(crate) use self::config::TransportConfig;

use superlance_core::listener::alert::{Alert, Phase};
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::system::command::CommandError;

/// A transport for alerts. Delivery may block: it runs on the threads of a sender.
pub trait Transport: Send + Sync {
    /// The name for the log, without secrets.
    fn name(&self) -> String;

    /// An identifier, different for each transport of all listeners. It may be a secret: only its
    /// hash is stored.
    fn key(&self) -> String;

    /// The recipients, if each may have an outcome of its own.
    fn targets(&self) -> Vec<String> {
        vec![String::new()]
    }

    /// Whether it takes alerts of this phase: people are told once, services until it is over.
    fn takes(&self, phase: Phase) -> bool {
        phase == Phase::Told
    }

    /// Tries to deliver `alert`. Returns an outcome for each of `targets`, in their order.
    fn deliver(&self, alert: &Alert, targets: &[String]) -> Vec<DeliveryOutcome>;

    /// The log line after a delivery to `targets`, if there is one.
    fn delivered(&self, alert: &Alert, targets: &[String]) -> Option<String> {
        let targets: Vec<_> = targets.iter().filter(|target| !target.is_empty()).cloned().collect();
        let whom = if targets.is_empty() { self.name() } else { targets.join(", ") };
        Some(format!("Sent to {whom}: {}", alert.title()))
    }

    /// The log line after a failure, logged once until the transport works again.
    fn failed(&self, _targets: &[String], reason: &str) -> String {
        format!("{}: {reason}; alerts are kept, and tried again", self.name())
    }

    /// The log text when the alert is given up for `targets`: it has the alert, which is nowhere
    /// else.
    fn given_up(&self, alert: &Alert, _targets: &[String], reason: &str) -> String {
        format!("Not sent to {}: {reason}. The alert was:\n\n{}", self.name(), whole(alert))
    }

    /// The log text about an alert that is not delivered when time is up.
    fn unfinished(&self, alert: &Alert) -> String {
        format!("Not sent in time to {}:\n\n{}", self.name(), whole(alert))
    }
}

/// An alert as the log has it where it is nowhere else.
pub(crate) fn whole(alert: &Alert) -> String {
    format!("{}\n\n{}", alert.title(), alert.whole_text())
}

/// The outcome of a command that was given an alert.
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
