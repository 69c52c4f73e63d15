//! A connection to the fake supervisord.

use std::io::{self, BufReader, Write};
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::server::Shared;
use crate::wire::http::{Message, basic_auth};
use crate::wire::socket::Stream;
use crate::wire::xml::{Call, Value, fault, response};

/// One client of the fake supervisord.
pub(super) struct Connection<'a> {
    pub(super) shared: &'a Shared,
    pub(super) era: u64,
}

impl Connection<'_> {
    /// Answers requests until one of both sides has had enough.
    pub(super) fn serve(self, stream: Stream) -> io::Result<()> {
        self.shared.connections.converse(stream, |input| self.serve_one(input))
    }

    /// Answers a request, and says whether there may be another one.
    fn serve_one(&self, input: &mut BufReader<Stream>) -> io::Result<bool> {
        let Some(request) = Message::read(input)? else { return Ok(false) };
        let stream = input.get_mut();
        if let Some((status, body)) = self.refusal(&request) {
            stream.write_all(&http(status, body.as_bytes()))?;
        } else if let Some(call) = Call::from_xml(&String::from_utf8_lossy(&request.body)) {
            let answer = self.shared.state().record(&call);
            self.answer(stream, answer.as_ref(), &call)?;
            let closing = [Answer::CloseBefore, Answer::CloseMiddle, Answer::CloseAfter];
            if answer.is_some_and(|answer| closing.contains(&answer)) {
                return Ok(false);
            }
        } else {
            stream.write_all(&http(400, b""))?;
        }
        Ok(request.keeps_alive())
    }

    /// What is wrong with a request before it is even looked at.
    fn refusal(&self, request: &Message) -> Option<(u16, &'static str)> {
        let mut state = self.shared.state();
        let login = state.login.as_ref().map(|(user, password)| basic_auth(user, password));
        if login.is_some() && login.as_deref() != request.header("authorization") {
            state.refused += 1;
            return Some((401, "<html>Unauthorized</html>"));
        }
        match request.start.split(' ').nth(1) {
            _ if request.header("transfer-encoding").is_some() => Some((411, "")),
            Some(path) if path.starts_with("/RPC2") => None,
            _ => Some((404, "<html>Not Found</html>")),
        }
    }

    fn answer(&self, stream: &mut Stream, answer: Option<&Answer>, call: &Call) -> io::Result<()> {
        let reply = match answer {
            Some(Answer::CloseBefore) => return Ok(()),
            Some(Answer::Large(len)) => return write_large(stream, *len),
            Some(Answer::Fault(code, text)) => http(200, fault(*code, text).as_bytes()),
            Some(Answer::Http(status, body)) => http(*status, body.as_bytes()),
            Some(Answer::Garbage(body)) => http(200, body),
            Some(Answer::Value(xml)) => http(200, response(xml).as_bytes()),
            Some(Answer::WrongType) => {
                let text = Value::Text("of the wrong type".to_owned());
                http(200, response(&text.to_string()).as_bytes())
            }
            Some(Answer::Slow(time)) => {
                self.pause(Some(*time))?;
                self.perform(call)
            }
            Some(Answer::Hold) => {
                self.pause(None)?;
                self.perform(call)
            }
            Some(Answer::CloseMiddle | Answer::CloseAfter | Answer::Dripping(_)) | None => {
                self.perform(call)
            }
        };
        match answer {
            Some(Answer::CloseMiddle) => stream.write_all(&reply[..reply.len() / 2]),
            Some(Answer::Dripping(pause)) => reply.iter().try_for_each(|byte| {
                self.pause(Some(*pause))?;
                stream.write_all(&[*byte])
            }),
            _ => stream.write_all(&reply),
        }
    }

    fn perform(&self, call: &Call) -> Vec<u8> {
        let (status, body) = self.shared.state().perform(call);
        http(status, body.as_bytes())
    }

    /// Waits for a time or for the release of held calls; an error when the server stops.
    fn pause(&self, time: Option<Duration>) -> io::Result<()> {
        let deadline = time.map(|time| Instant::now() + time);
        let mut state = self.shared.state();
        let released = state.released;
        loop {
            if self.shared.era() != self.era {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let rest = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            state = match rest {
                Some(Duration::ZERO) => return Ok(()),
                Some(rest) => self.shared.changed.wait_timeout(state, rest).unwrap().0,
                None if state.released != released => return Ok(()),
                None => self.shared.changed.wait(state).unwrap(),
            };
        }
    }
}

fn write_large(stream: &mut Stream, len: u64) -> io::Result<()> {
    let start = "<?xml version='1.0'?><methodResponse><params><param><value><string>";
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{start}")?;
    let mut left = len.saturating_sub(start.len() as u64);
    let block = [b'x'; 64 * 1024];
    while left > 0 {
        let part = &block[..block.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        stream.write_all(part)?;
        left -= part.len() as u64;
    }
    Ok(())
}

fn http(status: u16, body: &[u8]) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        411 => "Length Required",
        500 => "Internal Server Error",
        _ => "Other",
    };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
