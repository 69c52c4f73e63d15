//! A connection by TCP, and what the server says over it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use superlance_core::system::io_error;
use superlance_core::system::truncate;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Agent, Error};

use crate::http::is_ours_alone;
use crate::http::reach::Lookup;
use crate::outcome::{Class, Failed, Verdict};
use crate::search::Search;

/// How much of what a server says instead is shown.
const SHOWN: usize = 100;

/// A connection that can be made again and again.
#[derive(Debug, Clone)]
pub(crate) struct Tcp {
    /// `http://HOST:PORT/`, which is how names are looked up.
    pub(crate) uri: Uri,
    /// The URL for messages.
    pub(crate) shown: String,
    /// What the server is told first.
    pub(crate) say: Vec<u8>,
    /// What it must say; empty for nothing.
    pub(crate) expect: Vec<u8>,
    /// Time for all of it.
    pub(crate) limit: Duration,
}

impl Tcp {
    pub(crate) fn check(&self) -> Verdict {
        match self.talk() {
            Ok(()) => Verdict::Good,
            Err(verdict) => verdict,
        }
    }

    fn talk(&self) -> Result<(), Verdict> {
        let deadline = Instant::now() + self.limit;
        let mut stream = self.connect(deadline)?;
        stream.set_write_timeout(Some(left(deadline))).map_err(|error| self.failed(&error))?;
        stream.write_all(&self.say).map_err(|error| self.failed(&error))?;
        if self.expect.is_empty() { Ok(()) } else { self.listen(&mut stream, deadline) }
    }

