//! The size of a limit, as the command line gives it. Pure.

use std::fmt;
use std::str::FromStr;

use superlance_core::options::units::{UnitError, parse_size};

/// A number of bytes, or a part of the memory that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So many bytes.
    Bytes(u64),
    /// The same, written without a unit.
    Bare(u64),
    /// So many millionths of the memory.
    Share(u64),
}

/// Less than any process uses, in bytes.
const SMALLEST: u64 = 1 << 20;

/// The whole, in millionths.
const WHOLE: u64 = 1_000_000;

/// Millionths of one percent.
const PERCENT: u64 = WHOLE / 100;

/// A text that is no amount. It repeats the text and says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// Neither a size nor a percentage.
    #[error(transparent)]
    Size(#[from] UnitError),
    /// A percentage that is none.
    #[error("{0:?} is not a part of the memory such as 40% (above 0%, up to 100%)")]
    Percentage(String),
}

impl Amount {
    /// How many bytes that is where there are `memory` bytes of memory; `None` when that must be known
    /// and is not.
    #[must_use]
    pub fn bytes(self, memory: Option<u64>) -> Option<u64> {
        match self {
            Self::Bytes(bytes) | Self::Bare(bytes) => Some(bytes),
            Self::Share(share) => {
                let bytes = u128::from(memory?) * u128::from(share) / u128::from(WHOLE);
                u64::try_from(bytes).ok()
            }
        }
    }

    /// A question about a limit that no process stays below, which probably lacks its unit.
    pub(crate) fn doubt(self) -> Option<String> {
        match self {
            Self::Bare(bytes @ 1..SMALLEST) => {
                let unit = if bytes < 10_000 { "MB" } else { "KB" };
                Some(format!("a limit of {bytes} bytes: is {bytes}{unit} meant? (SL312)"))
            }
            _ => None,
        }
    }

    /// As the log says it: in bytes, and where these come from.
    #[must_use]
    pub fn describe(self, memory: Option<u64>) -> String {
        match (self, self.bytes(memory), memory) {
            (Self::Share(_), Some(bytes), Some(memory)) => format!("{bytes} ({self} of {memory})"),
            (_, Some(bytes), _) => bytes.to_string(),
            (_, None, _) => self.to_string(),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) | Self::Bare(bytes) => write!(f, "{bytes}"),
            Self::Share(share) => {
                let decimals = format!("{:04}", share % PERCENT);
                let decimals = decimals.trim_end_matches('0');
                let point = if decimals.is_empty() { "" } else { "." };
                write!(f, "{}{point}{decimals}%", share / PERCENT)
            }
        }
    }
}

impl FromStr for Amount {
    type Err = BadAmount;

    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let Some(number) = text.trim().strip_suffix('%') else {
            let bytes = parse_size(text)?;
            let has_unit = text.trim_end().ends_with(|last: char| last.is_ascii_alphabetic());
            return Ok(if has_unit { Self::Bytes(bytes) } else { Self::Bare(bytes) });
        };
        percentage(number.trim_end()).ok_or_else(|| BadAmount::Percentage(text.to_owned()))
    }
}

fn percentage(number: &str) -> Option<Amount> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // Four decimals of a percent are millionths; what comes after them changes nothing.
    let fraction: u64 = format!("{fraction:0<4}").get(..4)?.parse().ok()?;
    let share = whole.parse::<u64>().ok()?.checked_mul(PERCENT)?.checked_add(fraction)?;
    (1..=WHOLE).contains(&share).then_some(Amount::Share(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_sizes_and_percentages_are_of_the_memory() {
        let bytes = |text: &str| text.parse::<Amount>().unwrap().bytes(Some(2 << 30));
        assert_eq!(bytes("1KB"), Some(1 << 10));
        assert_eq!(bytes("50%"), Some(1 << 30));
        assert_eq!(bytes(" 12.5 % "), Some(1 << 28));
        assert_eq!(bytes("100%"), Some(2 << 30));
        assert_eq!("7%".parse::<Amount>().unwrap().bytes(None), None);
        assert_eq!(Amount::Share(WHOLE).bytes(Some(u64::MAX)), Some(u64::MAX));
    }

    #[test]
    fn a_small_limit_without_a_unit_is_doubted() {
        let doubt = |text: &str| text.parse::<Amount>().unwrap().doubt();
        let asked = |question: &str| Some(question.to_owned());
        assert_eq!(doubt("35"), asked("a limit of 35 bytes: is 35MB meant? (SL312)"));
        assert_eq!(doubt(" 200000 "), asked("a limit of 200000 bytes: is 200000KB meant? (SL312)"));
        for fine in ["35B", "35 b", "35KB", "1048576", "0", "1%"] {
            assert_eq!(doubt(fine), None, "{fine}");
        }
    }

    #[test]
    fn the_log_says_what_a_percentage_means() {
        let describe = |text: &str| text.parse::<Amount>().unwrap().describe(Some(1000));
        assert_eq!(describe("5"), "5");
        assert_eq!(describe("40%"), "400 (40% of 1000)");
        assert_eq!(describe("0.5%"), "5 (0.5% of 1000)");
        assert_eq!("12.3456789%".parse::<Amount>().unwrap().describe(None), "12.3456%");
    }

    #[test]
    fn what_is_neither_says_what_was_expected() {
        for bad in
            ["%", "0%", "100.1%", "101%", "-5%", "1e1%", "5%%", ".5%", "99999999999999999999%"]
        {
            let message = bad.parse::<Amount>().unwrap_err().to_string();
            let expected = format!("{bad:?} is not a part of the memory such as 40%");
            assert!(message.starts_with(&expected), "{message}");
        }
        let message = "5XB".parse::<Amount>().unwrap_err().to_string();
        assert!(message.starts_with("\"5XB\" is not a size such as 200MB"), "{message}");
    }
}
