//! Programs, event listeners and their processes.

use litemap::LiteMap;
use superlance_core::system::order;

use crate::configuration::{Place, Section};
use crate::environment::Pairs;
use crate::expand::{Item, Names};
use crate::reader::Reader;
use crate::refusal::Cause;
use crate::values::{self, Autorestart, LogFile};

/// What a section makes of its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Program,
    FcgiProgram,
    EventListener,
}

impl Kind {
    /// The beginning of the section's name.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Program => "program:",
            Self::FcgiProgram => "fcgi-program:",
            Self::EventListener => "eventlistener:",
        }
    }

    /// The kind of a section, and its name after the colon.
    #[must_use]
    pub fn of(section: &str) -> Option<(Self, &str)> {
        [Self::Program, Self::FcgiProgram, Self::EventListener]
            .into_iter()
            .find_map(|kind| Some((kind, section.strip_prefix(kind.prefix())?)))
    }
}

/// A `[program:x]`, `[fcgi-program:x]` or `[eventlistener:x]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub kind: Kind,
    /// The name of the section, with its prefix.
    pub section: String,
    pub place: Option<Place>,
    pub name: String,
    /// The group that its processes are in.
    pub group: String,
    pub priority: i64,
    pub autostart: bool,
    pub autorestart: Autorestart,
    pub startsecs: i64,
    pub startretries: i64,
    pub stopsignal: String,
    pub stopwaitsecs: i64,
    pub stopasgroup: bool,
    pub killasgroup: bool,
    pub exitcodes: Vec<i64>,
    pub redirect_stderr: bool,
    pub numprocs: i64,
    pub user: Option<String>,
    /// Of standard output and standard error.
    pub capture_maxbytes: [i64; 2],
    /// Likewise.
    pub events_enabled: [bool; 2],
    pub serverurl: Option<String>,
    pub processes: Vec<Process>,
}

/// One process of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub name: String,
    pub command: String,
    /// Whether the command is not known in full, as a variable of the environment is not set here.
    pub is_guess: bool,
    pub directory: Option<String>,
    pub environment: LiteMap<String, String>,
    pub stdout: Output,
    pub stderr: Output,
}

/// Where one of the outputs of a process goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub file: LogFile,
    pub maxbytes: i64,
    pub backups: i64,
    pub syslog: bool,
}

/// More processes than a machine has; a number that is higher is a typing error, and not read to its end.
const MOST_PROCESSES: i64 = 10_000;

