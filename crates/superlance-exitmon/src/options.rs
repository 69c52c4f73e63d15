//! The command line of exitmon.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Command, CommandFactory, Parser};
use superlance_action::decide::rules::Budget;
use superlance_alerts::HeartbeatOptions;
use superlance_alerts::options::{AlertOptions, MailOptions};
use superlance_core::listener::selection::describe;
use superlance_core::options::getopt::as_getopt;
use superlance_core::options::selector::{Names, Selector};
use superlance_core::options::units::{duration_text, parse_duration};
use superlance_crash::trigger::{StateFilter, Trigger};

use crate::rule::{Role, Rules, When};
use crate::status::StatusRule;

/// The states that `--on` takes: those in which a process may stay.
const STATES: [Trigger; 5] =
    [Trigger::Exited, Trigger::Expected, Trigger::Fatal, Trigger::Unknown, Trigger::Stopped];

const AFTER_HELP: &str = "\
TIME is a number of seconds, or one with a suffix: 30m, 12h, 2d (s, m, h, d).

Example, in supervisord.conf:

  [eventlistener:exitmon]
  command=exitmon -p web -p worker:*
  events=PROCESS_STATE_EXITED,PROCESS_STATE_FATAL
  buffer_size=256";

/// End supervisord when a process that matters is gone, with an exit status
#[derive(Debug, Parser)]
#[command(name = "exitmon", disable_help_flag = true, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// A process that matters; NAME is name, group:name, group:*, a pattern such as web*, or ~REGEX
    /// (repeatable) [default: every process that is no event listener]
    #[arg(short = 'p', long = "program", value_name = "NAME")]
    programs: Vec<Selector>,

    /// A group that matters (repeatable)
    #[arg(short = 'g', long = "group", value_name = "NAME")]
    groups: Vec<Selector>,

    /// Every process that is no event listener matters, even with -p and -g
    #[arg(short, long)]
    any: bool,

    /// A process that does not matter, whatever else is said (repeatable)
    #[arg(long, value_name = "NAME")]
    exclude: Vec<Selector>,

    /// States that end supervisord, separated by commas: exited (unexpectedly), expected (an exit
    /// that was), fatal, unknown, stopped (by an operator); the events= line must have them
    #[arg(long, value_name = "STATES", value_parser = states, default_value = "fatal,exited")]
    on: StateFilter,

    /// Whether the first such process ends supervisord, or the end of all that have run, whichever
    /// it was
    #[arg(long, value_name = "WHICH", default_value = "any")]
    when: When,

    /// End supervisord also when a process exits unexpectedly more than N times within TIME, however
    /// often it is started again
    #[arg(long, value_name = "N/TIME")]
    max_exits: Option<Budget>,

    /// Event listeners that are FATAL, or that supervisord sends no more events, matter as well
    #[arg(long)]
    listeners: bool,

    /// Count an end when it has lasted for TIME; what supervisord or an operator starts again within
    /// it does not count
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "2")]
    after: Duration,

    /// Exit status to hand on: that of the process, or a number
    #[arg(long, value_name = "STATUS", default_value = "process")]
    pub(crate) status: StatusRule,

    /// File to write the status to [default: $SUPERLANCE_EXIT_FILE, which superlance run sets]
    #[arg(long, value_name = "PATH")]
    pub(crate) exit_file: Option<PathBuf>,

    /// Decide, log and alert, but write no file and end nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) mail: MailOptions,

    #[command(flatten)]
    pub(crate) heartbeat: HeartbeatOptions,

    #[command(flatten)]
    pub(crate) alerts: AlertOptions,
}

pub(crate) fn command() -> Command {
    as_getopt(Options::command(), &[])
}

/// Reads `--on`, which names none of the states that processes pass through.
fn states(text: &str) -> Result<StateFilter, String> {
    let states =
        text.parse().ok().filter(|on: &StateFilter| on.iter().all(|on| STATES.contains(&on)));
    states.ok_or_else(|| {
        let names = STATES.map(Trigger::name).join(", ");
        format!("expected states separated by commas, of {names}")
    })
}

