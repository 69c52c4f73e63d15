//! Generates shell completions from the command lines, for packages; not part of the program.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Arg, Command, ValueHint};
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
        for command in superlance::commands() {
            let (name, mut command) = (command.get_name().to_owned(), hinted(command));
            let path = clap_complete::generate_to(shell, &mut command, &name, &folder)?;
            if shell == Shell::Bash {
                // bash-completion looks for the name of the command alone.
                fs::rename(path, folder.join(name))?;
            }
        }
    }
    Ok(())
}

/// Files are offered only for what is a path or a command, not for every value.
fn hinted(command: Command) -> Command {
    command.mut_args(hinted_argument).mut_subcommands(hinted)
}

fn hinted_argument(argument: Arg) -> Arg {
    let names = argument.get_value_names().unwrap_or_default();
    let is_path = names.iter().any(|name| ["COMMAND", "PEM"].contains(&name.as_str()));
    match argument.get_value_hint() {
        ValueHint::Unknown if argument.get_action().takes_values() && !is_path => {
            argument.value_hint(ValueHint::Other)
        }
        _ => argument,
    }
}
