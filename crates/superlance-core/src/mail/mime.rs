//! Encodings of texts and header values that are not ASCII (RFC 2045 and 2047).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters in one encoded word, without `=?utf-8?b?` and `?=`: RFC 2047 allows 75 with them.
const ENCODED_WORD: usize = 63;

/// Characters in a line of encoded text (RFC 2045), and of a folded header (RFC 5322).
const LINE: usize = 76;

/// Longest line of a mail that may be sent as it is (RFC 5321, without the line end).
const LONGEST_LINE: usize = 998;

/// The encoding of a text in a mail (RFC 2045).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// ASCII, unchanged.
    SevenBit,
    /// UTF-8, unchanged.
    EightBit,
    /// ASCII unchanged, other bytes as `=C3`. Lines are of any length.
    QuotedPrintable,
    /// Base64, as Python's `MIMEText` writes a text that is not ASCII.
    Base64,
}

impl Encoding {
    /// The most readable encoding of a text for a transport that takes 8 bits, or not.
    pub fn of(text: &str, eight_bit: bool) -> Self {
        let fits = text.split('\n').all(|line| line.len() <= LONGEST_LINE);
        match text.is_ascii() {
            true if fits => Self::SevenBit,
            false if fits && eight_bit => Self::EightBit,
            _ => Self::QuotedPrintable,
        }
    }

    /// The name in `Content-Transfer-Encoding:`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    /// The encoded text.
    pub fn encode(self, text: &str) -> String {
        match self {
            Self::SevenBit | Self::EightBit => text.to_owned(),
            Self::QuotedPrintable => quoted_printable(text),
            Self::Base64 => base64(text),
        }
    }
}

/// The character set of a text, as `Content-Type:` names it.
pub fn charset(text: &str) -> &'static str {
    if text.is_ascii() { "us-ascii" } else { "utf-8" }
}

/// A header value without line ends and other control characters, so that no value can add a
/// header.
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

