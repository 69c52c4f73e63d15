//! Commands of the user, run through the shell: what `-s`, `--notify`, `--before` and `-g` name.
//!
//! stdout of a listener is the protocol and stdin brings events, so a command gets neither: its
//! input is what it is given, and its output goes into the log or to the caller.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
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
        let Self { command, input, variables, limit } = self;
        let reader = kept.map(|kept| assistant("output", move |stdout| keep(stdout, &kept)));
        let reader = reader.transpose().map_err(CommandError::Start)?;
        let (stdout, printed) = reader.unzip();
        let feeder =
            (!input.is_empty()).then(|| assistant("input", move |stdin| feed(stdin, &input)));
        let stdin = feeder.transpose().map_err(CommandError::Start)?.map(|(stdin, _)| stdin);
        let (started, group) = channel();
        let (done, outcome) = channel();
        let attend = move || {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(command).envs(variables);
            let _ = done.send(attend(shell, stdin, stdout, &started));
        };
        let attendant = thread::Builder::new().name("command".to_owned());
        attendant.spawn(attend).map_err(CommandError::Start)?;
        let ended = match limit {
            Some(limit) => outcome.recv_timeout(limit).ok(),
            None => outcome.recv().ok(),
        };
        let result = match ended {
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
        };
        if let Some(printed) = printed {
            let _ = printed.recv_timeout(AFTER_END);
        }
        result
    }
}

/// Starts a command with pipes for the threads that attend to them, and waits for its end. A process
/// that it left in the background, and that still holds a pipe, does not delay it.
fn attend(
    mut shell: Command,
    stdin: Option<Sender<ChildStdin>>,
    stdout: Option<Sender<ChildStdout>>,
    started: &Sender<u32>,
) -> io::Result<ExitStatus> {
    shell.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    // The shell's stdout is our stderr, unless the caller wants it.
    shell.stdout(if stdout.is_some() { Stdio::piped() } else { io::stderr().into() });
    let mut child = shell.stderr(Stdio::inherit()).process_group(0).spawn()?;
    let _ = started.send(child.id());
    hand_over(stdin, child.stdin.take());
    hand_over(stdout, child.stdout.take());
    child.wait()
}

fn hand_over<T>(to: Option<Sender<T>>, pipe: Option<T>) {
    to.zip(pipe).into_iter().for_each(|(to, pipe)| drop(to.send(pipe)));
}

/// A thread that attends to a pipe of a command, once there is one. The receiver is closed when it is
/// done.
fn assistant<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(T) + Send + 'static,
) -> io::Result<(Sender<T>, Receiver<()>)> {
    let (pipe, pipes) = channel();
    let (open, end) = channel::<()>();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Ok(pipe) = pipes.recv() {
            work(pipe);
        }
        drop(open);
    })?;
    Ok((pipe, end))
}

fn feed(mut stdin: ChildStdin, input: &str) {
    // A command that does not read its input is no error (EPIPE).
    let _ = stdin.write_all(input.as_bytes());
}

/// The output so far.
type Kept = Arc<Mutex<Vec<u8>>>;

fn keep(mut stdout: ChildStdout, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    // An error ends the output, too.
    while let Ok(amount @ 1..) = stdout.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_OUTPUT - kept.len();
        kept.extend(buffer.iter().take(amount.min(room)));
    }
}

/// The first word of a command, for messages: what follows may be a secret, and so may be the value of
/// a variable.
#[must_use]
pub fn first_word(command: &str) -> String {
    let word = command.split_whitespace().next().unwrap_or_default();
    let shown = match word.split_once('=') {
        Some((variable, _)) => format!("{variable}=…"),
        None if word == command => word.to_owned(),
        None => format!("{word} …"),
    };
    format!("{shown:?}")
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
#[path = "command_tests.rs"]
mod tests;
