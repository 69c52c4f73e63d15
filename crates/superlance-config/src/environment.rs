//! `environment=`: pairs like `A="1",B="2"`, split as Python's shlex splits them for supervisor. Pure.

/// What an `environment=` gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    pub pairs: Vec<(String, String)>,
    /// What is lost without a word: text after a `#`, or between a value and the next name.
    pub lost: Vec<String>,
}

impl Pairs {
    /// Reads the pairs.
    ///
    /// # Errors
    /// With supervisor's reason, when there is something other than `KEY=value` between commas.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (words, mut lost) = split(text)?;
        let mut pairs = Vec::new();
        let mut rest = words.as_slice();
        while let [key, equals, value, tail @ ..] = rest {
            if equals != "=" {
                break;
            }
            pairs.push((key.clone(), value.trim_matches(['\'', '"']).to_owned()));
            rest = match tail {
                [separator, tail @ ..] => {
                    if separator != "," {
                        lost.push(separator.clone());
                    }
                    tail
                }
                [] => tail,
            };
        }
        match rest.is_empty() {
            true => Ok(Self { pairs, lost }),
            false => Err(format!("Unexpected end of key/value pairs in value {}", quoted(text))),
        }
    }
}

/// supervisor puts the value in quotes without escaping any.
fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// The words, and the comments.
fn split(text: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_/.+-():".contains(c);
    let (mut words, mut comments) = (Vec::new(), Vec::new());
    let mut word = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => finish(&mut word, &mut words),
            '#' => {
                let (comment, after) =
                    rest.as_str().split_once('\n').unwrap_or((rest.as_str(), ""));
                comments.push(format!("#{comment}"));
                rest = after.chars();
            }
            '\'' | '"' if word.is_empty() => {
                let Some((inside, after)) = rest.as_str().split_once(c) else {
                    return Err("No closing quotation".to_owned());
                };
                words.push(format!("{c}{inside}{c}"));
                rest = after.chars();
            }
            c if is_word(c) || c == '\'' || c == '"' => word.push(c),
            c => {
                finish(&mut word, &mut words);
                words.push(c.to_string());
            }
        }
    }
    finish(&mut word, &mut words);
    Ok((words, comments))
}

fn finish(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// How a value is written so that nothing of it is lost.
#[must_use]
pub fn quote(value: &str) -> String {
    match value.contains('"') {
        true => format!("'{value}'"),
        false => format!("\"{value}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked with supervisor.datatypes.dict_of_key_value_pairs of 4.3.0.
    #[test]
    fn pairs_are_read_as_supervisor_reads_them() {
        let ok = |pairs: &[(&str, &str)], lost: &[&str]| {
            Ok(Pairs {
                pairs: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
                lost: lost.iter().map(|lost| (*lost).to_owned()).collect(),
            })
        };
        for (text, expected) in [
            ("", ok(&[], &[])),
            ("A=1,B=\"x,y\"", ok(&[("A", "1"), ("B", "x,y")], &[])),
            ("A='1' , B=/bin:/usr,", ok(&[("A", "1"), ("B", "/bin:/usr")], &[])),
            ("A=1\nB=2", Err("Unexpected end of key/value pairs in value 'A=1\nB=2'".to_owned())),
            ("A=x?y=1", ok(&[("A", "x"), ("y", "1")], &["?"])),
            ("A=x#y,B=2", ok(&[("A", "x")], &["#y,B=2"])),
            ("A=\"x#y\",B=2", ok(&[("A", "x#y"), ("B", "2")], &[])),
            ("A=x\"y\"z", ok(&[("A", "x\"y\"z")], &[])),
            ("A=a b", ok(&[("A", "a")], &["b"])),
            ("A=a b,B=c", Err("Unexpected end of key/value pairs in value 'A=a b,B=c'".to_owned())),
            ("A", Err("Unexpected end of key/value pairs in value 'A'".to_owned())),
            ("A=,B=1", Err("Unexpected end of key/value pairs in value 'A=,B=1'".to_owned())),
            ("A=\"x", Err("No closing quotation".to_owned())),
        ] {
            assert_eq!(Pairs::parse(text), expected, "{text}");
        }
    }
}
