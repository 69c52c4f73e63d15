//! Scripted answers of the fake supervisord: faults, delays, broken connections.

use std::time::Duration;

/// An answer, most of them bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A fault; the call is not performed.
    Fault(i64, String),
    /// This status and body; the call is not performed.
    Http(u16, String),
    /// Status 200 with this body; the call is not performed.
    Garbage(Vec<u8>),
    /// A value, given in XML; the call is not performed.
    Value(String),
    /// A string where supervisord returns none; the call is not performed.
    WrongType,
    /// The connection is closed without an answer; the call is not performed.
    CloseBefore,
    /// The call is performed, and the connection closed in the middle of the answer.
    CloseMiddle,
    /// The call is performed and answered, and the connection closed although the client would
    /// have kept it.
    CloseAfter,
    /// After this time the call is performed and answered.
    Slow(Duration),
    /// The call is performed and the answer sent byte by byte, with this pause before each.
    Dripping(Duration),
    /// A body of so many bytes that starts like a good answer; the call is not performed.
    /// `u64::MAX` never ends.
    Large(u64),
    /// The call waits for [`release`](super::FakeSupervisor::release), then it is performed and
    /// answered.
    Hold,
}

impl Answer {
    /// A fault as supervisord sends it, such as `Answer::fault(50, "SPAWN_ERROR: foo")`.
    #[must_use]
    pub fn fault(code: i64, text: &str) -> Answer {
        Answer::Fault(code, text.to_owned())
    }

    /// One of each way to misbehave that comes to an end by itself, with a name for messages.
    #[must_use]
    pub fn misbehaviours() -> Vec<(&'static str, Answer)> {
        vec![
            ("fault", Answer::fault(30, "FAILED: something")),
            ("unknown method", Answer::fault(1, "UNKNOWN_METHOD")),
            ("shutting down", Answer::fault(6, "SHUTDOWN_STATE")),
            ("internal server error", Answer::Http(500, "oops".to_owned())),
            ("unauthorized", Answer::Http(401, String::new())),
            ("not found", Answer::Http(404, "<html>no</html>".to_owned())),
            ("empty body", Answer::Garbage(Vec::new())),
            ("no XML", Answer::Garbage(b"hello".to_vec())),
            ("not UTF-8", Answer::Garbage(b"<methodResponse>\xff\xfe".to_vec())),
            ("half a document", Answer::Garbage(b"<?xml version='1.0'?><methodResp".to_vec())),
            ("deep nesting", Answer::Garbage(b"<value><array><data>".repeat(50_000))),
            ("wrong type", Answer::WrongType),
            ("closed before the answer", Answer::CloseBefore),
            ("closed within the answer", Answer::CloseMiddle),
            ("closed after the answer", Answer::CloseAfter),
            ("slow", Answer::Slow(Duration::from_millis(300))),
            ("dripping", Answer::Dripping(Duration::from_micros(200))),
            ("large", Answer::Large(64 * 1024 * 1024)),
        ]
    }
}

/// Whether a call is meant: by `*`, by its method, or by its method and arguments.
pub(super) fn matches(pattern: &str, call: &str) -> bool {
    let method = call.split_once('(').map_or(call, |(method, _)| method);
    [call, method, "*"].contains(&pattern)
}
