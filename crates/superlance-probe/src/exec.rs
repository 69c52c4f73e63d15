//! A command that says by its status whether a service is well.

use std::time::Duration;

use superlance_core::system::command::{CommandError, Finished, Shell, first_word};
use superlance_core::system::truncate;

use crate::outcome::{Class, Failed, Verdict};

/// How much of what it prints is kept.
const KEPT: usize = 4096;

/// A command, run through the shell.
#[derive(Debug, Clone)]
pub(crate) struct Exec {
    pub(crate) command: String,
    /// What its environment has beside ours.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// After that time it is killed, with its process group.
    pub(crate) limit: Duration,
}

impl Exec {
    pub(crate) fn check(&self) -> Verdict {
        let Self { command, variables, limit } = self;
        let shell = Shell::new(command).with_errors().variables(variables.clone()).limit(*limit);
        let Finished { output, result } = shell.output();
        let Err(error) = result else { return Verdict::Good };
        let shown = first_word(command);
        let class = match &error {
            CommandError::Failed(_) => Class::Status,
            CommandError::TimeUp(_) => Class::Timeout,
            CommandError::Start(_) => {
                return Verdict::Trouble(format!("cannot check with {shown}: {error}"));
            }
        };
        let mut text = format!("error checking with {shown}:\n\n {error}");
        if !output.trim().is_empty() {
            let printed = truncate::beginning(&output, KEPT);
            let cut = if printed.len() < output.len() { "…" } else { "" };
            text.push_str(&format!(", and printed:\n{}{cut}", printed.trim_end()));
        }
        Verdict::Failed(Failed::new(class, text))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn check(command: &str, limit: Duration) -> Verdict {
        let variables = vec![("SUPERLANCE_PID", "77".to_owned())];
        Exec { command: command.to_owned(), variables, limit }.check()
    }

    fn failed(text: &str) -> Verdict {
        Verdict::Failed(Failed::new(Class::Status, text.to_owned()))
    }

    #[test]
    fn the_status_of_the_command_is_what_counts() {
        let limit = Duration::from_secs(20);
        assert_eq!(check("test $SUPERLANCE_PID = 77; echo fine", limit), Verdict::Good);
        let command = "echo out; echo err >&2; exit 3";
        let text = "error checking with \"echo …\":\n\n the command failed with exit status 3, and \
                    printed:\nout\nerr";
        assert_eq!(check(command, limit), failed(text));
        let text = "error checking with \"false\":\n\n the command failed with exit status 1";
        assert_eq!(check("false", limit), failed(text));
    }

    #[test]
    fn of_what_it_prints_the_beginning_is_kept() {
        let Verdict::Failed(failed) =
            check("yes | head -c 100000; exit 1", Duration::from_secs(20))
        else {
            panic!("it failed")
        };
        assert!(
            failed.text.len() < KEPT + 200 && failed.text.ends_with('…'),
            "{}",
            failed.text.len()
        );
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed_with_its_children() {
        let started = Instant::now();
        let verdict = check("echo begun; sleep 100 & sleep 100", Duration::from_secs(1));
        assert!(started.elapsed() < Duration::from_secs(10));
        let Verdict::Failed(failed) = verdict else { panic!("it hung") };
        assert_eq!(failed.class, Class::Timeout);
        let end = "the command was not done after 1 seconds and was killed, and printed:\nbegun";
        assert!(failed.text.ends_with(end), "{failed:?}");
    }
}
