//! Rules for answers in JSON: a pointer (RFC 6901) and what stands there.

use std::str::FromStr;

use serde_json::Value;
use superlance_core::system::truncate;

/// The longest body that is read as JSON.
pub(crate) const MAX_JSON: usize = 1 << 20;

/// How much of a value is shown.
const SHOWN: usize = 100;

/// A rule such as `/db/lag<30`.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonRule {
    pointer: String,
    comparison: Comparison,
}

#[derive(Debug, Clone, PartialEq)]
enum Comparison {
    /// There is something.
    Exists,
    Equals(Value),
    Differs(Value),
    Below(f64),
    Above(f64),
}

impl FromStr for JsonRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pointer, rest) = text.split_at(text.find(['=', '!', '<', '>']).unwrap_or(text.len()));
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(format!("{text:?} does not begin with a pointer such as /status"));
        }
        let comparison = if rest.is_empty() {
            Comparison::Exists
        } else if let Some(value) = rest.strip_prefix("!=") {
            Comparison::Differs(value_of(value))
        } else if let Some(value) = rest.strip_prefix('=') {
            Comparison::Equals(value_of(value))
        } else if let Some(number) = rest.strip_prefix('<') {
            Comparison::Below(number_of(number)?)
        } else if let Some(number) = rest.strip_prefix('>') {
            Comparison::Above(number_of(number)?)
        } else {
            return Err(format!("{text:?}: expected =, !=, < or > after the pointer"));
        };
        Ok(Self { pointer: pointer.to_owned(), comparison })
    }
}

/// JSON where it can be read as that, else a string.
fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn number_of(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| {
        format!("{text:?} is not a number, and only numbers are compared by < and >")
    })
}

impl JsonRule {
    /// What is wrong with this body, if something is.
    pub(crate) fn wrong(&self, body: &[u8]) -> Option<String> {
        let document: Value = match serde_json::from_slice(body) {
            Ok(document) => document,
            Err(error) => return Some(format!("its body is not JSON ({error})")),
        };
        let pointer = &self.pointer;
        let Some(found) = document.pointer(pointer) else {
            return Some(format!("its body has no {pointer}"));
        };
        let number = found.as_f64();
        let (holds, expected) = match &self.comparison {
            Comparison::Exists => return None,
            Comparison::Equals(value) => (is_same(found, value), format!("not {value}")),
            Comparison::Differs(value) => (!is_same(found, value), String::new()),
            Comparison::Below(limit) => {
                (number.is_some_and(|n| n < *limit), format!("not below {limit}"))
            }
            Comparison::Above(limit) => {
                (number.is_some_and(|n| n > *limit), format!("not above {limit}"))
            }
        };
        if holds {
            return None;
        }
        let found = found.to_string();
        let cut = if found.len() > SHOWN { "…" } else { "" };
        let separator = if expected.is_empty() { "" } else { ", " };
        let shown = truncate::beginning(&found, SHOWN);
        Some(format!("{pointer} is {shown}{cut}{separator}{expected}"))
    }
}

/// Numbers are the same when their values are: 1 and 1.0.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = r#"{"status": "ok", "n": 7, "part": 0.5, "up": true, "db": {"lag": "x", "a/b": [1, 2]}, "none": null}"#;

    #[track_caller]
    fn check(rule: &str, wrong: Option<&str>) {
        let parsed: JsonRule = rule.parse().unwrap();
        assert_eq!(parsed.wrong(BODY.as_bytes()).as_deref(), wrong, "{rule}");
    }

    #[test]
    fn rules_that_hold() {
        for rule in [
            "/status",
            "",
            "/none",
            "/status=ok",
            r#"/status="ok""#,
            "/status!=bad",
            "/n=7",
            "/n=7.0",
            "/n<8",
            "/n>6.5",
            "/part<1",
            "/up=true",
            "/db/a~1b/1=2",
            "/db/a~1b=[1,2]",
            "/none=null",
            "/n!=x",
        ] {
            check(rule, None);
        }
    }

    #[test]
    fn rules_that_do_not_hold_say_what_is_there() {
        check("/status=down", Some("/status is \"ok\", not \"down\""));
        check("/status!=ok", Some("/status is \"ok\""));
        check("/n<7", Some("/n is 7, not below 7"));
        check("/n>7", Some("/n is 7, not above 7"));
        check("/up=yes", Some("/up is true, not \"yes\""));
        check("/n=\"7\"", Some("/n is 7, not \"7\""));
        check("/db/lag<30", Some("/db/lag is \"x\", not below 30"));
        check("/none>0", Some("/none is null, not above 0"));
        for rule in ["/gone", "/gone=1", "/gone!=1", "/gone<1", "/gone>1"] {
            check(rule, Some("its body has no /gone"));
        }
    }

    #[test]
    fn what_is_no_json() {
        let rule: JsonRule = "/a".parse().unwrap();
        for body in ["", "{", "<html>", &"[".repeat(200_000)] {
            let wrong = rule.wrong(body.as_bytes()).unwrap();
            assert!(wrong.starts_with("its body is not JSON ("), "{wrong}");
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        let body = format!("{{\"a\": \"{}\"}}", "é".repeat(1000));
        let rule: JsonRule = "/a=x".parse().unwrap();
        assert!(rule.wrong(body.as_bytes()).unwrap().len() < 200);
    }

    #[test]
    fn what_is_no_rule() {
        for (text, expected) in [
            ("status=ok", "does not begin with a pointer such as /status"),
            ("/a!x", "expected =, !=, < or > after the pointer"),
            ("/a<b", "\"b\" is not a number"),
            ("/a>", "\"\" is not a number"),
            ("/a<NaN", "\"NaN\" is not a number"),
        ] {
            let error = text.parse::<JsonRule>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(rule in "(/[a-z~01]{0,3}){0,3}(=|!=|<|>)?\\PC{0,5}", body in "\\PC{0,20}") {
            if let Ok(rule) = rule.parse::<JsonRule>() {
                let _ = rule.wrong(body.as_bytes());
            }
        }
    }
}
