//! The ways in which supervisord misbehaves: the lines of the fault matrix.

use std::time::Duration;

use superlance_testing::Answer;

/// What supervisord does instead of what it should.
pub(super) struct Fault {
    /// After "supervisord".
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Every line that the listener writes about it contains one of these; where one is empty, it need
    /// not write any.
    pub(super) said: &'static [&'static str],
}

pub(super) enum Kind {
    /// Answers in this way, until the listener rests.
    Answers(fn() -> Answer),
    /// Goes away in the middle of the call, and comes back when the listener rests.
    Vanishes,
    /// Goes away likewise, and all processes are other ones when it comes back.
    StartsAnew,
    /// Answers that it restarts, and all processes are other ones when it is back.
    Restarts,
    /// Restarts the process itself in the middle of the call, which it answers.
    Interferes,
}

use Kind::{Answers, Interferes, Restarts, StartsAnew, Vanishes};

const NOTHING: &[&str] = &[""];
const NO_METHOD: &[&str] = &[
    "does not know its own methods: its configuration lacks the [rpcinterface:supervisor] section",
];
const LOGIN: &[&str] =
    &["refused user name and password (401): set SUPERVISOR_USERNAME and SUPERVISOR_PASSWORD"];
const NONSENSE: &[&str] = &["cannot understand the answer of supervisord"];
const NO_ANSWER: &[&str] = &["no answer from supervisord"];
const GONE: &[&str] = &["no answer from supervisord", "cannot talk to supervisord"];
const RUNS_ALREADY: &[&str] = &["", "has ended without memmon", "ALREADY_STARTED"];

pub(super) const FAULTS: &[Fault] = &[
    answers(
        "answers with a fault",
        || Answer::fault(30, "FAILED: no"),
        &["<Fault 30: 'FAILED: no'>"],
    ),
    fault("says that it shuts down, and starts anew", Restarts, &["<Fault 6: 'SHUTDOWN_STATE'>"]),
    answers("has no such method", || Answer::fault(1, "UNKNOWN_METHOD"), NO_METHOD),
    answers("answers 401", || Answer::Http(401, String::new()), LOGIN),
    answers("answers 404", || Answer::Http(404, "<html>no</html>".into()), &["answered HTTP 404"]),
    answers("answers 500", || Answer::Http(500, "oops".into()), &["answered HTTP 500"]),
    answers("answers with HTML", || garbage(b"<html><br></html>"), NONSENSE),
    answers("answers with nothing", || garbage(b""), NONSENSE),
    answers(
        "answers with half a document",
        || garbage(b"<?xml version='1.0'?><methodResp"),
        NONSENSE,
    ),
    answers("answers with what is not UTF-8", || garbage(b"<methodResponse>\xff\xfe"), NONSENSE),
    answers(
        "answers with 50,000 levels",
        || garbage(&b"<value><array><data>".repeat(50_000)),
        NONSENSE,
    ),
    answers("answers with a value of the wrong type", || Answer::WrongType, NONSENSE),
    answers(
        "answers with 100 MB",
        || Answer::Large(100 << 20),
        &["the response body is larger than"],
    ),
    answers("closes the connection", || Answer::CloseBefore, NO_ANSWER),
    answers("closes it in the middle of the answer", || Answer::CloseMiddle, NO_ANSWER),
    answers("closes it after the answer", || Answer::CloseAfter, NOTHING),
    answers("takes its time", || Answer::Slow(Duration::from_millis(300)), NOTHING),
    answers("answers in single bytes", || Answer::Dripping(Duration::ZERO), NOTHING),
    fault("is gone for a while", Vanishes, GONE),
    fault("is killed, and starts anew", StartsAnew, GONE),
    fault("restarts the process itself", Interferes, RUNS_ALREADY),
];

const fn fault(name: &'static str, kind: Kind, said: &'static [&'static str]) -> Fault {
    Fault { name, kind, said }
}

const fn answers(name: &'static str, how: fn() -> Answer, said: &'static [&'static str]) -> Fault {
    Fault { name, kind: Answers(how), said }
}

fn garbage(body: &[u8]) -> Answer {
    Answer::Garbage(body.to_vec())
}
