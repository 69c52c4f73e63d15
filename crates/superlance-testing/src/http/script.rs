//! The answers that the HTTP server gives, and the requests that it has received.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use super::answer::HttpAnswer;
use crate::wire::http::Message;

/// A request as the HTTP server got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Such as `GET`.
    pub method: String,
    /// The path with its query, as it was sent.
    pub path: String,
    /// Names and values, as they were sent.
    pub headers: Vec<(String, String)>,
    /// What came behind the headers.
    pub body: String,
    /// Which connection it came by, from 1.
    pub connection: u64,
}

impl HttpRequest {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The answers to come and the requests that came, shared with the connections.
#[derive(Debug)]
pub(super) struct Script(Mutex<State>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) usual: HttpAnswer,
    pub(super) next: VecDeque<HttpAnswer>,
    pub(super) requests: Vec<HttpRequest>,
    pub(super) server_names: Vec<String>,
}

impl Script {
    pub(super) fn new(usual: HttpAnswer, next: VecDeque<HttpAnswer>) -> Script {
        Script(Mutex::new(State { usual, next, requests: Vec::new(), server_names: Vec::new() }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Notes a request and the name of the server it was for, and says what to answer.
    pub(super) fn take(
        &self,
        message: &Message,
        connection: u64,
        server_name: Option<&str>,
    ) -> HttpAnswer {
        let mut words = message.start.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        let (method, path) = (word(), word());
        let headers = message.headers.clone();
        let body = String::from_utf8_lossy(&message.body).into_owned();
        let mut state = self.state();
        state.server_names.push(server_name.unwrap_or_default().to_owned());
        state.requests.push(HttpRequest { method, path, headers, body, connection });
        state.next.pop_front().unwrap_or_else(|| state.usual.clone())
    }
}
