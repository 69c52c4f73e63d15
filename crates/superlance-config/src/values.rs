//! What values mean to supervisor, and the texts with which it refuses others. Pure.

use superlance_core::system::python::repr;

/// A conversion of supervisor.datatypes.
pub(crate) type Convert<T> = fn(&str) -> Result<T, String>;

/// # Errors
/// When it is none of the words that supervisor knows for yes and no.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        other => Err(format!("not a valid boolean value: {}", repr(other))),
    }
}

/// # Errors
/// When it is no number.
pub fn integer(text: &str) -> Result<i64, String> {
    let bad = || format!("invalid literal for int() with base 10: {}", repr(text));
    digits(text).and_then(|digits| digits.parse().ok()).ok_or_else(bad)
}

/// Python lets single underscores stand between digits.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let is_well = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    is_well.then(|| text.replace('_', ""))
}

/// # Errors
/// When it is no number with or without KB, MB or GB.
pub fn byte_size(text: &str) -> Result<i64, String> {
    let text = text.to_lowercase();
    for (suffix, factor) in [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)] {
        if let Some(number) = text.strip_suffix(suffix) {
            return integer(number).map(|number| number.saturating_mul(factor));
        }
    }
    integer(&text)
}

pub(crate) fn octal(text: &str) -> Result<u32, String> {
    let bad = || format!("{text} can not be converted to an octal type");
    let digits = digits(text).ok_or_else(bad)?;
    let digits = digits.strip_prefix("0o").or(digits.strip_prefix("0O")).unwrap_or(&digits);
    u32::from_str_radix(digits, 8).map_err(|_| bad())
}

/// Names without blanks, colons and slashes, which would break the protocol of events.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    match " :/".chars().find(|c| text.contains(*c)) {
        Some(c) => Err(format!(
            "Invalid name: {} because of character: {}",
            repr(text),
            repr(&c.to_string())
        )),
        None => Ok(text.to_owned()),
    }
}

pub(crate) fn list(text: &str) -> Result<Vec<String>, String> {
    Ok(match text.is_empty() {
        true => Vec::new(),
        false => text.split(',').map(|word| word.trim().to_owned()).collect(),
    })
}

pub(crate) fn exit_codes(text: &str) -> Result<Vec<i64>, String> {
    let bad = || format!("not a valid list of exit codes: {}", repr(text));
    let codes: Result<Vec<_>, _> = list(text)?.iter().map(|code| integer(code)).collect();
    let codes = codes.map_err(|_| bad())?;
    match codes.iter().all(|code| (0..=255).contains(code)) {
        true => Ok(codes),
        false => Err(bad()),
    }
}

/// When a program is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Autorestart {
    Never,
    #[default]
    Unexpected,
    Always,
}

pub(crate) fn autorestart(text: &str) -> Result<Autorestart, String> {
    match (text.to_lowercase().as_str(), boolean(text)) {
        ("unexpected", _) => Ok(Autorestart::Unexpected),
        (_, Ok(true)) => Ok(Autorestart::Always),
        (_, Ok(false)) => Ok(Autorestart::Never),
        (other, Err(_)) => Err(format!("invalid 'autorestart' value {}", repr(other))),
    }
}

/// Names in Python's signal module on Linux, without their SIG.
const SIGNALS: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS",
    "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
    "XFSZ",
];

pub(crate) fn signal(text: &str) -> Result<String, String> {
    let word = text.trim().to_uppercase();
    let name = word.strip_prefix("SIG").unwrap_or(&word);
    match integer(text) {
        Ok(0..=31 | 34 | 64) => Ok(word),
        Ok(_) => Err(format!("value {} is not a valid signal number", repr(text))),
        Err(_) if SIGNALS.contains(&name) => Ok(name.to_owned()),
        Err(_) => Err(format!("value {} is not a valid signal name", repr(text))),
    }
}

pub(crate) fn log_level(text: &str) -> Result<(), String> {
    let names = ["blather", "trace", "debug", "info", "warn", "error", "critical"];
    match text.to_lowercase() {
        level if names.contains(&level.as_str()) => Ok(()),
        _ => Err(format!("bad logging level name {}", repr(text))),
    }
}

/// Host and port that an `[inet_http_server]` listens at; every address if the host is empty.
///
/// # Errors
/// When the port is none.
pub fn inet_address(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let number = integer(port).ok().and_then(|port| u16::try_from(port).ok()).filter(|p| *p > 0);
    let host = if host == "*" { String::new() } else { host.to_lowercase() };
    number
        .map(|port| (host, port))
        .ok_or_else(|| format!("not a valid port number: {}", repr(port)))
}

/// Where the output of a process goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogFile {
    None,
    /// A file with a name of supervisord's choice, in `childlogdir`.
    #[default]
    Auto,
    Syslog,
    Path(String),
}

pub(crate) fn log_file(text: &str) -> LogFile {
    match text.to_lowercase().as_str() {
        "none" | "off" => LogFile::None,
        "auto" => LogFile::Auto,
        "syslog" => LogFile::Syslog,
        _ => LogFile::Path(text.to_owned()),
    }
}
