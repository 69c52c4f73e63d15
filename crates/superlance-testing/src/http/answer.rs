//! An answer of the HTTP server.

use std::time::Duration;

/// An answer of the HTTP server, and how it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    pub(super) reply: Reply,
    pub(super) delay: Duration,
    pub(super) head_pause: Duration,
    pub(super) body_pause: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Response { status: u16, reason: String, headers: Vec<(String, String)>, body: Vec<u8> },
    Raw(Vec<u8>),
    Flood,
    Close,
    Never,
}

impl HttpAnswer {
    /// A response of this status, with the usual reason and an empty body.
    #[must_use]
    pub fn status(status: u16) -> HttpAnswer {
        let (reason, headers, body) = (reason(status).to_owned(), Vec::new(), Vec::new());
        HttpAnswer::new(Reply::Response { status, reason, headers, body })
    }

    /// A response that sends the client elsewhere.
    #[must_use]
    pub fn redirect(url: &str) -> HttpAnswer {
        HttpAnswer::status(302).header("Location", url)
    }

    /// These bytes, unchanged; then the connection is closed.
    #[must_use]
    pub fn raw(bytes: impl AsRef<[u8]>) -> HttpAnswer {
        HttpAnswer::new(Reply::Raw(bytes.as_ref().to_vec()))
    }

    /// A head, and then a body without end, as fast as the client takes it.
    #[must_use]
    pub fn flood() -> HttpAnswer {
        HttpAnswer::new(Reply::Flood)
    }

    /// None: the connection is closed at once.
    #[must_use]
    pub fn close() -> HttpAnswer {
        HttpAnswer::new(Reply::Close)
    }

    /// None ever: the connection stays open until the client closes it, or the server stops.
    #[must_use]
    pub fn never() -> HttpAnswer {
        HttpAnswer::new(Reply::Never)
    }

    /// With this reason after the status.
    #[must_use]
    pub fn reason(mut self, text: &str) -> HttpAnswer {
        if let Reply::Response { reason, .. } = &mut self.reply {
            text.clone_into(reason);
        }
        self
    }

    /// With this header. A `Content-Length` given here stands instead of the right one, and the
    /// connection is closed after the body.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> HttpAnswer {
        if let Reply::Response { headers, .. } = &mut self.reply {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, bytes: impl AsRef<[u8]>) -> HttpAnswer {
        if let Reply::Response { body, .. } = &mut self.reply {
            *body = bytes.as_ref().to_vec();
        }
        self
    }

    /// Comes after this time only.
    #[must_use]
    pub fn delay(mut self, time: Duration) -> HttpAnswer {
        self.delay = time;
        self
    }

    /// Status line and headers (or raw bytes) come byte by byte, with this pause before each.
    #[must_use]
    pub fn drip_head(mut self, pause: Duration) -> HttpAnswer {
        self.head_pause = pause;
        self
    }

    /// The body comes byte by byte, with this pause before each.
    #[must_use]
    pub fn drip_body(mut self, pause: Duration) -> HttpAnswer {
        self.body_pause = pause;
        self
    }

    fn new(reply: Reply) -> HttpAnswer {
        let none = Duration::ZERO;
        HttpAnswer { reply, delay: none, head_pause: none, body_pause: none }
    }
}

impl Reply {
    /// Head and body, and whether the connection can be used again; `None` for an answer that is not of this kind.
    pub(super) fn to_bytes(&self, to_head: bool) -> Option<(Vec<u8>, &[u8], bool)> {
        let (status, reason, headers, body) = match self {
            Reply::Raw(bytes) => return Some((bytes.clone(), &[], false)),
            Reply::Flood | Reply::Close | Reply::Never => return None,
            Reply::Response { status, reason, headers, body } => (status, reason, headers, body),
        };
        let given =
            |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !given("content-length") {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        let body = if to_head { &[][..] } else { body };
        Some((head.into_bytes(), body, !given("content-length") && !given("connection")))
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
