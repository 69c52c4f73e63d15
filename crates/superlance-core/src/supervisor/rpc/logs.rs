//! Logs over XML-RPC, which has no place for what programs write.
//!
//! supervisord sends control characters as they are, colours for example, and no XML parser takes
//! them. And it sends text: where the bytes that were asked for are not UTF-8, it answers HTTP 500, be
//! it that the log is not, or that the first of the bytes is in the middle of a character.

use xmlrpc::{Request, Value};

use super::answer::parse;
use super::control::hide_control_characters;
use super::{ALERT, CallError, RpcClient};
use crate::supervisor::RpcError;

/// Bytes of the longest character.
const LONGEST_CHARACTER: u32 = 4;

/// How much less to ask for where the whole cannot be had. The offending bytes may be further up.
const LESS: u32 = 8;

impl RpcClient {
    /// The answer to `request` for so many bytes of a log, or for a few less.
    pub(super) fn ask_for_log<'r>(
        &self,
        bytes: u32,
        request: impl Fn(i32) -> Request<'r>,
    ) -> Result<Value, RpcError> {
        let mut outcome = Err(CallError::Status(500));
        for length in lengths(bytes) {
            let request = request(i32::try_from(length).unwrap_or(i32::MAX));
            outcome = self
                .ask(&request, &ALERT)
                .and_then(|answer| parse(&request, hide_control_characters(&answer).into_bytes()));
            if !matches!(outcome, Err(CallError::Status(500))) {
                break;
            }
        }
        outcome.map_err(|error| match error {
            CallError::Status(500) => RpcError::NoAnswer(format!(
                "supervisord at {} cannot read the log (it answered HTTP 500, as it does when a log \
                 is not UTF-8)",
                self.url
            )),
            error => self.explain(error),
        })
    }
}

/// The amounts to ask for, one after the other.
fn lengths(bytes: u32) -> impl Iterator<Item = u32> {
    let shorter = |length: u32| (0..LONGEST_CHARACTER).map(move |less| length.saturating_sub(less));
    [bytes, bytes / LESS].into_iter().flat_map(shorter).filter(|length| *length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_less_is_asked_for_and_then_much_less() {
        let all: Vec<_> = lengths(800).collect();
        assert_eq!(all, [800, 799, 798, 797, 100, 99, 98, 97]);
        assert_eq!(lengths(1).collect::<Vec<_>>(), [1]);
    }
}
