//! Placeholders for what differs between the processes of a pool: `{num+8000}`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in a URL (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A process, as placeholders see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    pub group: &'a str,
    pub name: &'a str,
    pub pid: u32,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Plain,
    /// With `%XX`.
    Url,
    /// In quotes for the shell, whose own `${name}` is left alone.
    Shell,
}

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name,
    Group,
    Pid,
    /// The digits at the end of the name, as they are.
    Digits,
    /// The same as a number of so many digits at least.
    Padded(usize),
    /// The same as a number, and so much more.
    Sum(u64),
}

impl Template {
    /// A text in which nothing is a placeholder.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())], form: Form::Plain }
    }

    /// Parses placeholders.
    ///
    /// # Errors
    /// When braces hold something else, unless it is the shell's.
    pub fn parse(text: &str, form: Form) -> Result<Self, String> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            let inner =
                after.split_once('}').filter(|_| form != Form::Shell || !before.ends_with('$'));
            match inner.and_then(|(word, after)| Some((placeholder(word)?, after))) {
                Some((part, after)) => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(part);
                    rest = after;
                }
                None if form == Form::Shell => {
                    plain.push('{');
                    rest = after;
                }
                None => return Err(unknown(text, after)),
            }
        }
        parts.push(Part::Text(plain + rest));
        Ok(Self { parts, form })
    }

    /// The text for a process.
    ///
    /// # Errors
    /// When it needs digits, and the name ends with none.
    pub fn expand(&self, subject: Subject<'_>) -> Result<String, String> {
        self.parts.iter().map(|part| self.value(part, subject)).collect()
    }

    fn value(&self, part: &Part, subject: Subject<'_>) -> Result<String, String> {
        let value = match part {
            Part::Text(text) => return Ok(text.clone()),
            Part::Name => subject.name.to_owned(),
            Part::Group => subject.group.to_owned(),
            Part::Pid => subject.pid.to_string(),
            Part::Digits => digits(subject)?.to_owned(),
            Part::Padded(width) => format!("{:0width$}", number(subject)?),
            Part::Sum(more) => {
                let sum = number(subject)?.checked_add(*more);
                sum.ok_or_else(|| too_large(subject))?.to_string()
            }
        };
        Ok(match self.form {
            Form::Plain => value,
            Form::Url => utf8_percent_encode(&value, RESERVED).to_string(),
            Form::Shell => format!("'{}'", value.replace('\'', r"'\''")),
        })
    }
}

fn placeholder(word: &str) -> Option<Part> {
    match word {
        "name" => Some(Part::Name),
        "group" => Some(Part::Group),
        "pid" => Some(Part::Pid),
        "num" => Some(Part::Digits),
        word => {
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let rest = word.strip_prefix("num")?;
            let sum = rest.strip_prefix('+').filter(|text| digits(text));
            let width = rest.strip_prefix(':').filter(|text| digits(text));
            match (sum, width) {
                (Some(more), _) => more.parse().ok().map(Part::Sum),
                (_, Some(width)) => {
                    width.parse().ok().filter(|width| (1..=20).contains(width)).map(Part::Padded)
                }
                (None, None) => None,
            }
        }
    }
}

fn unknown(text: &str, after: &str) -> String {
    let word = after.split(['}', '/', ' ']).next().unwrap_or_default();
    format!(
        "{text:?} has {{{word}}}, which is none of {{name}}, {{group}}, {{pid}}, {{num}}, {{num:2}} \
         (two digits) and {{num+8000}}"
    )
}

/// The digits at the end of the name.
fn digits(subject: Subject<'_>) -> Result<&str, String> {
    let name = subject.name;
    let start = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    match name.get(start..) {
        Some("") | None => Err(format!(
            "{}:{name} has no digits at the end of its name, which {{num}} stands for",
            subject.group
        )),
        Some(digits) => Ok(digits),
    }
}

