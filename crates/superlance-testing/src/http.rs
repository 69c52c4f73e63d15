//! An HTTP server that answers what the test wants, by http or https, and keeps the requests.

mod answer;
mod builder;
mod connection;
mod script;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

pub use answer::HttpAnswer;
pub use builder::HttpBuilder;
use connection::Connection;
pub use script::HttpRequest;
use script::Script;

use crate::certificate::Certificate;
use crate::wait::{SOON, try_wait, wait_for};
use crate::wire::server::Connections;
use crate::wire::socket::Address;

/// An HTTP server on this machine; it serves until it is stopped or its value goes.
#[derive(Debug)]
pub struct HttpServer {
    ip: IpAddr,
    address: Address,
    certificate: Option<Certificate>,
    script: Arc<Script>,
    connections: Arc<Connections>,
    server: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// One that answers 200 with an empty body, at a free port of 127.0.0.1.
    #[must_use]
    pub fn new() -> HttpServer {
        HttpServer::builder().start()
    }

    /// One of another kind.
    #[must_use]
    pub fn builder() -> HttpBuilder {
        HttpBuilder::default()
    }

    #[track_caller]
    fn from_builder(builder: HttpBuilder) -> HttpServer {
        let HttpBuilder { ip, socket, certificate, usual, next } = builder;
        let free_port = || Address::free_port_of(ip);
        let mut http = HttpServer {
            ip,
            address: socket.map_or_else(free_port, Address::Unix),
            certificate,
            script: Arc::new(Script::new(usual, next.into())),
            connections: Arc::default(),
            server: None,
        };
        http.start();
        http
    }

    /// Scheme, address and port, like `http://127.0.0.1:8080`; a path may follow.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), SocketAddr::new(self.ip, self.port()))
    }

    /// The same with another name for this machine, such as `localhost` or `user:pw@localhost`.
    #[must_use]
    pub fn url_of(&self, host: &str) -> String {
        format!("{}://{host}:{}", self.scheme(), self.port())
    }

    fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        match &self.address {
            Address::Inet(address) => address.port(),
            Address::Unix(_) => 0,
        }
    }

    /// From now on, usually answers this.
    pub fn usually(&self, answer: HttpAnswer) {
        self.script.state().usual = answer;
    }

    /// Answers the next request in this way, after those of which that was said before.
    pub fn then(&self, answer: HttpAnswer) {
        self.script.state().next.push_back(answer);
    }

    /// All requests so far in order.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.script.state().requests.clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.script.state().requests.clear();
    }

    /// Waits until there have been this many requests, and returns all that have been.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<HttpRequest> {
        let seen = || Some(self.requests()).filter(|requests| requests.len() >= count);
        match try_wait(SOON, seen) {
            Some(requests) => requests,
            None => panic!("not {count} requests in {SOON:?}, but {:#?}", self.requests()),
        }
    }

    /// The names of servers that clients of https asked for (SNI), one for each request; empty for
    /// none, as for an address.
    #[must_use]
    pub fn server_names(&self) -> Vec<String> {
        self.script.state().server_names.clone()
    }

    /// Whether no request is being answered now.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.connections.is_idle()
    }

    /// Goes down: every connection is closed, and new ones are refused.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.connections.stop();
            // Wakes the thread that waits for connections, so that it sees the end.
            let _ = self.address.connect();
            server.join().expect("the server should not panic");
        }
    }

    /// Comes back at the same port.
    #[track_caller]
    pub fn start(&mut self) {
        if self.server.is_some() {
            return;
        }
        // A client of another test may have been given the port meanwhile, for a while.
        let acceptor = wait_for("the port of the server", SOON, || self.address.listen().ok());
        let (script, connections) = (Arc::clone(&self.script), Arc::clone(&self.connections));
        let config = self.certificate.as_ref().map(Certificate::config);
        self.server = Some(self.connections.serve(acceptor, move |stream, number| {
            let stream = match &config {
                Some(config) => stream.encrypted(config),
                None => stream,
            };
            let connection = Connection { script: &script, connections: &connections, number };
            // An error is a client that went away, which it may.
            let _ = connection.serve(stream);
        }));
    }
}

impl Default for HttpServer {
    fn default() -> HttpServer {
        HttpServer::new()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop();
    }
}
