//! Regular expressions on the command line.

pub use regex::bytes::Regex;
use regex::bytes::RegexBuilder;

/// Parses an expression. It is by bytes, so that `\d` and `(?i)` need no tables of all letters, which
/// take a quarter of a megabyte.
///
/// # Errors
/// When it is malformed; the error is the reason alone.
pub fn parse_regex(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).unicode(false).build().map_err(|error| last_line(&error))
}

/// The reason alone; before it the error repeats the expression and points at a place.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
