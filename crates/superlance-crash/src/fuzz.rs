//! Fuzz targets (`tests/fuzz`): each function takes any bytes, and panics where a promise is
//! broken.

use superlance_core::supervisor::LogEnd;

use crate::postmortem::cause::{self, Ending, Instance};
use crate::postmortem::tail;

/// The end of a log, with the number of lines in the first byte: the result has only what a
/// terminal would show.
pub fn tail(data: &[u8]) {
    let Some((most, text)) = data.split_first() else { return };
    let (most, cut) = (usize::from(*most) / 2, most % 2 == 1);
    let log = LogEnd { text: String::from_utf8_lossy(text).into_owned(), cut };
    let tail = tail::tail(&log, most);
    assert!(tail.lines <= most && tail.text.split('\n').count() <= most.max(1), "{tail:?}");
    assert!(!tail.text.contains(|c: char| c.is_control() && !"\t\n".contains(c)), "{tail:?}");
}

/// The name of a process, a line end, and supervisord's log: every ending that is found is in a
/// line about a process of this name.
pub fn cause(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (process, log) = text.split_once('\n').unwrap_or_default();
    let ended = ("2026-11-24 13:59:28,000".to_owned(), "2026-11-24 13:59:31,000".to_owned());
    let of = |expected, ended| Instance { process, pid: 7, expected, ended };
    let instances =
        [of(Some(false), None), of(Some(true), Some(ended.clone())), of(None, Some(ended))];
    let endings = instances.iter().map(|instance| cause::ending(log, instance));
    for ending in endings.chain([cause::last_ending(log, process)]).flatten() {
        // A number may be written with zeros or a sign before it.
        let said = match &ending {
            Ending::Status(_) => "exit status ".to_owned(),
            ending => ending.to_string(),
        };
        let mut ends = log.lines().filter(|line| line.contains(&format!("ed: {process} ({said}")));
        assert!(ends.next().is_some(), "{ending} in {log:?}");
    }
}

#[cfg(test)]
mod tests {
    use superlance_core::fuzz::replay;

    use super::*;

    #[test]
    fn what_is_stored_passes() {
        replay("tail", tail).unwrap();
        replay("cause", cause).unwrap();
    }
}
