//! What an answer must be: its status, and its body.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;

use superlance_core::options::regex::Regex;

use crate::json::{JsonRule, MAX_JSON};
use crate::outcome::{Class, Failed};
use crate::search::Search;

/// How much of a body is kept for expressions and JSON. Texts are looked for in all of it.
const KEPT: usize = MAX_JSON;

/// The statuses and bodies that are good.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Empty for 200 alone.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// All of them must hold.
    pub rules: Vec<Rule>,
}

/// A rule for a body.
#[derive(Debug, Clone)]
pub enum Rule {
    Contains(OsString),
    Matches(Regex),
    Lacks(OsString),
    LacksMatch(Regex),
    Json(JsonRule),
}

/// Parses a status such as `404`, a class of them such as `2xx`, or a range such as `200-399`.
///
/// # Errors
/// When it is none of these.
pub fn parse_statuses(text: &str) -> Result<RangeInclusive<u16>, String> {
    let status = |text: &str| text.trim().parse().ok().filter(|n| (100..1000).contains(n));
    let class = |text: &str| {
        let class: u16 = text.trim().to_ascii_lowercase().strip_suffix("xx")?.parse().ok()?;
        (1..10).contains(&class).then(|| class * 100..=class * 100 + 99)
    };
    let range = |text: &str| {
        let (first, last) = text.split_once('-')?;
        let (first, last) = (status(first)?, status(last)?);
        (first <= last).then_some(first..=last)
    };
    let one = status(text).map(|status| status..=status);
    one.or_else(|| class(text)).or_else(|| range(text)).ok_or_else(|| {
        "expected an HTTP status such as 200 or 404, a class such as 2xx, or a range such as \
         200-399"
            .to_owned()
    })
}

impl Expectation {
    /// Whether this status is good.
    #[must_use]
    pub fn includes(&self, status: u16) -> bool {
        match self.statuses.as_slice() {
            [] => status == 200,
            ranges => ranges.iter().any(|range| range.contains(&status)),
        }
    }

    /// Begins to read a body.
    pub(crate) fn reading(&self) -> Reading<'_> {
        let search = |rule| match rule {
            &Rule::Contains(ref text) | &Rule::Lacks(ref text) => {
                Some(Search::new(text.as_bytes()))
            }
            _ => None,
        };
        let keeps =
            |rule: &Rule| matches!(rule, Rule::Matches(_) | Rule::LacksMatch(_) | Rule::Json(_));
        Reading {
            rules: self.rules.iter().map(|rule| (rule, search(rule))).collect(),
            keeps: self.rules.iter().any(keeps),
            kept: Vec::new(),
            length: 0,
        }
    }
}

/// A body that is being read.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    rules: Vec<(&'a Rule, Option<Search<'a>>)>,
    /// Whether a rule needs to see the body as a whole.
    keeps: bool,
    kept: Vec<u8>,
    length: usize,
}

/// What comes of reading a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// What is wrong with it, to follow a status. Empty where the text of `-b` is missing, of which
    /// the original says no more.
    pub(crate) wrong: Option<String>,
    pub(crate) note: Option<String>,
}

impl Reading<'_> {
    /// Looks at the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        self.rules.iter_mut().filter_map(|(_, search)| search.as_mut()).for_each(|s| s.feed(piece));
        self.length = self.length.saturating_add(piece.len());
        if self.keeps {
            let room = KEPT - self.kept.len();
            self.kept.extend(piece.iter().take(room));
        }
    }

    /// At the end of the body.
    pub(crate) fn conclude(self) -> Judgement {
        let is_cut = self.keeps && self.length > KEPT;
        let by_expression =
            |(rule, _): &(&Rule, _)| matches!(rule, Rule::Matches(_) | Rule::LacksMatch(_));
        let note = (is_cut && self.rules.iter().any(by_expression))
            .then(|| "its body is longer than 1 MiB, of which no more was judged".to_owned());
        let wrong = self.rules.iter().find_map(|(rule, search)| {
            let found = search.as_ref().is_some_and(Search::found);
            self.wrong(rule, found)
        });
        Judgement { wrong, note }
    }

    fn wrong(&self, rule: &Rule, found: bool) -> Option<String> {
        match rule {
            Rule::Contains(_) => (!found).then(String::new),
            Rule::Lacks(text) => {
                found.then(|| format!("its body has the text {:?}", text.to_string_lossy()))
            }
            Rule::Matches(regex) => (!regex.is_match(&self.kept))
                .then(|| format!("its body has no match of {}", regex.as_str())),
            Rule::LacksMatch(regex) => regex
                .is_match(&self.kept)
                .then(|| format!("its body has a match of {}", regex.as_str())),
            Rule::Json(_) if self.length > MAX_JSON => {
                Some("its body is longer than 1 MiB, too long for --json".to_owned())
            }
            Rule::Json(rule) => rule.wrong(&self.kept),
        }
    }
}

