//! HTTP messages, with a length in a header or up to the end of the stream.

use std::io::{self, BufRead};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A request or a response.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads a message; `None` at the end of the stream.
    pub(crate) fn read(input: &mut impl BufRead) -> io::Result<Option<Message>> {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let start = line.trim_end().to_owned();
        let mut message = Message { start, headers: Vec::new(), body: Vec::new() };
        loop {
            line.clear();
            input.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            message.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        match message.header("content-length").and_then(|len| len.parse().ok()) {
            Some(len) => {
                message.body.resize(len, 0);
                input.read_exact(&mut message.body)?;
            }
            None if message.start.starts_with("HTTP/") => {
                input.read_to_end(&mut message.body)?;
            }
            None => {}
        }
        Ok(Some(message))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the client wants to send another request on this connection.
    pub(crate) fn keeps_alive(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default().to_ascii_lowercase();
        match self.start.ends_with("HTTP/1.1") {
            true => connection != "close",
            false => connection == "keep-alive",
        }
    }
}

/// The value of an Authorization header.
pub(crate) fn basic_auth(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}
