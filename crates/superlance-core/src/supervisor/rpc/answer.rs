//! Answers of supervisord in XML-RPC.

use std::error::Error as StdError;
use std::io::Cursor;
#[cfg(any(test, feature = "fuzzing"))]
use std::io::Read;

use xmlrpc::{Request, Value};

use super::CallError;
use super::control::{replace_control_characters, show_control_characters};
use super::process_list::Decoded;
#[cfg(any(test, feature = "fuzzing"))]
use super::process_list::decode;
use crate::supervisor::{Configured, Details, Fault, LogEnd, ProcessInfo, State};

/// The method whose answer is read as it arrives.
pub(super) const ALL_PROCESSES: &str = "supervisor.getAllProcessInfo";

/// Deepest nesting that is parsed: the parser recurses, and supervisord's answers have about ten.
pub(super) const MAX_DEPTH: usize = 100;

/// The content of an answer.
pub(super) fn parse(request: &Request<'_>, answer: Vec<u8>) -> Result<Value, CallError> {
    if depth(&answer) > MAX_DEPTH {
        return Err(CallError::Answer("it is nested too deeply, or more than elements".to_owned()));
    }
    request.call(Answered(answer)).map_err(|error| match error.fault() {
        Some(fault) => {
            CallError::Fault(Fault { code: fault.fault_code, text: fault.fault_string.clone() })
        }
        None => CallError::Answer(error.to_string()),
    })
}

/// The content of an answer that has no log in it.
pub(super) fn parse_plain(request: &Request<'_>, mut answer: Vec<u8>) -> Result<Value, CallError> {
    replace_control_characters(&mut answer);
    parse(request, answer)
}

fn process_infos(value: &Value) -> Option<Vec<ProcessInfo>> {
    value.as_array()?.iter().map(process_info).collect()
}

pub(super) fn process_info(value: &Value) -> Option<ProcessInfo> {
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key| integer(value.get(key)?);
    Some(ProcessInfo {
        name: text("name")?,
        group: text("group")?,
        pid: u32::try_from(number("pid")?).ok()?,
        state: State::from_code(number("state")?),
        start: number("start")?,
        stop: number("stop")?,
        exit_status: number("exitstatus")?,
        now: number("now")?,
    })
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

pub(super) fn details(value: &Value) -> Option<Details> {
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Details {
        info: process_info(value)?,
        spawn_error: text("spawnerr")?,
        stdout_log: text("stdout_logfile")?,
        stderr_log: text("stderr_logfile")?,
    })
}

pub(super) fn all_configured(value: &Value) -> Option<Vec<Configured>> {
    value.as_array()?.iter().map(configured).collect()
}

fn configured(value: &Value) -> Option<Configured> {
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Configured {
        group: text("group")?,
        name: text("name")?,
        group_priority: integer(value.get("group_prio")?)?,
        priority: integer(value.get("process_prio")?)?,
        exit_codes: value
            .get("exitcodes")?
            .as_array()?
            .iter()
            .map(integer)
            .collect::<Option<_>>()?,
    })
}

/// An answer of three values: the text, the size of the log, and whether that is more than the
/// text.
pub(super) fn log_tail(value: &Value) -> Option<LogEnd> {
    let [text, _, overflow] = value.as_array()? else { return None };
    Some(LogEnd { text: show_control_characters(text.as_str()?), cut: overflow.as_bool()? })
}

/// An answer that is already here, as a transport for xmlrpc, which would hide the errors of a real
/// one.
struct Answered(Vec<u8>);

impl xmlrpc::Transport for Answered {
    type Stream = Cursor<Vec<u8>>;

    fn transmit(self, _: &Request<'_>) -> Result<Self::Stream, Box<dyn StdError + Send + Sync>> {
        Ok(Cursor::new(self.0))
    }
}

/// How deeply the elements of an XML text are nested; without limit where it has anything else than
/// elements after its first line, since supervisord's has not, and `</a>` in a comment, a CDATA section
/// or a processing instruction would spoil the count.
pub(super) fn depth(xml: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut tags = xml.split(|byte| *byte == b'<').skip(1).peekable();
    tags.next_if(|tag| tag.starts_with(b"?xml "));
    for tag in tags {
        match tag {
            [b'!' | b'?', ..] => return usize::MAX,
            [b'/', ..] => depth = depth.saturating_sub(1),
            _ if tag.split(|byte| *byte == b'>').next().is_some_and(|t| t.ends_with(b"/")) => {}
            _ => depth += 1,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// An answer to `getAllProcessInfo`, as far as it is decoded.
pub(super) fn processes(decoded: Decoded) -> Result<Vec<ProcessInfo>, CallError> {
    let Decoded { mut processes, rest } = decoded;
    if let Some(rest) = rest {
        let value = parse(&Request::new(ALL_PROCESSES), rest)?;
        let expected = || CallError::Answer("expected a list of processes".to_owned());
        processes.extend(process_infos(&value).ok_or_else(expected)?);
    }
    Ok(processes)
}

/// The processes of an answer that comes in pieces, as it is read.
#[cfg(any(test, feature = "fuzzing"))]
pub fn process_list(mut pieces: impl Read) -> Option<Vec<ProcessInfo>> {
    processes(decode(&mut pieces).ok()?).ok()
}

/// The same, by the general parser alone.
#[cfg(any(test, feature = "fuzzing"))]
pub fn process_list_by_tree(mut answer: Vec<u8>) -> Option<Vec<ProcessInfo>> {
    replace_control_characters(&mut answer);
    processes(Decoded { processes: Vec::new(), rest: Some(answer) }).ok()
}
