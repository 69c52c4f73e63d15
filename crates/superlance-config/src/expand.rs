//! `%(NAME)s` in values, which Python's `%` operator expands for supervisor. Pure.

use litemap::LiteMap;
use superlance_core::system::order;
use thiserror::Error;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Text(String),
    Number(i64),
}

impl From<&str> for Item {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The names that a value may contain.
pub type Names = LiteMap<String, Item>;

/// `ENV_X` for each variable of the environment.
#[must_use]
pub fn variable_names(variables: Vec<(String, String)>) -> Names {
    let name = |(name, value)| (format!("ENV_{name}"), Item::Text(value));
    order::map(variables.into_iter().map(name))
}

/// The reason why supervisor refuses a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadExpansion {
    #[error("a % that is not part of %(NAME)s must be doubled: %%")]
    Percent,
    #[error("%({0})s needs the environment variable {variable}", variable = .0.trim_start_matches("ENV_"))]
    Variable(String),
    #[error("%({name})s is not known here; there {known}")]
    Name { name: String, known: String },
    #[error("%({name}){conversion} wants a number")]
    Number { name: String, conversion: char },
}

/// Replaces each `%(NAME)s` in `value`, and `%%` by `%`.
///
/// Numbers may have flags, a width and other conversions, as in `%(process_num)02d`. A `%s` without
/// a name is replaced by all names, since this is what Python does.
///
/// # Errors
/// When a name is not known, or a `%` begins none.
pub fn expand(value: &str, names: &Names) -> Result<String, BadExpansion> {
    let mut out = String::new();
    let mut rest = value;
    let mut is_spent = false;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (name, after) = match after.strip_prefix('(') {
            Some(after) => {
                let (name, after) = bracketed(after).ok_or(BadExpansion::Percent)?;
                (Some(name), after)
            }
            None => (None, after),
        };
        let format = Format::read(after).ok_or(BadExpansion::Percent)?;
        rest = format.rest;
        out.push_str(&match (name, format.conversion) {
            (_, '%') => "%".to_owned(),
            (Some(name), _) => format.apply(name, lookup(names, name)?)?,
            (None, 's' | 'r' | 'a') if !is_spent => {
                is_spent = true;
                format.pad(&everything(names))
            }
            (None, _) => return Err(BadExpansion::Percent),
        });
    }
    out.push_str(rest);
    Ok(out)
}

/// The text up to the bracket that closes, and what comes after it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(..index)?, text.get(index + 1..)?));
        }
    }
    None
}

fn lookup<'a>(names: &'a Names, name: &str) -> Result<&'a Item, BadExpansion> {
    names.get(name).ok_or_else(|| match name.strip_prefix("ENV_") {
        Some(_) => BadExpansion::Variable(name.to_owned()),
        None => BadExpansion::Name { name: name.to_owned(), known: known(names) },
    })
}

/// The names that are no variables of the environment, as a text.
fn known(names: &Names) -> String {
    let own = names.keys().filter(|name| !name.starts_with("ENV_"));
    let own: Vec<_> = own.map(|name| format!("%({name})s")).collect();
    match own.is_empty() {
        true => "is only %(ENV_X)s".to_owned(),
        false => format!("are {} and %(ENV_X)s", own.join(", ")),
    }
}

/// How Python prints the dictionary of all names; shortened, as it stands for a mistake.
fn everything(names: &Names) -> String {
    let names: Vec<_> = names.keys().filter(|name| !name.starts_with("ENV_")).collect();
    format!("{{{names:?}}}")
}

/// What stands between the name and the end of an expression.
struct Format<'a> {
    flags: &'a str,
    width: usize,
    precision: Option<usize>,
    conversion: char,
    rest: &'a str,
}

