//! The name of this host.

use nix::unistd::gethostname;

/// This host's name, for places where it must be a plain word; `localhost` if it is not.
#[must_use]
pub fn host_name() -> String {
    let name = gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let plain = !name.is_empty() && name.chars().all(allowed);
    if plain { name } else { "localhost".to_owned() }
}
