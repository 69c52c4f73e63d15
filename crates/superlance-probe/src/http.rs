//! A request by HTTP, and what the answer to it means.

pub(crate) mod certificate;
mod deadline;
mod explain;
pub(crate) mod reach;
pub(crate) mod redirect;
mod request;
mod tls;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::header::LOCATION;
use ureq::http::{Request as HttpRequest, Response};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, Body, Error};

use self::deadline::DeadlineConnector;
pub(crate) use self::deadline::StatusLine;
pub(crate) use self::explain::is_ours_alone;
use self::explain::{NoAnswer, explain};
use self::reach::{Lookup, UnixConnector};
use self::redirect::{Next, Step, next};
use self::request::Parts;
pub use self::request::{Login, Request};
use self::tls::{Expiry, TlsConnector};
use crate::expectation::{Expectation, Judgement, failure};
use crate::outcome::{Class, Failed, Outcome, Verdict};
use crate::tls::Tls;
pub use ureq::http::{HeaderName, Method};

/// Holds the headers of an answer, of which ureq takes up to 64 kB. ureq fills both buffers with zeros for
/// each connection: with its own 128 kB each, a quarter of the CPU of a check.
const INPUT_BUFFER: usize = 80 << 10;
const OUTPUT_BUFFER: usize = 8 << 10;

/// A request that can be made again and again, each time over a new connection.
#[derive(Debug, Clone)]
pub struct Http {
    pub request: Request,
    pub expectation: Arc<Expectation>,
    /// Time for the headers, and again for the body.
    pub limit: Duration,
    /// Time for both together.
    pub whole: Option<Duration>,
    pub tls: Arc<Tls>,
}

/// What is noticed on the way, whether or not an answer comes.
#[derive(Debug, Clone, Default)]
struct Notes {
    status_line: StatusLine,
    expiry: Expiry,
}

/// An answer that came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// The server's words for the status, as in `Internal Server Error`.
    reason: String,
    /// Why its status cannot be good, such as a redirect that leads elsewhere.
    refused: Option<String>,
    /// What its body is worth; of interest where the status is good.
    body: Judgement,
}

impl Http {
    /// Makes the request.
    #[must_use]
    pub fn check(&self) -> Outcome {
        let (started, notes) = (Instant::now(), Notes::default());
        let (status, note, verdict) = match self.get(&notes) {
            Err(why) => (None, None, self.impossible(&why)),
            Ok(Err(no_answer)) => (None, None, self.unanswered(no_answer)),
            Ok(Ok(answer)) => (Some(answer.status), self.note(&answer), self.judge(&answer)),
        };
        let certificate_end = notes.expiry.get();
        Outcome { verdict, took: started.elapsed(), status, certificate_end, note }
    }

    /// The verdict on an answer, in the words of the original where it has some.
    fn judge(&self, answer: &Answer) -> Verdict {
        let Answer { status, reason, refused, body } = answer;
        let (url, status_line) = (&self.request.target.shown, format!("{status} {reason}"));
        match (refused, &body.wrong) {
            (Some(why), _) => Verdict::Failed(failure(Class::Status, url, &status_line, why)),
            _ if !self.expectation.includes(*status) => {
                Verdict::Failed(failure(Class::Status, url, &status_line, ""))
            }
            (None, Some(wrong)) => Verdict::Failed(failure(Class::Body, url, &status_line, wrong)),
            (None, None) => Verdict::Good,
        }
    }

    fn note(&self, answer: &Answer) -> Option<String> {
        let note = answer.body.note.as_ref()?;
        Some(format!("{}: {note}", self.request.target.shown))
    }

    fn impossible(&self, why: &str) -> Verdict {
        Verdict::Trouble(format!("cannot check {}: {why}", self.request.target.shown))
    }

    fn unanswered(&self, NoAnswer { class, why, refused, is_ours }: NoAnswer) -> Verdict {
        if is_ours {
            return self.impossible(&why);
        }
        let text = format!("error contacting {}:\n\n {why}", self.request.target.shown);
        Verdict::Failed(Failed { class, text, refused })
    }

