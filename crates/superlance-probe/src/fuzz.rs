//! Fuzz targets (`tests/fuzz`), like `superlance_core::fuzz`.

use crate::http::StatusLine;
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

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_stored_passes() {
        superlance_core::fuzz::replay("http", super::http).unwrap();
    }
}
