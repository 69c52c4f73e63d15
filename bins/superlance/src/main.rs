//! The whole suite as one program: `superlance memmon …`, or a link named `memmon` to it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use superlance_core::applet::Applet;

/// The commands, in alphabetical order.
const APPLETS: &[&Applet] = &[
    &superlance_crashmail::APPLET,
    &superlance_crashmailbatch::APPLET,
    &superlance_crashsms::APPLET,
    &superlance_fatalmailbatch::APPLET,
    &superlance_httpok::APPLET,
    &superlance_memmon::APPLET,
];

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
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
            Some(name) => match find(&name) {
                Some(applet) => print(&(applet.command)().render_help().to_string()),
                None => unknown(&name),
            },
        },
        name => match find(name) {
            Some(applet) => applet.main(arguments),
            None => unknown(name),
        },
    }
}

fn find(name: &str) -> Option<&'static Applet> {
    APPLETS.iter().copied().find(|applet| applet.name == name)
}

fn usage() -> String {
    let mut text = String::from(
        "Event listeners for supervisord\n\n\
         Usage: superlance COMMAND [ARGUMENT]...\n       \
         superlance help [COMMAND]\n       \
         superlance --list | --version\n\n\
         Commands (each also runs when superlance is called by its name, through a link):\n",
    );
    for applet in APPLETS {
        let about = (applet.command)().get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("  {:<16}{about}\n", applet.name));
    }
    text
}

fn unknown(name: &str) -> ExitCode {
    let names: Vec<_> = APPLETS.iter().map(|applet| applet.name).collect();
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
