//! Selectors: names and patterns of processes on the command line.

use std::str::FromStr;

use regex::{Regex, bytes};

use crate::options::regex::parse_regex;

/// A process as selectors see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<'a> {
    pub group: &'a str,
    pub process: &'a str,
}

/// A name, a `group:name`, a `group:*`, a pattern, or `~` and a regular expression.
///
/// `*` stands for any characters, `?` for one, `[ab]`, `[a-z]` and `[!a]` for one of a set. A
/// pattern with a colon is compared with `group:name`, one without with the name (or, in
/// [`matches_group`](Selector::matches_group), the group's name). A regular expression is searched
/// anywhere in the name and in `group:name`, or in the group's name. A text that equals the name of
/// a process selects that process, even with the characters of a pattern.
#[derive(Debug, Clone)]
pub struct Selector {
    text: String,
    pattern: Option<Pattern>,
}

#[derive(Debug, Clone)]
enum Pattern {
    /// A shell pattern, as an anchored expression.
    Glob(Regex),
    /// The expression after a `~`.
    Regex(bytes::Regex),
}

/// A malformed selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSelector {
    /// An empty text.
    #[error(
        "{0:?} is not a process name, a group:name, a group:*, a pattern such as web* or a regular \
         expression such as ~^web"
    )]
    Empty(String),
    /// A malformed regular expression.
    #[error("{0:?} is not ~ and a regular expression such as ~^web: {1}")]
    Regex(String, String),
}

impl Selector {
    /// Parses a selector, without the blanks around it.
    ///
    /// # Errors
    /// When `text` is empty, or its regular expression is malformed.
    pub fn parse(text: &str) -> Result<Self, BadSelector> {
        let text = text.trim();
        let pattern = match text.strip_prefix('~') {
            _ if text.is_empty() => return Err(BadSelector::Empty(text.to_owned())),
            Some("") => return Err(BadSelector::Regex(text.to_owned(), "it is empty".to_owned())),
            Some(regex) => {
                let bad = |why| BadSelector::Regex(text.to_owned(), why);
                Some(Pattern::Regex(parse_regex(regex).map_err(bad)?))
            }
            // A set that is not closed or runs backwards can only be part of a name.
            None if text.contains(['*', '?', '[']) => {
                glob_to_regex(text).and_then(|regex| Regex::new(&regex).ok()).map(Pattern::Glob)
            }
            None => None,
        };
        Ok(Self { text: text.to_owned(), pattern })
    }

    /// Like [`parse`](Self::parse), but an empty text selects no process.
    ///
    /// # Errors
    /// When the regular expression is malformed.
    pub fn parse_lenient(text: &str) -> Result<Self, BadSelector> {
        match text.trim() {
            "" => Ok(Self { text: String::new(), pattern: None }),
            name => Self::parse(name),
        }
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is the exact name of the process, with or without the group.
    #[must_use]
    pub fn names(&self, process: Names<'_>) -> bool {
        match self.text.split_once(':') {
            None => self.text == process.process,
            Some((group, name)) => group == process.group && name == process.process,
        }
    }

    /// Whether it selects the process, by its exact name or as a pattern.
    #[must_use]
    pub fn matches(&self, process: Names<'_>) -> bool {
        let namespec = || format!("{}:{}", process.group, process.process);
        self.names(process)
            || match &self.pattern {
                None => false,
                Some(Pattern::Glob(glob)) if self.text.contains(':') => glob.is_match(&namespec()),
                Some(Pattern::Glob(glob)) => glob.is_match(process.process),
                Some(Pattern::Regex(regex)) => {
                    regex.is_match(process.process.as_bytes())
                        || regex.is_match(namespec().as_bytes())
                }
            }
    }

    /// Whether it selects a whole group, by its exact name or as a pattern; `group:*` is `group`.
    #[must_use]
    pub fn matches_group(&self, group: &str) -> bool {
        self.text == group
            || self.text.strip_suffix(":*") == Some(group)
            || match &self.pattern {
                Some(Pattern::Glob(glob)) => glob.is_match(group),
                Some(Pattern::Regex(regex)) => regex.is_match(group.as_bytes()),
                None => false,
            }
    }
}

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, BadSelector> {
        Self::parse(text)
    }
}

/// A shell pattern as a regular expression; `None` when a `[` is not closed.
#[must_use]
pub fn glob_to_regex(glob: &str) -> Option<String> {
    let mut out = String::from("(?s)^");
    let mut rest = glob.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                let (class, after) = set_to_class(rest.as_str())?;
                out.push_str(&class);
                rest = after.chars();
            }
            c => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    Some(out)
}

