//! The whole of what supervisord makes of a configuration: groups, pools of listeners, and servers.

use std::path::Path;

use crate::configuration::{Place, Section};
use crate::expand::{Item, variable_names};
use crate::host::Host;
use crate::load::{Loaded, here};
use crate::program::{Kind, Program};
use crate::reader::{Reader, Unset};
use crate::refusal::{Cause, Refusal};
use crate::servers::{Address, Server};
use crate::values;

/// What supervisord makes of a configuration.
#[derive(Debug, Default)]
pub struct Supervisord {
    pub groups: Vec<Group>,
    pub listeners: Vec<Pool>,
    pub servers: Vec<Server>,
    pub nodaemon: bool,
    pub user: Option<String>,
    /// `environment=` of `[supervisord]`, which all processes have.
    pub environment: Vec<(String, String)>,
    /// What supervisord refuses. It names the first of these, and ends.
    pub refusals: Vec<Refusal>,
    /// Variables of the environment that are not set here.
    pub unset: Vec<Unset>,
}

/// A group of programs: one that `[group:x]` names, or one for each other program.
#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub priority: i64,
    pub programs: Vec<Program>,
}

/// An `[eventlistener:x]`.
#[derive(Debug)]
pub struct Pool {
    /// Its own `priority` is that of its processes, which is not this one if none is written.
    pub program: Program,
    pub priority: i64,
    pub buffer_size: i64,
    /// In capitals.
    pub events: Vec<String>,
}

impl Supervisord {
    /// Reads the sections of a configuration that was loaded from `file`.
    pub fn read(loaded: &Loaded, file: &Path, host: &dyn Host) -> Self {
        let configuration = &loaded.configuration;
        let mut names = variable_names(host.variables());
        names.insert("here".to_owned(), Item::Text(here(file, host).display().to_string()));
        let refusals = loaded.refusal.iter().cloned().collect();
        let mut reader = Reader { configuration, host, names, refusals, unset: Vec::new() };
        let mut read = Self::default();
        match configuration.section("supervisord") {
            Some(section) => read.main(&mut reader, section),
            None if loaded.refusal.is_some() => {}
            None => {
                let reason = ".ini file does not include supervisord section";
                let main = Place { file: file.into(), line: 1 };
                reader.refusals.push(Refusal::new(Cause::NoSupervisord, Some(main), reason));
            }
        }
        reader.plugins();
        read.groups(&mut reader);
        read.servers = reader.servers();
        (read.refusals, read.unset) = (reader.refusals, reader.unset);
        read
    }

    /// All programs and listeners.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let programs = self.groups.iter().flat_map(|group| &group.programs);
        programs.chain(self.listeners.iter().map(|pool| &pool.program))
    }

    /// The URL that supervisord tells its processes, in `SUPERVISOR_SERVER_URL`.
    #[must_use]
    pub fn server_for_processes(&self) -> Option<&Server> {
        let is_unix = |server: &&Server| matches!(server.address, Address::Unix { .. });
        self.servers.iter().find(is_unix).or(self.servers.first())
    }

    fn main(&mut self, reader: &mut Reader<'_>, section: &Section) {
        let names = reader.names.clone();
        for key in ["minfds", "minprocs"] {
            reader.get(section, key, &names, 0, values::integer);
        }
        if let Some(folder) = reader.text(section, "directory", &names).filter(|g| !g.is_guess) {
            reader.need_folder(section, "directory", &folder.text);
        }
        self.user = reader.user(section, &names);
        reader.get(section, "umask", &names, 0, values::octal);
        for key in ["logfile", "pidfile"] {
            if let Some(path) = reader.text(section, key, &names).filter(|given| !given.is_guess) {
                reader.need_folder_of(section, key, &path.text);
            }
        }
        reader.get(section, "logfile_maxbytes", &names, 0, values::byte_size);
        reader.get(section, "logfile_backups", &names, 0, values::integer);
        reader.get(section, "loglevel", &names, (), values::log_level);
        self.nodaemon = reader.get(section, "nodaemon", &names, false, values::boolean);
        for key in ["silent", "nocleanup", "strip_ansi"] {
            reader.get(section, key, &names, false, values::boolean);
        }
        if let Some(folder) = reader.text(section, "childlogdir", &names).filter(|g| !g.is_guess) {
            reader.need_folder(section, "childlogdir", &folder.text);
        }
        let mut with_node = names;
        with_node.insert("host_node_name".to_owned(), Item::Text(reader.host.node_name()));
        self.environment = reader.environment(section, &with_node).into_iter().collect();
        for (name, value) in &self.environment {
            reader.names.insert(format!("ENV_{name}"), Item::Text(value.clone()));
        }
    }

    fn groups(&mut self, reader: &mut Reader<'_>) {
        let configuration = reader.configuration;
        let mut grouped = Vec::new();
        for section in configuration.sections() {
            if let Some(name) = section.name.strip_prefix("group:") {
                let group = reader.group(section, name, &mut grouped);
                self.groups.push(group);
            }
        }
        for kind in [Kind::Program, Kind::EventListener, Kind::FcgiProgram] {
            for section in configuration.sections() {
                let Some(name) = section.name.strip_prefix(kind.prefix()) else { continue };
                if kind == Kind::EventListener {
                    let pool = reader.pool(section, name);
                    self.listeners.push(pool);
                } else if !grouped.contains(&section.name) {
                    if kind == Kind::FcgiProgram {
                        reader.fcgi_socket(section, name);
                    }
                    let program = reader.program(section, kind, name.trim());
                    let (name, priority) = (program.group.clone(), program.priority);
                    self.groups.push(Group { name, priority, programs: vec![program] });
                }
            }
        }
    }
}

