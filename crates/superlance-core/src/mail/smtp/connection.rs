//! An SMTP connection (RFC 5321): commands and answers, STARTTLS, logins.
//!
//! lettre provides the commands, the capabilities of a server, and the login mechanisms. Its own
//! connection is not used: it reads lines of any length, and takes what was sent before STARTTLS
//! for answers to later commands. Here an answer is bounded, and bytes that were not asked for end
//! the conversation: an attacker on the network could otherwise answer in advance, before anything
//! is encrypted.

use std::fmt::Display;
use std::io::{self, BufReader, Write as _};
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Quit, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::Response;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::answer::{Error, answer};
use super::stream::{Stream, connect};
use super::{Server, tls};

/// Login mechanisms, the best first.
const LOGINS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Challenges that a server may send in one login; LOGIN has two.
const MOST_QUESTIONS: usize = 4;

/// A connection to a server that has announced its capabilities.
pub(super) struct Connection {
    stream: BufReader<Stream>,
    /// The capabilities from its answer to EHLO.
    server: ServerInfo,
    /// Whether the server takes further commands: it has answered the last one, and not with 421.
    in_order: bool,
}

impl Connection {
    /// Connects to `server`, introduces itself as `hello`, and encrypts at once if there is a `config`.
    pub(super) fn connect(
        server: &Server,
        limit: Duration,
        hello: &ClientId,
        config: Option<Arc<ClientConfig>>,
    ) -> Result<Self, Error> {
        let stream = Stream::Plain(connect(server, limit)?);
        let (stream, info) = (BufReader::new(stream), ServerInfo::default());
        let mut connection = Self { stream, server: info, in_order: true };
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

    /// Whether the server has this capability.
    pub(super) fn can(&self, extension: Extension) -> bool {
        self.server.supports_feature(extension)
    }

    /// Encrypts the connection.
    pub(super) fn start_tls(
        &mut self,
        host: &str,
        config: Arc<ClientConfig>,
        hello: &ClientId,
    ) -> Result<(), Error> {
        self.command(Starttls)?;
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

    /// The certificates of an encrypted connection.
    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        match self.stream.get_ref() {
            Stream::Encrypted(stream) => stream.conn.peer_certificates().unwrap_or_default(),
            Stream::Plain(_) | Stream::None => &[],
        }
    }

    /// Logs in, with the first mechanism that the server accepts.
    pub(super) fn log_in(&mut self, user: &str, password: &str) -> Result<(), Error> {
        let credentials = Credentials::new(user.to_owned(), password.to_owned());
        let mut outcome =
            Err(Error::Odd("the server offers neither PLAIN nor LOGIN authentication"));
        for mechanism in LOGINS {
            if !self.server.supports_auth_mechanism(mechanism) {
                continue;
            }
            match self.log_in_by(mechanism, &credentials) {
                // Some servers offer a mechanism that they refuse.
                Err(refusal @ Error::Refused { .. }) if self.in_order => outcome = Err(refusal),
                // A server that closes the connection has sent its reason before.
                Err(_) if matches!(outcome, Err(Error::Refused { .. })) => return outcome,
                last => return last,
            }
        }
        outcome
    }

    fn log_in_by(&mut self, mechanism: Mechanism, credentials: &Credentials) -> Result<(), Error> {
        const ODD: Error = Error::Odd("the server asks for something else than user and password");
        let first = Auth::new(mechanism, credentials.clone(), None).map_err(|_| ODD)?;
        let mut answer = self.command(first)?;
        for _ in 0..MOST_QUESTIONS {
            if !answer.has_code(334) {
                return Ok(());
            }
            let next = Auth::new_from_response(mechanism, credentials.clone(), &answer);
            answer = self.command(next.map_err(|_| ODD)?)?;
        }
        Err(ODD)
    }

    fn introduce(&mut self, hello: &ClientId) -> Result<(), Error> {
        let answer = self.command(Ehlo::new(hello.clone()))?;
        // In upper and lower case, and in the form from before the standard: `auth=PLAIN`.
        let lines =
            answer.message().map(|line| line.to_ascii_uppercase().replace("AUTH=", "AUTH "));
        let answer = Response::new(answer.code(), lines.collect());
        self.server = ServerInfo::from_response(&answer).unwrap_or_default();
        Ok(())
    }

    /// Sends a command with its line end, and waits for the answer.
    pub(super) fn command(&mut self, command: impl Display) -> Result<Response, Error> {
        let answer = self.send(&command.to_string()).and_then(|()| answer(&mut self.stream));
        self.in_order = answer.as_ref().map_or_else(Error::leaves_in_order, |_| true);
        answer
    }

    /// Ends the conversation, unless the server has. Waits for the answer if there is time.
    pub(super) fn quit(mut self, limit: Option<Duration>) {
        if !self.in_order {
            return;
        }
        // An error changes nothing any more.
        let _ = match limit {
            Some(limit) => self.set_limit(limit).and_then(|()| self.command(Quit).map(drop)),
            None => self.send(&Quit.to_string()),
        };
    }

    /// Announces a mail.
    pub(super) fn announce(&mut self) -> Result<(), Error> {
        match u16::from(self.command(Data)?.code()) {
            300.. => Ok(()),
            _ => Err(Error::Odd("the server answered to DATA as if it had the mail already")),
        }
    }

    /// Sends a mail that was announced, whose lines end with CR LF.
    pub(super) fn mail(&mut self, mail: &str) -> Result<(), Error> {
        let dot = if mail.starts_with('.') { "." } else { "" };
        let mail = mail.replace("\r\n.", "\r\n..");
        self.command(format_args!("{dot}{mail}\r\n.\r\n")).map(drop)
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
