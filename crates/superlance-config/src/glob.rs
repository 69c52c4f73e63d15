//! Patterns in `[include] files=`, as Python's glob understands them.

use std::path::{Path, PathBuf};

use regex::Regex;
use superlance_core::options::selector::glob_to_regex;
use superlance_core::system::order;

use crate::host::Host;

/// The paths that an absolute pattern names, in order.
pub(crate) fn matches(pattern: &Path, host: &dyn Host) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        found = match is_pattern(&name) {
            true => found.iter().flat_map(|folder| matches_in(folder, &name, host)).collect(),
            false => found.iter().map(|folder| folder.join(part)).collect(),
        };
    }
    found.retain(|path| host.exists(path));
    order::sort(&mut found);
    found
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

fn matches_in(folder: &Path, pattern: &str, host: &dyn Host) -> Vec<PathBuf> {
    // A bracket that is not closed is one.
    let regex =
        glob_to_regex(pattern).unwrap_or_else(|| format!("(?s)^{}$", regex::escape(pattern)));
    let Ok(regex) = Regex::new(&regex) else { return Vec::new() };
    let is_wanted = |name: &String| {
        // As in the shell, hidden files are named by a pattern that begins with a dot.
        regex.is_match(name) && (pattern.starts_with('.') || !name.starts_with('.'))
    };
    host.list(folder).into_iter().filter(is_wanted).map(|name| folder.join(name)).collect()
}
