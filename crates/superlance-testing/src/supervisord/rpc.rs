//! The harness's own RPC client, faster than supervisorctl.

use std::io::{self, BufReader, Write};

use crate::wire::http::{Message, basic_auth};
use crate::wire::socket::Address;
use crate::wire::xml::{Call, member};

/// How to call a supervisord: every call on a connection of its own.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) address: Address,
    pub(super) login: Option<(String, String)>,
}

impl Client {
    /// Calls a method, and returns the document that answers it.
    pub(super) fn call(&self, method: &str, args: &[&str]) -> io::Result<String> {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        let body = Call { method: method.to_owned(), args }.to_xml();
        let login = self.login.as_ref().map_or(String::new(), |(user, password)| {
            format!("Authorization: {}\r\n", basic_auth(user, password))
        });
        let mut stream = self.address.connect()?;
        write!(
            stream,
            "POST /RPC2 HTTP/1.0\r\n{login}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let answer = Message::read(&mut BufReader::new(stream))?;
        let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        match answer.start.contains(" 200 ") {
            true => Ok(String::from_utf8_lossy(&answer.body).into_owned()),
            false => Err(io::Error::other(answer.start)),
        }
    }

    /// A member of what getProcessInfo says.
    #[track_caller]
    pub(super) fn info(&self, namespec: &str, name: &str) -> String {
        let answer = self.call("supervisor.getProcessInfo", &[namespec]);
        let answer = answer.expect("supervisord should answer");
        let found = member(&answer, name);
        found.unwrap_or_else(|| panic!("no {name} of {namespec} in {answer}"))
    }
}
