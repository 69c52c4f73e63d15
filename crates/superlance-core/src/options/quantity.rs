//! Sizes, times and ordinals in a few characters, in the spelling that command lines take. Pure.

/// A number of bytes in three digits or four and a suffix, in steps of 1024: `9.87M`, `1012K`, `0`.
#[must_use]
pub fn size(bytes: u64) -> String {
    if bytes == 0 {
        return "0".to_owned();
    }
    let (mut scaled, mut suffix) = (bytes as f64, "B");
    for larger in ["K", "M", "G", "T", "P", "E"] {
        // 1023.6 would be rounded to 1024.
        if scaled < 1023.5 {
            break;
        }
        (scaled, suffix) = (scaled / 1024.0, larger);
    }
    let decimals = match suffix {
        "B" => 0,
        _ if scaled < 9.995 => 2,
        _ if scaled < 99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.decimals$}{suffix}")
}

/// A number of bytes that may be below zero.
#[must_use]
pub fn signed_size(bytes: i128) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    format!("{sign}{}", size(u64::try_from(bytes.unsigned_abs()).unwrap_or(u64::MAX)))
}

/// A number of seconds in its two largest units: `45s`, `4m10s`, `1h30m`, `12d7h`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut rest = seconds;
    let mut parts = UNITS.map(|(unit, suffix)| {
        let count = rest / unit;
        rest %= unit;
        (count, suffix)
    });
    let largest = parts.iter().position(|(count, _)| *count > 0).unwrap_or(parts.len() - 1);
    let mut text = String::new();
    for (count, suffix) in parts.iter_mut().skip(largest).take(2) {
        // A round number of the larger unit says enough.
        if *count > 0 || text.is_empty() {
            text.push_str(&format!("{count}{suffix}"));
        }
    }
    text
}

/// `1st`, `2nd`, `11th`.
#[must_use]
pub fn ordinal(count: usize) -> String {
    let suffix = match (count % 10, count % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{count}{suffix}")
}

#[cfg(test)]
mod tests {
    use crate::options::units::{parse_duration, parse_size};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0"),
            (7, "7B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (10_000, "9.77K"),
            (10_235, "10.0K"),
            (102_348, "99.9K"),
            (102_349, "100K"),
            (1_048_063, "1023K"),
            (1_048_064, "1.00M"),
            (200 << 20, "200M"),
            (3 << 29, "1.50G"),
            (u64::MAX, "16.0E"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
        assert_eq!(signed_size(-(3 << 29)), "-1.50G");
        assert_eq!(signed_size(0), "0");
        assert_eq!(signed_size(i128::MIN), "-16.0E");
    }

    #[test]
    fn durations() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (250, "4m10s"),
            (5_400, "1h30m"),
            (7_201, "2h"),
            (86_399, "23h59m"),
            (12 * 86_400 + 7 * 3_600 + 59, "12d7h"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn sizes_are_short_and_mean_what_they_say(bytes in 0u64..1 << 49) {
            let text = size(bytes);
            prop_assert!(text.len() <= 5, "{}", text);
            let meant = parse_size(&text).unwrap() as f64;
            prop_assert!((meant - bytes as f64).abs() <= bytes as f64 * 0.006 + 1.0, "{}", text);
        }

        #[test]
        fn durations_mean_what_they_say(seconds in 0u64..1_000_000_000) {
            let text = duration(seconds);
            let meant = parse_duration(&text).unwrap().as_secs();
            prop_assert!(meant <= seconds && seconds - meant < seconds / 24 + 60, "{}", text);
        }
    }
}
