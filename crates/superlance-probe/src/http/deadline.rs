//! A connector for one request of ureq: one deadline for everything up to the headers of the answer,
//! and a copy of its first line.
//!
//! ureq's own limits are one for each step (the look-up of a name, connecting, sending, the headers),
//! which add up, and one for everything including the body. It also forgets the server's words for
//! the status. This connector comes after ureq's own, so what it sees is HTTP, decrypted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, Transport, time,
};
use ureq::{Error, Timeout};

/// The first line of an answer, once it has come. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatusLine(Arc<Mutex<Vec<u8>>>);

impl StatusLine {
    /// The words after the status, as in `Internal Server Error`; empty if there are none.
    pub(crate) fn reason(&self) -> String {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // HTTP says ISO 8859-1, where every byte is the character of that number.
        let text: String = line.iter().map(|byte| char::from(*byte)).collect();
        text.splitn(3, ' ').nth(2).unwrap_or_default().trim().to_owned()
    }

    /// Keeps the first line of `head`, if it is that of an answer. An answer such as 100 Continue is
    /// followed by the one that counts, so the last one is kept.
    pub(crate) fn note(&self, head: &[u8]) {
        let Some(end) = head.iter().position(|byte| *byte == b'\n') else { return };
        if let Some(line) = head.get(..end).filter(|line| line.starts_with(b"HTTP/")) {
            line.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Connects as `inner` does, and watches.
#[derive(Debug)]
pub(crate) struct DeadlineConnector<C> {
    pub(crate) inner: C,
    /// When the headers of the answer must be there.
    pub(crate) deadline: Instant,
    pub(crate) status_line: StatusLine,
}

impl<C: Connector> Connector for DeadlineConnector<C> {
    type Out = DeadlineTransport<C::Out>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: shorten(details.timeout, self.deadline)?,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let (deadline, status_line) = (self.deadline, self.status_line.clone());
        let transport = self.inner.connect(&details, chained)?;
        Ok(transport.map(|inner| DeadlineTransport { inner, deadline, status_line }))
    }
}

/// A connection that is watched.
#[derive(Debug)]
pub(crate) struct DeadlineTransport<T> {
    inner: T,
    deadline: Instant,
    status_line: StatusLine,
}

impl<T: Transport> Transport for DeadlineTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        let buffers = self.inner.buffers();
        self.status_line.note(buffers.input());
        buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, shorten(timeout, self.deadline)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(shorten(timeout, self.deadline)?)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// The time limit of a step before the body ends at the deadline, too. The body has a limit of its own.
fn shorten(mut timeout: NextTimeout, deadline: Instant) -> Result<NextTimeout, Error> {
    if timeout.reason == Timeout::RecvBody {
        return Ok(timeout);
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    timeout.after = timeout.after.min(time::Duration::Exact(left));
    Ok(timeout)
}