fn number(subject: Subject<'_>) -> Result<u64, String> {
    digits(subject)?.parse().map_err(|_| too_large(subject))
}

fn too_large(subject: Subject<'_>) -> String {
    format!("the number of {}:{} is too large for {{num}}", subject.group, subject.name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use superlance_core::system::command::Shell;

    use super::*;

    fn subject(name: &str) -> Subject<'_> {
        Subject { group: "g", name, pid: 77 }
    }

    fn expand(text: &str, form: Form, name: &str) -> Result<String, String> {
        Template::parse(text, form)?.expand(subject(name))
    }

    #[test]
    fn values() {
        for (text, expected) in [
            ("http://h:{num+8000}/{name}", "http://h:8007/web_07"),
            ("{group}:{pid}", "g:77"),
            ("{num}{num:1}{num:3}", "077007"),
            ("{num+0}", "7"),
            ("no}ne", "no}ne"),
            ("", ""),
        ] {
            assert_eq!(expand(text, Form::Plain, "web_07").as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn in_a_url_they_are_encoded_and_for_the_shell_quoted() {
        assert_eq!(expand("/{name}", Form::Url, "é/a b&1").as_deref(), Ok("/%C3%A9%2Fa%20b%261"));
        assert_eq!(expand("x {name}", Form::Shell, "it's").as_deref(), Ok(r"x 'it'\''s'"));
        let text = "f() { echo ${name} ${num}; }; f {name}";
        let expected = "f() { echo ${name} ${num}; }; f 'web'";
        assert_eq!(expand(text, Form::Shell, "web").as_deref(), Ok(expected));
        assert_eq!(expand("a {b", Form::Shell, "web").as_deref(), Ok("a {b"));
    }

    #[test]
    fn a_name_without_digits_and_one_with_too_many() {
        for (name, why) in [
            ("web", "g:web has no digits at the end of its name, which {num} stands for"),
            ("1web", "g:1web has no digits at the end of its name, which {num} stands for"),
            (
                "w99999999999999999999999",
                "the number of g:w99999999999999999999999 is too large for {num}",
            ),
            (
                "w18446744073709551615",
                "the number of g:w18446744073709551615 is too large for {num}",
            ),
        ] {
            assert_eq!(expand("{num+1}", Form::Plain, name).unwrap_err(), why);
        }
    }

    #[test]
    fn what_is_no_placeholder() {
        for (text, word) in [
            ("{nmu}", "{nmu}"),
            ("{num-1}", "{num-1}"),
            ("{num:0}", "{num:0}"),
            ("{num:21}", "{num:21}"),
            ("{num+}", "{num+}"),
            ("{num+99999999999999999999}", "{num+99999999999999999999}"),
            ("{}", "{}"),
            ("{", "{}"),
        ] {
            let error = Template::parse(text, Form::Url).unwrap_err();
            assert!(error.contains(&format!("has {word}, which is none of {{name}}")), "{error}");
        }
        assert_eq!(Template::of_text("{x}").expand(subject("w")).as_deref(), Ok("{x}"));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[{}a-z:+$0-9]{0,12}", name in "\\PC{0,6}") {
            for form in [Form::Plain, Form::Url, Form::Shell] {
                let _ = expand(&text, form, &name);
            }
        }

        #[test]
        fn no_url_is_broken_by_a_name(name in "\\PC{1,8}") {
            let url = expand("http://h/{name}/x", Form::Url, &name).unwrap();
            prop_assert!(superlance_core::options::url::Target::parse(&url).is_ok());
            prop_assert_eq!(url.matches('/').count(), 4);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn no_name_is_read_by_the_shell(name in r#"[a-c'"$`\\ ;&|(){}*!\n-]{1,12}"#) {
            let command = expand("printf '<%s>' {name}", Form::Shell, &name).unwrap();
            prop_assert_eq!(Shell::new(command).output().output, format!("<{name}>"));
        }
    }
}
