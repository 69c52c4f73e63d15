//! Builds an HTTP server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::{HttpAnswer, HttpServer};
use crate::certificate::Certificate;

/// An HTTP server that is not yet started.
#[derive(Clone, Debug)]
pub struct HttpBuilder {
    pub(super) ip: IpAddr,
    pub(super) socket: Option<PathBuf>,
    pub(super) certificate: Option<Certificate>,
    pub(super) usual: HttpAnswer,
    pub(super) next: Vec<HttpAnswer>,
}

impl Default for HttpBuilder {
    fn default() -> HttpBuilder {
        let (ip, usual) = (Ipv4Addr::LOCALHOST.into(), HttpAnswer::status(200));
        HttpBuilder { ip, socket: None, certificate: None, usual, next: Vec::new() }
    }
}

impl HttpBuilder {
    /// At ::1 instead of 127.0.0.1.
    #[must_use]
    pub fn ipv6(mut self) -> HttpBuilder {
        self.ip = Ipv6Addr::LOCALHOST.into();
        self
    }

    /// At a unix socket instead of a port.
    #[must_use]
    pub fn unix(mut self, path: PathBuf) -> HttpBuilder {
        self.socket = Some(path);
        self
    }

    /// By https, with this certificate.
    #[must_use]
    pub fn tls(mut self, certificate: &Certificate) -> HttpBuilder {
        self.certificate = Some(certificate.clone());
        self
    }

    /// Usually answers this, and not 200 with an empty body.
    #[must_use]
    pub fn usually(mut self, answer: HttpAnswer) -> HttpBuilder {
        self.usual = answer;
        self
    }

    /// Answers the next request in this way, after those of which that was said before.
    #[must_use]
    pub fn then(mut self, answer: HttpAnswer) -> HttpBuilder {
        self.next.push(answer);
        self
    }

    /// Starts it.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> HttpServer {
        HttpServer::from_builder(self)
    }
}
