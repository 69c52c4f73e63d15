//! `superlance test-alert` sends one alert by each transport of a listener, and says what happened.
//!
//! A listener is named by its section, whose environment it gets, or its command line is given. For a
//! section the program runs itself once more, since environments are given to programs.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command as Program, ExitCode};

use clap::{ArgAction, Command, CommandFactory as _, FromArgMatches as _, Parser};
use nix::unistd::{Uid, User};
use superlance_config::ThisHost;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::options::getopt::{with_hints, with_version};
use superlance_core::options::quantity::duration;
use superlance_core::run::Tried;
use superlance_core::run::applet::{Applet, report};
use superlance_core::system::host_name;

use crate::machine::Machine as _;
use crate::scene::{Item, Scene};
use crate::{own_program, search};

/// What it is called, after `superlance`.
pub const NAME: &str = "test-alert";

/// What it is for, in a line.
pub const ABOUT: &str = "Send a test alert by each transport of a listener";

const AFTER_HELP: &str = "\
Exit status: 0 when every transport has delivered it, 1 when one has not or there is none, 2 for a \
wrong command line or configuration.

Examples:

  superlance test-alert --section eventlistener:crashmail
  superlance test-alert -- crashmail -m ops@example.com --smtp-url smtp://mail.example.com";

#[derive(Debug, Parser)]
#[command(name = "superlance test-alert", about = ABOUT, disable_help_flag = true, infer_long_args = true)]
#[command(after_help = AFTER_HELP)]
#[command(override_usage = "superlance test-alert [-c FILE] --section SECTION\n       \
                            superlance test-alert -- LISTENER [OPTION]...")]
struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Configuration that has the section; if not given, it is searched where supervisord searches
    #[arg(short, long, value_name = "FILE")]
    configuration: Option<PathBuf>,

    /// Section of the listener, such as eventlistener:memmon or memmon
    #[arg(long, value_name = "SECTION", required_unless_present = "listener")]
    section: Option<String>,

    /// A listener and its options, as they are in its command= line
    #[arg(last = true, value_name = "LISTENER", allow_hyphen_values = true, hide = true)]
    #[arg(conflicts_with_all = ["section", "configuration"])]
    listener: Vec<OsString>,
}

/// The command line.
#[must_use]
pub fn command() -> Command {
    with_version(Options::command())
}

/// Runs the command. The first of `arguments` is the name that it was called by.
pub fn main(arguments: Vec<OsString>, applets: &[&'static Applet]) -> ExitCode {
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Options::from_arg_matches(&matches));
    let options = match parsed {
        Ok(options) => options,
        Err(error) => {
            return report(&with_hints(error, &command()), &format!("superlance {NAME}"));
        }
    };
    let outcome = match &options.section {
        Some(section) => of_section(section, &options, applets),
        None => of_listener(&options.listener, applets),
    };
    outcome.unwrap_or_else(|message| {
        let _ = writeln!(io::stderr(), "superlance {NAME}: {message}");
        ExitCode::from(2)
    })
}

