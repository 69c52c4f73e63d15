//! How Python prints strings and lists: old log lines and mails contain both.

/// Python's `repr` of a string, which prints `'` around it unless that would need an escape.
#[must_use]
pub fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Python's `repr` of a list of strings: `['foo', 'grp:bar']`.
#[must_use]
pub fn repr_list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<_> = items.iter().map(|item| repr(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right-hand sides were printed by `python3 -c 'print(repr(...))'`.
    #[test]
    fn as_python_prints_it() {
        assert_eq!(repr("SPAWN_ERROR: foo"), "'SPAWN_ERROR: foo'");
        assert_eq!(repr("it's"), "\"it's\"");
        assert_eq!(repr("it's \"x\""), r#"'it\'s "x"'"#);
        assert_eq!(repr("a\\b\n\t\x1b"), r"'a\\b\n\t\x1b'");
        assert_eq!(repr("café"), "'café'");
        assert_eq!(repr_list(&["foo", "grp:bar"]), "['foo', 'grp:bar']");
        assert_eq!(repr_list::<&str>(&[]), "[]");
    }
}
