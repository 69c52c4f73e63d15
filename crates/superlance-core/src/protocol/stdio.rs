//! The two ends of the event protocol: stdin, and a stdout that only the protocol writes to.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::protocol::frame::Source;

/// How long the rest of a payload may take to arrive, in milliseconds. supervisord writes an event at
/// once, but a payload larger than the pipe comes in pieces.
const PATIENCE: u16 = 2_000;

/// stdin, as the source of events.
pub(crate) struct Input(BufReader<File>);

impl Input {
    /// The events that come in on `fd`.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    pub(crate) fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(BufReader::new(File::from(fd.try_clone_to_owned()?))))
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl Source for Input {
    fn more_is_coming(&mut self) -> io::Result<bool> {
        if !self.0.buffer().is_empty() {
            return Ok(true);
        }
        let mut fds = [PollFd::new(self.0.get_ref().as_fd(), PollFlags::POLLIN)];
        loop {
            match poll(&mut fds, PollTimeout::from(PATIENCE)) {
                Err(Errno::EINTR) => {}
                Ok(0) => return Ok(false),
                Ok(_) => break,
                Err(error) => return Err(error.into()),
            }
        }
        // Readable also means the end of the input.
        Ok(!self.0.fill_buf()?.is_empty())
    }
}

/// The protocol's side of stdout.
pub(crate) struct Output(File);

/// Whether stdout and stderr are one pipe, as `2>&1` makes them.
///
/// # Errors
/// When one of them is closed.
pub(crate) fn is_stdout_stderr() -> io::Result<bool> {
    let describe = |fd: BorrowedFd<'_>| File::from(fd.try_clone_to_owned()?).metadata();
    let (out, err) = (describe(io::stdout().as_fd())?, describe(io::stderr().as_fd())?);
    let is_pipe = out.file_type().is_fifo() || out.file_type().is_socket();
    Ok(is_pipe && (out.dev(), out.ino()) == (err.dev(), err.ino()))
}

/// Whether stdin is a pipe, as supervisord gives one to all that it starts.
///
/// # Errors
/// When it is closed.
pub(crate) fn is_stdin_pipe() -> io::Result<bool> {
    let kind = File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata()?.file_type();
    Ok(kind.is_fifo() || kind.is_socket())
}

impl Output {
    /// Takes stdout for the protocol alone: from here on, all other output to descriptor 1, in this
    /// process and in its children, goes to stderr. After one stray byte on the real stdout,
    /// supervisord never sends this listener another event (compatibility.md, D15).
    ///
    /// # Errors
    /// When the descriptors cannot be duplicated.
    pub(crate) fn take_stdout() -> io::Result<Self> {
        let private: OwnedFd = io::stdout().as_fd().try_clone_to_owned()?;
        nix::unistd::dup2_stdout(io::stderr())?;
        Ok(Self(File::from(private)))
    }

    /// Tells supervisord that the listener is ready for its first event.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn ready(&mut self) -> io::Result<()> {
        self.0.write_all(b"READY\n")
    }

    /// Acknowledges an event and asks for the next. Never anything but OK: supervisord sends an event
    /// that failed again at once, 17,500 times in 4.3 seconds.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn acknowledge(&mut self) -> io::Result<()> {
        self.0.write_all(b"RESULT 2\nOKREADY\n")
    }
}
