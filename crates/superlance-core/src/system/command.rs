//! Commands of the user, run through the shell: what `-s`, `--notify`, `--before` and `-g` name.
//!
//! stdout of a listener is the protocol and stdin brings events, so a command gets neither: its
//! input is what it is given, and its output goes into the log or to the caller.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use std::{fmt, io};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::system::io_error::{explain, is_shortage};

/// Time between killing a command and giving up on it.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// Time for the rest of a command's output to arrive after its end, when something it left in the
/// background still holds the pipe.
const AFTER_END: Duration = Duration::from_secs(1);

/// Output that is kept of a command; the rest is read and dropped.
const MAX_OUTPUT: usize = 1 << 20;

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("cannot run /bin/sh: {}", explain(.0))]
    Start(io::Error),
    /// It said that it failed.
    #[error("the command {}", Ending(*.0))]
    Failed(ExitStatus),
    /// It was killed because its time was up.
    #[error("the command was not done after {} seconds and was killed", .0.as_secs())]
    TimeUp(Duration),
}

impl CommandError {
    /// Whether nothing was run for want of a process, a thread, a descriptor or memory, so that it
    /// may be run later.
    #[must_use]
    pub fn is_shortage(&self) -> bool {
        matches!(self, Self::Start(error) if is_shortage(error))
    }
}

/// A command line for `/bin/sh`, run in a process group of its own.
///
/// What the command leaves in the background is not waited for, and it need not read its input. The
/// threads that attend to it are started first: where one cannot be had, nothing is run, and no
/// process is left without a parent that waits for it.
#[derive(Debug, Clone)]
#[must_use = "it is run by `run` or `output`"]
pub struct Shell {
    command: String,
    input: String,
    variables: Vec<(String, String)>,
    limit: Option<Duration>,
}

/// A finished command.
#[derive(Debug)]
pub struct Finished {
    /// Its output, even if it failed.
    pub output: String,
    /// Whether it succeeded.
    pub result: Result<(), CommandError>,
}

impl Shell {
    /// A command without input and without a time limit.
    pub fn new(command: impl Into<String>) -> Self {
        let (input, variables) = (String::new(), Vec::new());
        Self { command: command.into(), input, variables, limit: None }
    }

    /// Adds a text for its stdin.
    pub fn input(self, input: impl Into<String>) -> Self {
        Self { input: input.into(), ..self }
    }

    /// Adds variables to its environment.
    pub fn variables<N: Into<String>>(
        self,
        variables: impl IntoIterator<Item = (N, String)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value));
        Self { variables: variables.collect(), ..self }
    }

    /// Adds a time limit, after which its process group is killed.
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Adds stderr to its output.
    pub fn with_errors(self) -> Self {
        // In a line of its own, so that the text after it is still the user's command.
        Self { command: format!("exec 2>&1\n{}", self.command), ..self }
    }

    /// Runs it. Its output goes into the log.
    ///
    /// # Errors
    /// When it cannot be started, fails, or takes too long.
    pub fn run(self) -> Result<(), CommandError> {
        self.execute(None)
    }

    /// Runs it, and returns its standard output.
    pub fn output(self) -> Finished {
        let kept = Arc::default();
        let result = self.execute(Some(Arc::clone(&kept)));
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        Finished { output: String::from_utf8_lossy(&kept).into_owned(), result }
    }

    fn execute(self, kept: Option<Kept>) -> Result<(), CommandError> {
        let limit = self.limit;
        let reader = kept.map(Reader::start).transpose().map_err(CommandError::Start)?;
        let (started, group) = channel();
        let (done, outcome) = channel();
        let attendant = thread::Builder::new().name("command".to_owned());
        attendant
            .spawn(move || {
                let _ = done.send(self.attend(reader, &started));
            })
            .map_err(CommandError::Start)?;
        let ended = match limit {
            Some(limit) => outcome.recv_timeout(limit).ok(),
            None => outcome.recv().ok(),
        };
        match ended {
            Some(Ok(status)) if status.success() => Ok(()),
            Some(Ok(status)) => Err(CommandError::Failed(status)),
            Some(Err(error)) => Err(CommandError::Start(error)),
            None => {
                if let Ok(group) = group.recv_timeout(AFTER_KILL) {
                    kill_group(group);
                }
                // Prevents a zombie; a process that survives SIGKILL keeps its thread.
                let _ = outcome.recv_timeout(AFTER_KILL);
                Err(CommandError::TimeUp(limit.unwrap_or_default()))
            }
        }
    }

    /// Starts the command, and waits for its end.
    fn attend(&self, reader: Option<Reader>, started: &Sender<u32>) -> io::Result<ExitStatus> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(&self.command).envs(self.variables.iter().map(|(n, v)| (n, v)));
        shell.stdin(if self.input.is_empty() { Stdio::null() } else { Stdio::piped() });
        // The shell's stdout is our stderr, unless the caller wants it.
        shell.stdout(if reader.is_some() { Stdio::piped() } else { io::stderr().into() });
        let mut child = shell.stderr(Stdio::inherit()).process_group(0).spawn()?;
        let _ = started.send(child.id());
        let output = reader.zip(child.stdout.take()).map(|(reader, stdout)| reader.read(stdout));
        feed(&mut child, &self.input);
        let status = child.wait();
        if let Some(end) = output {
            let _ = end.recv_timeout(AFTER_END);
        }
        status
    }
}

