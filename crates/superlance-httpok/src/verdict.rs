//! The verdict on an answer.

/// An answer that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The server's words for the status, as in `Internal Server Error`.
    pub(crate) reason: String,
    /// Whether the expected text is in the body; `true` where none is expected.
    pub(crate) found: bool,
}

/// Why no answer came, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// No server listens, perhaps not yet.
    #[error("{0}")]
    Refused(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// What a check brings.
pub(crate) type Outcome = Result<Answer, NoAnswer>;

/// What an outcome means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    BadStatus,
    BadBody,
}

/// Compares an outcome with the statuses that are expected. No answer counts as a bad status.
pub(crate) fn verdict(outcome: &Outcome, expected: &[u16]) -> Verdict {
    match outcome {
        Ok(answer) if !expected.contains(&answer.status) => Verdict::BadStatus,
        Ok(answer) if !answer.found => Verdict::BadBody,
        Ok(_) => Verdict::Good,
        Err(_) => Verdict::BadStatus,
    }
}

/// An outcome in the words of the original.
pub(crate) fn describe(outcome: &Outcome, url: &str) -> String {
    match outcome {
        Ok(Answer { status, reason, .. }) => format!("status contacting {url}: {status} {reason}"),
        Err(error) => format!("error contacting {url}:\n\n {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let answer = |status, found| Ok(Answer { status, reason: String::new(), found });
        let refused = || Err(NoAnswer::Refused(String::new()));
        let failed = || Err(NoAnswer::Failed(String::new()));
        for (outcome, expected, verdict_expected) in [
            (answer(200, true), &[200][..], Verdict::Good),
            (answer(404, true), &[200, 404], Verdict::Good),
            (answer(200, false), &[200], Verdict::BadBody),
            (answer(500, true), &[200], Verdict::BadStatus),
            (answer(500, false), &[200, 404], Verdict::BadStatus),
            (answer(200, true), &[404], Verdict::BadStatus),
            (refused(), &[200], Verdict::BadStatus),
            (failed(), &[200], Verdict::BadStatus),
        ] {
            assert_eq!(verdict(&outcome, expected), verdict_expected, "{outcome:?} {expected:?}");
        }
    }

    #[test]
    fn words() {
        let reason = "Internal Server Error".to_owned();
        let answer = Ok(Answer { status: 500, reason, found: true });
        let text = "status contacting http://h/: 500 Internal Server Error";
        assert_eq!(describe(&answer, "http://h/"), text);
        let text = "error contacting http://h/:\n\n timed out";
        assert_eq!(describe(&Err(NoAnswer::Failed("timed out".to_owned())), "http://h/"), text);
    }
}
