//! supervisord.conf: sections, keys and where they stand. Pure.
//!
//! supervisor reads it with Python's configparser, with `;` and `#` as beginnings of comments after a
//! blank, and keys that may come twice; these rules are followed here.

use std::collections::BTreeMap;

/// The section whose values every section has unless it says otherwise.
const DEFAULTS: &str = "DEFAULT";

/// The sections of a configuration, with the names of their values in lower case.
#[derive(Debug, Default)]
pub struct Configuration(BTreeMap<String, BTreeMap<String, Entry>>);

/// A value, and the line that it begins in.
#[derive(Debug, Default)]
struct Entry {
    value: String,
    line: usize,
}

impl Configuration {
    /// Reads `text`. A line that is indented deeper than the `key=value` before it goes on with the
    /// value, even if it looks like something else; of two values for a key the last one counts.
    ///
    /// # Errors
    /// When a line is neither a section nor part of one. The error names it by its number.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sections = Self::default();
        let (mut section, mut key): (Option<String>, Option<String>) = (None, None);
        let mut indent_of_key = 0;
        for (number, line) in (1..).zip(text.lines()) {
            let content = without_comment(line).trim();
            let is_comment = content.is_empty() && !line.trim().is_empty();
            let indent = line.chars().take_while(|c| c.is_whitespace()).count();
            if is_comment {
                continue;
            }
            // An empty line is part of a value that goes on after it.
            if content.is_empty() || indent > indent_of_key {
                if let (Some(section), Some(key)) = (&section, &key) {
                    let entry = sections.entry(section).entry(key.clone()).or_default();
                    entry.value.push('\n');
                    entry.value.push_str(content);
                    continue;
                }
            }
            if content.is_empty() {
                continue;
            }
            indent_of_key = indent;
            if let Some(name) = section_name(content) {
                sections.entry(name);
                (section, key) = (Some(name.to_owned()), None);
                continue;
            }
            let bad = |expected| Err(format!("line {number}: expected {expected}"));
            let Some(section) = &section else { return bad("a [section] before anything else") };
            match content.split_once(['=', ':']).map(|(key, value)| (key.trim(), value.trim())) {
                None | Some(("", _)) => return bad("a [section] or key=value"),
                Some((name, value)) => {
                    let name = name.to_lowercase();
                    let entry = Entry { value: value.to_owned(), line: number };
                    sections.entry(section).insert(name.clone(), entry);
                    key = Some(name);
                }
            }
        }
        Ok(sections)
    }

    /// Whether there is a section of this name.
    #[must_use]
    pub fn has(&self, section: &str) -> bool {
        self.0.contains_key(section)
    }

    /// A value of a section.
    #[must_use]
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.find(section, key).map(|entry| entry.value.trim_end())
    }

    /// The number of the line in which a value of a section begins.
    #[must_use]
    pub fn line(&self, section: &str, key: &str) -> Option<usize> {
        self.find(section, key).map(|entry| entry.line)
    }

    fn find(&self, section: &str, key: &str) -> Option<&Entry> {
        let find = |name| self.0.get(name).and_then(|entries| entries.get(key));
        find(section).or_else(|| find(DEFAULTS))
    }

    fn entry(&mut self, section: &str) -> &mut BTreeMap<String, Entry> {
        self.0.entry(section.to_owned()).or_default()
    }
}

/// `line` up to a `;` or `#` that begins it or has a blank before it.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        if (c == ';' || c == '#') && before.is_whitespace() {
            return line.get(..index).unwrap_or(line);
        }
        before = c;
    }
    line
}

