//! A search for a text in a stream of pieces.

/// A search. It keeps no more of the stream than the text is long.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    text: &'a [u8],
    /// The end of what went by, in which the text may have begun.
    tail: Vec<u8>,
    found: bool,
}

impl<'a> Search<'a> {
    /// A search for `text`. An empty one is found at once.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, tail: Vec::new(), found: text.is_empty() }
    }

    /// Looks at the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        if self.found {
            return;
        }
        self.tail.extend_from_slice(piece);
        self.found = self.tail.windows(self.text.len()).any(|window| window == self.text);
        self.tail.drain(..self.tail.len().saturating_sub(self.text.len() - 1));
    }

    /// Whether the text went by.
    pub(crate) fn found(&self) -> bool {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pieces: &[&str], text: &str, expected: bool) {
        let mut search = Search::new(text.as_bytes());
        pieces.iter().for_each(|piece| search.feed(piece.as_bytes()));
        assert_eq!(search.found(), expected, "{text:?} in {pieces:?}");
    }

    #[test]
    fn a_text_may_be_cut_anywhere() {
        check(&["xx all is ", "well xx"], "is well", true);
        check(&["a", "l", "l"], "all", true);
        check(&["aa", "ab"], "aaab", true);
        check(&["all", "", "is"], "alli", true);
        check(&["al", "x", "l"], "all", false);
        check(&[], "x", false);
        check(&[], "", true);
        check(&["abc"], "abcd", false);
    }

    proptest! {
        #[test]
        fn as_in_the_whole(pieces in prop::collection::vec("[ab]{0,6}", 0..8), text in "[ab]{1,6}") {
            let mut search = Search::new(text.as_bytes());
            pieces.iter().for_each(|piece| search.feed(piece.as_bytes()));
            prop_assert_eq!(search.found(), pieces.concat().contains(&text));
            prop_assert!(search.tail.len() < text.len());
        }
    }
}
