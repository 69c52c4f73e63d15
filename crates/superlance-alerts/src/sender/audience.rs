//! Who gets which alerts, and what becomes of reminders: alerts that say again what lasts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use superlance_core::listener::alert::{Alert, Phase};
use superlance_core::mail::outcome::DeliveryOutcome;

use super::{Sender, Shared, State};
use crate::spool::key;

impl Sender {
    /// The spool keys of all targets of an alert of this phase except those in `accepted`.
    pub(crate) fn keys(&self, phase: Phase, accepted: &BTreeSet<String>) -> Vec<String> {
        let targets = self.targets(phase, accepted).into_iter();
        targets.map(|target| self.shared.key(&target)).collect()
    }

    pub(super) fn targets(&self, phase: Phase, accepted: &BTreeSet<String>) -> Vec<String> {
        if !self.takes(phase) {
            return Vec::new();
        }
        let mut targets = self.shared.transport.targets();
        targets.retain(|target| !accepted.contains(&self.shared.key(target)));
        targets
    }

    /// Whether the transport takes alerts of this phase.
    pub(crate) fn takes(&self, phase: Phase) -> bool {
        self.shared.transport.takes(phase)
    }
}

impl Shared {
    /// The spool key of a target.
    pub(super) fn key(&self, target: &str) -> String {
        key(&format!("{}\0{target}", self.transport.key()))
    }

    /// Whether this is a reminder, and one like it waits.
    pub(super) fn awaits(&self, alert: &Alert) -> bool {
        alert.phase == Phase::Lasts
            && self.lock().schedule.waiting().any(|job| job.alert.id == alert.id)
    }

    /// Records the outcome of a reminder. It is not tried again, since the next one comes in a minute.
    pub(super) fn settle_reminder(
        &self,
        targets: &[String],
        outcomes: Vec<DeliveryOutcome>,
        state: &mut State,
    ) {
        for outcome in outcomes {
            let (reason, pause) = match outcome {
                DeliveryOutcome::Delivered => {
                    if state.trouble.clear() {
                        self.log.line(format_args!("{} works again", self.transport.name()));
                    }
                    state.schedule.delivered();
                    continue;
                }
                DeliveryOutcome::Rejected(reason) => (reason, None),
                DeliveryOutcome::RetryAfter(reason, pause) => (reason, Some(pause)),
                DeliveryOutcome::Retry(reason) | DeliveryOutcome::Unknown(reason) => {
                    (reason, Some(Duration::ZERO))
                }
            };
            match pause {
                Some(pause) => _ = state.schedule.dropped(pause, Instant::now()),
                // The transport works, and the alert is at fault.
                None => state.schedule.delivered(),
            }
            state.trouble.report(&self.log, self.transport.failed(targets, &reason));
        }
    }
}
