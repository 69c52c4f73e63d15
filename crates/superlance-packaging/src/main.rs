//! `completions DIRECTORY` writes the shell completions of all commands.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("expected the directory to write into")?;
    Ok(superlance_packaging::write_completions(Path::new(&directory))?)
}
