//! The socket of an `[fcgi-program:x]` that is in no group.

use crate::configuration::Section;
use crate::expand::Item;
use crate::reader::Reader;
use crate::refusal::Cause;
use crate::values;

impl Reader<'_> {
    /// Notes what supervisord refuses of it.
    pub(crate) fn fcgi_socket(&mut self, section: &Section, name: &str) {
        let mut names = self.names.clone();
        let backlog = self.get(section, "socket_backlog", &names, 1, values::integer);
        if !(1..=65535).contains(&backlog) {
            let reason = format!("Invalid socket_backlog value {backlog}");
            self.refuse(Cause::Value, section, "socket_backlog", reason);
        }
        self.owner(section, "socket_owner", &names);
        self.get(section, "socket_mode", &names, 0, values::octal);
        names.insert("program_name".to_owned(), Item::Text(name.trim().to_owned()));
        let socket = self.text(section, "socket", &names);
        if socket.as_ref().is_some_and(|socket| socket.is_guess) {
            return;
        }
        let Some(socket) = socket.map(|given| given.text).filter(|text| !text.is_empty()) else {
            let reason = format!("[{}] section requires a \"socket\" line", section.name);
            self.refuse(Cause::Server, section, "socket", reason);
            return;
        };
        let has_rights =
            ["socket_owner", "socket_mode"].iter().any(|key| self.raw(section, key).is_some());
        let what = match (socket.strip_prefix("unix://"), is_tcp(&socket)) {
            (Some(path), _) if path.starts_with('/') => return,
            (Some(_), _) => format!("Unix socket path {socket} is not an absolute path"),
            (None, _) if has_rights => {
                "socket_owner and socket_mode params should only be used with \
                                        a Unix domain socket"
                    .to_owned()
            }
            (None, true) => return,
            (None, false) => format!("Bad socket format {socket}"),
        };
        let reason = format!("{what} in [{}] socket", section.name);
        self.refuse(Cause::Server, section, "socket", reason);
    }
}

fn is_tcp(socket: &str) -> bool {
    let address = socket.strip_prefix("tcp://").and_then(|address| address.split_once(':'));
    address.is_some_and(|(host, port)| {
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        is_port && !host.is_empty() && !host.contains(char::is_whitespace)
    })
}
