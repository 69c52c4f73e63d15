//! What is wrong with the keys of a program, in the words of the original where it has some. Pure.

use litemap::LiteMap;
use superlance_core::system::python::repr;

use crate::keys::{CHECK, WAIT_FOR};

/// A fault of a program's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It waits for something of this name, which is unknown.
    Unknown(String),
    /// It waits for unknown states, or such as cannot be waited for.
    States(Vec<String>),
    /// supervisord starts it by itself; whether `autostart` is written.
    Autostart { is_written: bool },
    /// It waits for the health of the program in this section, whose check is missing, or wrong for
    /// this reason.
    Check { parent: String, wrong: Option<String> },
    /// The value of this key is none.
    Value { key: String, reason: String },
    /// It waits for itself, through these programs, each with those that it waits for.
    Cycle(LiteMap<String, Vec<String>>),
}

impl Fault {
    /// The sentence about the program of this name, in this section.
    #[must_use]
    pub fn text(&self, name: &str, section: &str) -> String {
        match self {
            Self::Unknown(unknown) => {
                format!("Service '{name}' depends on unknown service '{unknown}'")
            }
            Self::States(states) => {
                let states: Vec<_> = states.iter().map(|state| format!("'{state}'")).collect();
                let states = states.join(", ");
                format!("invalid state {states} in '{WAIT_FOR}' for '{section}'")
            }
            Self::Check { parent, wrong } => {
                let what = match wrong {
                    Some(reason) => format!("is wrong: {reason}"),
                    None => "is missing".to_owned(),
                };
                format!("Service '{name}' waits for the health of '{parent}', whose {CHECK} {what}")
            }
            Self::Autostart { is_written } => format!(
                "Service '{name}' config has dependent_startup set to True, which requires autostart \
                 to be set explicitly to false. autostart is currently {}",
                if *is_written { "True" } else { "not set" }
            ),
            Self::Value { key, reason } => {
                format!("Error when parsing section '{section}' field: {key}: {reason}")
            }
            Self::Cycle(members) => {
                let set = |names: &Vec<String>| {
                    names.iter().map(|name| repr(name)).collect::<Vec<_>>().join(", ")
                };
                let member = |(name, waits_for): (&String, &Vec<String>)| {
                    format!("{name}:{{{}}}", set(waits_for))
                };
                let members = members.iter().map(member).collect::<Vec<_>>().join(", ");
                format!(
                    "Cirular dependencies detected: Circular dependencies exist among these items: \
                     {{{members}}}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_original() {
        let unknown = Fault::Unknown("b".to_owned());
        let said = "Service 'a' depends on unknown service 'b'";
        assert_eq!(unknown.text("a", "program:a"), said);
        let states = Fault::States(vec!["X".to_owned(), "STOPPED".to_owned()]);
        let said = "invalid state 'X', 'STOPPED' in 'dependent_startup_wait_for' for 'program:a'";
        assert_eq!(states.text("a", "program:a"), said);
        let members = [("a", "b"), ("b", "a")];
        let members = members.map(|(name, other)| (name.to_owned(), vec![other.to_owned()]));
        let said = "Cirular dependencies detected: Circular dependencies exist among these items: \
                    {a:{'b'}, b:{'a'}}";
        assert_eq!(Fault::Cycle(members.into_iter().collect()).text("a", "program:a"), said);
    }
}
