//! Mail text that is not ASCII, and header values that must stay one header (RFC 2045 and 2047).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters in one encoded word, without `=?utf-8?b?` and `?=`: RFC 2047 allows 75 with them.
const ENCODED_WORD: usize = 63;

/// Characters of base64 in a line of a mail (RFC 2045).
const BASE64_LINE: usize = 76;

/// Longest line of a mail that may be sent as it is (RFC 5321, without the line end).
const LONGEST_LINE: usize = 998;

/// Whether a text can be part of a mail as it is.
pub fn is_plain(text: &str) -> bool {
    text.is_ascii() && text.split('\n').all(|line| line.len() <= LONGEST_LINE)
}

/// A header value without line ends and other control characters, so that no value can add a header.
pub fn one_line(value: &str) -> String {
    value.replace(|c: char| c.is_control() && c != '\t', " ")
}

/// A header value as RFC 2047 encoded words, if it needs that: quoted or base64, whichever is
/// shorter, as Python's `email.header` has it. Python puts any length into one word; here a long
/// value is folded, since the RFC allows readers to leave longer words undecoded.
pub fn encode_header(value: &str) -> String {
    if value.is_ascii() {
        return value.to_owned();
    }
    let quoted_length: usize = value.bytes().map(|byte| quoted(byte).len()).sum();
    let as_base64 = value.len().div_ceil(3) * 4 < quoted_length;
    let encode = |text: &str| match as_base64 {
        true => STANDARD.encode(text),
        false => text.bytes().map(quoted).collect(),
    };
    let mut words = vec![String::new()];
    for c in value.chars() {
        let longer = words.last().map(|word| format!("{word}{c}")).unwrap_or_default();
        match words.last_mut() {
            Some(word) if encode(&longer).len() <= ENCODED_WORD => *word = longer,
            _ => words.push(c.to_string()),
        }
    }
    let letter = if as_base64 { 'b' } else { 'q' };
    let encoded: Vec<_> =
        words.iter().map(|word| format!("=?utf-8?{letter}?{}?=", encode(word))).collect();
    encoded.join("\n ")
}

/// A byte in a quoted encoded word.
fn quoted(byte: u8) -> String {
    match byte {
        b' ' => "_".to_owned(),
        b'-' | b'!' | b'*' | b'+' | b'/' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("={byte:02X}"),
    }
}

/// A text in base64, with line ends.
pub fn encode_text(text: &str) -> String {
    let encoded = STANDARD.encode(text);
    let lines = encoded.as_bytes().chunks(BASE64_LINE).map(String::from_utf8_lossy);
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right-hand sides are those of Python 3.11's `MIMEText` with a `Subject`.
    #[test]
    fn headers_are_encoded_as_python_encodes_them() {
        assert_eq!(encode_header("Crash alert"), "Crash alert");
        assert_eq!(encode_header("Café alert"), "=?utf-8?q?Caf=C3=A9_alert?=");
        assert_eq!(encode_header("y = é?_ k"), "=?utf-8?b?eSA9IMOpP18gaw==?=");
        assert_eq!(encode_header("日本"), "=?utf-8?b?5pel5pys?=");
    }

    #[test]
    fn long_headers_are_cut_between_characters() {
        let long = "日本".repeat(30);
        let encoded = encode_header(&long);
        assert!(encoded.lines().all(|line| line.len() < 77), "{encoded}");
        let words = encoded.split("?b?").skip(1).map(|rest| rest.split("?=").next().unwrap());
        let bytes: Vec<u8> = words.flat_map(|word| STANDARD.decode(word).unwrap()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), long);
        let quoted = encode_header(&format!("{}é", "plain ".repeat(20)));
        assert!(quoted.lines().all(|line| line.len() < 77 && line.contains("?q?")), "{quoted}");
    }

    #[test]
    fn no_value_adds_a_header() {
        assert_eq!(one_line("x\r\nBcc: a\x0b\u{85}b\tc"), "x  Bcc: a  b\tc");
    }
}