    /// Makes the request. The outer error is what keeps it from being made.
    fn get(&self, notes: &Notes) -> Result<Result<Answer, NoAnswer>, String> {
        let parts = self.request.parts()?;
        let (started, agent) = (Instant::now(), self.agent(notes)?);
        Ok(self.ask(&agent, &parts, notes, started))
    }

    fn ask(
        &self,
        agent: &Agent,
        parts: &Parts,
        notes: &Notes,
        started: Instant,
    ) -> Result<Answer, NoAnswer> {
        let Request { target, method, follow, .. } = &self.request;
        let mut step = Step { uri: target.uri.clone(), method: method.clone(), with_data: true };
        let mut left = *follow;
        let (mut response, refused) = loop {
            let response =
                send(agent, &step, parts).map_err(|error| explain(error, "without response"))?;
            let location = response.headers().get(LOCATION);
            let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()));
            match next(&step, response.status().as_u16(), location.as_deref(), left, *follow) {
                Next::Stay => break (response, None),
                Next::Refuse(why) => break (response, Some(why)),
                Next::Follow(further) => (step, left) = (further, left - 1),
            }
        };
        let status = response.status().as_u16();
        // A body cannot make a bad status good.
        let body = if refused.is_none() && self.expectation.includes(status) {
            let in_body = |error| explain(Error::from(error), "in the middle of the body");
            self.read(response.body_mut(), started).map_err(in_body)?
        } else {
            Judgement { wrong: None, note: None }
        };
        Ok(Answer { status, reason: notes.status_line.reason(), refused, body })
    }

    /// Reads the body to its end. The time limit also ends a body without end.
    fn read(&self, body: &mut Body, started: Instant) -> io::Result<Judgement> {
        let deadline = self.whole.map_or(Instant::now() + self.limit, |whole| started + whole);
        let mut reader = body.with_config().limit(u64::MAX).reader();
        let mut reading = self.expectation.reading();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(reading.conclude()),
                amount => reading.feed(buffer.get(..amount).unwrap_or_default()),
            }
            if Instant::now() > deadline {
                return Err(Error::Timeout(ureq::Timeout::RecvBody).into_io());
            }
        }
    }

    /// A client for one check: a new connection, and one deadline up to the headers.
    fn agent(&self, notes: &Notes) -> Result<Agent, String> {
        let limit = Some(self.limit);
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(self.whole)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(limit)
            .timeout_connect(limit)
            .timeout_send_request(limit)
            .timeout_send_body(limit)
            .timeout_recv_response(limit)
            .timeout_recv_body(limit)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            // Each is among our headers, where it is wanted.
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .build();
        let tls = TlsConnector {
            config: self.tls.config()?,
            server_name: self.tls.server_name(),
            expiry: notes.expiry.clone(),
        };
        let socket = self.request.socket.clone();
        let lookup = match socket {
            Some(_) => Lookup::Nothing,
            None => Lookup::System(DefaultResolver::default()),
        };
        let connector = DeadlineConnector {
            inner: UnixConnector(socket).chain(TcpConnector::default()).chain(tls),
            deadline: Instant::now() + self.limit,
            status_line: notes.status_line.clone(),
        };
        Ok(Agent::with_parts(config, connector, lookup))
    }
}

fn send(agent: &Agent, step: &Step, parts: &Parts) -> Result<Response<Body>, Error> {
    let mut request = HttpRequest::builder().method(&step.method).uri(&step.uri);
    if let Some(headers) = request.headers_mut() {
        headers.clone_from(&parts.headers);
    }
    // Without data, too, these say how much there is: a server may insist on that.
    let has_length = matches!(step.method, Method::POST | Method::PUT | Method::PATCH);
    match parts.data.as_slice() {
        data if has_length || step.with_data && !data.is_empty() => agent.run(request.body(data)?),
        _ => agent.run(request.body(())?),
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