/// A header line, folded at blanks (behind commas where there are none) if servers would refuse it.
pub fn fold(header: String) -> String {
    if header.split('\n').all(|line| line.len() <= LONGEST_LINE) {
        return header;
    }
    let mut lines = vec![String::new()];
    for piece in header.split_inclusive([' ', ',']) {
        match lines.last_mut() {
            Some(line) if line.len() + piece.len() <= LINE => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    let lines: Vec<_> =
        lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    lines.join("\n ")
}

/// The addresses of a `To:` line. A comma in quotes belongs to a name.
pub fn addresses(line: &str) -> Vec<&str> {
    let mut quoted = false;
    let separates = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    line.split(separates).map(str::trim).filter(|address| !address.is_empty()).collect()
}

/// A `To:` line with names in ASCII; an ASCII line stays as the user wrote it.
pub fn address_list(line: &str) -> String {
    if line.is_ascii() {
        return line.to_owned();
    }
    let addresses: Vec<_> = addresses(line).into_iter().map(mailbox).collect();
    addresses.join(", ")
}

/// An address as a header value. Of `Bürö <root@example.com>` only the name is encoded.
pub fn mailbox(address: &str) -> String {
    let address = one_line(address);
    match address.rfind('<').map(|start| address.split_at(start)) {
        Some((name, rest)) if rest.is_ascii() => {
            let name = name.trim();
            let name = if name.is_ascii() { name } else { name.trim_matches('"') };
            format!("{} {rest}", encode_header(name)).trim_start().to_owned()
        }
        _ => encode_header(&address),
    }
}

/// A text in base64, with line ends.
fn base64(text: &str) -> String {
    let encoded = STANDARD.encode(text);
    let lines = encoded.as_bytes().chunks(LINE).map(String::from_utf8_lossy);
    lines.map(|line| format!("{line}\n")).collect()
}

/// A text with its long lines cut, in which only bytes that are not ASCII are encoded.
fn quoted_printable(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(quoted_printable_line).collect();
    lines.join("\n")
}

fn quoted_printable_line(line: &str) -> String {
    let mut encoded = String::new();
    let mut room = LINE - 1;
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        // Some servers remove a blank at the end of a line.
        let piece = match byte {
            b' ' | b'\t' if bytes.peek().is_some() => char::from(byte).to_string(),
            b'=' => "=3D".to_owned(),
            33..=126 => char::from(byte).to_string(),
            _ => format!("={byte:02X}"),
        };
        if piece.len() > room {
            encoded.push_str("=\n");
            room = LINE - 1;
        }
        room -= piece.len();
        encoded.push_str(&piece);
    }
    encoded
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

    #[test]
    fn what_is_ascii_stays_as_it_is_and_the_rest_as_readable_as_it_can_be() {
        for (text, eight_bit, name, encoded) in [
            ("a = b\n.", false, "7bit", "a = b\n."),
            ("é = b", true, "8bit", "é = b"),
            ("é = b ", false, "quoted-printable", "=C3=A9 =3D b=20"),
            ("\t\0\n\t", false, "7bit", "\t\0\n\t"),
        ] {
            let encoding = Encoding::of(text, eight_bit);
            assert_eq!(
                (encoding.name(), encoding.encode(text).as_str()),
                (name, encoded),
                "{text}"
            );
        }
        assert_eq!(Encoding::Base64.encode("é"), "w6k=\n");
        let fits = "x".repeat(LONGEST_LINE);
        assert_eq!(Encoding::of(&fits, true), Encoding::SevenBit);
        for long in [fits.clone() + "x", fits + "é"] {
            assert_eq!(Encoding::of(&long, true), Encoding::QuotedPrintable);
        }
    }

    #[test]
    fn quoted_lines_are_short_and_end_with_no_blank() {
        let text = format!("{} \n{}\t\n\n=", "é".repeat(40), "x".repeat(200));
        let encoded = quoted_printable(&text);
        let fits = |line: &str| line.len() <= LINE && !line.ends_with([' ', '\t']);
        assert!(encoded.lines().all(fits), "{encoded}");
        let decoded = encoded.replace("=\n", "").replace("=C3=A9", "é").replace("=20", " ");
        assert_eq!(decoded.replace("=09", "\t").replace("=3D", "="), text);
    }

    #[test]
    fn a_header_that_is_too_long_is_folded() {
        let addresses: Vec<_> =
            (0..120).map(|number| format!("someone{number}@example.com")).collect();
        for separator in [", ", ","] {
            let header = format!("To: {}", addresses.join(separator));
            assert!(header.len() > 2000);
            let folded = fold(header.clone());
            assert!(folded.lines().skip(1).all(|line| line.starts_with(" s")), "{folded}");
            assert!(folded.lines().all(|line| line.len() <= LINE + 1), "{folded}");
            assert_eq!(folded.replace(['\n', ' '], ""), header.replace(' ', ""));
        }
        let short = format!("To: {}", "a@b, ".repeat(190));
        assert_eq!(fold(short.clone()), short);
    }

    #[test]
    fn names_are_encoded_and_addresses_are_not() {
        assert_eq!(mailbox("Büro <x@y>"), "=?utf-8?b?QsO8cm8=?= <x@y>");
        assert_eq!(mailbox("<x@y>"), "<x@y>");
        assert_eq!(mailbox("\"a b\" <x@y>"), "\"a b\" <x@y>");
        assert_eq!(mailbox("root"), "root");
        let list = "Büro <x@y>, \"Ö, Ö\" <c@d>,root";
        assert_eq!(addresses(list), ["Büro <x@y>", "\"Ö, Ö\" <c@d>", "root"]);
        assert_eq!(
            address_list(list),
            "=?utf-8?b?QsO8cm8=?= <x@y>, =?utf-8?b?w5YsIMOW?= <c@d>, root"
        );
        assert_eq!(address_list("a@b ,c@d"), "a@b ,c@d");
    }
}
