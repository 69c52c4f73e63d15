//! Sizes and durations on the command line.

use std::time::Duration;

/// The forms of a size, for error messages and help.
const SIZE_FORM: &str = "a size such as 200MB (B, KB, MB, GB or TB, in steps of 1024)";

/// The forms of a duration, for error messages and help.
const DURATION_FORM: &str = "a time such as 90, 30m, 12h, 2d or 1h30m (s, m, h or d)";

/// A bad value. Its text repeats the value and says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// A wrong form.
    #[error("{given:?} is not {expected}")]
    Form { given: String, expected: &'static str },
    /// A negative value.
    #[error("{given:?} is negative; expected {expected}")]
    Negative { given: String, expected: &'static str },
    /// A value beyond 64 bits.
    #[error("{given:?} is too large: it must be below 16 EiB (2^64 bytes, or seconds)")]
    Overflow { given: String },
}

/// A number of bytes: `10000`, `200MB`, `1.5 GB`, `64KiB`.
///
/// supervisor's `byte_size` knows integers with `KB`, `MB` and `GB` in any case, 1024-based and with
/// blanks around the number; one-letter and `iB` suffixes, `TB` and decimals are additions. A fraction
/// of a byte is dropped.
///
/// # Errors
/// When `text` is of another form, negative, or beyond 64 bits.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let form = |given: &str| UnitError::Form { given: given.to_owned(), expected: SIZE_FORM };
    let (number, suffix) = split_number(text, SIZE_FORM)?;
    let power = match suffix.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return Err(form(text)),
    };
    multiply(number, 1 << (10 * power)).ok_or_else(|| form(text))?.fit(text)
}

/// A number of bytes as [`parse_size`] reads it, in the largest unit that leaves no remainder: `200MB`.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let units = [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)];
    let fits = |(_, bits): &(&str, u32)| bytes != 0 && bytes.trailing_zeros() >= *bits;
    match units.into_iter().find(fits) {
        Some((unit, bits)) => format!("{}{unit}", bytes >> bits),
        None => bytes.to_string(),
    }
}

/// A length of time: `90` (seconds), `30m`, `1.5h`, `2d`, and as an addition combined: `1h30m`.
///
/// # Errors
/// When `text` is of another form, negative, or beyond 64 bits of seconds.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let form = || UnitError::Form { given: text.to_owned(), expected: DURATION_FORM };
    let mut seconds: u64 = 0;
    let mut rest = text.trim();
    loop {
        let (number, suffix) = split_number(rest, DURATION_FORM).map_err(|error| error.of(text))?;
        let suffix = suffix.trim_start();
        let unit = suffix.chars().next();
        let factor = match unit.map(|c| c.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 60 * 60,
            Some('d') => 24 * 60 * 60,
            Some(_) => return Err(form()),
        };
        let part = multiply(number, factor).ok_or_else(form)?.fit(text)?;
        let overflow = || UnitError::Overflow { given: text.to_owned() };
        seconds = seconds.checked_add(part).ok_or_else(overflow)?;
        rest = suffix.get(1..).unwrap_or_default().trim_start();
        if rest.is_empty() {
            return Ok(Duration::from_secs(seconds));
        }
    }
}

/// A length of time between two things that are done again and again, as [`parse_duration`] reads it.
///
/// # Errors
/// When `text` is of another form, negative, zero, or beyond 64 bits of seconds.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(interval) if interval.is_zero() => Err("expected one second or more".to_owned()),
        interval => interval.map_err(|error| error.to_string()),
    }
}

/// A length of time that may be shorter than a second: `500ms`, or as [`parse_duration`] reads it.
///
/// # Errors
/// When `text` is of another form, negative, zero, or beyond 64 bits of seconds.
pub fn parse_short_duration(text: &str) -> Result<Duration, String> {
    let milliseconds = text.trim().strip_suffix("ms").and_then(|number| number.parse().ok());
    let time = match milliseconds {
        Some(milliseconds) => Duration::from_millis(milliseconds),
        None => parse_duration(text).map_err(|error| error.to_string())?,
    };
    match time.is_zero() {
        true => Err("expected a time above zero, such as 500ms or 2s".to_owned()),
        false => Ok(time),
    }
}

/// A length of time as [`parse_short_duration`] reads it.
#[must_use]
pub fn short_duration_text(time: Duration) -> String {
    match time.subsec_millis() {
        0 => duration_text(time),
        _ => format!("{}ms", time.as_millis()),
    }
}

/// A length of time as [`parse_duration`] reads it: `1h30m`, `45s`. Parts of a second are dropped.
#[must_use]
pub fn duration_text(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m")];
    let parts = parts.into_iter().chain([(seconds % 60, "s")]);
    let text: String =
        parts.filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

impl UnitError {
    /// The same error about the whole text.
    fn of(mut self, whole: &str) -> Self {
        match &mut self {
            Self::Form { given, .. } | Self::Negative { given, .. } | Self::Overflow { given } => {
                whole.clone_into(given);
            }
        }
        self
    }
}

/// Splits `text` into the number at its beginning and the rest.
fn split_number<'a>(
    text: &'a str,
    expected: &'static str,
) -> Result<(&'a str, &'a str), UnitError> {
    let trimmed = text.trim();
    if trimmed.starts_with('-') {
        return Err(UnitError::Negative { given: text.to_owned(), expected });
    }
    let trimmed = trimmed.strip_prefix('+').unwrap_or(trimmed);
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    Ok(trimmed.split_at(end))
}