    /// Tries one address after the other, each with its share of the time left.
    fn connect(&self, deadline: Instant) -> Result<TcpStream, Verdict> {
        let mut failed = self.failure(Class::Connect, "there is no such host");
        let addresses = self.addresses(deadline)?;
        for (address, rest) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let share = left(deadline) / u32::try_from(rest).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = self.failed(&error),
            }
        }
        Err(failed)
    }

    fn addresses(&self, deadline: Instant) -> Result<Vec<SocketAddr>, Verdict> {
        let config = Agent::config_builder().build();
        let timeout = NextTimeout { after: left(deadline).into(), ..NextTimeout::default() };
        match Lookup::System(DefaultResolver::default()).resolve(&self.uri, &config, timeout) {
            Ok(addresses) => Ok(addresses.iter().copied().collect()),
            Err(Error::Timeout(_)) => Err(self.failure(Class::Timeout, "timed out")),
            Err(Error::Io(error)) => Err(self.failed(&error)),
            Err(error) => Err(self.failure(Class::Connect, &error.to_string())),
        }
    }

    /// Reads until the text has come.
    fn listen(&self, stream: &mut TcpStream, deadline: Instant) -> Result<(), Verdict> {
        let mut search = Search::new(&self.expect);
        let (mut beginning, mut buffer) = (Vec::new(), [0; 4096]);
        while !search.found() {
            stream.set_read_timeout(Some(left(deadline))).map_err(|error| self.failed(&error))?;
            let amount = match stream.read(&mut buffer) {
                Ok(0) if beginning.is_empty() => {
                    return Err(
                        self.failure(Class::Connect, "it closed the connection and said nothing")
                    );
                }
                Ok(0) => return Err(self.otherwise(&beginning)),
                Ok(amount) => amount,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if is_timeout(&error) && !beginning.is_empty() => {
                    return Err(self.otherwise(&beginning));
                }
                Err(error) => return Err(self.failed(&error)),
            };
            let piece = buffer.get(..amount).unwrap_or_default();
            search.feed(piece);
            beginning.extend(piece.iter().take(SHOWN - beginning.len().min(SHOWN)));
            if !search.found() && Instant::now() >= deadline {
                return Err(self.otherwise(&beginning));
            }
        }
        Ok(())
    }

    /// The server says something, and not what is expected.
    fn otherwise(&self, said: &[u8]) -> Verdict {
        let (said, expected) =
            (String::from_utf8_lossy(said), String::from_utf8_lossy(&self.expect));
        let said = truncate::beginning(&said, SHOWN);
        self.failure(Class::Body, &format!("it said {said:?}, and not {expected:?}"))
    }

    fn failed(&self, error: &io::Error) -> Verdict {
        if is_timeout(error) {
            return self.failure(Class::Timeout, "timed out");
        }
        let why = io_error::explain(error);
        if is_ours_alone(error) {
            return Verdict::Trouble(format!("cannot check {}: {why}", self.shown));
        }
        let refused = error.kind() == ErrorKind::ConnectionRefused;
        Verdict::Failed(Failed { refused, ..self.reason(Class::Connect, &why) })
    }

    fn failure(&self, class: Class, why: &str) -> Verdict {
        Verdict::Failed(self.reason(class, why))
    }

    fn reason(&self, class: Class, why: &str) -> Failed {
        Failed::new(class, format!("error contacting {}:\n\n {why}", self.shown))
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// The time left, as a time limit: zero would be none.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// The verdict on a server that says this when it is told something, and then does `then`.
    fn verdict(says: &'static [u8], then: fn(TcpStream), expect: &str) -> Verdict {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut told = [0; 6];
            stream.read_exact(&mut told).unwrap();
            assert_eq!(&told, b"PING\r\n");
            stream.write_all(says).unwrap();
            then(stream);
        });
        let verdict = tcp(port, b"PING\r\n", expect).check();
        server.join().unwrap();
        verdict
    }

    fn tcp(port: u16, say: &[u8], expect: &str) -> Tcp {
        Tcp {
            uri: format!("http://localhost:{port}/").parse().unwrap(),
            shown: "tcp://h:1".to_owned(),
            say: say.to_vec(),
            expect: expect.as_bytes().to_vec(),
            limit: Duration::from_millis(500),
        }
    }

    /// Keeps the connection until the client closes it.
    fn keep(mut stream: TcpStream) {
        let _ = stream.read(&mut [0]);
    }

    fn failed(class: Class, why: &str) -> Verdict {
        Verdict::Failed(Failed::new(class, format!("error contacting tcp://h:1:\n\n {why}")))
    }

    #[test]
    fn a_connection_that_opens_is_good_and_one_that_is_refused_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(tcp(port, b"", "").check(), Verdict::Good);
        drop(listener);
        let Verdict::Failed(failed) = tcp(port, b"", "").check() else { panic!("it is closed") };
        assert!(failed.refused && failed.class == Class::Connect, "{failed:?}");
        assert!(failed.text.contains("Connection refused"), "{failed:?}");
    }

    #[test]
    fn the_server_must_say_what_is_expected() {
        assert_eq!(verdict(b"+PONG\r\n", keep, "PONG"), Verdict::Good);
        assert_eq!(verdict(b"+PONG\r\n", drop, "PONG"), Verdict::Good);
        let otherwise = failed(Class::Body, "it said \"-ERR\\r\\n\", and not \"PONG\"");
        assert_eq!(verdict(b"-ERR\r\n", keep, "PONG"), otherwise);
        assert_eq!(verdict(b"-ERR\r\n", drop, "PONG"), otherwise);
        assert_eq!(verdict(b"", keep, "PONG"), failed(Class::Timeout, "timed out"));
        let silent = "it closed the connection and said nothing";
        assert_eq!(verdict(b"", drop, "PONG"), failed(Class::Connect, silent));
    }

    #[test]
    fn a_flood_ends_with_the_time_limit() {
        fn flood(mut stream: TcpStream) {
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
        let started = Instant::now();
        let Verdict::Failed(failed) = verdict(b"", flood, "PONG") else { panic!("it never ends") };
        assert!(failed.class == Class::Body && failed.text.len() < 300, "{failed:?}");
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn names_are_looked_up() {
        let tcp = Tcp {
            uri: "http://no-such-host.invalid:1/".parse().unwrap(),
            limit: Duration::from_secs(20),
            ..tcp(1, b"", "")
        };
        let Verdict::Failed(failed) = tcp.check() else { panic!("there is none") };
        assert_eq!(failed.class, Class::Connect);
    }
}
