//! The harness, proved on the originals and on a real supervisord.
#![allow(clippy::unwrap_used, reason = "as in the harness itself")]

mod fake;
mod http;
mod listener;
mod smtp;
mod smtp_security;
mod supervisord;
mod terminal;
mod transcript;

use std::path::Path;
use std::process::Command;

use superlance_testing::venv;

/// Runs Python with these arguments, and returns what it printed.
#[track_caller]
fn python(code: &str, args: &[&str], authority: Option<&Path>) -> String {
    let mut command = Command::new(venv::python());
    command.args(["-W", "ignore", "-c", code]).args(args);
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", authority);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
