//! `[unix_http_server]` and `[inet_http_server]`.

use std::path::PathBuf;

use crate::configuration::{Place, Section};
use crate::expand::Names;
use crate::reader::Reader;
use crate::refusal::Cause;
use crate::values;

/// A socket that supervisord listens at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub section: String,
    pub place: Option<Place>,
    pub address: Address,
    pub credentials: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Unix {
        file: PathBuf,
        mode: u32,
        owner: Option<String>,
    },
    /// An empty host is every address.
    Inet {
        host: String,
        port: u16,
    },
}

impl Server {
    /// Its address as a URL, as supervisord tells it to processes.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.address {
            Address::Unix { file, .. } => format!("unix://{}", file.display()),
            Address::Inet { host, port } if host.is_empty() => format!("http://localhost:{port}"),
            Address::Inet { host, port } => format!("http://{host}:{port}"),
        }
    }
}

impl Reader<'_> {
    pub(crate) fn servers(&mut self) -> Vec<Server> {
        let configuration = self.configuration;
        let mut servers = Vec::new();
        for prefix in ["inet_http_server", "unix_http_server"] {
            for section in configuration.sections() {
                if section.name.starts_with(prefix) {
                    let credentials = self.credentials(section);
                    let address = match prefix {
                        "unix_http_server" => self.unix_address(section),
                        _ => self.inet_address(section),
                    };
                    servers.extend(address.map(|address| Server {
                        section: section.name.clone(),
                        place: section.place().cloned(),
                        address,
                        credentials,
                    }));
                }
            }
        }
        servers
    }

    fn credentials(&mut self, section: &Section) -> Option<(String, String)> {
        let names = self.without_here();
        let username = self.text(section, "username", &names).map(|given| given.text);
        let password = self.text(section, "password", &names).map(|given| given.text);
        match (username, password) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            _ => {
                let reason = format!(
                    "Section [{}] contains incomplete authentication: If a username or a password \
                     is specified, both the username and password must be specified",
                    section.name
                );
                self.refuse(Cause::Credentials, section, "username", reason);
                None
            }
        }
    }

    /// Servers may name `%(here)s` in `file=` only.
    fn without_here(&self) -> Names {
        let mut names = self.names.clone();
        names.remove("here");
        names
    }

    fn inet_address(&mut self, section: &Section) -> Option<Address> {
        let names = self.without_here();
        let Some(given) = self.text(section, "port", &names) else {
            if self.raw(section, "port").is_none() {
                let reason = format!("section [{}] has no port value", section.name);
                self.refuse(Cause::Server, section, "port", reason);
            }
            return None;
        };
        match values::inet_address(&given.text) {
            Ok((host, port)) => Some(Address::Inet { host, port }),
            Err(_) if given.is_guess => None,
            Err(reason) => {
                self.refuse(Cause::Server, section, "port", reason);
                None
            }
        }
    }

    fn unix_address(&mut self, section: &Section) -> Option<Address> {
        let names = self.names.clone();
        if self.raw(section, "file").is_none() {
            let reason = format!("section [{}] has no file value", section.name);
            self.refuse(Cause::Server, section, "file", reason);
        }
        let file = self.text(section, "file", &names)?.text;
        let names = self.without_here();
        let owner = self.owner(section, "chown", &names);
        let mode = self.get(section, "chmod", &names, 0o700, values::octal);
        Some(Address::Unix { file: self.absolute(file.trim()), mode, owner })
    }
}
