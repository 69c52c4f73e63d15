//! The listeners and the calls that each makes: the rows of the fault matrix.

use super::cell::World;

/// A listener that has something to do at an event.
pub(super) struct Listener {
    /// Its command line, as the page has it.
    pub(super) title: &'static str,
    pub(super) name: &'static str,
    /// `{http}` is the URL of a server that is ill, `{mailbox}` a command that takes mail.
    pub(super) args: &'static [&'static str],
    /// Whether supervisord is at a port instead of a unix socket.
    pub(super) inet: bool,
    pub(super) event: (&'static str, &'static str),
    /// What it asks of supervisord on its way.
    pub(super) calls: &'static [&'static str],
    /// What else it may say, whatever is wrong.
    pub(super) also: &'static [&'static str],
    /// How often it has done its work.
    pub(super) done: fn(&World) -> usize,
}

const TICK: (&str, &str) = ("TICK_60", "when:1201063880");
const RESTART: &[&str] = &["getAllProcessInfo", "getProcessInfo", "stopProcess", "startProcess"];

/// httpok starts a process also when its stop was refused, as the original does: it may have ended.
const STARTED: &[&str] = &["ALREADY_STARTED"];

pub(super) const LISTENERS: &[Listener] = &[
    Listener {
        title: "memmon -a 5MB",
        name: "memmon",
        args: &["-a", "5MB"],
        inet: false,
        event: TICK,
        calls: RESTART,
        also: &[],
        done: restarts,
    },
    Listener {
        title: "memmon -a 5MB --action signal:USR1",
        name: "memmon",
        args: &["-a", "5MB", "--action", "signal:USR1"],
        inet: false,
        event: TICK,
        calls: &["getAllProcessInfo", "getProcessInfo", "signalProcess"],
        also: &[],
        done: signals,
    },
    Listener {
        title: "httpok -p foo URL",
        name: "httpok",
        args: &["-p", "foo", "{http}"],
        inet: false,
        event: TICK,
        calls: RESTART,
        also: STARTED,
        done: restarts,
    },
    Listener {
        title: "httpok -E -a URL, with supervisord at a port",
        name: "httpok",
        args: &["-E", "-a", "{http}"],
        inet: true,
        event: TICK,
        calls: RESTART,
        also: STARTED,
        done: restarts,
    },
];

fn signals(world: &World) -> usize {
    world.fake.process("foo:foo").signalled as usize
}

fn restarts(world: &World) -> usize {
    world.fake.process("foo:foo").started as usize
}