impl Options {
    /// The option that needs supervisord's answers, if one is given.
    pub(crate) fn asks_supervisord(&self) -> Option<&'static str> {
        let is_heard = |trigger| matches!(trigger, Trigger::Fatal | Trigger::Exited);
        let on = !self.on.contains(Trigger::Fatal) || !self.on.iter().all(is_heard);
        match self {
            Self { when: When::All, .. } => Some("--when all"),
            Self { listeners: true, .. } => Some("--listeners"),
            Self { max_exits: Some(_), .. } => Some("--max-exits"),
            _ if on => Some("--on"),
            _ if self.heartbeat.are_given() => Some("--heartbeat"),
            _ => self.mail.asks_supervisord(),
        }
    }

    /// What they say about the end; `sees` is false where supervisord cannot be asked.
    pub(crate) fn rules(&self, sees: bool) -> Rules {
        let on = if sees { self.on.clone() } else { Trigger::Fatal.into() };
        Rules { on, when: self.when, max_exits: self.max_exits, after: self.after }
    }

    /// The processes that they select.
    pub(crate) fn selected(&self) -> Selected {
        let none = self.programs.is_empty() && self.groups.is_empty();
        Selected {
            programs: self.programs.clone(),
            groups: self.groups.clone(),
            any: self.any || none,
            exclude: self.exclude.clone(),
            listeners: self.listeners,
        }
    }
}

/// The processes that matter. Pure.
#[derive(Debug)]
pub(crate) struct Selected {
    programs: Vec<Selector>,
    groups: Vec<Selector>,
    any: bool,
    exclude: Vec<Selector>,
    listeners: bool,
}

impl Selected {
    /// Why a process matters, if it does. It is asked whether it is an event listener only where that
    /// makes a difference.
    pub(crate) fn role(
        &self,
        names: Names<'_>,
        is_listener: impl FnOnce() -> bool,
    ) -> Option<Role> {
        if self.exclude.iter().any(|given| given.matches(names)) {
            return None;
        }
        let is_named = self.programs.iter().any(|given| given.matches(names))
            || self.groups.iter().any(|given| given.matches_group(names.group));
        match is_named || is_listener() {
            false => self.any.then_some(Role::Program),
            true if is_named => Some(Role::Program),
            true => self.listeners.then_some(Role::Listener),
        }
    }

    /// The options that select none of these processes.
    pub(crate) fn idle<'a>(&self, all: impl Iterator<Item = Names<'a>> + Clone) -> Vec<String> {
        let programs = self.programs.iter();
        let programs = programs.filter(|given| !all.clone().any(|names| given.matches(names)));
        let groups = self.groups.iter();
        let groups =
            groups.filter(|given| !all.clone().any(|names| given.matches_group(names.group)));
        let programs = programs.map(|given| format!("-p {}", given.as_str()));
        programs.chain(groups.map(|given| format!("-g {}", given.as_str()))).collect()
    }

    /// As it is written on the command line.
    pub(crate) fn describe(&self) -> String {
        let named = [describe("-p", &self.programs), describe("-g", &self.groups)];
        let any = self.any.then(|| "every process that is no event listener".to_owned());
        let exclude = describe("--exclude", &self.exclude);
        let listeners = self.listeners.then(|| "--listeners".to_owned());
        let parts = named.into_iter().chain(any).chain(listeners).chain([exclude]);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

impl Rules {
    /// What the log says at the start.
    pub(crate) fn describe(&self) -> String {
        let states: Vec<_> = self.on.iter().map(Trigger::name).collect();
        let when = match self.when {
            When::Any => format!("one is {}", states.join(" or ")),
            When::All => "all have ended".to_owned(),
        };
        let max_exits = self.max_exits.map(|budget| format!(", or exits more than {budget}"));
        format!("{when} for {}{}", duration_text(self.after), max_exits.unwrap_or_default())
    }
}
