//! Control characters, which supervisord sends as they are and no XML parser takes.

/// Substitutes for control characters: 32 code points that are no characters, and that XML allows.
const HIDEOUT: u32 = 0xFDD0;

/// Replaces what XML does not allow and supervisord sends all the same, in a name say.
pub(super) fn replace_control_characters(answer: &mut [u8]) {
    for byte in answer {
        if *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') {
            *byte = b'?';
        }
    }
}

/// Replaces control characters in an answer with a log, for the XML parser.
pub(super) fn hide_control_characters(answer: &[u8]) -> String {
    let hide = |c: char| match c {
        '\t' | '\n' => c,
        '\0'..' ' => char::from_u32(HIDEOUT + u32::from(c)).unwrap_or(' '),
        // These are no XML either.
        '\u{FFFE}' | '\u{FFFF}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    String::from_utf8_lossy(answer).chars().map(hide).collect()
}

/// Restores the control characters of a text from such an answer.
pub(super) fn show_control_characters(text: &str) -> String {
    let show = |c: char| match u32::from(c).checked_sub(HIDEOUT) {
        Some(code @ 0..0x20) => char::from_u32(code).unwrap_or(c),
        _ => c,
    };
    text.chars().map(show).collect()
}

#[cfg(test)]
mod tests {
    use xmlrpc::Request;

    use super::super::answer::parse;
    use super::*;

    #[test]
    fn every_control_character_survives_the_parser() {
        let all: String = ('\0'..='\u{9f}').filter(|c| !"<>&".contains(*c)).collect();
        let log = format!("\u{1b}[31mréd\u{1b}[0m\r\n{all}\u{FFFF}.");
        let answer = format!(
            "<?xml version='1.0'?>\n<methodResponse><params><param><value><string>{log}</string>\
             </value></param></params></methodResponse>"
        );
        let answer = hide_control_characters(answer.as_bytes()).into_bytes();
        let text = parse(&Request::new("x"), answer).unwrap();
        let shown = show_control_characters(text.as_str().unwrap());
        assert_eq!(shown, log.replace('\u{FFFF}', "\u{FFFD}"));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(hide_control_characters(b"caf\xe9\n"), "caf\u{FFFD}\n");
    }
}