/// The name in `[name]`, up to the last bracket.
fn section_name(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

/// Replaces each `%(NAME)s` in `value` by what `lookup` knows of it, and `%%` by `%`.
///
/// # Errors
/// When `lookup` knows nothing of a name, or a `%` begins none.
pub fn expand(value: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let name = after.strip_prefix('(').and_then(|after| after.split_once(")s"));
        let Some((name, after)) = name else {
            return Err("a % that is not part of %(NAME)s must be doubled: %%".to_owned());
        };
        let known = lookup(name);
        out.push_str(&known.ok_or_else(|| match name.strip_prefix("ENV_") {
            Some(variable) => format!("%({name})s needs the environment variable {variable}"),
            None => format!("%({name})s is not known here; %(here)s and %(ENV_X)s are"),
        })?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Option<String> {
        Configuration::parse(text).unwrap().get("supervisorctl", "serverurl").map(str::to_owned)
    }

    #[test]
    fn a_value_is_found_as_configparser_finds_it() {
        for (text, expected) in [
            ("[supervisorctl]\nserverurl=u", "u"),
            ("\n; c\n[supervisorctl] ; c\n serverurl : u ; c\n", "u"),
            ("[supervisorctl]\nSERVERURL = u#no;comment # c\r\n", "u#no;comment"),
            ("[supervisorctl]\nserverurl=a\nserverurl=u", "u"),
            ("[supervisorctl]\nserverurl=u\n[x]\nserverurl=a\n[supervisorctl]\nusername=b", "u"),
            ("[supervisorctl]\nserverurl=http://h:9001/?a=b", "http://h:9001/?a=b"),
            ("[supervisorctl]\nserverurl=u\n\n  v\n#c\n  w", "u\n\nv\nw"),
            ("[supervisorctl]\nserverurl=u\n  # c\nx=\n  [x]\n", "u"),
            ("[x]\ncommand=y\n  [supervisorctl]\n[supervisorctl]\nserverurl=u", "u"),
            ("[DEFAULT]\nserverurl=u\n[supervisorctl]", "u"),
            ("[DEFAULT]\nserverurl=a\n[supervisorctl]\nserverurl=u", "u"),
        ] {
            assert_eq!(url(text).as_deref(), Some(expected), "{text:?}");
        }
        for text in ["", "[supervisord]\nserverurl=u", "[Supervisorctl]\nserverurl=u"] {
            assert_eq!(url(text), None, "{text:?}");
        }
        assert!(Configuration::parse("[supervisorctl]").unwrap().has("supervisorctl"));
    }

    #[test]
    fn a_value_has_the_line_that_it_begins_in() {
        let text = "[a]\n; c\nx=1\n  2\nx = 3\n\n[DEFAULT]\ny=4\n";
        let configuration = Configuration::parse(text).unwrap();
        let line = |section, key| configuration.line(section, key);
        assert_eq!((line("a", "x"), line("a", "y")), (Some(5), Some(8)), "the last one counts");
        assert_eq!((line("a", "z"), line("b", "x")), (None, None));
    }

    #[test]
    fn what_is_no_configuration_says_where() {
        for (text, said) in [
            ("serverurl=u", "line 1: expected a [section] before anything else"),
            ("[a]\n\nserverurl", "line 3: expected a [section] or key=value"),
            ("[a]\n=u", "line 2: expected a [section] or key=value"),
            ("[a]\n[]", "line 2: expected a [section] or key=value"),
        ] {
            assert_eq!(Configuration::parse(text).unwrap_err(), said, "{text:?}");
        }
    }

    #[test]
    fn names_are_expanded() {
        let lookup = |name: &str| {
            let known = [("here", "/etc"), ("ENV_A", "%(here)s")];
            known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        for (value, expected) in [
            ("plain", Ok("plain")),
            ("unix://%(here)s/s.sock", Ok("unix:///etc/s.sock")),
            ("100%%", Ok("100%")),
            ("%(ENV_A)s%(here)s", Ok("%(here)s/etc")),
            ("%(ENV_B)s", Err("%(ENV_B)s needs the environment variable B")),
            ("%(program)s", Err("%(program)s is not known here; %(here)s and %(ENV_X)s are")),
            ("50%", Err("a % that is not part of %(NAME)s must be doubled: %%")),
            ("%(here)d", Err("a % that is not part of %(NAME)s must be doubled: %%")),
        ] {
            let expanded = expand(value, lookup);
            assert_eq!(expanded.as_deref().map_err(String::as_str), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*", lines in "([\\[\\]a=:;# \n%()s]|é){0,60}") {
            let _ = Configuration::parse(&text);
            let _ = Configuration::parse(&lines);
            let _ = expand(&lines, |_| None);
        }
    }
}
