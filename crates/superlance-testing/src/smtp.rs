//! A real SMTP server, aiosmtpd, that keeps what it gets and misbehaves as the test wants.

mod builder;
mod received;
mod rules;

use std::fs;
use std::net::SocketAddr;

pub use builder::SmtpBuilder;
pub use received::Received;
pub use rules::SmtpAnswer;
use rules::{Rule, Rules};

use crate::python::PythonServer;
use crate::scratch::Scratch;
use crate::wait::{SOON, try_wait};

const SOURCE: &str = include_str!("smtp/server.py");

/// An SMTP server on this machine; it serves until it is stopped or its value goes.
#[derive(Debug)]
pub struct SmtpServer {
    builder: SmtpBuilder,
    port: u16,
    rules: Rules,
    server: Option<PythonServer>,
    /// Of rules, mails, and marks for the sessions that are open.
    folder: Scratch,
}

impl SmtpServer {
    /// One that accepts every mail, without TLS and login, at a free port of 127.0.0.1.
    #[must_use]
    #[track_caller]
    pub fn new() -> SmtpServer {
        SmtpServer::builder().start()
    }

    /// One of another kind.
    #[must_use]
    pub fn builder() -> SmtpBuilder {
        SmtpBuilder::default()
    }

    #[track_caller]
    fn from_builder(builder: SmtpBuilder) -> SmtpServer {
        let (folder, rules) = (Scratch::new(), Rules::default());
        for name in ["rules", "mails", "sessions"] {
            fs::create_dir(folder.join(name)).expect("a scratch folder should be writable");
        }
        builder.rules.iter().for_each(|rule| rules.add(&folder, rule));
        let mut smtp = SmtpServer { builder, port: 0, rules, server: None, folder };
        smtp.start();
        smtp
    }

    /// Where it is, like `127.0.0.1:2525`: for `-H`.
    #[must_use]
    pub fn address(&self) -> String {
        SocketAddr::new(self.builder.ip, self.port).to_string()
    }

    /// Its port, for `localhost:PORT` and the like.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails so far, in the order of their arrival.
    #[must_use]
    pub fn mails(&self) -> Vec<Received> {
        received::read_all(&self.folder.join("mails"))
    }

    /// Waits until `count` mails are here, and returns all that are.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let arrived = || Some(self.mails()).filter(|mails| mails.len() >= count);
        match try_wait(SOON, arrived) {
            Some(mails) => mails,
            None => panic!("waited {SOON:?} in vain for {count} mails, have {:#?}", self.mails()),
        }
    }

    /// From now on, answers in this way at a moment.
    ///
    /// A moment is a command (`EHLO`, `STARTTLS`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `QUIT`), alone
    /// or with its address or first word (`RCPT bob@example.com`, `AUTH PLAIN`); or `CONNECT`,
    /// when a client has come; `CONTENT`, after the first line of a message; `MESSAGE`, after its
    /// end. At `CONTENT` there is no answer: it is [`SmtpAnswer::Never`], or closes. What was said
    /// last wins.
    pub fn on(&self, moment: &str, answer: SmtpAnswer) {
        self.rule(false, moment, answer);
    }

    /// Like [`on`](SmtpServer::on), for the next time only.
    pub fn once(&self, moment: &str, answer: SmtpAnswer) {
        self.rule(true, moment, answer);
    }

    /// Like [`on`](SmtpServer::on), for this many times only.
    pub fn times(&self, count: usize, moment: &str, answer: SmtpAnswer) {
        (0..count).for_each(|_| self.once(moment, answer.clone()));
    }

    fn rule(&self, once: bool, moment: &str, answer: SmtpAnswer) {
        self.rules.add(&self.folder, &Rule { once, moment: moment.to_owned(), answer });
    }

    /// Accepts everything again.
    pub fn behave(&self) {
        self.rules.clear(&self.folder);
    }

    /// Whether no client is connected.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let mut sessions = fs::read_dir(self.folder.join("sessions")).into_iter().flatten();
        sessions.next().is_none()
    }

    /// Goes down: every connection is closed, and new ones are refused.
    pub fn stop(&mut self) {
        if self.server.take().is_some() {
            for session in fs::read_dir(self.folder.join("sessions")).into_iter().flatten() {
                let _ = session.and_then(|session| fs::remove_file(session.path()));
            }
        }
    }

    /// Comes back at the same port, with the same mails and rules.
    #[track_caller]
    pub fn start(&mut self) {
        if self.server.is_none() {
            let folder = self.folder.path().display().to_string();
            let args = [vec![folder], self.builder.to_args()].concat();
            let server = PythonServer::spawn(SOURCE, self.port, args);
            self.port = server.port;
            self.server = Some(server);
        }
    }
}

impl Default for SmtpServer {
    fn default() -> SmtpServer {
        SmtpServer::new()
    }
}
