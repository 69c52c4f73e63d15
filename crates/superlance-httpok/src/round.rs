//! What the checks of a tick have found out about one target, by the rules of the command line. Pure.

use std::time::Duration;

use superlance_core::options::units::short_duration_text;
use superlance_probe::outcome::{Class, Failed, Verdict};

use crate::plan::Probed;

/// The rules by which outcomes are judged.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Longer is a failure.
    pub(crate) slow: Option<Duration>,
    /// The failures that count; all if it is empty.
    pub(crate) fail_on: Vec<Class>,
    /// Whether one good URL suffices.
    pub(crate) any_url: bool,
}

/// How a target is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement<'a> {
    Good,
    /// This failure counts.
    Failed(Culprit<'a>),
    /// This one does not.
    Uncounted(Culprit<'a>),
    /// It is not known, as checks could not be made.
    Unknown,
}

/// The URL that failed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Culprit<'a> {
    pub(crate) url: &'a str,
    pub(crate) failed: &'a Failed,
    pub(crate) status: Option<u16>,
}

impl Probed {
    pub(crate) fn failed(&self) -> Option<&Failed> {
        match &self.outcome.verdict {
            Verdict::Failed(failed) => Some(failed),
            _ => None,
        }
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.failed().is_some()
    }

    fn culprit(&self) -> Option<Culprit<'_>> {
        let failed = self.failed()?;
        Some(Culprit { url: &self.url, failed, status: self.outcome.status })
    }

    /// Why the check could not be made.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match &self.outcome.verdict {
            Verdict::Trouble(why) => Some(why),
            _ => None,
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.outcome.verdict == Verdict::Good
    }

    /// That it answers well again.
    pub(crate) fn again(&self) -> String {
        let status = self.outcome.status.map(|status| format!(": status {status}"));
        format!("{} answers well again{}", self.url, status.unwrap_or_default())
    }
}

impl Judge {
    /// Makes a good answer that took too long a failure.
    pub(crate) fn time(&self, probed: &mut Probed) {
        let took = probed.outcome.took;
        if let Some(slow) = self.slow.filter(|slow| probed.is_good() && took > *slow) {
            let text = format!(
                "slow answer from {}: it took {:.3} seconds, more than {} (--slow)",
                probed.url,
                took.as_secs_f64(),
                short_duration_text(slow)
            );
            let failed = Failed { class: Class::Slow, text, refused: false };
            probed.outcome.verdict = Verdict::Failed(failed);
        }
    }

    /// Judges a target by its checks. One that could not be made is no reason to act.
    pub(crate) fn judge<'a>(&self, round: &'a [Probed]) -> Judgement<'a> {
        let good = round.iter().filter(|probed| probed.is_good()).count();
        let is_unknown = round.iter().any(|probed| probed.trouble().is_some());
        let is_good = if self.any_url { good > 0 } else { good == round.len() };
        if is_good {
            return Judgement::Good;
        }
        let mut culprits = round.iter().filter_map(Probed::culprit);
        let first = culprits.next();
        let counted = first.into_iter().chain(culprits).find(|culprit| self.counts(culprit));
        match (counted, first) {
            // With several URLs of which one suffices, it may be the one that is not known.
            _ if is_unknown && self.any_url => Judgement::Unknown,
            (Some(culprit), _) => Judgement::Failed(culprit),
            (None, Some(culprit)) => Judgement::Uncounted(culprit),
            (None, None) => Judgement::Unknown,
        }
    }

    fn counts(&self, culprit: &Culprit<'_>) -> bool {
        self.fail_on.is_empty() || self.fail_on.contains(&culprit.failed.class)
    }
}

#[cfg(test)]
mod tests {
    use superlance_probe::outcome::Outcome;

    use super::*;

    fn probed(word: &str) -> Probed {
        let failed =
            |class| Verdict::Failed(Failed { class, text: word.to_owned(), refused: false });
        let verdict = match word {
            "good" => Verdict::Good,
            "unknown" => Verdict::Trouble("why".to_owned()),
            "timeout" => failed(Class::Timeout),
            _ => failed(Class::Status),
        };
        let took = Duration::from_millis(1234);
        let outcome = Outcome { verdict, took, status: None, certificate_end: None, note: None };
        Probed { url: word.to_owned(), outcome }
    }

    fn judged(judge: &Judge, words: &str) -> String {
        let round: Vec<_> = words.split(' ').map(probed).collect();
        match judge.judge(&round) {
            Judgement::Good => "good".to_owned(),
            Judgement::Unknown => "unknown".to_owned(),
            Judgement::Failed(culprit) => format!("failed by {}", culprit.url),
            Judgement::Uncounted(culprit) => format!("uncounted {}", culprit.url),
        }
    }

    #[test]
    fn every_url_must_be_good_or_any() {
        let (all, any) = (Judge::default(), Judge { any_url: true, ..Judge::default() });
        for (words, of_all, of_any) in [
            ("good", "good", "good"),
            ("good good", "good", "good"),
            ("good status", "failed by status", "good"),
            ("timeout status", "failed by timeout", "failed by timeout"),
            ("unknown", "unknown", "unknown"),
            ("good unknown", "unknown", "good"),
            ("unknown status", "failed by status", "unknown"),
        ] {
            assert_eq!(judged(&all, words), of_all, "all of {words}");
            assert_eq!(judged(&any, words), of_any, "any of {words}");
        }
    }

    #[test]
    fn some_failures_do_not_count() {
        let judge = Judge { fail_on: vec![Class::Timeout], ..Judge::default() };
        assert_eq!(judged(&judge, "status"), "uncounted status");
        assert_eq!(judged(&judge, "status timeout"), "failed by timeout");
    }

    #[test]
    fn an_answer_that_takes_too_long_is_slow() {
        for (slow, text) in [
            (2, None),
            (1, Some("slow answer from good: it took 1.234 seconds, more than 1s (--slow)")),
        ] {
            let judge = Judge { slow: Some(Duration::from_secs(slow)), ..Judge::default() };
            let mut probed = probed("good");
            judge.time(&mut probed);
            assert_eq!(probed.failed().map(|failed| failed.text.as_str()), text);
        }
        // What failed already stays what it was.
        let judge = Judge { slow: Some(Duration::ZERO), ..Judge::default() };
        let mut probed = probed("timeout");
        judge.time(&mut probed);
        assert_eq!(probed.failed().unwrap().class, Class::Timeout);
    }
}
