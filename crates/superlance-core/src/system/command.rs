//! Commands of the user, run through the shell: what `-s` and `-g` name.
//!
//! stdout of a listener is the protocol and stdin brings events, so a command gets neither: its
//! input is what it is given, and its output goes into the log or to the caller.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;
use std::{fmt, io};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Time between killing a command and giving up on it.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// Time for the rest of a command's output to arrive after its end, when something it left in the
/// background still holds the pipe.
const AFTER_END: Duration = Duration::from_secs(1);

/// Output that is kept of a command; the rest is read and dropped.
const MAX_OUTPUT: usize = 1 << 20;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("cannot run /bin/sh: {0}")]
    Start(io::Error),
    /// It said that it failed.
    #[error("the command {}", Ending(*.0))]
    Failed(ExitStatus),
    /// It was killed because its time was up.
    #[error("the command was not done after {} seconds and was killed", .0.as_secs())]
    TimeUp(Duration),
}

/// Runs `command` in a process group of its own with `input` on its stdin, and waits for it.
///
/// What the command leaves in the background is not waited for, and it need not read its input. When
/// `limit` is over, the process group is killed.
///
/// # Errors
/// When the command cannot be started, fails, or takes too long.
pub fn run(command: &str, input: &str, limit: Duration) -> Result<(), CommandError> {
    run_with(command, &[], input, limit)
}

/// As [`run`], with these variables in the environment of the command.
///
/// # Errors
/// As those of [`run`].
pub fn run_with(
    command: &str,
    variables: &[(String, String)],
    input: &str,
    limit: Duration,
) -> Result<(), CommandError> {
    // The shell's stdout is our stderr: whatever a mail program prints belongs into the log.
    let mut shell = shell(command, Stdio::piped(), io::stderr().into());
    let variables = variables.iter().map(|(name, value)| (name, value));
    let child = shell.envs(variables).spawn().map_err(CommandError::Start)?;
    let group = child.id();
    let (done, outcome) = mpsc::channel();
    let input = input.to_owned();
    let waiter = thread::Builder::new().name("command".to_owned());
    waiter
        .spawn(move || {
            let _ = done.send(feed_and_wait(child, &input));
        })
        .map_err(CommandError::Start)?;
    match outcome.recv_timeout(limit) {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(CommandError::Failed(status)),
        Ok(Err(error)) => Err(CommandError::Start(error)),
        Err(_) => {
            kill_group(group);
            // So that no zombie is left; a process that even SIGKILL does not end keeps its thread.
            let _ = outcome.recv_timeout(AFTER_KILL);
            Err(CommandError::TimeUp(limit))
        }
    }
}

/// Runs `command` in a process group of its own, without input and without a time limit, and returns
/// what it printed on stdout.
///
/// What the command leaves in the background is not waited for. The output is returned even of a
/// command that fails; the second value says so.
pub fn output(command: &str) -> (String, Result<(), CommandError>) {
    let kept = Arc::default();
    let ending = shell(command, Stdio::null(), Stdio::piped())
        .spawn()
        .and_then(|child| capture(child, &kept))
        .map_err(CommandError::Start)
        .and_then(success);
    (text(&kept), ending)
}

/// Runs `command` in a process group of its own, without input and with these variables in its
/// environment, and returns what it printed on stdout and stderr.
///
/// Otherwise it is as [`output`], but for the time: when `limit` is over, the process group is killed.
pub fn output_within(
    command: &str,
    variables: &[(&str, String)],
    limit: Duration,
) -> (String, Result<(), CommandError>) {
    let kept = Arc::default();
    let ending = capture_within(command, variables, limit, &kept);
    (text(&kept), ending)
}

fn capture_within(
    command: &str,
    variables: &[(&str, String)],
    limit: Duration,
    kept: &Arc<Mutex<Vec<u8>>>,
) -> Result<(), CommandError> {
    // In a line of its own, so that whatever follows it is still the user's command.
    let command = format!("exec 2>&1\n{command}");
    let mut shell = shell(&command, Stdio::null(), Stdio::piped());
    let variables = variables.iter().map(|(name, value)| (name, value));
    let child = shell.envs(variables).spawn().map_err(CommandError::Start)?;
    let group = child.id();
    let (done, outcome) = mpsc::channel();
    let kept = Arc::clone(kept);
    let waiter = thread::Builder::new().name("command".to_owned());
    waiter
        .spawn(move || {
            let _ = done.send(capture(child, &kept));
        })
        .map_err(CommandError::Start)?;
    match outcome.recv_timeout(limit) {
        Ok(status) => status.map_err(CommandError::Start).and_then(success),
        Err(_) => {
            kill_group(group);
            let _ = outcome.recv_timeout(AFTER_KILL);
            Err(CommandError::TimeUp(limit))
        }
    }
}

fn success(status: ExitStatus) -> Result<(), CommandError> {
    if status.success() { Ok(()) } else { Err(CommandError::Failed(status)) }
}

