//! The Python environment with supervisor and the original superlance.
//!
//! `make venv` creates it; `SUPERLANCE_VENV` names another one.

use std::env;
use std::path::{Path, PathBuf};

/// The environment's own folder.
///
/// # Panics
/// When there is none.
#[must_use]
#[track_caller]
pub fn root() -> PathBuf {
    let root = env::var_os("SUPERLANCE_VENV").filter(|root| !root.is_empty()).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv"),
        PathBuf::from,
    );
    assert!(
        root.join("bin").is_dir(),
        "no Python environment in {}: run `make venv` first, or set SUPERLANCE_VENV",
        root.display()
    );
    root.canonicalize().expect("the environment was just seen")
}

/// A console script of the environment, such as `supervisord` or Python's `memmon`.
///
/// # Panics
/// When it is missing.
#[must_use]
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    let path = bin().join(name);
    assert!(path.is_file(), "{} is missing: run `make venv` first", path.display());
    path
}

/// The environment's interpreter.
#[must_use]
#[track_caller]
pub fn python() -> PathBuf {
    program("python")
}

/// The folder of the console scripts.
#[must_use]
#[track_caller]
pub fn bin() -> PathBuf {
    root().join("bin")
}
