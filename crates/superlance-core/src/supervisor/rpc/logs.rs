//! Logs over XML-RPC, which has no place for what programs write.
//!
//! supervisord sends control characters as they are, colours for example, and no XML parser takes
//! them. And it sends text: where the bytes that were asked for are not UTF-8, it answers HTTP 500, be
//! it that the log is not, or that the first of the bytes is in the middle of a character.

use xmlrpc::{Request, Value};

use super::answer::parse;
use super::{ALERT, CallError, RpcClient};
use crate::supervisor::RpcError;

/// Bytes of the longest character.
const LONGEST_CHARACTER: u32 = 4;

/// How much less is asked for where the whole cannot be had. What cannot be sent may be further up.
const LESS: u32 = 8;

/// Where control characters hide: 32 code points that are no characters, and that XML allows.
const HIDEOUT: u32 = 0xFDD0;

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

/// How much to ask for, one after the other.
fn lengths(bytes: u32) -> impl Iterator<Item = u32> {
    let shorter = |length: u32| (0..LONGEST_CHARACTER).map(move |less| length.saturating_sub(less));
    [bytes, bytes / LESS].into_iter().flat_map(shorter).filter(|length| *length > 0)
}

/// Makes an answer with a log in it fit for an XML parser.
fn hide_control_characters(answer: &[u8]) -> String {
    let hide = |c: char| match c {
        '\t' | '\n' => c,
        '\0'..' ' => char::from_u32(HIDEOUT + u32::from(c)).unwrap_or(' '),
        // These are no XML either.
        '\u{FFFE}' | '\u{FFFF}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    String::from_utf8_lossy(answer).chars().map(hide).collect()
}

/// A text out of such an answer, as it was.
pub(super) fn show_control_characters(text: &str) -> String {
    let show = |c: char| match u32::from(c).checked_sub(HIDEOUT) {
        Some(code @ 0..0x20) => char::from_u32(code).unwrap_or(c),
        _ => c,
    };
    text.chars().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_character_survives_the_parser() {
        let all: String = ('\0'..='\u{9f}').filter(|c| !"<>&".contains(*c)).collect();
        let log = format!("\u{1b}[31mréd\u{1b}[0m\r\n{all}\u{FFFF}.");
        let answer = format!(
            "<?xml version='1.0'?>\n<methodResponse><params><param><value><string>{log}</string>\
             </value></param></params></methodResponse>"
        );
        let answer = hide_control_characters(answer.as_bytes()).into_bytes();
        let text = parse(&Request::new("x"), answer).unwrap();
        let shown = show_control_characters(text.as_str().unwrap());
        assert_eq!(shown, log.replace('\u{FFFF}', "\u{FFFD}"));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(hide_control_characters(b"caf\xe9\n"), "caf\u{FFFD}\n");
    }

    #[test]
    fn a_little_less_is_asked_for_and_then_much_less() {
        let all: Vec<_> = lengths(800).collect();
        assert_eq!(all, [800, 799, 798, 797, 100, 99, 98, 97]);
        assert_eq!(lengths(1).collect::<Vec<_>>(), [1]);
    }
}
