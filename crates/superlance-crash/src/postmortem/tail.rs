//! The last lines of a log, without terminal control sequences. Pure.

use vte::{Parser, Perform};

use superlance_core::supervisor::LogEnd;
use superlance_core::system::truncate;

/// The longest text, in bytes.
const LONGEST: usize = 64 << 10;

/// Bytes that are read for a line, if there are not too many lines.
const LINE: u32 = 1 << 10;

/// The number of bytes that most likely have this many lines.
#[must_use]
pub(crate) fn bytes_for(lines: usize) -> u32 {
    let lines = u32::try_from(lines).unwrap_or(u32::MAX);
    let longest = u32::try_from(LONGEST).unwrap_or(u32::MAX);
    // One more, since the first line is probably cut.
    lines.saturating_add(1).saturating_mul(LINE).clamp(4 * LINE, longest)
}

/// The last lines of a log, as people see them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) text: String,
    /// The number of lines.
    pub(crate) lines: usize,
}

/// At most so many lines. Colours and other escape sequences are removed, and so is text that a
/// line has overwritten: of a progress bar, the last state is left.
#[must_use]
pub(crate) fn tail(log: &LogEnd, most: usize) -> Tail {
    let whole = log.whole_lines();
    let text = whole.unwrap_or(&log.text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() || most == 0 {
        return Tail::default();
    }
    let lines: Vec<_> = text.split('\n').collect();
    let skip = lines.len().saturating_sub(most);
    let lines: Vec<_> = lines.into_iter().skip(skip).map(seen).collect();
    let text = shorten(lines.join("\n"), whole.is_none());
    Tail { lines: text.split('\n').count(), text }
}

/// The end of a text, with a mark where its beginning is missing.
fn shorten(text: String, is_cut: bool) -> String {
    if text.len() <= LONGEST && !is_cut {
        return text;
    }
    format!("…{}", truncate::end(&text, LONGEST))
}

/// A line as a terminal shows it. An escape sequence that is not finished ends with its line.
fn seen(line: &str) -> String {
    let mut seen = Line::default();
    Parser::new().advance(&mut seen, line.as_bytes());
    seen.text
}

#[derive(Default)]
struct Line {
    text: String,
    /// Whether the next character goes to the start of the line.
    returned: bool,
}

impl Line {
    fn put(&mut self, c: char) {
        if std::mem::take(&mut self.returned) {
            self.text.clear();
        }
        self.text.push(c);
    }
}

impl Perform for Line {
    fn print(&mut self, c: char) {
        if !c.is_control() {
            self.put(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.put('\t'),
            b'\r' => self.returned = true,
            b'\x08' => drop(self.text.pop()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(text: &str, cut: bool) -> LogEnd {
        LogEnd { text: text.to_owned(), cut }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(tail(&log(text, false), 10).text, expected, "{text:?}");
    }

    #[test]
    fn the_last_lines_are_left() {
        let text = "one\ntwo\nthree\n";
        let of = |cut, most| tail(&log(text, cut), most);
        assert_eq!(of(false, 2), Tail { text: "two\nthree".to_owned(), lines: 2 });
        assert_eq!(of(false, 9).text, "one\ntwo\nthree");
        assert_eq!(of(false, 0), Tail::default());
        // The first of them has lost its beginning.
        assert_eq!(of(true, 9), Tail { text: "two\nthree".to_owned(), lines: 2 });
        for end in ["", "\n"] {
            let line = format!("of a long line{end}");
            assert_eq!(tail(&log(&line, true), 9).text, "…of a long line");
        }
        assert_eq!(tail(&log("no end", false), 9).text, "no end");
        for empty in ["", "\n"] {
            assert_eq!(tail(&log(empty, false), 9), Tail::default());
        }
        assert_eq!(tail(&log("a\n\n\n", false), 9).text, "a\n\n");
    }

    #[test]
    fn what_only_a_terminal_understands_is_gone() {
        check("\x1b[1;31mred\x1b[0m and \x1b[38;2;1;2;3mmore\x1b[m", "red and more");
        check("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink");
        check("\x1b(Ba\x1bPq#0\x1b\\bc\x1b7\x1b=", "abc");
        check("\0a\x01b\x7fc\u{85}d\te", "abcd\te");
        check("10%\r50%\r100%\r\nnext\r\n", "100%\nnext");
        check("b\x08bo\x08old", "bold");
        check("café 日本 🎈", "café 日本 🎈");
    }

    #[test]
    fn an_unfinished_sequence_ends_with_its_line() {
        check("\x1b]0;never\nTraceback\n\x1b[31\nmore", "\nTraceback\n\nmore");
    }

    #[test]
    fn it_is_bounded() {
        let text = tail(&log(&"é".repeat(LONGEST), false), 9).text;
        assert!(text.starts_with("…é") && text.len() <= LONGEST + '…'.len_utf8(), "{}", text.len());
        assert_eq!(bytes_for(0), 4 << 10);
        assert_eq!(bytes_for(20), 21 << 10);
        assert_eq!(bytes_for(usize::MAX), 64 << 10);
    }

    proptest! {
        #[test]
        fn nothing_is_left_but_text(text: String, cut: bool, most in 0usize..5) {
            let tail = tail(&log(&text, cut), most);
            prop_assert!(tail.lines <= most);
            prop_assert!(!tail.text.contains(|c: char| c.is_control() && !"\n\t".contains(c)));
        }
    }
}