/// The failure of an answer whose status or body is wrong. `wrong` may be empty.
pub(crate) fn failure(class: Class, url: &str, status: &str, wrong: &str) -> Failed {
    let text = format!("status contacting {url}: {status}");
    Failed::new(
        class,
        match wrong {
            "" => text,
            wrong => format!("{}, and {wrong}", text.trim_end()),
        },
    )
}

#[cfg(test)]
mod tests {
    use superlance_core::options::regex::parse_regex;

    use super::*;

    fn judge(rules: Vec<Rule>, pieces: &[&[u8]]) -> Judgement {
        let expectation = Expectation { rules, ..Expectation::default() };
        let mut reading = expectation.reading();
        pieces.iter().for_each(|piece| reading.feed(piece));
        reading.conclude()
    }

    #[track_caller]
    fn check(rule: Rule, body: &str, wrong: Option<&str>) {
        let (start, end) = body.as_bytes().split_at(body.len() / 2);
        let judgement = judge(vec![rule], &[start, end]);
        assert_eq!(judgement, Judgement { wrong: wrong.map(str::to_owned), note: None }, "{body}");
    }

    fn regex(text: &str) -> Regex {
        parse_regex(text).unwrap()
    }

    #[test]
    fn statuses() {
        for (text, range) in [
            ("200", 200..=200),
            (" +404 ", 404..=404),
            ("2xx", 200..=299),
            ("5XX", 500..=599),
            ("200-399", 200..=399),
            ("204 - 204", 204..=204),
        ] {
            assert_eq!(parse_statuses(text), Ok(range), "{text}");
        }
        for bad in
            ["", "OK", "99", "1000", "0xx", "xx", "20x", "399-200", "2xx-3xx", "-200", "200-"]
        {
            let error = parse_statuses(bad).unwrap_err();
            assert!(error.starts_with("expected an HTTP status such as 200"), "{bad}: {error}");
        }
    }

    #[test]
    fn without_any_status_it_is_200() {
        let none = Expectation::default();
        assert!(none.includes(200) && !none.includes(201));
        let some = Expectation { statuses: vec![204..=204, 300..=399], rules: vec![] };
        assert!(some.includes(204) && some.includes(302) && !some.includes(200));
    }

    #[test]
    fn texts_and_expressions() {
        check(Rule::Contains("b c".into()), "ab cd", None);
        check(Rule::Contains("x".into()), "ab cd", Some(""));
        check(Rule::Lacks("x".into()), "ab cd", None);
        check(Rule::Lacks("b c".into()), "ab cd", Some("its body has the text \"b c\""));
        check(Rule::Matches(regex("(?i)OK|well")), "all is well", None);
        check(Rule::Matches(regex("^ok$")), "well", Some("its body has no match of ^ok$"));
        check(Rule::LacksMatch(regex("err(or)?")), "well", None);
        check(Rule::LacksMatch(regex("err")), "an error", Some("its body has a match of err"));
    }

    #[test]
    fn all_rules_must_hold_and_the_first_that_does_not_is_named() {
        let rules = || vec![Rule::Contains("a".into()), Rule::Lacks("b".into())];
        assert_eq!(judge(rules(), &[b"a"]).wrong, None);
        assert_eq!(judge(rules(), &[b"ab"]).wrong.unwrap(), "its body has the text \"b\"");
        assert_eq!(judge(rules(), &[b"b"]).wrong.unwrap(), "");
    }

    #[test]
    fn a_long_body_is_kept_in_part_and_searched_in_full() {
        let (piece, end) = (vec![b' '; 700_000], b"end");
        let pieces = [&piece[..], &piece, &end[..]];
        let judgement = judge(vec![Rule::Contains("end".into())], &pieces);
        assert_eq!(judgement, Judgement { wrong: None, note: None });
        let judgement = judge(vec![Rule::LacksMatch(regex("end"))], &pieces);
        assert_eq!(judgement.wrong, None);
        let note = "its body is longer than 1 MiB, of which no more was judged";
        assert_eq!(judgement.note.as_deref(), Some(note));
        let judgement = judge(vec![Rule::Json("/a".parse().unwrap())], &pieces);
        let wrong = "its body is longer than 1 MiB, too long for --json";
        assert_eq!(judgement, Judgement { wrong: Some(wrong.to_owned()), note: None });
    }

    #[test]
    fn words() {
        let text = |status, wrong| failure(Class::Body, "http://h/", status, wrong).text;
        assert_eq!(text("200 OK", ""), "status contacting http://h/: 200 OK");
        assert_eq!(text("500 ", ""), "status contacting http://h/: 500 ");
        assert_eq!(text("200 ", "x"), "status contacting http://h/: 200, and x");
    }
}