fn feed(child: &mut Child, input: &str) {
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input is no error (EPIPE).
        let _ = stdin.write_all(input.as_bytes());
    }
}

/// The output so far.
type Kept = Arc<Mutex<Vec<u8>>>;

/// A thread that reads the output of a command, once there is one.
struct Reader {
    stdout: Sender<ChildStdout>,
    /// Closed at the end of the output.
    end: Receiver<()>,
}

impl Reader {
    fn start(kept: Kept) -> io::Result<Self> {
        let (stdout, printed) = channel();
        let (open, end) = channel::<()>();
        thread::Builder::new().name("output".to_owned()).spawn(move || {
            if let Ok(printed) = printed.recv() {
                keep(printed, &kept);
            }
            drop(open);
        })?;
        Ok(Self { stdout, end })
    }

    fn read(self, stdout: ChildStdout) -> Receiver<()> {
        let _ = self.stdout.send(stdout);
        self.end
    }
}

fn keep(mut stdout: ChildStdout, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    // An error ends the output, too.
    while let Ok(amount @ 1..) = stdout.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_OUTPUT - kept.len();
        kept.extend(buffer.iter().take(amount.min(room)));
    }
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

    fn run(command: &str, input: &str, limit: Duration) -> Result<(), CommandError> {
        Shell::new(command).input(input).limit(limit).run()
    }

    fn output(shell: Shell) -> (String, Result<(), CommandError>) {
        let Finished { output, result } = shell.output();
        (output, result)
    }

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
        let (text, ending) = output(Shell::new("cat; echo out; printf '\\377'; exit 3"));
        assert_eq!(text, "out\n\u{fffd}");
        assert_eq!(ending.unwrap_err().to_string(), "the command failed with exit status 3");
    }

    #[test]
    fn output_is_bounded_and_does_not_wait_for_the_background() {
        let started = Instant::now();
        let command = "head -c 3000000 /dev/zero | tr '\\0' x; sleep 30 & exit 0";
        let (text, ending) = output(Shell::new(command));
        assert_eq!((text.len(), ending.is_ok()), (MAX_OUTPUT, true));
        assert!(started.elapsed() < LIMIT);
    }

    #[test]
    fn within_its_time_a_command_prints_on_both_channels_and_sees_its_variables() {
        let variables = [("SUPERLANCE_X", "a \"b\" $c".to_owned())];
        let command = "cat; echo \"$SUPERLANCE_X\"; echo oops >&2; exit 3 # a comment";
        let (text, ending) =
            output(Shell::new(command).variables(variables).with_errors().limit(LIMIT));
        assert_eq!(text, "a \"b\" $c\noops\n");
        assert_eq!(ending.unwrap_err().to_string(), "the command failed with exit status 3");
        let (text, ending) =
            output(Shell::new("head -c 3000000 /dev/zero; sleep 30 &").limit(LIMIT));
        assert_eq!((text.len(), ending.is_ok()), (MAX_OUTPUT, true));
    }

    #[test]
    fn when_its_time_is_up_what_it_printed_is_kept() {
        let started = Instant::now();
        let limit = Duration::from_millis(500);
        let (text, ending) = output(Shell::new("echo begun; sleep 600 & sleep 600").limit(limit));
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