fn text(kept: &Mutex<Vec<u8>>) -> String {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&kept).into_owned()
}

/// Waits for a child, and keeps what it prints.
fn capture(mut child: Child, kept: &Arc<Mutex<Vec<u8>>>) -> io::Result<ExitStatus> {
    let stdout = child.stdout.take();
    let (done, all_read) = mpsc::channel::<()>();
    let kept = Arc::clone(kept);
    thread::Builder::new().name("output".to_owned()).spawn(move || {
        stdout.into_iter().for_each(|stdout| keep(stdout, &kept));
        drop(done);
    })?;
    let status = child.wait();
    let _ = all_read.recv_timeout(AFTER_END);
    status
}

fn keep(mut stdout: ChildStdout, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    // An error is an end, too.
    while let Ok(amount @ 1..) = stdout.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_OUTPUT - kept.len();
        kept.extend(buffer.iter().take(amount.min(room)));
    }
}

fn shell(command: &str, stdin: Stdio, stdout: Stdio) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).stdin(stdin).stdout(stdout).stderr(Stdio::inherit());
    shell.process_group(0);
    shell
}

fn feed_and_wait(mut child: Child, input: &str) -> io::Result<ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input is no error (EPIPE).
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait()
}

fn kill_group(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

/// How a command ended, in words.
struct Ending(ExitStatus);

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(127), _) => write!(f, "was not found (exit status 127)"),
            (Some(code), _) => write!(f, "failed with exit status {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "was ended by {signal}"),
                Err(_) => write!(f, "was ended by signal {number}"),
            },
            (None, None) => write!(f, "ended with {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[track_caller]
    fn check(command: &str, expected: &str) {
        let text = run(command, "input", LIMIT).map_err(|error| error.to_string());
        assert_eq!(text.unwrap_err(), expected);
    }

    #[test]
    fn the_input_arrives_whole() {
        let large = "x".repeat(1 << 20);
        run("test $(wc -c) -eq 1048576", &large, LIMIT).unwrap();
    }

    #[test]
    fn a_command_need_not_read_its_input() {
        run("true", &"x".repeat(1 << 20), LIMIT).unwrap();
    }

    #[test]
    fn failures_say_what_happened() {
        check("exit 3", "the command failed with exit status 3");
        check("/no/such/sendmail 2>&-", "the command was not found (exit status 127)");
        check("kill -TERM $$", "the command was ended by SIGTERM");
    }

    #[test]
    fn a_command_that_never_ends_is_killed_with_its_children() {
        let started = Instant::now();
        let limit = Duration::from_millis(200);
        let error = run("sleep 600 & sleep 600", "", limit).unwrap_err();
        assert!(matches!(error, CommandError::TimeUp(_)), "{error}");
        assert!(started.elapsed() < LIMIT);
    }

    #[test]
    fn output_is_stdout_even_of_a_failure_and_there_is_no_input() {
        let (text, ending) = output("cat; echo out; printf '\\377'; exit 3");
        assert_eq!(text, "out\n\u{fffd}");
        assert_eq!(ending.unwrap_err().to_string(), "the command failed with exit status 3");
    }

    #[test]
    fn output_is_bounded_and_does_not_wait_for_the_background() {
        let started = Instant::now();
        let (text, ending) = output("head -c 3000000 /dev/zero | tr '\\0' x; sleep 30 & exit 0");
        assert_eq!((text.len(), ending.is_ok()), (MAX_OUTPUT, true));
        assert!(started.elapsed() < LIMIT);
    }

    #[test]
    fn within_its_time_a_command_prints_on_both_channels_and_sees_its_variables() {
        let variables = [("SUPERLANCE_X", "a \"b\" $c".to_owned())];
        let command = "cat; echo \"$SUPERLANCE_X\"; echo oops >&2; exit 3 # a comment";
        let (text, ending) = output_within(command, &variables, LIMIT);
        assert_eq!(text, "a \"b\" $c\noops\n");
        assert_eq!(ending.unwrap_err().to_string(), "the command failed with exit status 3");
        let (text, ending) = output_within("head -c 3000000 /dev/zero; sleep 30 &", &[], LIMIT);
        assert_eq!((text.len(), ending.is_ok()), (MAX_OUTPUT, true));
    }

    #[test]
    fn when_its_time_is_up_what_it_printed_is_kept() {
        let started = Instant::now();
        let limit = Duration::from_millis(500);
        let (text, ending) = output_within("echo begun; sleep 600 & sleep 600", &[], limit);
        assert_eq!(text, "begun\n");
        assert!(matches!(ending, Err(CommandError::TimeUp(_))), "{ending:?}");
        assert!(started.elapsed() < LIMIT);
    }

    #[test]
    fn what_it_leaves_in_the_background_is_not_waited_for() {
        let started = Instant::now();
        run("sleep 30 & exit 0", "x", LIMIT).unwrap();
        assert!(started.elapsed() < LIMIT);
    }
}
