//! Logs, as supervisord 4.3 reads them: `readFile` and `tailFile` in its options.py.

use super::state::Refusal;
use crate::wire::xml::Value;

/// From `offset` on, or the last bytes if it is negative; `length` 0 is all of it.
pub(super) fn read_file(log: &[u8], offset: i64, length: i64) -> Result<Value, Refusal> {
    if length < 0 || (offset < 0 && length != 0) {
        return Err((3, "BAD_ARGUMENTS".to_owned()).into());
    }
    let size = to_i64(log.len());
    let start = if offset < 0 { size + offset } else { offset };
    let end = if length == 0 { size } else { start.saturating_add(length) };
    Ok(Value::Text(text(log, start, end)?))
}

/// The text, the size of the log, and whether it has more than so many bytes from `offset` on: then
/// the text is the end of it.
pub(super) fn tail_file(log: &[u8], offset: i64, length: i64) -> Result<Value, Refusal> {
    let size = to_i64(log.len());
    let overflow = size > offset + length;
    let length = if !overflow && offset >= size { 0 } else { length };
    let start = if overflow || offset + length > size { size - length } else { offset };
    let text = text(log, start, start.saturating_add(length))?;
    Ok(Value::Array(vec![Value::Text(text), Value::Int(size), Value::Bool(overflow)]))
}

/// supervisord answers in texts. It does not catch what is thrown where bytes are none.
fn text(log: &[u8], start: i64, end: i64) -> Result<String, Refusal> {
    let size = log.len();
    let index = |at: i64| usize::try_from(at).map_or(0, |at| at.min(size));
    let (start, end) = (index(start), index(end));
    let bytes = log[start.min(end)..end].to_vec();
    String::from_utf8(bytes).map_err(|_| Refusal::Exception)
}

fn to_i64(size: usize) -> i64 {
    i64::try_from(size).expect("a log of a test is small")
}
