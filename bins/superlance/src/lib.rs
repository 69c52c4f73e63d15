//! The whole suite as one program: a listener by `superlance memmon …` or by a link named `memmon`, and
//! tools such as `superlance status`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use superlance_core::run::applet::Applet;

/// The event listeners, in alphabetical order.
const APPLETS: &[&Applet] = &[
    &superlance_crashmail::APPLET,
    &superlance_crashmailbatch::APPLET,
    &superlance_crashsms::APPLET,
    &superlance_dependent_startup::APPLET,
    &superlance_exitmon::APPLET,
    &superlance_fatalmailbatch::APPLET,
    &superlance_httpok::APPLET,
    &superlance_memmon::APPLET,
];

/// A command for people at a terminal. It has no link: the names of tools are too common for that.
struct Tool {
    name: &'static str,
    about: &'static str,
    command: fn() -> Command,
    main: fn(Vec<OsString>) -> ExitCode,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: superlance_check::NAME,
        about: superlance_check::ABOUT,
        command: superlance_check::command,
        main: |arguments| superlance_check::main(arguments, APPLETS),
    },
    Tool {
        name: superlance_metrics::NAME,
        about: superlance_metrics::ABOUT,
        command: superlance_metrics::command,
        main: superlance_metrics::main,
    },
    Tool {
        name: superlance_run::NAME,
        about: superlance_run::ABOUT,
        command: superlance_run::command,
        main: superlance_run::main,
    },
    Tool {
        name: superlance_status::NAME,
        about: superlance_status::ABOUT,
        command: superlance_status::command,
        main: superlance_status::main,
    },
    Tool {
        name: superlance_check::test_alert::NAME,
        about: superlance_check::test_alert::ABOUT,
        command: superlance_check::test_alert::command,
        main: |arguments| superlance_check::test_alert::main(arguments, APPLETS),
    },
];

/// The command lines of all commands, for what is generated from them.
#[must_use]
pub fn commands() -> Vec<Command> {
    let listeners: Vec<_> = APPLETS.iter().map(|applet| (applet.command)()).collect();
    let tools = TOOLS.iter().map(|tool| (tool.command)().name(tool.name));
    let all = Command::new("superlance").subcommands(listeners.iter().cloned().chain(tools));
    let all = all
        .arg(
            Arg::new("list")
                .long("list")
                .action(ArgAction::SetTrue)
                .help("Print the names of the listeners"),
        )
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::SetTrue)
                .help("Print the version"),
        );
    listeners.into_iter().chain([all]).collect()
}

/// Runs the command that the first argument names: the program's own name, or else its first argument.
pub fn main(mut arguments: Vec<OsString>) -> ExitCode {
    let called_as = arguments.first().and_then(|path| Path::new(path).file_name());
    if let Some(applet) = called_as.and_then(|name| name.to_str()).and_then(find) {
        return applet.main(arguments);
    }
    arguments.drain(..arguments.len().min(1));
    let Some(first) = arguments.first().map(|name| name.to_string_lossy().into_owned()) else {
        return complain(&format!("superlance: no command given\n\n{}", usage()));
    };
    match first.as_str() {
        "-h" | "--help" => print(&usage()),
        "-V" | "--version" => print(concat!("superlance ", env!("CARGO_PKG_VERSION"), "\n")),
        "--list" => {
            print(&APPLETS.iter().map(|applet| format!("{}\n", applet.name)).collect::<String>())
        }
        "help" => match arguments.get(1).map(|name| name.to_string_lossy().into_owned()) {
            None => print(&usage()),
            Some(name) => match (find(&name), find_tool(&name)) {
                (Some(applet), _) => print(&(applet.command)().render_help().to_string()),
                (None, Some(tool)) => print(&(tool.command)().render_help().to_string()),
                (None, None) => unknown(&name),
            },
        },
        name => match (find(name), find_tool(name)) {
            (Some(applet), _) => applet.main(arguments),
            (None, Some(tool)) => (tool.main)(arguments),
            (None, None) => unknown(name),
        },
    }
}

fn find(name: &str) -> Option<&'static Applet> {
    APPLETS.iter().copied().find(|applet| applet.name == name)
}

fn find_tool(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

fn usage() -> String {
    let mut text = String::from(
        "Event listeners for supervisord\n\n\
         Usage: superlance COMMAND [ARGUMENT]...\n       \
         superlance help [COMMAND]\n       \
         superlance --list | --version\n\n\
         Event listeners (each also runs when superlance is called by its name, through a link):\n",
    );
    for applet in APPLETS {
        let about = (applet.command)().get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("  {:<19}{about}\n", applet.name));
    }
    text.push_str("\nAt a terminal:\n");
    for tool in TOOLS {
        text.push_str(&format!("  {:<19}{}\n", tool.name, tool.about));
    }
    text
}

fn unknown(name: &str) -> ExitCode {
    let listeners = APPLETS.iter().map(|applet| applet.name);
    let names: Vec<_> = listeners.chain(TOOLS.iter().map(|tool| tool.name)).collect();
    complain(&format!("superlance: no command {name:?}; there are: {}\n", names.join(", ")))
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(text: &str) -> ExitCode {
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(2)
}