/// A product that may not fit into 64 bits.
struct Product(Option<u64>);

impl Product {
    fn fit(self, given: &str) -> Result<u64, UnitError> {
        self.0.ok_or_else(|| UnitError::Overflow { given: given.to_owned() })
    }
}

/// `number` (digits, perhaps with a fraction) times `factor`, rounded down; `None` if it is no number.
fn multiply(number: &str, factor: u64) -> Option<Product> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // Nine decimals are finer than a byte of a gigabyte; what comes after them changes nothing.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let scale = 10u128.pow(u32::try_from(fraction.len()).unwrap_or(9));
    let part = fraction.parse::<u128>().ok()? * u128::from(factor) / scale;
    let product = whole
        .parse::<u128>()
        .ok()
        .and_then(|whole| whole.checked_mul(u128::from(factor)))
        .and_then(|whole| whole.checked_add(part));
    Some(Product(product.and_then(|product| u64::try_from(product).ok())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for text in ["200MB", "1GB", "1536MB", "1KB", "1023", "0", "3TB"] {
            assert_eq!(size_text(parse_size(text).unwrap()), text);
        }
    }

    #[test]
    fn sizes_of_the_original() {
        for (text, bytes) in [
            ("0", 0),
            ("10000", 10_000),
            ("1KB", 1 << 10),
            ("200mb", 200 << 20),
            ("2Gb", 2 << 30),
            (" 5 MB ", 5 << 20),
            ("+5MB", 5 << 20),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn sizes_that_are_additions() {
        for (text, bytes) in [
            ("7B", 7),
            ("1k", 1 << 10),
            ("1M", 1 << 20),
            ("64KiB", 64 << 10),
            ("3TiB", 3 << 40),
            ("1.5GB", 3 << 29),
            ("0.1KB", 102),
            ("16777215TB", 16_777_215 << 40),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn a_bad_size_says_what_was_given_and_what_was_expected() {
        let form = "is not a size such as 200MB (B, KB, MB, GB or TB, in steps of 1024)";
        for bad in
            ["", "abc", "MB", "1XB", "1.2.3MB", ".5MB", "5.MB", "1 000", "0x10", "1e3", "٣MB"]
        {
            assert_eq!(parse_size(bad).unwrap_err().to_string(), format!("{bad:?} {form}"));
        }
        let negative = parse_size("-5MB").unwrap_err().to_string();
        assert!(negative.starts_with("\"-5MB\" is negative; expected a size"), "{negative}");
        for large in ["18446744073709551616", "99999999999GB", &"9".repeat(60)] {
            let error = parse_size(large).unwrap_err();
            assert_eq!(error, UnitError::Overflow { given: large.to_owned() });
        }
    }

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("10s", 10),
            ("2M", 120),
            ("3h", 10_800),
            ("2d", 172_800),
            ("1h30m", 5_400),
            ("1d 2h 3m 4s", 93_784),
            ("1.5h", 5_400),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn durations_may_be_short() {
        for (text, milliseconds, written) in [
            ("500ms", 500, "500ms"),
            (" 1500ms", 1500, "1500ms"),
            ("2000ms", 2000, "2s"),
            ("1m30s", 90_000, "1m30s"),
        ] {
            let time = Duration::from_millis(milliseconds);
            assert_eq!(parse_short_duration(text), Ok(time));
            assert_eq!(short_duration_text(time), written);
        }
        for bad in ["0", "0ms", "0.5", "ms", "-1ms", "x"] {
            assert!(parse_short_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_in_words() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (3600, "1h"), (93_784, "1d2h3m4s")] {
            assert_eq!(duration_text(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_bad_duration_says_what_was_given_and_what_was_expected() {
        for bad in ["", "x", "1x", "h", "1h30x", "1:30", "m5", "1h-5m"] {
            let message = parse_duration(bad).unwrap_err().to_string();
            let expected = if bad.contains('-') { "negative" } else { "is not a time such as" };
            assert!(
                message.contains(&format!("{bad:?}")) && message.contains(expected),
                "{message}"
            );
        }
        assert!(parse_duration("99999999999999999999d").is_err());
        assert!(parse_duration("18446744073709551615s1s").is_err());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*") {
            let _ = parse_size(&text);
            let _ = parse_duration(&text);
        }

        /// Numbers of any length; an overflow panics in a test.
        #[test]
        fn nothing_overflows(text in "([0-9]{1,45}(\\.[0-9]{0,45})?([kmgt]i?b?|[smhd])?){1,4}") {
            let _ = parse_size(&text);
            let _ = parse_duration(&text);
        }

        #[test]
        fn a_duration_is_written_as_it_is_read(seconds in 0u64..1 << 40) {
            let time = Duration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&duration_text(time)), Ok(time));
        }

        #[test]
        fn whole_sizes_are_exact(number in 0u64..1 << 34, suffix in 0usize..4) {
            let text = format!("{number}{}", ["", "KB", "MB", "GB"][suffix]);
            prop_assert_eq!(parse_size(&text), Ok(number << (10 * suffix)));
        }
    }
}
