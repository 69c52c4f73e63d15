//! Rules for answers in JSON: a pointer (RFC 6901) and what stands there.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use superlance_core::system::truncate;

/// The longest body that is read as JSON.
pub(crate) const MAX_JSON: usize = 1 << 20;

/// The longest value that is compared. Values take thirty times as much memory as their text, and there
/// are 16 checks at once.
const COMPARED: usize = 64 << 10;

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
        let pointer = &self.pointer;
        let found = match find(body, pointer) {
            Ok(Some(found)) => found,
            Ok(None) => return Some(format!("its body has no {pointer}")),
            Err(error) => return Some(format!("its body is not JSON ({error})")),
        };
        let value = Some(found.get()).filter(|text| text.len() <= COMPARED);
        let value: Option<Value> = value.and_then(|text| serde_json::from_str(text).ok());
        let number = value.as_ref().and_then(Value::as_f64);
        let is = |other| value.as_ref().is_some_and(|value| is_same(value, other));
        let (holds, expected) = match &self.comparison {
            Comparison::Exists => return None,
            Comparison::Equals(other) => (is(other), format!(", not {other}")),
            Comparison::Differs(other) => (!is(other), String::new()),
            Comparison::Below(limit) => {
                (number.is_some_and(|n| n < *limit), format!(", not below {limit}"))
            }
            Comparison::Above(limit) => {
                (number.is_some_and(|n| n > *limit), format!(", not above {limit}"))
            }
        };
        let shown = value.map_or_else(|| found.get().to_owned(), |value| value.to_string());
        let cut = if shown.len() > SHOWN { "…" } else { "" };
        let shown = truncate::beginning(&shown, SHOWN).replace(['\n', '\r'], " ");
        (!holds).then(|| format!("{pointer} is {shown}{cut}{expected}"))
    }
}

/// The text of what a pointer leads to. The document is read once for each step, and not kept.
fn find<'a>(body: &'a [u8], pointer: &str) -> serde_json::Result<Option<&'a RawValue>> {
    let mut found: &RawValue = serde_json::from_slice(body)?;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if !found.get().starts_with(['{', '[']) {
            return Ok(None);
        }
        let mut document = serde_json::Deserializer::from_str(found.get());
        match (&mut document).deserialize_any(Member(&token))? {
            Some(member) => found = member,
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// Looks for one member of an object or an array.
struct Member<'a>(&'a str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if name == self.0 {
                found = Some(value);
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let is_plain = self.0 == "0" || !self.0.starts_with(['0', '+']);
        let wanted: Option<usize> = self.0.parse().ok().filter(|_| is_plain);
        let (mut found, mut number) = (None, 0);
        while let Some(value) = array.next_element()? {
            if wanted == Some(number) {
                found = Some(value);
            }
            number += 1;
        }
        Ok(found)
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
        for body in ["", "{", "<html>", "{} {}", "{\"a\": 1]", &"[".repeat(200_000)] {
            let wrong = rule.wrong(body.as_bytes()).unwrap();
            assert!(wrong.starts_with("its body is not JSON ("), "{wrong}");
        }
    }

    /// As in `serde_json`, the last of two members with the same name counts.
    #[test]
    fn pointers_lead_where_those_of_serde_json_do() {
        let text =
            r#"{"a": [1, {"b": 2}], "": {"": 3}, "a~b": 4, "a/b": 5, "a": [6, 7], "0": {"-": 8}}"#;
        let document: Value = serde_json::from_str(text).unwrap();
        for pointer in [
            "", "/", "//", "/a", "/a/0", "/a/1", "/a/1/b", "/a/01", "/a/+1", "/a/-", "/a/2",
            "/a~0b", "/a~1b", "/0/-", "/a/0/x",
        ] {
            let found = find(text.as_bytes(), pointer).unwrap();
            let found = found.map(|raw| serde_json::from_str::<Value>(raw.get()).unwrap());
            assert_eq!(found.as_ref(), document.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn what_is_nested_deeply_can_be_there_and_is_not_compared() {
        let body = format!("{{\"a\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let wrong = |rule: &str| rule.parse::<JsonRule>().unwrap().wrong(body.as_bytes());
        assert_eq!(wrong("/a"), None);
        assert_eq!(wrong("/a!=1"), None);
        assert!(wrong("/a=1").unwrap().starts_with("/a is [[[["));
        let long = format!("[{}0]", "1,".repeat(100_000));
        let rule: JsonRule = "=1".parse().unwrap();
        assert!(rule.wrong(long.as_bytes()).unwrap().ends_with("…, not 1"));
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
