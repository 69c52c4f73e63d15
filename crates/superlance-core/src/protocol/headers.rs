//! The `key:value key:value` lines of supervisord's event protocol.

/// The values of one header line by key.
///
/// Values are not escaped on the wire, and an `identifier = my host:1` puts spaces and colons into
/// `server:`; supervisor's own `childutils.get_headers`, which splits at blanks and then at colons,
/// dies of it. Here a word without `key:` belongs to the value before it, unknown keys do no harm,
/// and where a value imitates a key the last one counts, since supervisord writes its own keys
/// after the identifier.
#[derive(Debug)]
pub(crate) struct Headers<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Headers<'a> {
    /// Parses the first line of `text`.
    #[must_use]
    pub(crate) fn parse(text: &'a str) -> Self {
        let line = text.lines().next().unwrap_or_default();
        // The number of keys that supervisord writes.
        let mut pairs = Vec::with_capacity(8);
        let mut end = line.len();
        // From the right, so that a value's end is known when its key is found.
        for (space, _) in line.bytes().enumerate().rev().filter(|(_, byte)| *byte == b' ') {
            if let Some(pair) = pair(line.get(space + 1..end)) {
                pairs.push(pair);
                end = space;
            }
        }
        pairs.extend(pair(line.get(..end)));
        Self(pairs)
    }

    /// The value of `key`, if the line has it.
    #[must_use]
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|pair| pair.0 == key).map(|pair| pair.1)
    }
}

fn pair(text: Option<&str>) -> Option<(&str, &str)> {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (key, rest) = text?.split_at_checked(text?.bytes().position(|byte| !is_key(byte))?)?;
    let value = rest.strip_prefix(':')?;
    (!key.is_empty()).then(|| (key, value.trim_end()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, key: &str, expected: Option<&str>) {
        assert_eq!(Headers::parse(line).get(key), expected, "{key} in {line:?}");
    }

    #[test]
    fn values_are_found_by_key_whatever_stands_between() {
        let plain =
            "ver:3.0 server:supervisor serial:21 pool:x poolserial:10 eventname:TICK_60 len:15";
        check(plain, "ver", Some("3.0"));
        check(plain, "serial", Some("21"));
        check(plain, "poolserial", Some("10"));
        check(plain, "len", Some("15"));
        check(plain, "absent", None);
        check("len:5 new:thing eventname:X", "len", Some("5"));
        check("processname:my prog groupname:g", "processname", Some("my prog"));
        check("processname:x groupname:", "groupname", Some(""));
        check("first:line\nsecond:line", "second", None);
        check("", "ver", None);
    }

    #[test]
    fn an_identifier_cannot_disturb_what_follows_it() {
        for identifier in ["my host", "a:b", "x serial:9 len:1", " : :: ", "len:", "ünï"] {
            let line = format!("ver:3.0 server:{identifier} serial:21 eventname:TICK_5 len:15");
            check(&line, "serial", Some("21"));
            check(&line, "eventname", Some("TICK_5"));
            check(&line, "len", Some("15"));
            check(&line, "ver", Some("3.0"));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_identifier_disturbs(text in "([a-z:]| |\\PC){0,40}") {
            let line = format!("ver:3.0 server:{text} serial:21 eventname:TICK_5 len:15");
            let headers = Headers::parse(&line);
            for (key, value) in [("serial", "21"), ("eventname", "TICK_5"), ("len", "15")] {
                prop_assert_eq!(headers.get(key), Some(value));
            }
            let _ = Headers::parse(&text);
        }
    }
}
