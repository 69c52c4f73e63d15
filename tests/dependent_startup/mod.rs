//! dependent-startup under a real supervisord, beside the Python original.

mod deviations;
mod order;
mod under_supervisord;

use superlance_testing::{Builder, Channel, Supervisord, venv};

use crate::ours;

/// The name of the listener in all configurations.
const STARTUP: &str = "startup";

/// What both versions log at the end.
const DONE: &str = "No more processes to start for initial startup, ignoring all future events.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Theirs,
    Ours,
}

const BOTH: [Who; 2] = [Who::Theirs, Who::Ours];

impl Who {
    /// A supervisord with this version as a listener, in the section that the original's README has.
    fn with(self, options: &str, events: &str) -> Builder {
        let program = match self {
            Self::Theirs => {
                format!("{} -m supervisord_dependent_startup", venv::python().display())
            }
            Self::Ours => format!("{} dependent-startup", ours().display()),
        };
        let lines = [("autorestart", "unexpected"), ("startretries", "0"), ("exitcodes", "0,3")];
        Supervisord::builder().listener(STARTUP, &format!("{program} {options}"), events, &lines)
    }

    /// The same with the options that both need.
    fn stage(self) -> Builder {
        self.with("-c %(here)s/supervisord.conf", "PROCESS_STATE")
    }
}

/// A program that is handled, and counts as running at once.
fn handled(builder: Builder, name: &str, lines: &[(&str, &str)]) -> Builder {
    job(builder, name, "sleep 600", lines)
}

/// The same with a command.
fn job(builder: Builder, name: &str, command: &str, lines: &[(&str, &str)]) -> Builder {
    let mut all = vec![("autostart", "false"), ("startsecs", "0"), ("dependent_startup", "true")];
    all.retain(|(key, _)| !lines.iter().any(|(given, _)| given == key));
    builder.program(name, command, &[&all, lines].concat())
}

/// The processes that supervisord has started, in this order, without the listener.
fn spawned(supervisord: &Supervisord) -> Vec<String> {
    let log = supervisord.log();
    let names = log.lines().filter_map(|line| line.split("spawned: '").nth(1)?.split('\'').next());
    names.filter(|name| *name != STARTUP).map(str::to_owned).collect()
}

fn log(supervisord: &Supervisord) -> String {
    supervisord.process_log(STARTUP, Channel::Stderr)
}

/// Plays a scene with both versions at the same time.
fn with_both<T: Send>(scene: impl Fn(Who) -> T + Sync) -> (T, T) {
    std::thread::scope(|scope| {
        let theirs = scope.spawn(|| scene(Who::Theirs));
        let ours = scope.spawn(|| scene(Who::Ours));
        (theirs.join().unwrap(), ours.join().unwrap())
    })
}