impl Reader<'_> {
    /// `[rpcinterface:x]` needs a factory; only Python knows whether it is there.
    fn plugins(&mut self) {
        const FACTORY: &str = "supervisor.rpcinterface_factory";
        for section in self.configuration.sections() {
            if !section.name.starts_with("rpcinterface:") {
                continue;
            }
            if self.raw(section, FACTORY).is_none() {
                let reason = format!("section [{}] does not specify a {FACTORY}", section.name);
                self.refuse(Cause::Plugin, section, FACTORY, reason);
            }
        }
    }

    fn group(&mut self, section: &Section, name: &str, grouped: &mut Vec<String>) -> Group {
        let names = self.names.clone();
        let name = values::name(name).unwrap_or_else(|reason| {
            self.refuse(Cause::Value, section, "", reason);
            name.to_owned()
        });
        let listed = self.get(section, "programs", &names, Vec::new(), values::list);
        let priority = self.get(section, "priority", &names, 999, values::integer);
        let mut programs = Vec::new();
        for program in listed {
            match self.member(&program) {
                Ok((kind, member)) => {
                    let read = self.program(&member, kind, &name);
                    grouped.push(member.name);
                    programs.push(read);
                }
                Err(what) => {
                    let reason = format!("[{}] {what}", section.name);
                    self.refuse(Cause::Group, section, "programs", reason);
                }
            }
        }
        Group { name, priority, programs }
    }

    /// The section of a program in a group.
    fn member(&self, program: &str) -> Result<(Kind, Section), String> {
        let find = |kind: Kind| {
            self.configuration.section(&format!("{}{program}", kind.prefix())).cloned()
        };
        match (find(Kind::Program), find(Kind::FcgiProgram)) {
            (Some(section), None) => Ok((Kind::Program, section)),
            (None, Some(section)) => Ok((Kind::FcgiProgram, section)),
            (None, None) => Err(format!("names unknown program or fcgi-program {program}")),
            (Some(_), Some(_)) => {
                Err(format!("name {program} is ambiguous (exists as program and fcgi-program)"))
            }
        }
    }

    fn pool(&mut self, section: &Section, name: &str) -> Pool {
        let names = self.names.clone();
        let priority = self.get(section, "priority", &names, -1, values::integer);
        let buffer_size = self.get(section, "buffer_size", &names, 10, values::integer);
        if buffer_size < 1 {
            let name = &section.name;
            let reason = format!("[{name}] section sets invalid buffer_size ({buffer_size})");
            self.refuse(Cause::BufferSize, section, "buffer_size", reason);
        }
        let events = self.get(section, "events", &names, Vec::new(), values::list);
        let events: Vec<_> = events.iter().map(|event| event.to_uppercase()).collect();
        if events.is_empty() {
            let reason = format!("[{}] section requires an \"events\" line", section.name);
            self.refuse(Cause::Events, section, "events", reason);
        }
        let plugins = self.configuration.sections().iter();
        let mut plugins = plugins.filter(|section| section.name.starts_with("rpcinterface:"));
        // Plugins may bring events of their own.
        let all_are_known = plugins.all(|section| section.name == "rpcinterface:supervisor");
        let unknown = events.iter().find(|event| !crate::events::is_known(event));
        if let Some(event) = unknown.filter(|_| all_are_known) {
            let reason = format!("Unknown event type {event} in [{}] events", section.name);
            self.refuse(Cause::Events, section, "events", reason);
        }
        let program = self.program(section, Kind::EventListener, name);
        if program.redirect_stderr {
            let reason = format!(
                "[{}] section sets redirect_stderr=true but this is not allowed because it will \
                 interfere with the eventlistener protocol",
                section.name
            );
            self.refuse(Cause::RedirectStderr, section, "redirect_stderr", reason);
        }
        Pool { program, priority, buffer_size, events }
    }
}
