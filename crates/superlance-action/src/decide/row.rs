//! The row of failures of one check. Pure.

use std::collections::VecDeque;

use super::rules::Threshold;

/// The last results of a check, since something was done about it.
#[derive(Debug, Default)]
pub struct Row {
    /// Failures in a row.
    streak: u32,
    /// Whether each of the last ones failed, where the threshold looks at more than a row.
    recent: VecDeque<bool>,
    /// Whether people were told that it fails, and nothing else is done.
    told: bool,
}

impl Row {
    /// Takes note of a check that failed, and returns how many failures there are.
    pub fn fail(&mut self, threshold: Threshold) -> u32 {
        self.streak = self.streak.saturating_add(1);
        self.push(threshold, true);
        self.failures(threshold)
    }

    /// Takes note of a check that succeeded.
    pub fn succeed(&mut self, threshold: Threshold) {
        (self.streak, self.told) = (0, false);
        self.push(threshold, false);
    }

    /// Something is done, after which the row begins anew; or people are told, and that is all.
    pub fn clear(&mut self, told: bool) {
        *self = Self { told, ..Self::default() };
    }

    /// Whether people were told, and that is all.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// The failures that count.
    #[must_use]
    pub fn failures(&self, threshold: Threshold) -> u32 {
        match threshold.among {
            Some(_) => self.recent.iter().map(|failed| u32::from(*failed)).sum(),
            None => self.streak,
        }
    }

    fn push(&mut self, threshold: Threshold, failed: bool) {
        let Some(among) = threshold.among else { return };
        self.recent.push_back(failed);
        while self.recent.len() > usize::try_from(among).unwrap_or(usize::MAX) {
            self.recent.pop_front();
        }
    }
}
