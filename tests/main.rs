//! The suite as its users meet it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a failure should end the test"
)]

mod docs;

use std::path::Path;

/// The program under test.
fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_superlance"))
}