/// The set at the beginning of `text`, after its `[`, as a regular expression, and the rest of the
/// text.
fn set_to_class(text: &str) -> Option<(String, &str)> {
    let (start, members) = match text.strip_prefix('!') {
        Some(members) => ("[^", members),
        None => ("[", text),
    };
    // A `]` that stands first is a member, as in the shell.
    let first = members.chars().next()?.len_utf8();
    let end = first + members.get(first..)?.find(']')?;
    let (members, rest) = members.split_at_checked(end)?;
    let members: Vec<char> = members.chars().collect();
    // By number, since what a character means in a class depends on its neighbours: `--`, `&&`.
    let number = |c: char| format!("\\x{{{:x}}}", u32::from(c));
    let mut class = start.to_owned();
    let mut left = members.as_slice();
    while let [first, tail @ ..] = left {
        class += &number(*first);
        left = match tail {
            ['-', last, tail @ ..] => {
                class += &format!("-{}", number(*last));
                tail
            }
            _ => tail,
        };
    }
    Some((class + "]", rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(namespec: &str) -> Names<'_> {
        let (group, process) = namespec.split_once(':').unwrap();
        Names { group, process }
    }

    #[track_caller]
    fn check(selector: &str, matching: &[&str], others: &[&str]) {
        let parsed = Selector::parse(selector).unwrap();
        for process in matching {
            assert!(parsed.matches(names(process)), "{selector} should mean {process}");
        }
        for process in others {
            assert!(!parsed.matches(names(process)), "{selector} should not mean {process}");
        }
    }

    #[test]
    fn names_and_namespecs() {
        check("foo", &["foo:foo", "bar:foo"], &["foo:bar", "foo:foo2"]);
        check("bar:foo", &["bar:foo"], &["foo:foo", "bar:bar"]);
        check("web:*", &["web:a", "web:web_00"], &["web2:a", "other:web"]);
    }

    #[test]
    fn patterns() {
        check("web*", &["g:web", "g:web_01"], &["web:a", "g:aweb"]);
        check("*:web_?", &["g:web_1"], &["g:web_10", "g:web_"]);
        check("w[ab-d]", &["g:wa", "g:wc"], &["g:we", "g:w-"]);
        check("w[!a]", &["g:wb"], &["g:wa", "g:w"]);
        check("w[]x]", &["g:w]", "g:wx"], &["g:w"]);
        check("w[!!]", &["g:wa"], &["g:w!", "g:wa]"]);
        check("w[<&&>]", &["g:w<", "g:w&"], &["g:wa"]);
        check("w[a--b]", &["g:w[a--b]"], &["g:wa"]);
        check("w[+--]", &["g:w+", "g:w,", "g:w-"], &["g:wa"]);
        check("w[a-c-e]", &["g:wb", "g:w-", "g:we"], &["g:wd"]);
        check("w[“”]", &["g:w“"], &["g:wa"]);
        check("a.c*", &["g:a.c", "g:a.cd"], &["g:abc"]);
        check("caf?", &["g:café"], &["g:caf"]);
    }

    #[test]
    fn regular_expressions() {
        check("~^web_\\d+$", &["g:web_1", "web_2:web_22"], &["g:web_", "g:aweb_1"]);
        check("~web", &["g:aweb_1", "web:a"], &["g:we"]);
        check("~^g:(a|b)$", &["g:a", "g:b"], &["h:a", "g:ab"]);
        check("~(?i)^CAFé", &["g:café_1"], &["g:cafe", "g:cafÉ"]);
        check("~^caf.*_[^a]$", &["g:café_1"], &["g:café_a"]);
        check("~foo", &["g:~foo", "g:xfoo"], &["g:f"]);
        let group = Selector::parse("~^w.b$").unwrap();
        assert!(group.matches_group("web") && !group.matches_group("web2"));
    }

    #[test]
    fn what_cannot_be_a_regular_expression_says_why() {
        for (text, why) in [
            ("~(a", "unclosed group"),
            ("~[b-a]", "invalid character class range, the start must be <= the end"),
            ("~*", "repetition operator missing expression"),
            ("~", "it is empty"),
        ] {
            let expected =
                format!("{text:?} is not ~ and a regular expression such as ~^web: {why}");
            assert_eq!(Selector::parse(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn an_exact_name_is_no_pattern() {
        let odd = Selector::parse("a*").unwrap();
        assert!(odd.names(names("g:a*")) && !odd.names(names("g:ab")));
        let namespec = Selector::parse("g:a").unwrap();
        assert!(namespec.names(names("g:a")) && !namespec.names(names("h:a")));
    }

    #[test]
    fn groups() {
        let group =
            |selector: &str, name: &str| Selector::parse(selector).unwrap().matches_group(name);
        assert!(group("bar", "bar") && !group("bar", "bars"));
        assert!(group("b*", "bars") && !group("b*", "a"));
        assert!(group("bar:*", "bar") && !group("bar:*", "bars"));
    }

    #[test]
    fn nothing_is_no_selector() {
        let message = Selector::parse("").unwrap_err().to_string();
        assert!(message.starts_with("\"\" is not a process name"), "{message}");
    }

    #[test]
    fn what_cannot_be_a_pattern_is_a_name() {
        check("a[", &["g:a["], &["g:a"]);
        check("[b-a]*", &["g:[b-a]*"], &["g:b"]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_a_name_means_itself(text in "\\PC{1,12}", name in "[^: \\s]{1,8}") {
            if let Ok(selector) = Selector::parse(&text) {
                let _ = selector.matches(Names { group: "g", process: &name });
            }
            let process = Names { group: "g", process: &name };
            for text in [name.clone(), format!("g:{name}")] {
                if let Ok(selector) = Selector::parse(&text) {
                    prop_assert!(selector.matches(process));
                }
            }
        }
    }
}
