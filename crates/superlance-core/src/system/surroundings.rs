//! The surroundings of this program, which configurations refer to.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// All variables of the environment that are text.
#[must_use]
pub fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    env::vars_os().filter_map(text).collect()
}

/// The folder that our program is in.
#[must_use]
pub fn program_folder() -> Option<PathBuf> {
    env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned()))
}

/// The folder that relative paths begin in.
#[must_use]
pub fn working_folder() -> PathBuf {
    env::current_dir().unwrap_or_default()
}
