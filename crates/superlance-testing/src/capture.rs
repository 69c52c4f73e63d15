//! Captures what a process writes to a pipe, without the delay of a reading thread.
//!
//! A thread empties the pipe so that the writer never blocks, but a reader of the capture empties it first
//! himself: what was written before the look is in the answer.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What came out of a pipe so far.
#[derive(Clone, Debug)]
pub(crate) struct Capture(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pipe: File,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    bytes: Vec<u8>,
    open: bool,
}

impl Capture {
    /// Starts to read.
    pub(crate) fn new(pipe: impl Into<OwnedFd>) -> Capture {
        let seen = Mutex::new(Seen { bytes: Vec::new(), open: true });
        let shared = Arc::new(Shared { pipe: File::from(pipe.into()), seen });
        let reader = Arc::clone(&shared);
        thread::spawn(move || while reader.readable(PollTimeout::NONE) && reader.empty() {});
        Capture(shared)
    }

    /// The bytes so far, from an offset on.
    pub(crate) fn bytes_from(&self, offset: usize) -> Vec<u8> {
        self.0.empty();
        let seen = self.0.seen.lock().unwrap();
        seen.bytes.get(offset..).unwrap_or_default().to_vec()
    }

    /// The text so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes_from(0)).into_owned()
    }
}

impl Shared {
    /// Takes what is in the pipe; false when its end was seen.
    fn empty(&self) -> bool {
        // Reading under the lock makes a look complete; it cannot block, because the thread that
        // holds the lock is the only reader and asks first.
        let mut seen = self.seen.lock().unwrap();
        let mut block = [0; 64 * 1024];
        while seen.open && self.readable(PollTimeout::ZERO) {
            match (&self.pipe).read(&mut block) {
                Ok(0) | Err(_) => seen.open = false,
                Ok(count) => seen.bytes.extend_from_slice(&block[..count]),
            }
        }
        seen.open
    }

    fn readable(&self, timeout: PollTimeout) -> bool {
        loop {
            match poll(&mut [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)], timeout) {
                Err(Errno::EINTR) => {}
                ready => return ready.is_ok_and(|count| count > 0),
            }
        }
    }
}
