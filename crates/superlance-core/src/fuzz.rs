//! Fuzz targets (`tests/fuzz`): each function takes any bytes, and panics where a promise is
//! broken.
//!
//! The tests here run them on the corpus, with every input that ever broke one.

mod wire;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use self::wire::Wire;
use crate::mail::smtp::answer;
use crate::options::selector::{Names, Selector};
use crate::options::units;
use crate::protocol::event::Event;
use crate::protocol::frame::{Frame, FrameReader};
use crate::protocol::headers::Headers;
use crate::protocol::state::State;
use crate::supervisor::rpc::{process_list, process_list_by_tree};

/// Frames: neither the cuts between pieces nor the way to count a payload changes them. The first
/// byte is the size of the pieces.
pub fn frame(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else { return };
    let pieces = stream.chunks(usize::from(*size) + 1).map(<[u8]>::to_vec);
    assert_eq!(frames(Wire::new(pieces)), frames(Wire::whole(stream)), "cut or whole");

    let payload = String::from_utf8_lossy(stream);
    for len in [payload.len(), payload.chars().count()] {
        let bytes = format!("ver:3.0 serial:7 eventname:X len:{len}\n{payload}").into_bytes();
        let pieces = bytes.chunks(usize::from(*size) + 1).map(<[u8]>::to_vec);
        let (frames, error) = frames(Wire::new(pieces));
        let payloads: Vec<_> = frames.iter().map(|frame| frame.payload.as_str()).collect();
        assert_eq!((payloads, error), (vec![&*payload], None), "len:{len}");
    }
}

/// The frames of a wire up to its end, or to the error that ended them.
fn frames(mut wire: Wire) -> (Vec<Frame>, Option<String>) {
    let (mut reader, mut frames) = (FrameReader::default(), Vec::new());
    loop {
        match reader.read(&mut wire) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(error.to_string())),
        }
    }
}

/// The name of an event, a line end, and its payload: each value is part of the payload, and an
/// identifier does not change those after it.
pub fn payload(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (name, payload) = text.split_once('\n').unwrap_or(("PROCESS_STATE_EXITED", &text));
    let frame = Frame {
        name: name.to_owned(),
        serial: None,
        pool_serial: None,
        payload: payload.to_owned(),
    };
    let line = payload.lines().next().unwrap_or_default();
    match Event::parse(&frame) {
        Ok(Event::ProcessState(change)) => {
            assert_eq!(change.expected.is_some(), change.state == State::Exited);
            for (key, value) in [
                ("processname", &change.process),
                ("groupname", &change.group),
                ("from_state", &change.from_state),
            ] {
                let written = format!("{key}:{value}");
                let missing = value.is_empty() || value == "unknown";
                assert!(line.contains(&written) || missing, "{written} in {line:?}");
            }
        }
        Ok(Event::Tick { name }) => assert!(name.starts_with("TICK")),
        Ok(Event::Other { name }) => assert_eq!(frame.name, name),
        Err(error) => assert!(error.to_string().contains(name), "{error}"),
    }
    let header = format!("ver:3.0 server:{line} serial:21 pool:p poolserial:4 eventname:T len:15");
    let headers = Headers::parse(&header);
    for (key, value) in
        [("serial", "21"), ("pool", "p"), ("poolserial", "4"), ("eventname", "T"), ("len", "15")]
    {
        assert_eq!(headers.get(key), Some(value), "{key} in {header:?}");
    }
}

/// An answer of supervisord: read as it arrives, in pieces of any size, it is what the general parser
/// makes of the whole, which refuses nesting that would overflow the stack. The first byte is the size of the
/// pieces.
pub fn supervisord(data: &[u8]) {
    let Some((size, answer)) = data.split_first() else { return };
    let pieces = answer.chunks(usize::from(*size) + 1).map(<[u8]>::to_vec);
    assert_eq!(process_list(Wire::new(pieces)), process_list_by_tree(answer.to_vec()));
}

