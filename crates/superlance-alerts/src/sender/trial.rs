//! One try, without queue and spool: the caller looks at its outcome.

use superlance_core::listener::alert::{Alert, Phase};
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::run::Tried;

use super::Sender;
use crate::firing::told;

impl Sender {
    /// Tries to deliver an alert once, and waits for the outcome.
    pub(crate) fn try_once(&self, alert: &Alert) -> Vec<Tried> {
        let transport = &self.shared.transport;
        let targets = transport.targets();
        let fires = transport.takes(Phase::Fires);
        let first = told(alert, if fires { Phase::Fires } else { Phase::Told });
        let mut outcomes = transport.deliver(&first, &targets);
        let is_delivered = outcomes.iter().all(|outcome| *outcome == DeliveryOutcome::Delivered);
        if is_delivered && fires && !transport.takes(Phase::Lasts) {
            // Nothing else would end it, and a test is over.
            outcomes = transport.deliver(&told(alert, Phase::Over), &targets);
        }
        let tried = |(target, outcome): (&String, _)| {
            let name = transport.name();
            let to = if target.is_empty() { name } else { format!("{target}, by {name}") };
            Tried { to, outcome }
        };
        targets.iter().zip(outcomes).map(tried).collect()
    }
}