impl Reader<'_> {
    pub(crate) fn program(&mut self, section: &Section, kind: Kind, group: &str) -> Program {
        let written = section.name.strip_prefix(kind.prefix()).unwrap_or(&section.name);
        let name = values::name(written).unwrap_or_else(|reason| {
            self.refuse(Cause::Value, section, "", reason);
            written.trim().to_owned()
        });
        let mut names = self.names.clone();
        names.insert("program_name".to_owned(), Item::Text(name.clone()));
        names.insert("group_name".to_owned(), Item::Text(group.to_owned()));
        names.insert("host_node_name".to_owned(), Item::Text(self.host.node_name()));
        let names = names;
        let boolean: fn(&str) -> Result<bool, String> = values::boolean;
        let integer: fn(&str) -> Result<i64, String> = values::integer;
        let mut program = Program {
            kind,
            section: section.name.clone(),
            place: section.place().cloned(),
            name,
            group: group.to_owned(),
            priority: self.get(section, "priority", &names, 999, integer),
            autostart: self.get(section, "autostart", &names, true, boolean),
            autorestart: self.get(
                section,
                "autorestart",
                &names,
                Autorestart::default(),
                values::autorestart,
            ),
            startsecs: self.get(section, "startsecs", &names, 1, integer),
            startretries: self.get(section, "startretries", &names, 3, integer),
            stopsignal: self.get(section, "stopsignal", &names, "TERM".to_owned(), values::signal),
            stopwaitsecs: self.get(section, "stopwaitsecs", &names, 10, integer),
            stopasgroup: self.get(section, "stopasgroup", &names, false, boolean),
            killasgroup: false,
            exitcodes: self.get(section, "exitcodes", &names, vec![0], values::exit_codes),
            redirect_stderr: self.get(section, "redirect_stderr", &names, false, boolean),
            numprocs: self.get(section, "numprocs", &names, 1, integer),
            user: None,
            capture_maxbytes: [0; 2],
            events_enabled: [false; 2],
            serverurl: None,
            processes: Vec::new(),
        };
        let stopasgroup = program.stopasgroup;
        program.killasgroup = self.get(section, "killasgroup", &names, stopasgroup, boolean);
        let first = self.get(section, "numprocs_start", &names, 0, integer);
        program.capture_maxbytes = ["stdout_capture_maxbytes", "stderr_capture_maxbytes"]
            .map(|key| self.get(section, key, &names, 0, values::byte_size));
        program.events_enabled = ["stdout_events_enabled", "stderr_events_enabled"]
            .map(|key| self.get(section, key, &names, false, boolean));
        let serverurl = self.text(section, "serverurl", &names).map(|given| given.text);
        let is_own = |url: &String| url.trim().to_uppercase() != "AUTO";
        program.serverurl = serverurl.filter(is_own);
        program.user = self.user(section, &names);
        self.get(section, "umask", &names, 0, values::octal);
        let process_name = self.process_name(section, &program);
        let last = first.saturating_add(program.numprocs.min(MOST_PROCESSES));
        for number in first..last {
            let mut names = names.clone();
            names.insert("process_num".to_owned(), Item::Number(number));
            names.insert("numprocs".to_owned(), Item::Number(program.numprocs));
            let process = self.process(section, &process_name, &mut names, program.redirect_stderr);
            program.processes.extend(process);
        }
        program
    }

    /// The template of the names of processes.
    fn process_name(&mut self, section: &Section, program: &Program) -> String {
        let given = self.raw(section, "process_name").map(|given| given.text);
        let written = given.unwrap_or_else(|| "%(program_name)s".to_owned());
        let process_name = values::name(&written).unwrap_or_else(|reason| {
            self.refuse(Cause::Value, section, "process_name", reason);
            written.clone()
        });
        if program.numprocs > 1 && !process_name.contains("%(process_num)") {
            let reason = "%(process_num) must be present within process_name when numprocs > 1";
            self.refuse(Cause::ProcessNum, section, "numprocs", reason.to_owned());
        }
        if program.stopasgroup && !program.killasgroup {
            let reason = "Cannot set stopasgroup=true and killasgroup=false";
            self.refuse(Cause::KillAsGroup, section, "killasgroup", reason.to_owned());
        }
        process_name
    }

    fn process(
        &mut self,
        section: &Section,
        process_name: &str,
        names: &mut Names,
        redirects: bool,
    ) -> Option<Process> {
        let environment = self.environment(section, names);
        for (name, value) in &environment {
            names.insert(format!("ENV_{name}"), Item::Text(value.clone()));
        }
        let names = &*names;
        let directory = self.text(section, "directory", names).map(|given| given.text);
        let stdout = self.output(section, "stdout", names);
        let stderr = self.output(section, "stderr", names);
        let stderr = if redirects { Output { file: LogFile::None, ..stderr } } else { stderr };
        if self.raw(section, "command").is_none() {
            let reason = format!("program section {} does not specify a command", section.name);
            self.refuse(Cause::NoCommand, section, "command", reason);
        }
        let command = self.text(section, "command", names);
        let place = command.as_ref().map(|command| command.place.clone());
        let template = crate::reader::Given {
            text: process_name.to_owned(),
            place: place.or(section.place().cloned())?,
            is_guess: false,
        };
        let name = self.expand(template, section, "process_name", names)?.text;
        let command = command?;
        let (command, is_guess) = (command.text, command.is_guess);
        Some(Process { name, command, is_guess, directory, environment, stdout, stderr })
    }

    pub(crate) fn environment(
        &mut self,
        section: &Section,
        names: &Names,
    ) -> LiteMap<String, String> {
        let Some(given) = self.text(section, "environment", names) else { return LiteMap::new() };
        match Pairs::parse(&given.text) {
            Ok(pairs) => order::map(pairs.pairs),
            // An empty value may be a variable that is not set here.
            Err(_) if given.is_guess => LiteMap::new(),
            Err(reason) => {
                self.refuse(Cause::Environment, section, "environment", reason);
                LiteMap::new()
            }
        }
    }

    fn output(&mut self, section: &Section, stream: &str, names: &Names) -> Output {
        let key = format!("{stream}_logfile");
        // supervisord expands it twice.
        let file = self.text(section, &key, names);
        let file = file.and_then(|given| self.expand(given, section, &key, names));
        if let Some(LogFile::Path(path)) =
            file.as_ref().filter(|given| !given.is_guess).map(|given| values::log_file(&given.text))
        {
            self.need_folder_of(section, &key, &path);
        }
        let sizes = format!("{stream}_logfile_maxbytes");
        Output {
            file: file.map_or(LogFile::Auto, |given| values::log_file(&given.text)),
            backups: self.get(section, &format!("{key}_backups"), names, 10, values::integer),
            maxbytes: self.get(section, &sizes, names, 50 << 20, values::byte_size),
            syslog: self.get(section, &format!("{stream}_syslog"), names, false, values::boolean),
        }
    }
}
