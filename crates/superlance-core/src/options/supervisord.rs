//! The command line of supervisord. Pure.

/// The configuration file in a command line of supervisord; words before `supervisord`, such as an
/// interpreter, are none of its options.
pub fn configuration<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut words = words.into_iter().skip_while(|word| !word.ends_with("supervisord"));
    let value = words.find_map(|word| match word.strip_prefix("--") {
        Some(long) if long.starts_with("conf") => Some(long.split_once('=').map_or("", |(_, v)| v)),
        Some(_) => None,
        // Options without a value may stand before it: -nc FILE.
        None => word.strip_prefix('-')?.trim_start_matches(['n', 'k', 's', 't']).strip_prefix('c'),
    })?;
    match value {
        "" => words.next().map(str::to_owned),
        value => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_found_in_every_spelling() {
        for options in [
            "-n -c /a.conf",
            "-c/a.conf",
            "-nc /a.conf",
            "--configuration=/a.conf -n",
            "--configuration /a.conf -n",
        ] {
            let line = format!("/usr/bin/python3 /usr/bin/supervisord {options}");
            assert_eq!(configuration(line.split(' ')).as_deref(), Some("/a.conf"), "{options}");
        }
        for other in ["supervisord -n", "sh -c crashmail -m a@b", ""] {
            assert_eq!(configuration(other.split(' ')), None, "{other}");
        }
    }
}
