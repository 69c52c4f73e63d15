//! What a `command=` runs: whether it is one of ours, and with which options.

pub(crate) mod words;

use clap::ArgMatches;
use clap::parser::ValueSource;
use superlance_core::options::getopt::with_hints;
use superlance_core::run::applet::Applet;

use self::words::{Segment, base_name, segments, split};
use crate::machine::Machine;

/// The command of a program or listener.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its words as supervisord splits them; `None` when a quote is not closed.
    pub(crate) words: Option<Vec<String>>,
    /// The commands of the shell that it starts, if it starts one with `-c`.
    pub(crate) script: Vec<Segment>,
    /// The commands in the file that it runs, if that is a script for a shell.
    pub(crate) wrapper: Vec<Segment>,
    /// The one of ours that it runs in the end.
    pub(crate) ours: Option<Ours>,
}

/// One of ours, and how it is called.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) applet: Found,
    /// The options, without the name.
    pub(crate) arguments: Vec<String>,
    pub(crate) via: Via,
    /// The word that names the program.
    pub(crate) program: String,
    /// The options as the tool's own parser reads them, or what it says.
    pub(crate) parsed: Result<ArgMatches, String>,
    /// Whether options depend on variables of a shell; then they are not read.
    pub(crate) is_partial: bool,
}

/// A listener of the suite.
#[derive(Clone, Copy)]
pub(crate) struct Found(pub(crate) &'static Applet);

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

/// How it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// By its name, or as `superlance NAME`.
    Itself,
    /// By an interpreter: a module or a script.
    Python,
}

/// Shells, for which `-c` is followed by a script.
pub(crate) const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "ksh"];

impl Command {
    pub(crate) fn read(text: &str, applets: &[&'static Applet], machine: &dyn Machine) -> Self {
        let words = split(text);
        let script = words.as_deref().and_then(script_of).map(segments).unwrap_or_default();
        let direct = words.as_deref().filter(|_| script.is_empty());
        let ours = direct.and_then(|words| Ours::find(words, applets, machine));
        let file = direct.filter(|_| ours.is_none()).and_then(|words| text_of(words, machine));
        let wrapper = file.as_deref().map(segments).unwrap_or_default();
        let mut commands = script.iter().chain(&wrapper);
        let ours = ours.or_else(|| {
            commands.find_map(|segment| Ours::find_in_shell(segment, applets, machine))
        });
        Self { words, script, wrapper, ours }
    }

    /// The word that supervisord looks up.
    pub(crate) fn program(&self) -> Option<&str> {
        self.words.as_ref()?.first().map(String::as_str)
    }
}

/// The script in `sh -c '…'`, behind `env`, `nice` and the like.
fn script_of(words: &[String]) -> Option<&str> {
    let words = without_wrappers(words);
    let (shell, rest) = words.split_first()?;
    if !SHELLS.contains(&base_name(shell)) {
        return None;
    }
    let is_script = |word: &&String| word.starts_with('-') && word.ends_with('c');
    let place = rest.iter().position(|word| is_script(&word))?;
    let are_options = rest.get(..place)?.iter().all(|word| word.starts_with('-'));
    are_options.then(|| rest.get(place + 1).map(String::as_str))?
}

/// The script that is run as a file, or by a shell that is given the file.
fn text_of(words: &[String], machine: &dyn Machine) -> Option<String> {
    let (program, rest) = without_wrappers(words).split_first()?;
    let is_shell = SHELLS.contains(&base_name(program));
    let file = if is_shell { rest.iter().find(|word| !word.starts_with('-'))? } else { program };
    let text = machine.text(&machine.find_command(file, None)?)?;
    let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!"));
    let mut named = interpreter.unwrap_or_default().split_whitespace().map(base_name);
    let is_script = is_shell || named.any(|name| SHELLS.contains(&name));
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    is_script.then(|| lines.collect::<Vec<_>>().join("\n"))
}

/// Words without what stands in front of a command: `exec`, `env A=1`, `nice -n 5`.
pub(crate) fn without_wrappers(words: &[String]) -> &[String] {
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        // Options of these that take a value.
        let valued: &[&str] = match base_name(first) {
            "env" => &["-u", "-C", "-S"],
            "nice" => &["-n"],
            "ionice" => &["-c", "-n"],
            "stdbuf" => &["-i", "-o", "-e"],
            "exec" | "nohup" | "setsid" | "tini" | "dumb-init" => &[],
            "then" | "do" | "else" | "if" | "while" | "until" | "{" | "!" => &[],
            _ if is_assignment(first) => &[],
            _ => return rest,
        };
        rest = after;
        while let Some((option, after)) = rest.split_first() {
            rest = match option {
                option if valued.contains(&option.as_str()) => after.get(1..).unwrap_or_default(),
                option if option.starts_with('-') => after,
                _ => break,
            };
        }
    }
    rest
}

fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

impl Ours {
    fn find(words: &[String], applets: &[&'static Applet], machine: &dyn Machine) -> Option<Self> {
        let named = |name: &str| applets.iter().copied().find(|applet| applet.name == name);
        let (program, rest) = without_wrappers(words).split_first()?;
        let name = base_name(program);
        let (applet, arguments, via, program) = if let Some(applet) = named(name) {
            (applet, rest, Via::Itself, program)
        } else if name == "superlance" || machine.leads_to_us(program) {
            let (name, rest) = rest.split_first()?;
            (named(name)?, rest, Via::Itself, program)
        } else if name.starts_with("python") {
            let (name, rest) = of_python(rest)?;
            (named(base_name(name).trim_end_matches(".py"))?, rest, Via::Python, program)
        } else {
            (named(name.strip_suffix(".py")?)?, rest, Via::Python, program)
        };
        let (arguments, program) = (arguments.to_vec(), program.clone());
        let parsed = parse(applet, &arguments);
        let applet = Found(applet);
        Some(Self { applet, arguments, via, program, parsed, is_partial: false })
    }

    /// The same for a command of a shell, which expands variables.
    fn find_in_shell(
        segment: &Segment,
        applets: &[&'static Applet],
        machine: &dyn Machine,
    ) -> Option<Self> {
        let words = segment.words.iter().filter(|word| !is_redirection(word)).cloned();
        let found = Self::find(&words.collect::<Vec<_>>(), applets, machine)?;
        let is_partial = found.arguments.iter().any(|word| word.contains(['$', '`']));
        Some(match is_partial {
            true => Self { parsed: Err("it depends on variables".to_owned()), is_partial, ..found },
            false => found,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.applet.0.name
    }

    /// The values of an option by its long name, if the command line has it.
    pub(crate) fn values(&self, long: &str) -> Vec<String> {
        let Ok(matches) = &self.parsed else { return Vec::new() };
        let Some(id) = self.id(long) else { return Vec::new() };
        if matches.value_source(&id) != Some(ValueSource::CommandLine) {
            return Vec::new();
        }
        let raw = matches.try_get_raw(&id).ok().flatten().into_iter().flatten();
        raw.map(|value| value.to_string_lossy().into_owned()).collect()
    }

    /// The last value of an option.
    pub(crate) fn value(&self, long: &str) -> Option<String> {
        self.values(long).pop()
    }

    /// Whether the tool has an option of this name.
    pub(crate) fn knows(&self, long: &str) -> bool {
        self.id(long).is_some()
    }

    /// Whether an option without a value is given.
    pub(crate) fn has(&self, long: &str) -> bool {
        let id = self.id(long);
        let source = |id: String| self.parsed.as_ref().ok()?.value_source(&id);
        id.and_then(source) == Some(ValueSource::CommandLine)
    }

    /// The words that no option takes.
    pub(crate) fn positional(&self, id: &str) -> Vec<String> {
        let Ok(matches) = &self.parsed else { return Vec::new() };
        let raw = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
        raw.map(|value| value.to_string_lossy().into_owned()).collect()
    }

    fn id(&self, long: &str) -> Option<String> {
        let command = (self.applet.0.command)();
        let mut all = command.get_arguments();
        all.find(|arg| arg.get_long() == Some(long)).map(|arg| arg.get_id().to_string())
    }
}

/// What follows the options of an interpreter: a module or a script, and its arguments.
fn of_python(words: &[String]) -> Option<(&str, &[String])> {
    let (first, rest) = words.split_first()?;
    match first.as_str() {
        "-m" => {
            let (module, rest) = rest.split_first()?;
            Some((module.rsplit('.').next()?, rest))
        }
        "-W" | "-X" => of_python(rest.get(1..)?),
        "-c" => None,
        option if option.starts_with('-') => of_python(rest),
        script => Some((script, rest)),
    }
}

fn is_redirection(word: &str) -> bool {
    word.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['>', '<'])
}

/// The command line as the tool's own parser reads it.
fn parse(applet: &Applet, arguments: &[String]) -> Result<ArgMatches, String> {
    let mut command = (applet.command)();
    let words = std::iter::once(applet.name).chain(arguments.iter().map(String::as_str));
    command.try_get_matches_from_mut(words).map_err(|error| {
        let text = with_hints(error, &command).to_string();
        // The usage and the advice to read the help say nothing about this command line.
        let text = text.split("\n\nUsage:").next().unwrap_or_default();
        let text = text.split("\n\nFor more").next().unwrap_or_default();
        let text = text.trim().strip_prefix("error: ").unwrap_or(text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}
