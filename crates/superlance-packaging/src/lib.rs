//! Generates shell completions from the command lines, for packages; not part of the program.

use std::fs;
use std::io;
use std::path::Path;

use clap_complete::Shell;

/// Writes the completions of all commands for bash, zsh and fish into `directory`, as the shells name
/// them: `bash/memmon`, `zsh/_memmon` and `fish/memmon.fish`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_completions(directory: &Path) -> io::Result<()> {
    for (shell, folder) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        let folder = directory.join(folder);
        fs::create_dir_all(&folder)?;
        for mut command in superlance::commands() {
            let name = command.get_name().to_owned();
            let path = clap_complete::generate_to(shell, &mut command, &name, &folder)?;
            if shell == Shell::Bash {
                // bash-completion looks for the name of the command alone.
                fs::rename(path, folder.join(name))?;
            }
        }
    }
    Ok(())
}
