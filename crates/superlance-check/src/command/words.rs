//! Command lines and what a shell makes of them. Pure.

/// A command in a line for a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) words: Vec<String>,
    /// What separates it from the next: `;`, `&`, `|`, `&&`, `||`, or nothing at the end.
    pub(crate) end: &'static str,
}

/// A `command=` as supervisord splits it.
pub(crate) fn split(command: &str) -> Option<Vec<String>> {
    shlex::split(command)
}

/// The commands in a line for a shell, as far as quotes and separators tell.
pub(crate) fn segments(script: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut chars = script.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        match (quote, c) {
            (_, '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, ';' | '\n' | '&' | '|') => {
                let before = script.get(..index).unwrap_or_default();
                let next = chars.peek().map(|(_, next)| *next);
                // `2>&1` and `>&2` separate nothing.
                if c == '&' && (before.ends_with('>') || next == Some('>')) {
                    continue;
                }
                let is_double = next == Some(c) && c != ';' && c != '\n';
                let end = match (c, is_double) {
                    ('&', true) => "&&",
                    ('&', false) => "&",
                    ('|', true) => "||",
                    ('|', false) => "|",
                    _ => ";",
                };
                segments.extend(segment(script.get(start..index), end));
                if is_double {
                    chars.next();
                }
                start = chars.peek().map_or(script.len(), |(next, _)| *next);
            }
            (None, _) => {}
        }
    }
    segments.extend(segment(script.get(start..), ""));
    segments
}

fn segment(text: Option<&str>, end: &'static str) -> Option<Segment> {
    let words = shlex::split(text?)?;
    (!words.is_empty()).then_some(Segment { words, end })
}

/// The last part of a path.
pub(crate) fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_falls_into_commands() {
        let shown = |script| {
            let segments = segments(script).into_iter();
            segments.map(|s| format!("{}{}", s.words.join(" "), s.end)).collect::<Vec<_>>()
        };
        assert_eq!(shown("cd /x && exec a 'b;c'"), ["cd /x&&", "exec a b;c"]);
        assert_eq!(shown("a 2>&1 | tee x; b &"), ["a 2>&1|", "tee x;", "b&"]);
        assert_eq!(shown("a || b\nc \\; d"), ["a||", "b;", "c ; d"]);
        assert_eq!(shown(" "), [""; 0]);
        assert_eq!(base_name("/usr/bin/memmon"), "memmon");
    }
}
