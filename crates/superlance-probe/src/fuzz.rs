//! Fuzz targets (`tests/fuzz`), like `superlance_core::fuzz`.

use ureq::http::Uri;

use crate::http::redirect::{Next, Step, next};
use crate::http::{Method, StatusLine, certificate};
use crate::json::JsonRule;
use crate::search::Search;

/// An answer, as a server of evil intent may send it: a text is found exactly where it is, however the
/// stream is cut, and the server's words are one line of the answer. The first two bytes are the length
/// of the text, which comes next, and the size of the pieces.
pub fn http(data: &[u8]) {
    let [length, size, rest @ ..] = data else { return };
    let (text, stream) = rest.split_at(usize::from(*length).min(rest.len()));
    let (mut search, status_line) = (Search::new(text), StatusLine::default());
    let size = usize::from(*size) + 1;
    for (number, piece) in stream.chunks(size).enumerate() {
        search.feed(piece);
        // ureq shows all of the head that has come.
        status_line.note(stream.get(..number * size + piece.len()).unwrap_or_default());
    }
    let found = text.is_empty() || stream.windows(text.len()).any(|window| window == text);
    assert_eq!(search.found(), found, "{text:?} in {stream:?}");

    let reason = status_line.reason();
    let bytes: Vec<u8> = reason.chars().filter_map(|c| u8::try_from(c).ok()).collect();
    assert_eq!(bytes.len(), reason.chars().count(), "{reason:?} is ISO 8859-1");
    assert!(!reason.contains('\n'), "{reason:?}");
    assert!(bytes.is_empty() || stream.windows(bytes.len()).any(|window| window == bytes));
    assert!(reason.is_empty() || stream.starts_with(b"HTTP/"), "{reason:?}");
}

/// What else a server may send: a line, which is a rule for JSON or a `Location`, and a body, or a
/// certificate. A message about it is one line, and no redirect leads to another server.
pub fn answer(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, rest) = data.split_at(end);
    let (line, rest) = (String::from_utf8_lossy(line), rest.get(1..).unwrap_or_default());
    let _ = certificate::end(rest);
    let wrong = line.parse().ok().and_then(|rule: JsonRule| rule.wrong(rest));
    assert!(wrong.is_none_or(|wrong| !wrong.contains('\n')), "{line:?} of {rest:?}");

    let uri = Uri::from_static("http://h:1/a/b?c");
    let step = Step { uri, method: Method::GET, with_data: true };
    let follows = next(&step, 302, Some(&line), 1, 1);
    if let Next::Follow(Step { uri, .. }) = &follows {
        assert_eq!(uri.host(), Some("h"), "{line:?}");
    }
    assert_ne!(follows, Next::Stay, "{line:?}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_stored_passes() {
        superlance_core::fuzz::replay("http", super::http).unwrap();
        superlance_core::fuzz::replay("answer", super::answer).unwrap();
    }
}
