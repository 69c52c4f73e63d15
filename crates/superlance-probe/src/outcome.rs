//! The outcome of a check.

use std::time::{Duration, SystemTime};

/// What a check brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// When the server's certificate expires, if it showed one.
    pub certificate_end: Option<SystemTime>,
}

/// Whether the service is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Failed(Failed),
    /// The check could not be made, for this reason, so that nothing is known of the service.
    Trouble(String),
}

/// In which way the service is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub class: Class,
    /// The whole message, with the URL in it.
    pub text: String,
    /// Whether no server listens, perhaps not yet.
    pub refused: bool,
}

/// The class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// There was no connection, or it broke off, or what came is no answer.
    Connect,
    /// Time was up.
    Timeout,
    Tls,
    Status,
    Body,
    /// The answer is as it should be, and took too long.
    Slow,
}

impl Class {
    pub const ALL: [Self; 6] =
        [Self::Connect, Self::Timeout, Self::Tls, Self::Status, Self::Body, Self::Slow];

    /// Its name on the command line and in alerts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Status => "status",
            Self::Body => "body",
            Self::Slow => "slow",
        }
    }
}

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    pub(crate) class: Class,
    pub(crate) why: String,
    pub(crate) refused: bool,
}

/// The verdict on an answer, in the words of httpok.
pub(crate) fn judge(
    answer: Result<Answer, NoAnswer>,
    expected: &[u16],
    shown_url: &str,
) -> Verdict {
    let (class, text, refused) = match answer {
        Ok(Answer { status, reason, found }) => {
            let class = match expected.contains(&status) {
                true if found => return Verdict::Good,
                true => Class::Body,
                false => Class::Status,
            };
            (class, format!("status contacting {shown_url}: {status} {reason}"), false)
        }
        Err(NoAnswer { class, why, refused }) => {
            (class, format!("error contacting {shown_url}:\n\n {why}"), refused)
        }
    };
    Verdict::Failed(Failed { class, text, refused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_good_when_status_and_body_are() {
        for (status, found, expected, class) in [
            (200, true, &[200][..], None),
            (404, true, &[200, 404], None),
            (200, false, &[200], Some(Class::Body)),
            (500, true, &[200], Some(Class::Status)),
            (500, false, &[200, 404], Some(Class::Status)),
            (200, true, &[404], Some(Class::Status)),
        ] {
            let answer = Answer { status, reason: String::new(), found };
            let judged = match judge(Ok(answer.clone()), expected, "http://h/") {
                Verdict::Failed(failed) => Some(failed.class),
                _ => None,
            };
            assert_eq!(judged, class, "{answer:?} {expected:?}");
        }
    }

    #[test]
    fn words() {
        let failed = |class, text: &str, refused| {
            Verdict::Failed(Failed { class, text: text.to_owned(), refused })
        };
        let reason = "Internal Server Error".to_owned();
        let answer = Answer { status: 500, reason, found: true };
        let text = "status contacting http://h/: 500 Internal Server Error";
        let expected = failed(Class::Status, text, false);
        assert_eq!(judge(Ok(answer), &[200], "http://h/"), expected);
        let why = "Connection refused".to_owned();
        let refused = NoAnswer { class: Class::Connect, why, refused: true };
        let text = "error contacting http://h/:\n\n Connection refused";
        let expected = failed(Class::Connect, text, true);
        assert_eq!(judge(Err(refused), &[200], "http://h/"), expected);
    }
}
