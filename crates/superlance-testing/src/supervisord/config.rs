//! The configuration of a real supervisord.

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;

use super::Channel;
use super::rpc::Client;
use crate::wire::socket::Address;

/// The kind of http server that supervisord gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Http {
    Unix,
    Inet,
    None,
}

/// How a supervisord shall be configured.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) http: Http,
    pub(super) login: Option<(String, String)>,
    main: Vec<(String, String)>,
    sections: String,
    pub(super) env: Vec<(String, String)>,
    pub(super) wrapper: Vec<OsString>,
}

impl Builder {
    pub(super) fn new() -> Builder {
        let path = env::var("PATH").unwrap_or_default();
        let builder = Builder {
            http: Http::Unix,
            login: None,
            main: Vec::new(),
            sections: String::new(),
            env: Vec::new(),
            wrapper: Vec::new(),
        };
        builder.env("PATH", &path).env("LANG", "C.UTF-8").env("TZ", "UTC").loglevel("info")
    }

    /// With this kind of http server; the default is a Unix socket.
    #[must_use]
    pub fn http(mut self, http: Http) -> Builder {
        self.http = http;
        self
    }

    /// Started by this command, which gets supervisord's as its last arguments.
    #[must_use]
    pub fn started_by<I: Into<OsString>>(mut self, words: impl IntoIterator<Item = I>) -> Builder {
        self.wrapper = words.into_iter().map(Into::into).collect();
        self
    }

    /// With user and password for the http server.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Builder {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// With this identifier.
    #[must_use]
    pub fn identifier(self, identifier: &str) -> Builder {
        self.main("identifier", identifier)
    }

    /// With this log level; the default is `info`.
    #[must_use]
    pub fn loglevel(self, level: &str) -> Builder {
        self.main("loglevel", level)
    }

    /// With a line in `[supervisord]`.
    #[must_use]
    pub fn main(mut self, key: &str, value: &str) -> Builder {
        self.main.retain(|(given, _)| given != key);
        self.main.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With a variable in the environment of supervisord and of its processes.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Builder {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a folder in which commands are looked for first, `venv::bin()` for example.
    #[must_use]
    pub fn first_in_path(self, folder: &Path) -> Builder {
        let path = self.env.iter().rfind(|(name, _)| name == "PATH").map(|(_, path)| path);
        let path = format!("{}:{}", folder.display(), path.map_or("", String::as_str));
        self.env("PATH", &path)
    }

    /// With a `[program:x]`.
    #[must_use]
    pub fn program(self, name: &str, command: &str, lines: &[(&str, &str)]) -> Builder {
        let command = [("command", command)];
        self.section(&format!("program:{name}"), &[&command, lines].concat())
    }

    /// With an `[eventlistener:x]`.
    #[must_use]
    pub fn listener(
        self,
        name: &str,
        command: &str,
        events: &str,
        lines: &[(&str, &str)],
    ) -> Builder {
        let fixed = [("command", command), ("events", events)];
        self.section(&format!("eventlistener:{name}"), &[&fixed, lines].concat())
    }

    /// With any section. Programs and listeners get files for their outputs unless told.
    #[must_use]
    pub fn section(mut self, title: &str, lines: &[(&str, &str)]) -> Builder {
        let mut lines: Vec<_> =
            lines.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        if let Some((_, name)) = title.split_once(':').filter(|_| has(&lines, "command")) {
            for (channel, key) in [(Channel::Stdout, "stdout"), (Channel::Stderr, "stderr")] {
                let file = format!("{key}_logfile");
                if !has(&lines, &file) {
                    lines.push((file, format!("%(here)s/{}", log_name(name, channel))));
                    // Without rotation, several processes may share a file.
                    lines.push((format!("{key}_logfile_maxbytes"), "0".to_owned()));
                }
            }
        }
        self.sections.push_str(&render(title, &lines));
        self
    }

    /// The configuration as a text.
    pub(super) fn render(&self, client: Option<&Client>) -> String {
        let line = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut main = vec![
            line("nodaemon", "true"),
            line("logfile", "%(here)s/supervisord.log"),
            line("pidfile", "%(here)s/supervisord.pid"),
            line("childlogdir", "%(here)s"),
        ];
        main.extend(self.main.iter().cloned());
        let mut text = render("supervisord", &main);
        if let Some(Client { address, login }) = client {
            let login: Vec<_> = login
                .iter()
                .flat_map(|(user, password)| [line("username", user), line("password", password)])
                .collect();
            let (title, place) = match address {
                Address::Unix(path) => {
                    ("unix_http_server", line("file", &path.display().to_string()))
                }
                Address::Inet(port) => ("inet_http_server", line("port", &port.to_string())),
            };
            text += &render(title, &[&[place], &login[..]].concat());
            let url = line("serverurl", &address.url());
            text += &render("supervisorctl", &[&[url], &login[..]].concat());
            let factory = "supervisor.rpcinterface:make_main_rpcinterface";
            let factory = line("supervisor.rpcinterface_factory", factory);
            text += &render("rpcinterface:supervisor", &[factory]);
        }
        text + &self.sections
    }
}

/// The file in which an output of a program's processes ends up.
pub(super) fn log_name(name: &str, channel: Channel) -> String {
    match channel {
        Channel::Stdout => format!("{name}.stdout"),
        Channel::Stderr => format!("{name}.stderr"),
    }
}

fn has(lines: &[(String, String)], key: &str) -> bool {
    lines.iter().any(|(given, _)| given == key)
}

fn render(title: &str, lines: &[(String, String)]) -> String {
    let mut text = format!("[{title}]\n");
    for (key, value) in lines {
        writeln!(text, "{key}={value}").expect("a string can be written to");
    }
    text + "\n"
}