/// An answer of a mail server: the cuts between pieces do not change it, it is bounded, and its
/// text is one line. The first byte is the size of the pieces.
pub fn smtp(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else { return };
    let read = |mut wire: Wire| {
        let answer = answer::answer(&mut wire).map_err(|error| (error.code(), error.to_string()));
        (answer, wire.left())
    };
    let (answer, left) = read(Wire::whole(stream));
    let pieces = stream.chunks(usize::from(*size) + 1).map(<[u8]>::to_vec);
    assert_eq!((&answer, left), (&read(Wire::new(pieces)).0, left), "cut or whole");
    assert!(stream.len() - left <= 80 << 10);
    match answer {
        Ok(answer) => assert!((200..400).contains(&u16::from(answer.code()))),
        Err((code, text)) => {
            assert!(!text.contains(|c: char| c.is_control() && c != '\t'), "{text:?}");
            assert!(code.is_none_or(|code| text.starts_with(&code.to_string())), "{text:?}");
        }
    }
}

/// Sizes and times: upper case and blanks around them change nothing, and the number is exact.
pub fn units(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let variants = [text.to_ascii_uppercase(), text.to_ascii_lowercase(), format!(" {text}\t")];
    if let Ok(size) = units::parse_size(&text) {
        assert_eq!(units::parse_size(&size.to_string()), Ok(size), "{text:?}");
        for variant in &variants {
            assert_eq!(units::parse_size(variant), Ok(size), "{variant:?}");
        }
    }
    if let Ok(time) = units::parse_duration(&text) {
        assert_eq!(units::parse_duration(&time.as_secs().to_string()), Ok(time), "{text:?}");
        for variant in &variants {
            assert_eq!(units::parse_duration(variant), Ok(time), "{variant:?}");
        }
    }
}

/// A selector, a group and a process, a line each: a name selects only itself, a pattern may select
/// more.
pub fn selector(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (text, group, process) = (line(), line(), line());
    let names = Names { group, process };
    for name in [process.to_owned(), format!("{group}:{process}")] {
        // supervisord refuses names with blanks around them and with a colon.
        if let Ok(selector) = Selector::parse(&name) {
            let odd = name != name.trim() || process.contains(':') || group.contains(':');
            assert!(odd || selector.names(names), "{name:?} means itself");
        }
    }
    let (selector, text) = (Selector::parse(text), text.trim());
    let is_regex = text.starts_with('~');
    let Ok(selector) = selector else {
        return assert!(text.is_empty() || is_regex, "{text:?} was refused");
    };
    let (matches, named) = (selector.matches(names), selector.names(names));
    let is_pattern = is_regex || text.contains(['*', '?', '[']);
    assert!(matches == named || (matches && is_pattern), "{text:?} and {group:?}, {process:?}");
}

/// The inputs for a target in `tests/fuzz`: the corpus and past failures.
///
/// # Errors
/// When there is no corpus.
fn stored(target: &str) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz");
    let corpus = fs::read_dir(fuzz.join("corpus").join(target))?;
    let crashes = fs::read_dir(fuzz.join("crashes").join(target)).into_iter().flatten();
    let paths = corpus.chain(crashes).map(|entry| Ok(entry?.path()));
    paths
        .map(|path: io::Result<_>| path.and_then(|path| Ok((path.clone(), fs::read(path)?))))
        .collect()
}

/// Gives `target` everything that is stored under its name.
///
/// # Errors
/// When there is no corpus.
#[allow(clippy::print_stderr, reason = "the name of the input stands above the panic about it")]
pub fn replay(name: &str, target: fn(&[u8])) -> io::Result<()> {
    let stored = stored(name)?;
    assert!(!stored.is_empty(), "the corpus of {name} is empty");
    for (path, data) in stored {
        eprintln!("{}", path.display());
        target(&data);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_passes() {
        replay("frame", frame).unwrap();
        replay("payload", payload).unwrap();
        replay("supervisord", supervisord).unwrap();
        replay("smtp", smtp).unwrap();
        replay("units", units).unwrap();
        replay("selector", selector).unwrap();
    }
}
