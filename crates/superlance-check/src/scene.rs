//! All that rules look at: the configuration, what supervisord makes of it, and what its commands run.

use std::path::Path;

use superlance_config::load::Include;
use superlance_config::{Kind, Loaded, Place, Pool, Program, Section, Supervisord, load};
use superlance_core::run::applet::Applet;
use superlance_dependent_startup::graph::{Graph, Lenience, Reading};

use crate::command::{Command, Ours};
use crate::finding::Finding;
use crate::machine::Machine;

/// A configuration on a machine.
pub(crate) struct Scene<'a> {
    pub(crate) loaded: Loaded,
    pub(crate) read: Supervisord,
    /// The programs, and what they wait for by the keys of dependent-startup.
    pub(crate) graph: Graph,
    pub(crate) main: Place,
    pub(crate) machine: &'a dyn Machine,
    pub(crate) is_container: bool,
    /// The commands of all programs and listeners, in the order of [`Supervisord::programs`].
    commands: Vec<Command>,
}

/// A section that runs processes.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) program: &'a Program,
    pub(crate) section: &'a Section,
    /// What a listener has more than a program.
    pub(crate) pool: Option<&'a Pool>,
    pub(crate) command: &'a Command,
}

impl<'a> Item<'a> {
    pub(crate) fn is_listener(&self) -> bool {
        self.program.kind == Kind::EventListener
    }

    pub(crate) fn ours(&self) -> Option<&'a Ours> {
        self.command.ours.as_ref()
    }

    /// A variable of the environment that its processes have from the configuration.
    pub(crate) fn variable(&self, scene: &'a Scene<'_>, name: &str) -> Option<&'a str> {
        let own = self.program.processes.first().and_then(|first| first.environment.get(name));
        let common = scene.read.environment.iter().find(|(known, _)| known == name);
        own.or(common.map(|(_, value)| value)).map(String::as_str)
    }

    /// Whether its command depends on a variable that is not set here.
    pub(crate) fn is_guess(&self) -> bool {
        self.program.processes.first().is_some_and(|process| process.is_guess)
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn new<M: Machine>(
        main: &Path,
        machine: &'a M,
        applets: &[&'static Applet],
        is_container: bool,
    ) -> Self {
        let loaded = load(main, machine);
        let read = Supervisord::read(&loaded, main, machine);
        let configuration = &loaded.configuration;
        let graph = Reading::new(&read, configuration, main, machine, Lenience::None).graph;
        let command = |program: &Program| {
            let text = program.processes.first().map_or("", |process| process.command.as_str());
            Command::read(text, applets, machine)
        };
        let commands = read.programs().map(command).collect();
        let main = Place { file: main.into(), line: 1 };
        let is_container = is_container || machine.is_container();
        Self { loaded, read, graph, main, machine, is_container, commands }
    }

    /// The sections that run processes.
    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let pools = self.read.groups.iter().flat_map(|group| &group.programs).map(|_| None);
        let pools = pools.chain(self.read.listeners.iter().map(Some));
        self.read.programs().zip(pools).zip(&self.commands).filter_map(
            |((program, pool), command)| {
                let section = self.loaded.configuration.section(&program.section)?;
                Some(Item { program, section, pool, command })
            },
        )
    }

    /// Sections that run one of ours.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (Item<'_>, &Ours)> {
        self.items().filter_map(|item| item.ours().map(|ours| (item, ours)))
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.loaded.configuration.section(name)
    }

    /// Whether an `[include]` names files that were not read.
    pub(crate) fn is_partial(&self) -> bool {
        let lacks = |include: &Include| include.matched == 0 || !include.unreadable.is_empty();
        self.loaded.unset.is_some() || self.loaded.includes.iter().any(lacks)
    }

    /// The text of a key as it is written.
    pub(crate) fn text(&self, section: &str, key: &str) -> Option<&str> {
        self.loaded.configuration.get(section, key).map(|value| value.text.as_str())
    }

    /// Where a key stands, or its section, or the file.
    pub(crate) fn place(&self, section: &Section, key: &str) -> Place {
        let value = self.loaded.configuration.get(&section.name, key);
        value.map(|value| &value.place).or(section.place()).unwrap_or(&self.main).clone()
    }

    /// A finding about a key, at its line or, where it is missing, at that of its section.
    pub(crate) fn at_key(
        &self,
        code: &'static str,
        section: &Section,
        key: &str,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(code, self.place(section, key), message).about(&section.name, Some(key))
    }

    /// A finding about a section.
    pub(crate) fn at_section(
        &self,
        code: &'static str,
        section: &Section,
        message: impl Into<String>,
    ) -> Finding {
        let place = section.place().unwrap_or(&self.main).clone();
        Finding::new(code, place, message).about(&section.name, None)
    }

    /// A finding about the whole.
    pub(crate) fn at_file(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(code, self.main.clone(), message)
    }

    /// The processes that are started by themselves, and all others.
    pub(crate) fn process_count(&self, counts: impl Fn(&Program) -> bool) -> usize {
        let programs = self.read.programs().filter(|program| counts(program));
        programs.map(|program| program.processes.len()).sum()
    }
}
