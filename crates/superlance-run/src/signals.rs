//! Signals as messages that say who sent them, which only a signalfd tells without unsafe code.
//!
//! Its signals are blocked, and children inherit that. So the child is started before; what comes until
//! then is caught by handlers, which children do not inherit.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use signal_hook::flag;

/// Those that ask for the end.
const END: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT];

/// Those that are for supervisord.
const FORWARDED: [Signal; 5] =
    [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGWINCH, Signal::SIGCONT];

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// It asks for the end; the process id of who sent it, which is 0 for another namespace.
    End { signal: Signal, sender: u32 },
    /// It is for supervisord.
    Forward(Signal),
    /// A child has ended.
    Child,
}

/// The signals that come while the child is started.
pub(crate) struct Early(Vec<(Signal, Arc<AtomicBool>)>);

impl Early {
    /// Catches all signals from now on.
    pub(crate) fn catch() -> io::Result<Self> {
        let catch = |signal: Signal| {
            let came = Arc::new(AtomicBool::new(false));
            flag::register(signal as i32, Arc::clone(&came))?;
            Ok((signal, came))
        };
        END.into_iter().chain(FORWARDED).map(catch).collect::<io::Result<_>>().map(Self)
    }

    /// Goes on with messages, on this thread and for those that it starts.
    pub(crate) fn go_on(self) -> io::Result<Signals> {
        let all = END.into_iter().chain(FORWARDED).chain([Signal::SIGCHLD]);
        let set: SigSet = all.collect();
        set.thread_block()?;
        let descriptor =
            SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let came = self.0.into_iter().filter(|(_, came)| came.load(Ordering::Relaxed));
        // A child may have ended before there was a message about it.
        let early = came.map(|(signal, _)| message(signal, 0)).chain([Message::Child]).collect();
        Ok(Signals { descriptor, early })
    }
}

/// All signals, as messages.
pub(crate) struct Signals {
    descriptor: SignalFd,
    early: Vec<Message>,
}

impl Signals {
    /// The next signal, if one comes within this time.
    pub(crate) fn next(&mut self, within: Option<Duration>) -> io::Result<Option<Message>> {
        if let Some(message) = self.early.pop() {
            return Ok(Some(message));
        }
        let timeout = match within {
            // Rounded up, or else it would wait not at all and again.
            Some(time) => PollTimeout::try_from(time + Duration::from_millis(1)),
            None => Ok(PollTimeout::NONE),
        };
        let mut fds = [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let Some(info) = self.descriptor.read_signal()? else { return Ok(None) };
        let number = i32::try_from(info.ssi_signo).map_err(io::Error::other)?;
        let signal = Signal::try_from(number)?;
        Ok(Some(message(signal, info.ssi_pid)))
    }
}

fn message(signal: Signal, sender: u32) -> Message {
    match signal {
        Signal::SIGCHLD => Message::Child,
        signal if END.contains(&signal) => Message::End { signal, sender },
        signal => Message::Forward(signal),
    }
}
