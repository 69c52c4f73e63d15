//! What is around the program in one run: supervisord, and servers for mail and web if the
//! transcript wants them.

use super::filters::Filters;
use super::{Server, Transcript, Until};
use crate::fake::FakeSupervisor;
use crate::http::{HttpBuilder, HttpServer};
use crate::mailbox::Mailbox;
use crate::scratch::Scratch;
use crate::smtp::{Received, SmtpBuilder, SmtpServer};

pub(super) struct World {
    pub(super) fake: FakeSupervisor,
    pub(super) mailbox: Mailbox,
    pub(super) scratch: Scratch,
    pub(super) smtp: Option<SmtpServer>,
    pub(super) http: Option<HttpServer>,
}

impl World {
    #[track_caller]
    pub(super) fn new(transcript: &Transcript) -> World {
        let fake = match transcript.server {
            Server::Inet => FakeSupervisor::inet(),
            Server::Unix | Server::Absent => FakeSupervisor::unix(),
        };
        transcript.processes.iter().for_each(|process| fake.add(process.clone()));
        World {
            fake,
            mailbox: Mailbox::new(),
            scratch: Scratch::new(),
            smtp: transcript.smtp.clone().map(SmtpBuilder::start),
            http: transcript.http.clone().map(HttpBuilder::start),
        }
    }

    /// With what its words in braces stand for.
    pub(super) fn fill(&self, text: &str) -> String {
        let port = self.http.iter().map(|http| ("{http-port}", http.port().to_string()));
        let known = self.names().into_iter().chain(port);
        known.fold(text.to_owned(), |text, (name, value)| text.replace(name, &value))
    }

    pub(super) fn filters(&self) -> Filters {
        let server = ("{server}", self.fake.server_url());
        let known = self.names().into_iter().chain([server]);
        let standing = |name: &str| name.to_uppercase().replace('{', "[").replace('}', "]");
        Filters::new(known.map(|(name, value)| (value, standing(name))).collect())
    }

    fn names(&self) -> Vec<(&'static str, String)> {
        let mut names = vec![
            ("{mailbox}", self.mailbox.command()),
            ("{scratch}", self.scratch.path().display().to_string()),
        ];
        names.extend(self.smtp.iter().map(|smtp| ("{smtp}", smtp.address())));
        names.extend(self.http.iter().map(|http| ("{http}", http.url())));
        names
    }

    /// Whether no client waits for anything here.
    pub(super) fn is_idle(&self) -> bool {
        self.fake.is_idle()
            && self.smtp.as_ref().is_none_or(SmtpServer::is_idle)
            && self.http.as_ref().is_none_or(HttpServer::is_idle)
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.smtp.as_ref().map(SmtpServer::mails).unwrap_or_default()
    }

    pub(super) fn requests(&self) -> Vec<String> {
        let requests = self.http.as_ref().map(HttpServer::requests).unwrap_or_default();
        requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// Whether something has happened that `log` may tell of.
    pub(super) fn has(&self, until: &Until, log: &str) -> bool {
        match until {
            Until::Log(text) => log.contains(text),
            Until::Calls(count) => self.fake.calls().len() >= *count,
            Until::Mails(count) => self.mails() >= *count,
            Until::Requests(count) => self.requests().len() >= *count,
        }
    }

    /// How many mails have been sent in any way.
    pub(super) fn mails(&self) -> usize {
        self.mailbox.mails().len() + self.received().len()
    }
}
