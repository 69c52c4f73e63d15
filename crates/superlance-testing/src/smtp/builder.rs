//! Builds an SMTP server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::rules::Rule;
use super::{SmtpAnswer, SmtpServer};
use crate::certificate::Certificate;

/// An SMTP server that is not yet started.
#[derive(Clone, Debug)]
pub struct SmtpBuilder {
    pub(super) ip: IpAddr,
    pub(super) rules: Vec<Rule>,
    certificate: Option<Certificate>,
    options: Vec<String>,
}

impl Default for SmtpBuilder {
    fn default() -> SmtpBuilder {
        let (ip, certificate) = (Ipv4Addr::LOCALHOST.into(), None);
        SmtpBuilder { ip, rules: Vec::new(), certificate, options: Vec::new() }
    }
}

impl SmtpBuilder {
    /// At ::1 instead of 127.0.0.1.
    #[must_use]
    pub fn ipv6(mut self) -> SmtpBuilder {
        self.ip = Ipv6Addr::LOCALHOST.into();
        self
    }

    /// Offers STARTTLS, with this certificate.
    #[must_use]
    pub fn starttls(mut self, certificate: &Certificate) -> SmtpBuilder {
        self.certificate = Some(certificate.clone());
        self
    }

    /// Refuses everything before STARTTLS.
    #[must_use]
    pub fn starttls_required(self, certificate: &Certificate) -> SmtpBuilder {
        self.starttls(certificate).option("--require-tls", None)
    }

    /// Speaks TLS from the beginning, with this certificate.
    #[must_use]
    pub fn implicit_tls(self, certificate: &Certificate) -> SmtpBuilder {
        self.starttls(certificate).option("--implicit-tls", None)
    }

    /// Refuses mail from clients without a login, with PLAIN or LOGIN.
    #[must_use]
    pub fn login(self, user: &str, password: &str) -> SmtpBuilder {
        self.option("--user", Some(user)).option("--password", Some(password))
    }

    /// Does not know this way to log in: `PLAIN` or `LOGIN`.
    #[must_use]
    pub fn without(self, mechanism: &str) -> SmtpBuilder {
        self.option("--without", Some(mechanism))
    }

    /// As [`SmtpServer::on`], from the start.
    #[must_use]
    pub fn on(mut self, moment: &str, answer: SmtpAnswer) -> SmtpBuilder {
        self.rules.push(Rule { once: false, moment: moment.to_owned(), answer });
        self
    }

    /// As [`SmtpServer::times`], from the start.
    #[must_use]
    pub fn times(mut self, count: usize, moment: &str, answer: SmtpAnswer) -> SmtpBuilder {
        let rule = Rule { once: true, moment: moment.to_owned(), answer };
        self.rules.extend(std::iter::repeat_n(rule, count));
        self
    }

    /// Starts it.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> SmtpServer {
        SmtpServer::from_builder(self)
    }

    /// The arguments for server.py, but port and folder.
    pub(super) fn to_args(&self) -> Vec<String> {
        let mut args = self.options.clone();
        args.push(format!("--host={}", self.ip));
        if let Some(certificate) = &self.certificate {
            args.push(format!("--certificate={}", certificate.certificate().display()));
            args.push(format!("--key={}", certificate.key().display()));
        }
        args
    }

    fn option(mut self, name: &str, value: Option<&str>) -> SmtpBuilder {
        self.options.push(value.map_or(name.to_owned(), |value| format!("{name}={value}")));
        self
    }
}
