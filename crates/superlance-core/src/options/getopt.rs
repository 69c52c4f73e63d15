//! Command lines as the original's getopt and optparse read them.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Error};

use crate::system::log::{Log, without_password};

/// Makes `command` read options as the original does.
///
/// Long options may be cut short as long as they are unambiguous among `names`, the original's own;
/// such a prefix keeps its meaning when options are added here, which is why each is an alias rather
/// than left to clap's inference. Single values may be given again, the last one counts. A value may
/// begin with `-`.
#[must_use]
pub fn as_getopt(command: Command, names: &[&'static str]) -> Command {
    let command = command.infer_long_args(true).args_override_self(true);
    command.disable_version_flag(true).mut_args(|arg| {
        let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
        let arg =
            if takes_value && !arg.is_positional() { arg.allow_hyphen_values(true) } else { arg };
        match arg.get_long().and_then(|long| names.iter().find(|name| **name == long)) {
            Some(name) => arg.aliases(prefixes(name, names)),
            None => arg,
        }
    })
}

/// The same error, with better hints if it is about an unknown option: whole options in place of the
/// prefixes among which clap looks for similar ones, all that an ambiguous prefix may mean, and no
/// advice to put `--` before it.
#[must_use]
pub fn with_hints(mut error: Error, command: &Command) -> Error {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(option)) => option.strip_prefix("--"),
        _ => None,
    };
    let given = of(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument);
    let Some(given) = given else { return error };
    let shown = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    let begins = |arg: &&Arg| arg.get_long().is_some_and(|long| long.starts_with(given));
    let mut hints: Vec<_> = shown().filter(begins).filter_map(Arg::get_long).collect();
    if let (true, Some(similar)) = (hints.is_empty(), of(ContextKind::SuggestedArg)) {
        let means = |arg: &&Arg| arg.get_all_aliases().unwrap_or_default().contains(&similar);
        hints.push(shown().find(means).and_then(Arg::get_long).unwrap_or(similar));
    }
    let hints: Vec<_> = hints.into_iter().map(|long| format!("--{long}")).collect();
    if !hints.is_empty() {
        error.insert(ContextKind::SuggestedArg, ContextValue::Strings(hints));
    }
    error.remove(ContextKind::Suggested);
    error
}

/// Says which arguments are ignored. They are no error, since the original ignores them in silence, and
/// a configuration that worked must not lose its listener.
pub fn warn_of_stray(name: &str, stray: &[OsString], log: &Log) {
    if !stray.is_empty() {
        let words = stray.iter().map(|word| without_password(&word.to_string_lossy()));
        let words: Vec<_> = words.collect();
        let words = words.join(" ");
        log.line(format_args!("{name}: ignored, since no option takes the first of them: {words}"));
    }
}

/// The beginnings of `name` that mean nothing else among `names`.
fn prefixes(name: &'static str, names: &[&'static str]) -> Vec<&'static str> {
    let lengths = 1..name.len();
    let unique = |prefix: &&str| names.iter().filter(|name| name.starts_with(prefix)).count() == 1;
    lengths.filter_map(|length| name.get(..length)).filter(unique).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_counts_while_it_is_unambiguous() {
        let names = ["any", "eager", "email"];
        assert_eq!(prefixes("any", &names), ["a", "an"]);
        assert_eq!(prefixes("email", &names), ["em", "ema", "emai"]);
    }
}
