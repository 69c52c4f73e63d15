//! A connection to a server, in clear or encrypted.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use super::Server;

pub(super) enum Stream {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// The state while TLS is set up.
    None,
}

/// Tries one address of the server after the other.
pub(super) fn connect(server: &Server, limit: Duration) -> io::Result<TcpStream> {
    let mut error = io::Error::other("its name has no address");
    for address in (server.host.as_str(), server.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(socket) => {
                // A mail goes out in several writes; none of them waits for an acknowledgement.
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

impl Stream {
    /// The TCP connection below it.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(socket) => Some(socket),
            Self::Encrypted(stream) => Some(&stream.sock),
            Self::None => None,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Encrypted(stream) => stream.read(into),
            Self::None => Ok(0),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
            Self::None => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Encrypted(stream) => stream.flush(),
            Self::None => Ok(()),
        }
    }
}
