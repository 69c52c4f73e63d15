//! One file, as Python's configparser reads it with supervisor's settings. Pure.

use thiserror::Error;

/// What stands in a file, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ini {
    pub heads: Vec<Head>,
    pub entries: Vec<Entry>,
    pub comments: Vec<Comment>,
}

/// A `[section]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub section: String,
    pub line: usize,
}

/// A `key=value` with the lines that go on with the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub section: String,
    /// In lower case.
    pub key: String,
    pub value: String,
    /// The line that it begins in.
    pub line: usize,
    /// What a `;` or `#` cut off from the value, where it is the first comment in it.
    pub comment: Option<String>,
}

/// A line that is nothing but a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub text: String,
    pub line: usize,
}

/// A line that is neither a section nor part of one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: expected {expected}")]
pub struct BadLine {
    pub line: usize,
    pub expected: &'static str,
}

impl Ini {
    /// Reads `text`. A line that is indented deeper than the `key=value` before it goes on with the
    /// value, even if it looks like something else.
    ///
    /// # Errors
    /// When a line is neither a section nor part of one.
    pub fn parse(text: &str) -> Result<Self, BadLine> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut ini = Self::default();
        // Whether the last entry goes on in a line that is indented deeper than `indent_of_key`.
        let (mut is_open, mut indent_of_key) = (false, 0);
        // configparser reads on after a bad line, and stops at a key before the first section.
        let mut bad = None;
        for (number, line) in (1..).zip(text.split_terminator('\n')) {
            let (content, comment) = split_comment(line);
            let content = trim(content);
            if content.is_empty() {
                match (comment, ini.entries.last_mut()) {
                    (Some(text), _) => {
                        ini.comments.push(Comment { text: text.to_owned(), line: number });
                    }
                    // An empty line is part of a value that goes on after it.
                    (None, Some(entry)) if is_open => entry.value.push('\n'),
                    (None, _) => {}
                }
                continue;
            }
            let indent = line.chars().take_while(|c| is_space(*c)).count();
            if is_open && indent > indent_of_key {
                if let Some(entry) = ini.entries.last_mut() {
                    entry.value.push('\n');
                    entry.value.push_str(content);
                    entry.comment = entry.comment.take().or(comment.map(str::to_owned));
                }
                continue;
            }
            indent_of_key = indent;
            if let Some(name) = section_name(content) {
                ini.heads.push(Head { section: name.to_owned(), line: number });
                is_open = false;
                continue;
            }
            let Some(head) = ini.heads.last() else {
                return Err(BadLine { line: number, expected: "a [section] before anything else" });
            };
            match content.split_once(['=', ':']).map(|(key, value)| (trim(key), trim(value))) {
                None | Some(("", _)) => {
                    let expected = "a [section] or key=value";
                    bad.get_or_insert(BadLine { line: number, expected });
                }
                Some((key, value)) => {
                    is_open = true;
                    ini.entries.push(Entry {
                        section: head.section.clone(),
                        key: key.to_lowercase(),
                        value: value.to_owned(),
                        line: number,
                        comment: comment.map(str::to_owned),
                    });
                }
            }
        }
        for entry in &mut ini.entries {
            entry.value.truncate(entry.value.trim_end_matches(is_space).len());
        }
        bad.map_or(Ok(ini), Err)
    }
}

/// Python's idea of a blank: it has four more than Unicode.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The name in `[name]`, up to the last bracket.
fn section_name(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

/// A line without its comment, and the comment.
///
/// configparser looks at the first `;` and the first `#`, then at the second of each, and stops with the
/// round in which one begins a comment: of `a;b ;c #d` only `#d` is one.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    if trim(line).starts_with(['#', ';']) {
        return ("", Some(trim(line)));
    }
    let begins =
        |index: usize| line.get(..index).is_some_and(|s| s.is_empty() || s.ends_with(is_space));
    let (mut semicolons, mut hashes) = (line.match_indices(';'), line.match_indices('#'));
    loop {
        let round = [semicolons.next(), hashes.next()];
        if round.iter().all(Option::is_none) {
            return (line, None);
        }
        let indices = round.into_iter().flatten().map(|(index, _)| index);
        if let Some((content, comment)) = indices
            .filter(|index| begins(*index))
            .min()
            .and_then(|index| line.split_at_checked(index))
        {
            return (content, Some(comment));
        }
    }
}
