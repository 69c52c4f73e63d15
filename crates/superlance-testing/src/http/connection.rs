//! A connection to the HTTP server.

use std::io::{self, BufReader, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::answer::{HttpAnswer, Reply};
use super::script::Script;
use crate::wire::http::Message;
use crate::wire::server::Connections;
use crate::wire::socket::Stream;

/// One client of the HTTP server.
pub(super) struct Connection<'a> {
    pub(super) script: &'a Script,
    pub(super) connections: &'a Connections,
    pub(super) number: u64,
}

impl Connection<'_> {
    /// Answers requests until one of both sides has had enough.
    pub(super) fn serve(self, stream: Stream) -> io::Result<()> {
        self.connections.converse(stream, |input| self.serve_one(input))
    }

    /// Answers a request, and says whether there may be another one.
    fn serve_one(&self, input: &mut BufReader<Stream>) -> io::Result<bool> {
        let Some(request) = Message::read(input)? else { return Ok(false) };
        let stream = input.get_mut();
        let answer = self.script.take(&request, self.number, stream.server_name());
        let to_head = request.start.starts_with("HEAD ");
        Ok(reply(stream, &answer, to_head)? && request.keeps_alive())
    }
}

/// Answers, and says whether the connection can be used again.
fn reply(stream: &mut Stream, answer: &HttpAnswer, to_head: bool) -> io::Result<bool> {
    pause(stream, Some(answer.delay))?;
    let Some((head, body, again)) = answer.reply.to_bytes(to_head) else {
        match answer.reply {
            Reply::Never => pause(stream, None)?,
            Reply::Flood => flood(stream)?,
            _ => {}
        }
        return Ok(false);
    };
    write(stream, &head, answer.head_pause)?;
    write(stream, body, answer.body_pause)?;
    Ok(again)
}

fn flood(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    loop {
        stream.write_all(&[b'x'; 1 << 16])?;
    }
}

fn write(stream: &mut Stream, bytes: &[u8], time: Duration) -> io::Result<()> {
    if time.is_zero() {
        return stream.write_all(bytes);
    }
    bytes.iter().try_for_each(|byte| {
        pause(stream, Some(time))?;
        stream.write_all(&[*byte])
    })
}

/// Waits for a time or for ever; an error when the client goes away or the server stops, which
/// closes the connection.
fn pause(stream: &Stream, time: Option<Duration>) -> io::Result<()> {
    let deadline = time.map(|time| Instant::now() + time);
    loop {
        let rest = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if rest == Some(Duration::ZERO) {
            return Ok(());
        }
        // Rounded up, so as not to turn in circles for the last millisecond.
        let timeout = rest.map_or(PollTimeout::NONE, |rest| {
            let millis = rest.as_millis().saturating_add(1);
            PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
        });
        // A client that waits for an answer sends nothing: only the end is readable.
        match poll(&mut [PollFd::new(stream.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Err(error) => return Err(error.into()),
        }
    }
}