/// Runs this program for the command line of a section, in its environment.
fn of_section(
    section: &str,
    options: &Options,
    applets: &[&'static Applet],
) -> Result<ExitCode, String> {
    let host = ThisHost::here();
    let file = options.configuration.clone().map_or_else(search, Ok)?;
    let scene = Scene::new(&file, &host, applets, false);
    if let Some(refusal) = scene.read.refusals.iter().find(|r| !r.cause.is_about_the_machine()) {
        return Err(format!("{}: supervisord refuses this: {}", file.display(), refusal.reason));
    }
    let names = [section.to_owned(), format!("eventlistener:{section}")];
    let item = scene
        .items()
        .find(|item| names.contains(&item.section.name))
        .ok_or_else(|| format!("{} has no section [{section}] with a command", file.display()))?;
    let ours = item.ours().ok_or_else(|| format!("[{section}] runs none of our listeners"))?;
    if let Some(user) = other_user(item, &scene, &host) {
        let me = User::from_uid(Uid::current())
            .ok()
            .flatten()
            .map_or_else(|| Uid::current().to_string(), |user| user.name);
        let _ = writeln!(io::stdout(), "tried as {me}; the listener runs as {user}");
    }
    let program = own_program().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut again = Program::new(program);
    again.args([NAME, "--", ours.name()]).args(&ours.arguments);
    again.envs(scene.read.environment.iter().cloned());
    if let Some(process) = item.program.processes.first() {
        let namespec = [
            ("SUPERVISOR_GROUP_NAME", &item.program.group),
            ("SUPERVISOR_PROCESS_NAME", &process.name),
        ];
        again.envs(namespec).envs(&process.environment);
        if let Some(folder) = process.directory.as_deref().filter(|f| Path::new(f).is_dir()) {
            again.current_dir(folder);
        }
    }
    let status =
        again.status().map_err(|error| format!("cannot run this program again: {error}"))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// The user of a section, if that is not the one who calls.
fn other_user<'a>(item: Item<'a>, scene: &'a Scene<'_>, host: &ThisHost) -> Option<&'a str> {
    let user = item.program.user.as_deref().or(scene.read.user.as_deref())?;
    (host.user_id(user) != Some(Uid::current().as_raw())).then_some(user)
}

/// Sends the alert, and prints what happened.
fn of_listener(words: &[OsString], applets: &[&'static Applet]) -> Result<ExitCode, String> {
    let name = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let applet = applets.iter().find(|applet| applet.name == name).ok_or_else(|| {
        let names: Vec<_> = applets.iter().map(|applet| applet.name).collect();
        format!("no listener {name:?}; there are: {}", names.join(", "))
    })?;
    let host = host_name();
    let subject = format!("{name}: test alert from {host}");
    let text = format!(
        "This is a test of the alerts of {name} on {host}, sent by superlance {NAME}.\n\nNothing has \
         happened.\n"
    );
    let tried = applet.try_alert(without_spool(words), &subject, &text)?;
    let print = |line: String| writeln!(io::stdout(), "{line}").map_err(|error| error.to_string());
    if tried.is_empty() {
        print(format!("{name} has no transport: it has none of the options that name one"))?;
        return Ok(ExitCode::FAILURE);
    }
    tried.iter().try_for_each(|tried| print(line(tried)))?;
    let all = tried.iter().all(|tried| tried.outcome == DeliveryOutcome::Delivered);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(Tried { to, outcome }: &Tried) -> String {
    match outcome {
        DeliveryOutcome::Delivered => format!("{to}: delivered"),
        DeliveryOutcome::Rejected(why) => format!("{to}: refused: {why}"),
        DeliveryOutcome::Retry(why) => format!("{to}: not delivered: {why}"),
        DeliveryOutcome::RetryAfter(why, pause) => {
            format!(
                "{to}: not delivered: {why}; it wants no other try for {}",
                duration(pause.as_secs())
            )
        }
        DeliveryOutcome::Unknown(why) => format!("{to}: sent, and perhaps not delivered: {why}"),
    }
}

/// The command line without `--spool`, since a test keeps nothing.
fn without_spool(words: &[OsString]) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let text = word.to_string_lossy();
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&*text, None),
        };
        // Long options may be cut short.
        let is_spool = name.len() > 3 && "--spool".starts_with(name);
        match (is_spool, value) {
            (true, None) => drop(rest.next()),
            (true, Some(_)) => {}
            (false, _) => kept.push(word.clone()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_keeps_nothing() {
        let kept = |line: &str| {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            let kept = without_spool(&words).into_iter();
            kept.map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        for (line, expected) in [
            ("memmon --spool /x -m a@b", "memmon -m a@b"),
            ("memmon --spool=/x -m a@b", "memmon -m a@b"),
            ("memmon --spo /x -m a@b", "memmon -m a@b"),
            ("memmon -m a@b --spool", "memmon -m a@b"),
            ("memmon -s x --smtp-url y", "memmon -s x --smtp-url y"),
        ] {
            assert_eq!(kept(line), expected, "{line}");
        }
    }
}
