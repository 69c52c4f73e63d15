//! What the answers of services mean. Requests to a server are in the tests of the program.

use std::time::UNIX_EPOCH;

use super::*;

#[test]
fn pauses_are_seconds_or_a_time() {
    let now = UNIX_EPOCH + Duration::from_secs(1_445_412_470);
    let seconds = |value| retry_after(value, now).map(|time| time.as_secs_f64());
    assert_eq!(seconds("120"), Some(120.0));
    assert_eq!(seconds(" 0.25 "), Some(0.25));
    assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), Some(10.0));
    for nonsense in ["soon", "-1", "nan", "1e300", "Wed, 21 Oct 2015 07:00:00 GMT"] {
        assert_eq!(seconds(nonsense), None, "{nonsense}");
    }
    let telegram = r#"{"ok":false,"error_code":429,"parameters":{"retry_after":35}}"#;
    assert_eq!(retry_after_of_json(telegram), Some(Duration::from_secs(35)));
    assert_eq!(retry_after_of_json("slow down"), None);
}

#[test]
fn only_what_may_change_is_tried_again() {
    let changes = |status| may_change(StatusCode::from_u16(status).unwrap());
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert!(changes(status), "{status}");
    }
    for status in [301, 400, 401, 403, 404, 410, 413] {
        assert!(!changes(status), "{status}");
    }
}

#[test]
fn a_service_that_is_slow_may_have_shown_an_alert() {
    let outcome = |error: Error| failed(&error, explain(&error, LIMIT));
    let unknown = DeliveryOutcome::Unknown("no answer within 30 seconds".to_owned());
    assert_eq!(outcome(Error::Timeout(Timeout::Global)), unknown);
    assert_eq!(outcome(Error::Timeout(Timeout::RecvResponse)), unknown);
    let retry = DeliveryOutcome::Retry("no connection within 10 seconds".to_owned());
    assert_eq!(outcome(Error::Timeout(Timeout::Connect)), retry);
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    for kind in [UnexpectedEof, ConnectionReset, BrokenPipe] {
        let closed = outcome(Error::Io(kind.into()));
        assert!(matches!(closed, DeliveryOutcome::Unknown(_)), "{kind:?}: {closed:?}");
    }
    let refused = Error::Io(io::ErrorKind::ConnectionRefused.into());
    assert!(matches!(outcome(refused), DeliveryOutcome::Retry(_)));
}