impl<'a> Format<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (flags, after) = leading(text, |c| "#0- +".contains(c));
        let (width, after) = leading(after, |c| c.is_ascii_digit());
        let (precision, after) = match after.strip_prefix('.') {
            Some(after) => {
                let (digits, after) = leading(after, |c| c.is_ascii_digit());
                (Some(small(digits)?), after)
            }
            None => (None, after),
        };
        let after = after.strip_prefix(['h', 'l', 'L']).unwrap_or(after);
        let conversion = after.chars().next()?;
        let rest = after.get(conversion.len_utf8()..)?;
        Some(Self { flags, width: small(width)?, precision, conversion, rest })
    }

    fn apply(&self, name: &str, item: &Item) -> Result<String, BadExpansion> {
        let number = |format: fn(i64) -> String| match item {
            Item::Number(number) => Ok(self.pad_number(&format(*number))),
            Item::Text(_) => {
                Err(BadExpansion::Number { name: name.to_owned(), conversion: self.conversion })
            }
        };
        match (self.conversion, item) {
            ('s', Item::Text(text)) => Ok(self.pad(self.cut(text))),
            ('r' | 'a', Item::Text(text)) => {
                Ok(self.pad(self.cut(&superlance_core::system::python::repr(text))))
            }
            ('s' | 'r' | 'a', Item::Number(number)) => Ok(self.pad(self.cut(&number.to_string()))),
            ('d' | 'i' | 'u', _) => number(|number| number.to_string()),
            ('x', _) => number(|number| format!("{number:x}")),
            ('X', _) => number(|number| format!("{number:X}")),
            ('o', _) => number(|number| format!("{number:o}")),
            ('f' | 'F', _) => number(|number| format!("{number}.000000")),
            _ => Err(BadExpansion::Percent),
        }
    }

    fn cut<'t>(&self, text: &'t str) -> &'t str {
        let end = self.precision.and_then(|length| text.char_indices().nth(length));
        end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
    }

    fn pad(&self, text: &str) -> String {
        match self.flags.contains('-') {
            true => format!("{text:<0$}", self.width),
            false => format!("{text:>0$}", self.width),
        }
    }

    fn pad_number(&self, text: &str) -> String {
        let (minus, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let sign = match (minus, self.flags.contains('+'), self.flags.contains(' ')) {
            ("", true, _) => "+",
            ("", false, true) => " ",
            (sign, ..) => sign,
        };
        let wanted = match self.flags.contains('0') && !self.flags.contains('-') {
            true => self.width.saturating_sub(sign.len()),
            false => 0,
        };
        let wanted = wanted.max(self.precision.unwrap_or(0));
        self.pad(&format!("{sign}{digits:0>wanted$}"))
    }
}

/// A width that fits into a line.
fn small(digits: &str) -> Option<usize> {
    match digits.is_empty() {
        true => Some(0),
        false => digits.parse().ok().filter(|width| *width <= 1000),
    }
}

fn leading(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> Names {
        [
            ("here", Item::from("/etc")),
            ("process_num", Item::Number(3)),
            ("ENV_A", Item::from("%(here)s")),
        ]
        .map(|(name, item)| (name.to_owned(), item))
        .into_iter()
        .collect()
    }

    /// Right-hand sides were printed by Python's `%`.
    #[test]
    fn names_are_expanded() {
        for (value, expected) in [
            ("plain", "plain"),
            ("unix://%(here)s/s.sock", "unix:///etc/s.sock"),
            ("100%%", "100%"),
            ("%(here)%", "%"),
            ("%(ENV_A)s%(here)s", "%(here)s/etc"),
            ("%(process_num)d %(process_num)s %(process_num)02d", "3 3 03"),
            ("[%(process_num)4d|%(process_num)-4d|%(process_num)+d]", "[   3|3   |+3]"),
            ("[%(process_num).3d|%(process_num) d|%(process_num)x]", "[003| 3|3]"),
            ("[%(here)6s|%(here)-6s|%(here).2s|%(here)r]", "[  /etc|/etc  |/e|'/etc']"),
        ] {
            assert_eq!(expand(value, &names()).as_deref(), Ok(expected), "{value}");
        }
        assert!(expand("date +%s", &names()).unwrap().contains("here"), "a dictionary");
    }

    #[test]
    fn what_python_refuses_is_refused() {
        for (value, expected) in [
            ("%(ENV_B)s", "%(ENV_B)s needs the environment variable B"),
            ("%(x)s", "%(x)s is not known here; there are %(here)s, %(process_num)s and %(ENV_X)s"),
            ("%(here)d", "%(here)d wants a number"),
            ("50%", "a % that is not part of %(NAME)s must be doubled: %%"),
            ("50% done", "a % that is not part of %(NAME)s must be doubled: %%"),
            ("+%H:%M", "a % that is not part of %(NAME)s must be doubled: %%"),
            ("%s %s", "a % that is not part of %(NAME)s must be doubled: %%"),
            ("%(here", "a % that is not part of %(NAME)s must be doubled: %%"),
            ("%(here)", "a % that is not part of %(NAME)s must be doubled: %%"),
        ] {
            assert_eq!(expand(value, &names()).unwrap_err().to_string(), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(%|\\(|\\)|here|process_num|[-+ 0-9.sdx]|é){0,20}") {
            let _ = expand(&text, &names());
        }
    }
}
