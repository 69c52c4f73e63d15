//! The suite as its users meet it.

mod docs;

use std::path::Path;

/// The program under test.
fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_superlance"))
}
