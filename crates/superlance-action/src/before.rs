//! The command of `--before`, which runs before an action to save data that it would destroy.

use std::time::Duration;

use superlance_core::listener::in_flight::InFlight;
use superlance_core::system::command::{Finished, Shell};
use superlance_core::system::truncate;

use crate::instance::Instance;

/// Time for the command. A heap dump of some gigabytes takes a minute or two.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Output that is passed on, in bytes.
const MAX_OUTPUT: usize = 64 << 10;

/// Runs the command about a process, with further variables about the reason; returns a title for what
/// it printed, and that.
#[must_use]
pub fn run(
    command: &str,
    process: &Instance,
    why: impl IntoIterator<Item = (&'static str, String)>,
    in_flight: &InFlight,
) -> (String, String) {
    let _entry = in_flight.begin(format!(
        "The command of --before for {} was not done in time, so nothing else was done",
        process.namespec()
    ));
    run_within(command, process, why, LIMIT)
}

fn run_within(
    command: &str,
    process: &Instance,
    why: impl IntoIterator<Item = (&'static str, String)>,
    limit: Duration,
) -> (String, String) {
    let variables = [
        ("SUPERLANCE_PROCESS", process.name.clone()),
        ("SUPERLANCE_GROUP", process.group.clone()),
        ("SUPERLANCE_PID", process.pid.to_string()),
    ];
    let variables = variables.into_iter().chain(why);
    let shell = Shell::new(command).variables(variables).with_errors();
    let Finished { output, result } = shell.limit(limit).output();
    let mut text = shortened(output);
    if let Err(error) = result {
        let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        text.push_str(&format!("{separator}({error})\n"));
    }
    if text.is_empty() {
        text.push_str("(nothing)\n");
    }
    (format!("Output of --before for {}", process.namespec()), text)
}

fn shortened(output: String) -> String {
    if output.len() <= MAX_OUTPUT {
        return output;
    }
    let shown = truncate::beginning(&output, MAX_OUTPUT);
    format!("{shown}\n(and {} bytes more)\n", output.len() - shown.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> Instance {
        let (group, name) = ("g".to_owned(), "p $(x) 'y'".to_owned());
        Instance { group, name, pid: 77, start: 0, uptime: 0 }
    }

    #[test]
    fn the_command_knows_what_it_is_about() {
        let command = "env | grep ^SUPERLANCE_ | grep -v _VENV= | sort";
        let why = [("SUPERLANCE_BYTES", "5".to_owned())];
        let (title, output) = run(command, &process(), why, &InFlight::default());
        assert_eq!(title, "Output of --before for g:p $(x) 'y'");
        let expected = "SUPERLANCE_BYTES=5\nSUPERLANCE_GROUP=g\nSUPERLANCE_PID=77\n\
                        SUPERLANCE_PROCESS=p $(x) 'y'\n";
        assert_eq!(output, expected);
    }

    #[test]
    fn nothing_is_something_to_say() {
        assert_eq!(run_within("true", &process(), [], LIMIT).1, "(nothing)\n");
    }

    #[test]
    fn how_it_failed_is_part_of_what_it_printed() {
        let run = |command, limit| run_within(command, &process(), [], limit).1;
        let long = Duration::from_secs(60);
        assert_eq!(
            run("printf oops >&2; exit 3", long),
            "oops\n(the command failed with exit status 3)\n"
        );
        let short = Duration::from_millis(300);
        let expected = "x\n(the command was not done after 0 seconds and was killed)\n";
        assert_eq!(run("echo x; sleep 600", short), expected);
    }

    #[test]
    fn long_output_is_cut() {
        let output = shortened("é".repeat(MAX_OUTPUT));
        let end = format!("\n(and {MAX_OUTPUT} bytes more)\n");
        assert_eq!(output.strip_suffix(&end).map(str::len), Some(MAX_OUTPUT));
        assert_eq!(shortened("x".to_owned()), "x");
    }
}
