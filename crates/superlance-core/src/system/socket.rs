//! HTTP over a unix socket or TCP, for supervisord and for servers behind a socket.
//!
//! ureq connects to TCP only. This is a connector for both, so that there is one client with one
//! set of time limits. The interface is ureq's `unversioned` one, which is why its minor version is
//! fixed.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, time,
};
use ureq::{Error, http};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// A host name or address (IPv6 without brackets) and a port.
    Tcp(String, u16),
}

impl Endpoint {
    /// Whether it can be on this machine: a unix socket, or an address that can be bound here.
    pub(crate) fn is_here(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(host, _) => (host.as_str(), 0)
                .to_socket_addrs()
                .is_ok_and(|mut addresses| addresses.any(|own| UdpSocket::bind(own).is_ok())),
        }
    }

    fn connect(&self, timeout: Option<Duration>) -> io::Result<Socket> {
        match self {
            Self::Unix(path) => {
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                // connect(2) on a unix socket waits while the backlog is full, and only the time
                // limit on writing bounds that.
                socket.set_write_timeout(timeout)?;
                socket.connect(&SockAddr::unix(path)?)?;
                Ok(socket)
            }
            Self::Tcp(host, port) => {
                let mut error = io::Error::from(io::ErrorKind::NotFound);
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match connect_tcp(address, timeout) {
                        Ok(socket) => return Ok(socket),
                        Err(failure) => error = failure,
                    }
                }
                Err(error)
            }
        }
    }
}

/// The endpoint of a server URL; `None` if it is malformed.
pub(crate) fn endpoint(url: &str) -> Option<Endpoint> {
    if let Some(path) = url.strip_prefix("unix://") {
        return (!path.is_empty()).then(|| Endpoint::Unix(PathBuf::from(path)));
    }
    let uri: http::Uri = url.parse().ok()?;
    if uri.scheme_str() != Some("http") {
        return None;
    }
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some(Endpoint::Tcp(host.to_owned(), uri.port_u16().unwrap_or(80)))
}

fn connect_tcp(address: SocketAddr, timeout: Option<Duration>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    match timeout {
        Some(timeout) => socket.connect_timeout(&address.into(), timeout)?,
        None => socket.connect(&address.into())?,
    }
    // A request goes out in two writes; without this the second waits for an acknowledgement.
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// An error before anything was sent. Wrapped into [`Error::Other`], since ureq's own errors do not
/// distinguish it from a connection that broke later.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotConnected(pub io::Error);

/// Connects to its endpoint and ignores the URL of the request.
#[derive(Debug)]
pub struct EndpointConnector(pub Endpoint);

impl Connector for EndpointConnector {
    type Out = SocketTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let timeout = details.timeout.not_zero().map(|limit| *limit);
        let socket =
            self.0.connect(timeout).map_err(|error| Error::Other(NotConnected(error).into()))?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(SocketTransport { socket, buffers }))
    }
}

/// A connected socket as ureq uses it.
#[derive(Debug)]
pub struct SocketTransport {
    socket: Socket,
    buffers: LazyBuffers,
}

/// The remaining time, as a time limit of a socket.
fn limit(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    match timeout.after {
        time::Duration::NotHappening => Ok(None),
        time::Duration::Exact(Duration::ZERO) => Err(Error::Timeout(timeout.reason)),
        // Less than a microsecond would become zero, which means no limit to the system.
        time::Duration::Exact(left) => Ok(Some(left.max(Duration::from_millis(1)))),
    }
}

fn classify(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.socket.set_write_timeout(limit(timeout)?)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.socket.write_all(output).map_err(|error| classify(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.socket.set_read_timeout(limit(timeout)?)?;
        let amount = loop {
            match self.socket.read(self.buffers.input_append_buf()) {
                // A signal interrupts a read that has a time limit, SA_RESTART or not (signal(7)).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|error| classify(error, timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Nothing to read and not closed: the state between two requests.
    fn is_open(&mut self) -> bool {
        let silent = |socket: &mut Socket| {
            socket.set_nonblocking(true)?;
            let outcome = socket.read(&mut [0]);
            socket.set_nonblocking(false)?;
            Ok::<_, io::Error>(matches!(outcome, Err(e) if e.kind() == io::ErrorKind::WouldBlock))
        };
        silent(&mut self.socket).unwrap_or(false)
    }
}

/// Resolves nothing: the endpoint is known, and its name is looked up when it is connected to.
#[derive(Debug)]
pub struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from(([127, 0, 0, 1], 0)));
        Ok(addresses)
    }
}
