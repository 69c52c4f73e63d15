//! What has recovered, and what services that keep alerts until they are over are told.

use superlance_core::listener::alert::{Alert, Alerts, Recovers};
use superlance_core::listener::blindness::BLIND;
use superlance_core::system::clock::Moment;

use super::Pipeline;
use crate::firing::Firing;
use crate::kinds::lasts;

impl Pipeline {
    /// Rewrites the journal of what has not recovered.
    pub(super) fn rewrite_watched(&mut self) {
        self.watched.rewrite(self.recovery.reports());
    }

    /// Registers what has to recover, or has.
    pub(super) fn note(&mut self, alert: &Alert, now: Moment) {
        if let Recovers::Recovered { key } = &alert.recovers {
            if self.recovery.forget(key) {
                self.rewrite_watched();
            }
        } else if self.has_to_recover(alert) {
            self.recovery.note(alert, now).into_iter().for_each(|report| self.watched.add(report));
            if self.watched.needs_rewriting() {
                self.rewrite_watched();
            }
        }
    }

    /// Whether anyone is told that what an alert is about is over. That a listener can do its work again is
    /// told without --recovery, too.
    fn has_to_recover(&self, alert: &Alert) -> bool {
        self.tells_recovery || self.firing.is_some() && lasts(alert) || alert.kind == BLIND
    }

    /// Tells services that keep alerts until they are over. `is_held` is what people learn later.
    pub(super) fn fire(&mut self, alert: &Alert, is_held: bool, now: Moment) {
        if let Recovers::Recovered { key } = &alert.recovers {
            return self.over(key);
        }
        let Some(firing) = &mut self.firing else { return };
        let told = firing.note(alert, !is_held, now);
        self.tell_services(vec![told]);
    }

    /// Tells services that a trouble is over.
    pub(super) fn over(&mut self, trouble: &str) {
        let told = self.firing.as_mut().map(|firing| firing.end(trouble)).unwrap_or_default();
        self.tell_services(told);
    }

    /// What is over is in the spool before it leaves the journal of what is not.
    pub(super) fn tell_services(&mut self, told: Vec<Alert>) {
        let is_any_over = told.iter().any(|alert| alert.phase.is_end());
        told.into_iter().for_each(|alert| self.send(alert));
        if is_any_over {
            self.firing.iter_mut().for_each(Firing::rewrite);
        }
    }

    /// A trouble is over: people are told with `--recovery`, services in any case.
    pub(super) fn recovered(&mut self, alert: Alert) {
        if self.tells_recovery {
            return self.raise(alert);
        }
        self.fire(&alert, false, Moment::now());
    }
}
