//! SMTP as it goes over the wire (RFC 5321): commands and answers, STARTTLS, logging in.
//!
//! An answer is bounded, and what comes without having been asked for ends the conversation: whoever
//! sits between could otherwise answer in advance, before anything is encrypted.

use std::io::{self, BufReader, Write as _};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::answer::{Answer, Error, answer};
use super::stream::{Stream, connect};
use super::{Server, tls};

/// A connection to a server that has said what it can.
pub(super) struct Connection {
    stream: BufReader<Stream>,
    /// The lines of its answer to EHLO, in capital letters.
    extensions: Vec<String>,
}

impl Connection {
    /// Connects to `server`, introduces itself as `hello`, and encrypts at once if there is a `config`.
    pub(super) fn connect(
        server: &Server,
        limit: Duration,
        hello: &str,
        config: Option<Arc<ClientConfig>>,
    ) -> Result<Self, Error> {
        let stream = Stream::Plain(connect(server, limit)?);
        let mut connection = Self { stream: BufReader::new(stream), extensions: Vec::new() };
        connection.set_limit(limit)?;
        if let Some(config) = config {
            connection.encrypt(&server.host, config)?;
        }
        answer(&mut connection.stream)?;
        connection.introduce(hello)?;
        Ok(connection)
    }

    /// Sets how long to wait for each piece of an answer.
    pub(super) fn set_limit(&self, limit: Duration) -> Result<(), Error> {
        if let Some(socket) = self.stream.get_ref().socket() {
            socket.set_read_timeout(Some(limit))?;
            socket.set_write_timeout(Some(limit))?;
        }
        Ok(())
    }

    /// Whether the server said that it can do this.
    pub(super) fn can(&self, extension: &str) -> bool {
        self.words(extension).is_some()
    }

    /// What the server said with the name of an extension: `PLAIN LOGIN` of `AUTH PLAIN LOGIN`.
    fn words(&self, extension: &str) -> Option<&str> {
        self.extensions.iter().find_map(|line| {
            let (name, words) = line.split_once([' ', '=']).unwrap_or((line, ""));
            (name == extension).then_some(words)
        })
    }

    /// Goes on encrypted.
    pub(super) fn start_tls(
        &mut self,
        host: &str,
        config: Arc<ClientConfig>,
        hello: &str,
    ) -> Result<(), Error> {
        self.command("STARTTLS")?;
        self.nothing_is_left()?;
        self.encrypt(host, config)?;
        self.introduce(hello)
    }

    fn encrypt(&mut self, host: &str, config: Arc<ClientConfig>) -> Result<(), Error> {
        let name = tls::server_name(host).map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        if let Stream::Plain(mut socket) = std::mem::replace(self.stream.get_mut(), Stream::None) {
            while connection.is_handshaking() {
                connection.complete_io(&mut socket)?;
            }
            let stream = StreamOwned::new(connection, socket);
            *self.stream.get_mut() = Stream::Encrypted(Box::new(stream));
        }
        Ok(())
    }

    /// The certificates that an encrypted connection came with.
    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        match self.stream.get_ref() {
            Stream::Encrypted(stream) => stream.conn.peer_certificates().unwrap_or_default(),
            Stream::Plain(_) | Stream::None => &[],
        }
    }

    /// Logs in, in one of two ways; `None` if the server knows neither.
    pub(super) fn log_in(&mut self, user: &str, password: &str) -> Option<Result<(), Error>> {
        let ways: Vec<_> = self.words("AUTH")?.split_whitespace().collect();
        let plain = STANDARD.encode(format!("\0{user}\0{password}"));
        let commands = match (ways.contains(&"PLAIN"), ways.contains(&"LOGIN")) {
            (true, _) => vec![format!("AUTH PLAIN {plain}")],
            (false, true) => {
                vec!["AUTH LOGIN".to_owned(), STANDARD.encode(user), STANDARD.encode(password)]
            }
            (false, false) => return None,
        };
        Some(commands.iter().try_for_each(|command| self.command(command)))
    }

    fn introduce(&mut self, hello: &str) -> Result<(), Error> {
        self.send(&format!("EHLO {hello}\r\n"))?;
        let Answer { lines, .. } = answer(&mut self.stream)?;
        self.extensions = lines.iter().map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    /// Gives a command, and waits until the server has done it.
    pub(super) fn command(&mut self, command: &str) -> Result<(), Error> {
        self.send(&format!("{command}\r\n"))?;
        answer(&mut self.stream).map(drop)
    }

    /// Announces a mail.
    pub(super) fn announce(&mut self) -> Result<(), Error> {
        self.send("DATA\r\n")?;
        match answer(&mut self.stream)?.code {
            300..400 => Ok(()),
            _ => Err(Error::Odd("the server answered to DATA as if it had the mail already")),
        }
    }

    /// Sends a mail that was announced, whose lines end with CR LF.
    pub(super) fn mail(&mut self, mail: &str) -> Result<(), Error> {
        let dot = if mail.starts_with('.') { "." } else { "" };
        let mail = mail.replace("\r\n.", "\r\n..");
        self.send(&format!("{dot}{mail}\r\n.\r\n"))?;
        answer(&mut self.stream).map(drop)
    }

    fn send(&mut self, text: &str) -> Result<(), Error> {
        self.nothing_is_left()?;
        let stream = self.stream.get_mut();
        stream.write_all(text.as_bytes())?;
        Ok(stream.flush()?)
    }

    fn nothing_is_left(&self) -> Result<(), Error> {
        match self.stream.buffer() {
            [] => Ok(()),
            _ => Err(Error::Odd("the server says what it was not asked")),
        }
    }
}
