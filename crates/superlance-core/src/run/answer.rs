//! The event protocol for a program that need not be an event listener.

use std::io;
use std::os::fd::AsFd as _;

use crate::listener::environment::Environment;
use crate::protocol::frame::FrameReader;
use crate::protocol::stdio::{Input, Output, is_stdin_pipe, is_stdout_stderr};

/// Answers supervisord, which does not tell a program whether its section is an `[eventlistener:x]` or a
/// `[program:x]`: to the second, the first answer is a word in its log. Calls `each` with the name of each
/// event, and returns at the end of the input.
///
/// # Errors
/// When the protocol is lost: events cannot be read or acknowledged any more.
pub fn answer(mut each: impl FnMut(&str)) -> io::Result<()> {
    let mut input = Input::new(io::stdin().as_fd())?;
    let mut output = Output::take_stdout()?;
    let mut frames = FrameReader::default();
    output.ready()?;
    while let Some(frame) = frames.read(&mut input)? {
        each(&frame.name);
        output.acknowledge()?;
    }
    Ok(())
}

/// Whether this program may be an event listener.
#[must_use]
pub fn may_be_listener(environment: &Environment) -> bool {
    // A listener has a standard output of its own. What a program under supervisord starts has its
    // variables, too, and may have another standard input.
    environment.is_under_supervisord()
        && is_stdin_pipe().unwrap_or(false)
        && !is_stdout_stderr().unwrap_or(true)
}
