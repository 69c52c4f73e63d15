//! Colours of a terminal.

/// What a text is like, for terminals that can show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Strong,
    Faint,
    Good,
    Doubtful,
    Bad,
}

impl Style {
    /// The parameter of the escape sequence for it (SGR of ECMA-48).
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Doubtful => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }

    /// `text` in this style.
    #[must_use]
    pub fn paint(self, text: &str, colour: bool) -> String {
        match self.code().filter(|_| colour && !text.is_empty()) {
            Some(code) => format!("\x1b[{code}m{text}\x1b[m"),
            None => text.to_owned(),
        }
    }
}

/// Whether a terminal should get colours, by `TERM` and `NO_COLOR`.
#[must_use]
pub fn wants_colour(term: Option<&str>, no_color: Option<&str>) -> bool {
    !is_dumb(term) && no_color.is_none_or(str::is_empty)
}

/// Whether the terminal does not know escape sequences, by `TERM`.
#[must_use]
pub fn is_dumb(term: Option<&str>) -> bool {
    term.is_none_or(|term| term.is_empty() || term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_know_them_and_users_who_want_them() {
        for (term, no_color, expected) in [
            (Some("xterm"), None, true),
            (Some("xterm"), Some(""), true),
            (Some("xterm"), Some("1"), false),
            (Some("dumb"), None, false),
            (Some(""), None, false),
            (None, None, false),
        ] {
            assert_eq!(wants_colour(term, no_color), expected, "{term:?} {no_color:?}");
        }
        assert_eq!(Style::Bad.paint("x", true), "\x1b[1;31mx\x1b[m");
        assert_eq!(
            (Style::Bad.paint("x", false), Style::Bad.paint("", true)),
            ("x".into(), "".into())
        );
    }
}
