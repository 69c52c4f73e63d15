//! `--label`: what tells the alerts and metrics of one machine from those of another. Pure.

use std::collections::HashSet;
use std::str::FromStr;

/// A label, as Prometheus and Alertmanager allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub name: String,
    pub value: String,
}

impl Label {
    /// What is wrong with labels of which two have one name, which no service takes.
    #[must_use]
    pub fn given_twice(labels: &[Self]) -> Option<String> {
        let mut names = HashSet::new();
        let again = labels.iter().find(|label| !names.insert(&label.name))?;
        Some(format!("--label {} is given twice: expected each name once", again.name))
    }
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        // Names that begin with __ are Prometheus' own, such as __name__.
        let is_free = !name.starts_with(|c: char| c.is_ascii_digit()) && !name.starts_with("__");
        let is_name = name.chars().all(is_plain) && is_free;
        if name.is_empty() || !is_name || value.is_empty() {
            return Err(
                "expected NAME=VALUE, with letters, digits and _ in NAME but no digit or __ first, such as team=web"
                    .to_owned(),
            );
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_given_once() {
        let labels = |texts: [&str; 2]| texts.map(|text| text.parse::<Label>().unwrap());
        assert_eq!(Label::given_twice(&labels(["a=1", "b=1"])), None);
        let twice = Label::given_twice(&labels(["a=1", "a=2"]));
        assert_eq!(twice.unwrap(), "--label a is given twice: expected each name once");
    }

    #[test]
    fn a_name_is_what_alertmanager_takes_for_one() {
        let (name, value) = ("team_1".to_owned(), "a=b".to_owned());
        assert_eq!("team_1=a=b".parse(), Ok(Label { name, value }));
        for wrong in
            ["", "team", "team=", "=web", "1team=web", "alert-name=x", "__name__=x", "t\u{e9}am=x"]
        {
            assert!(wrong.parse::<Label>().unwrap_err().starts_with("expected NAME=VALUE"));
        }
    }
}
