//! Command lines as the original's getopt and optparse read them.

use std::borrow::Cow;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args as _, Command, Error};

use crate::options::log::LogOptions;
use crate::options::selector::Selector;
use crate::options::url::without_password;
use crate::system::log::Log;

/// Makes `command` read options as the original does.
///
/// Long options may be cut short as long as they are unambiguous among `names`, the original's own;
/// such a prefix keeps its meaning when options are added here, which is why each is an alias rather
/// than left to clap's inference. Single values may be given again, the last one counts. A value may
/// begin with `-`. All of them have a version and [`LogOptions`].
#[must_use]
pub fn as_getopt(command: Command, names: &[&'static str]) -> Command {
    // clap would show the options that were given so far.
    let usage = format!("{} [OPTIONS]", command.get_name());
    let command = command.override_usage(usage).infer_long_args(true).args_override_self(true);
    LogOptions::augment_args(with_version(command)).mut_args(|arg| {
        let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
        let arg =
            if takes_value && !arg.is_positional() { arg.allow_hyphen_values(true) } else { arg };
        match arg.get_long().and_then(|long| names.iter().find(|name| **name == long)) {
            Some(name) => arg.aliases(prefixes(name, names)),
            None => arg,
        }
    })
}

/// Adds `-V` and `--version`, which say `memmon (superlance) 0.2.0`.
#[must_use]
pub fn with_version(command: Command) -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    let version = version.help_heading(None::<&str>).help("Print the version");
    let name = command.get_name().trim_start_matches("superlance ");
    let name = format!("{name} (superlance)");
    let command = command.display_name(name).version(env!("CARGO_PKG_VERSION"));
    command.disable_version_flag(true).arg(version)
}

/// The error without a password, and with helpful tips: whole options instead of the prefixes that
/// clap compares, all meanings of an ambiguous prefix, none that begins with another letter, and no
/// advice to put `--` before an option.
#[must_use]
pub fn with_hints(mut error: Error, command: &Command) -> Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let shown = without_password(value);
        error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
    }
    let hints = match error.kind() {
        ErrorKind::UnknownArgument => similar_options(&error, command),
        _ => return error,
    };
    error.remove(ContextKind::Suggested);
    error.remove(ContextKind::SuggestedArg);
    if !hints.is_empty() {
        error.insert(ContextKind::SuggestedArg, ContextValue::Strings(hints));
    }
    error
}

/// The options that an unknown one may be meant for.
fn similar_options(error: &Error, command: &Command) -> Vec<String> {
    let long = |kind| match error.get(kind) {
        Some(ContextValue::String(option)) => option.strip_prefix("--"),
        _ => None,
    };
    let Some(given) = long(ContextKind::InvalidArg) else { return Vec::new() };
    let shown = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    let begins = |arg: &&Arg| arg.get_long().is_some_and(|long| long.starts_with(given));
    let mut hints: Vec<_> = shown().filter(begins).filter_map(Arg::get_long).collect();
    if let (true, Some(similar)) = (hints.is_empty(), long(ContextKind::SuggestedArg)) {
        let means = |arg: &&Arg| {
            arg.get_long() == Some(similar)
                || arg.get_all_aliases().unwrap_or_default().contains(&similar)
        };
        hints.extend(shown().find(means).and_then(Arg::get_long));
    }
    hints.retain(|long| long.chars().next() == given.chars().next());
    hints.into_iter().map(|long| format!("--{long}")).collect()
}

/// Logs that arguments are ignored. They are no error, since the original ignores them in silence,
/// and a configuration that worked must not lose its listener. Values of options may be among them,
/// and may be secrets, so only the first is shown.
pub fn warn_of_stray(name: &str, stray: &[OsString], log: &Log) {
    if let Some(shown) = first_of(stray.iter().map(|word| word.to_string_lossy())) {
        log.line(format_args!("{name}: ignored, since no option takes the first of them: {shown}"));
    }
}

/// The first of some words, and how many more there are.
#[must_use]
pub fn first_of<'a>(mut words: impl ExactSizeIterator<Item = Cow<'a, str>>) -> Option<String> {
    let first = words.next()?;
    // The part of a URL after its host may be a secret, too.
    let first = match first.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = authority.rsplit('@').next().unwrap_or_default();
            let cut = if host.len() < rest.len() { "…" } else { "" };
            format!("{scheme}://{host}{cut}")
        }
        None => first.into_owned(),
    };
    Some(match words.len() {
        0 => first,
        more => format!("{first} and {more} more"),
    })
}

/// Drops limits without a name, such as `-p =1KB` after an empty `%(ENV_X)s`, and logs that. The
/// original takes the empty name for a process that never comes.
pub fn drop_nameless<T>(
    values: &mut Vec<T>,
    selector: impl Fn(&T) -> &Selector,
    (name, option): (&str, &str),
    log: &Log,
) {
    let given = values.len();
    values.retain(|value| !selector(value).as_str().is_empty());
    if values.len() < given {
        log.line(format_args!(
            "{name}: {option} without a name is ignored: no process has an empty one"
        ));
    }
}

/// The prefixes of `name` that are unambiguous among `names`.
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

    #[test]
    fn of_words_the_first_is_shown_and_no_secret() {
        for (words, expected) in [
            (&["b=2MB"][..], "b=2MB"),
            (&["b=2MB", "--webhook", "https://h/SECRET"], "b=2MB and 2 more"),
            (&["https://u:SECRET@h:1/SECRET?SECRET", "x"], "https://h:1… and 1 more"),
            (&["--webhook=https://h/SECRET"], "--webhook=https://h…"),
            (&["http://h"], "http://h"),
        ] {
            let shown = first_of(words.iter().map(|word| Cow::from(*word)));
            assert_eq!(shown.as_deref(), Some(expected), "{words:?}");
        }
        assert_eq!(first_of(std::iter::empty()), None);
    }
}
