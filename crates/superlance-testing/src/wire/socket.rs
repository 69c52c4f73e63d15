//! A stream socket on this machine, by path or by port.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    Inet(SocketAddr),
}

#[derive(Debug)]
pub(crate) enum Acceptor {
    Unix(UnixListener),
    Inet(TcpListener),
}

#[derive(Debug)]
pub(crate) enum Stream {
    Unix(UnixStream),
    Inet(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Address {
    /// A port of 127.0.0.1 that was free a moment ago.
    pub(crate) fn free_port() -> Address {
        Address::free_port_of(Ipv4Addr::LOCALHOST.into())
    }

    /// A port of an address that was free a moment ago.
    pub(crate) fn free_port_of(ip: IpAddr) -> Address {
        let any = TcpListener::bind((ip, 0)).expect("a port should be free");
        Address::Inet(any.local_addr().expect("the listener is bound"))
    }

    /// The address as SUPERVISOR_SERVER_URL would give it.
    pub(crate) fn url(&self) -> String {
        match self {
            Address::Unix(path) => format!("unix://{}", path.display()),
            Address::Inet(address) => format!("http://{address}"),
        }
    }

    pub(crate) fn connect(&self) -> io::Result<Stream> {
        match self {
            Address::Unix(path) => UnixStream::connect(path).map(Stream::Unix),
            Address::Inet(address) => TcpStream::connect(address).map(Stream::Inet),
        }
    }

    pub(crate) fn listen(&self) -> io::Result<Acceptor> {
        match self {
            Address::Unix(path) => UnixListener::bind(path).map(Acceptor::Unix),
            Address::Inet(address) => TcpListener::bind(address).map(Acceptor::Inet),
        }
    }
}

/// Waits until there is something to accept or to read, its end included; false when the time is over.
pub(crate) fn is_readable(socket: &impl AsFd, timeout: PollTimeout) -> bool {
    loop {
        match poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], timeout) {
            Err(Errno::EINTR) => {}
            ready => return ready.is_ok_and(|count| count > 0),
        }
    }
}

impl AsFd for Acceptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Acceptor::Unix(listener) => listener.as_fd(),
            Acceptor::Inet(listener) => listener.as_fd(),
        }
    }
}

impl Acceptor {
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        match self {
            Acceptor::Unix(listener) => listener.accept().map(|(stream, _)| Stream::Unix(stream)),
            Acceptor::Inet(listener) => listener.accept().map(|(stream, _)| Stream::Inet(stream)),
        }
    }
}

impl Stream {
    /// The same connection; of an encrypted one, what is under the encryption.
    pub(crate) fn try_clone(&self) -> io::Result<Stream> {
        match self {
            Stream::Unix(stream) => stream.try_clone().map(Stream::Unix),
            Stream::Inet(stream) => stream.try_clone().map(Stream::Inet),
            Stream::Tls(stream) => stream.sock.try_clone().map(Stream::Inet),
        }
    }

    /// The server's side of TLS over it; the handshake comes with the first read.
    pub(crate) fn encrypted(self, config: &Arc<ServerConfig>) -> Stream {
        let Stream::Inet(socket) = self else { panic!("TLS is spoken at ports only") };
        let connection = ServerConnection::new(Arc::clone(config)).expect("the config is good");
        Stream::Tls(Box::new(StreamOwned::new(connection, socket)))
    }

    /// The name of the server that a client of TLS asked for (SNI).
    pub(crate) fn server_name(&self) -> Option<&str> {
        match self {
            Stream::Tls(stream) => stream.conn.server_name(),
            Stream::Unix(_) | Stream::Inet(_) => None,
        }
    }

    /// Ends the connection for every clone of it.
    pub(crate) fn close(&mut self) {
        // An error means that the other side was faster.
        let _ = match self {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
            Stream::Inet(stream) => stream.shutdown(Shutdown::Both),
            Stream::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush().and_then(|()| stream.sock.shutdown(Shutdown::Both))
            }
        };
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Unix(stream) => stream.as_fd(),
            Stream::Inet(stream) => stream.as_fd(),
            Stream::Tls(stream) => stream.sock.as_fd(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Inet(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.write(buffer),
            Stream::Inet(stream) => stream.write(buffer),
            Stream::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.flush(),
            Stream::Inet(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
