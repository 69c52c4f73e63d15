//! Events, interpreted as far as listeners need them.

use crate::protocol::frame::Frame;
use crate::protocol::headers::Headers;
use crate::protocol::state::State;

/// An interpreted event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A tick: `TICK_5`, `TICK_60`, `TICK_3600`, or any other name that starts with `TICK`.
    Tick { name: String },
    /// A process changed its state: any `PROCESS_STATE_*`.
    ProcessState(ProcessState),
    /// Any other event.
    Other { name: String },
}

/// The payload of a `PROCESS_STATE_*` event. Values stay as they came, for the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessState {
    /// The new state: `EXITED` of `PROCESS_STATE_EXITED`.
    pub state: State,
    pub process: String,
    pub group: String,
    /// The previous state; `unknown` if the event does not have it.
    pub from_state: String,
    /// The process id; events about processes that do not run have none.
    pub pid: Option<u32>,
    /// Whether an exit was among the configured `exitcodes`; only `EXITED` has it.
    pub expected: Option<bool>,
    /// The number of failed attempts to start it; only `STARTING` and `BACKOFF` have it.
    pub tries: Option<u32>,
}

/// A payload that lacks what its event should have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no `{key}` in the payload of {event}: {payload:?}")]
pub struct ParseError {
    key: &'static str,
    event: String,
    payload: String,
}

impl ProcessState {
    /// Whether a process exited unexpectedly.
    #[must_use]
    pub fn is_unexpected_exit(&self) -> bool {
        self.state == State::Exited && self.expected == Some(false)
    }

    /// The process id for a text.
    #[must_use]
    pub fn pid_text(&self) -> String {
        self.pid.map_or("unknown".to_owned(), |pid| pid.to_string())
    }
}

impl Event {
    /// Interprets a frame.
    ///
    /// # Errors
    /// When a `PROCESS_STATE_*` event does not name the process or its group, or `EXITED` does not
    /// say whether that was expected.
    pub fn parse(frame: &Frame) -> Result<Self, ParseError> {
        let name = frame.name.clone();
        if name.starts_with("TICK") {
            return Ok(Self::Tick { name });
        }
        let Some(state) = name.strip_prefix("PROCESS_STATE_").and_then(State::from_name) else {
            return Ok(Self::Other { name });
        };
        let headers = Headers::parse(&frame.payload);
        let number = |key| headers.get(key)?.parse().ok();
        let lacks = |key| ParseError { key, event: name.clone(), payload: frame.payload.clone() };
        let need = |key| headers.get(key).map(str::to_owned).ok_or_else(|| lacks(key));
        Ok(Self::ProcessState(ProcessState {
            process: need("processname")?,
            group: need("groupname")?,
            // Only crashmail shows it, so it is optional.
            from_state: headers.get("from_state").unwrap_or("unknown").to_owned(),
            pid: number("pid").filter(|pid| *pid != 0),
            tries: number("tries"),
            expected: match state {
                State::Exited => Some(match need("expected")?.as_str() {
                    "0" => false,
                    "1" => true,
                    _ => return Err(lacks("expected:0 or expected:1")),
                }),
                _ => None,
            },
            state,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, payload: &str) -> Result<Event, ParseError> {
        Event::parse(&Frame {
            name: name.to_owned(),
            serial: None,
            pool_serial: None,
            payload: payload.to_owned(),
        })
    }

    #[test]
    fn ticks_are_known_by_their_beginning() {
        for name in ["TICK_5", "TICK_3600", "TICK"] {
            assert_eq!(parse(name, "when:1"), Ok(Event::Tick { name: name.to_owned() }));
        }
        assert_eq!(
            parse("SUPERVISOR_STATE_CHANGE_RUNNING", "").unwrap(),
            Event::Other { name: "SUPERVISOR_STATE_CHANGE_RUNNING".to_owned() }
        );
    }

    #[test]
    fn an_exit_says_who_and_whether_it_was_expected() {
        let payload = "processname:café groupname:g from_state:RUNNING expected:0 pid:58597";
        let expected = ProcessState {
            state: State::Exited,
            process: "café".to_owned(),
            group: "g".to_owned(),
            from_state: "RUNNING".to_owned(),
            pid: Some(58597),
            expected: Some(false),
            tries: None,
        };
        assert_eq!(parse("PROCESS_STATE_EXITED", payload), Ok(Event::ProcessState(expected)));
        let payload = payload.replace("expected:0", "expected:1");
        let Ok(Event::ProcessState(exit)) = parse("PROCESS_STATE_EXITED", &payload) else {
            panic!()
        };
        assert_eq!(exit.expected, Some(true));
    }

    #[test]
    fn a_fatal_state_needs_neither_pid_nor_expected() {
        let Ok(Event::ProcessState(fatal)) =
            parse("PROCESS_STATE_FATAL", "processname:a groupname:b from_state:BACKOFF")
        else {
            panic!()
        };
        assert_eq!((fatal.state, fatal.pid, fatal.expected), (State::Fatal, None, None));
    }

    #[test]
    fn a_process_that_does_not_run_has_no_pid() {
        let payload = "processname:a groupname:b from_state:STOPPED tries:2 pid:0";
        let Ok(Event::ProcessState(start)) = parse("PROCESS_STATE_STARTING", payload) else {
            panic!()
        };
        assert_eq!((start.state, start.pid, start.tries), (State::Starting, None, Some(2)));
        let odd = parse("PROCESS_STATE_NEW", payload);
        assert_eq!(odd, Ok(Event::Other { name: "PROCESS_STATE_NEW".to_owned() }));
    }

    #[test]
    fn what_no_listener_needs_may_be_missing_and_an_exit_is_expected_or_not() {
        let parsed = parse("PROCESS_STATE_EXITED", "processname:a groupname:b expected:0");
        let Ok(Event::ProcessState(exit)) = parsed else { panic!("{parsed:?}") };
        assert_eq!((exit.from_state.as_str(), exit.expected), ("unknown", Some(false)));
        for odd in ["2", "no", "00"] {
            let payload = format!("processname:a groupname:b expected:{odd}");
            let error = parse("PROCESS_STATE_EXITED", &payload).unwrap_err().to_string();
            assert!(error.starts_with("no `expected:0 or expected:1` in the payload"), "{error}");
        }
    }

    #[test]
    fn a_payload_without_a_name_is_an_error_that_shows_it() {
        let error = parse("PROCESS_STATE_EXITED", "groupname:b from_state:X").unwrap_err();
        let expected = "no `processname` in the payload of PROCESS_STATE_EXITED: \
                        \"groupname:b from_state:X\"";
        assert_eq!(error.to_string(), expected);
    }
}
