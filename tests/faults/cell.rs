//! A cell of the fault matrix: a listener, a call, and what supervisord does when the call comes.

use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, HttpAnswer, HttpServer, Listener as Process,
    Mailbox, ProcessState, RunningBallast, SOON, Subject, wait_until,
};

use super::fault::{Fault, Kind};
use super::listeners::Listener;
use crate::ours;

/// What all cells share, because it only looks and is looked at.
pub(super) struct Ground {
    ballast: [RunningBallast; 3],
}

/// What a listener lives in.
pub(super) struct World {
    pub(super) fake: FakeSupervisor,
    pub(super) mailbox: Mailbox,
    http: HttpServer,
}

/// When the work of an event was done that met a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// As if nothing had happened.
    AtOnce,
    /// Later, without another event.
    ByItself,
    /// At the next event.
    NextEvent,
}

/// What came out of a cell.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) when: When,
    /// What the listener said besides the usual.
    pub(super) said: Vec<String>,
}

impl Ground {
    pub(super) fn new() -> Ground {
        Ground { ballast: [(); 3].map(|()| Ballast::new(10).spawn()) }
    }

    /// A process of the size that is too much.
    fn pid(&self, number: usize) -> u32 {
        self.ballast[number].pid()
    }
}

/// What is said when a fault is over.
const OVER: &[&str] = &["supervisord answers again", "foo:foo was started again"];

/// What the listener says when all is well.
pub(super) fn rehearse(ground: &Ground, listener: &Listener) -> Vec<String> {
    let mut cell = Cell::new(ground, listener);
    cell.send();
    cell.rest();
    assert_eq!(cell.done(), 1, "{}", cell.process.stderr());
    cell.process.stderr().lines().map(without_numbers).collect()
}

/// Plays a cell, and insists on everything that holds for all of them. What is `usual` is not counted
/// as said.
#[track_caller]
pub(super) fn play(
    ground: &Ground,
    listener: &Listener,
    call: &str,
    fault: &Fault,
    usual: &[String],
) -> Played {
    let what = format!("{}, {call}: supervisord {}", listener.title, fault.name);
    let mut cell = Cell::new(ground, listener);
    let answer = match &fault.kind {
        Kind::Answers(answer) => answer(),
        Kind::Restarts => Answer::fault(6, "SHUTDOWN_STATE"),
        Kind::Vanishes | Kind::StartsAnew | Kind::Interferes => Answer::Hold,
    };
    cell.world.fake.on(call, answer);
    cell.send();
    cell.world.fake.wait_for_call(call);
    match &fault.kind {
        Kind::Answers(_) | Kind::Restarts => {}
        Kind::Vanishes | Kind::StartsAnew => cell.world.fake.stop(),
        Kind::Interferes => {
            cell.start_elsewhere();
            cell.world.fake.behave();
            cell.world.fake.release();
        }
    }
    cell.rest();
    let at_once = cell.done() > 0;
    let before = cell.process.stderr().len();

    if let Kind::Restarts | Kind::StartsAnew = fault.kind {
        cell.start_elsewhere();
    }
    cell.world.fake.behave();
    cell.world.fake.start();
    // Whatever was stopped is started again, if need be by the listener's own clock.
    let log = cell.process.stderr();
    wait_until(format!("{what}: foo to run again\n{log}"), SOON, || cell.runs());
    cell.rest();
    let when = match cell.done() {
        0 => When::NextEvent,
        _ if at_once && !cell.process.stderr().contains("was started again") => When::AtOnce,
        _ => When::ByItself,
    };

    cell.make_heavy_again();
    let done = cell.done();
    cell.send();
    cell.rest();
    if cell.done() == done {
        // It was looking after the process by its own clock just then, and a tick is dropped then (D28).
        cell.send();
        cell.rest();
    }
    cell.process.close_stdin();
    let exit = cell.process.wait_exit(SOON).code();
    let log = cell.process.stderr();
    assert_eq!((exit, cell.done()), (Some(0), done + 1), "{what}\n{log}");
    assert!(cell.runs(), "{what}\n{log}");

    let news = |log: &str| -> Vec<String> {
        log.lines().map(without_numbers).filter(|line| !usual.contains(line)).collect()
    };
    let about = |line: &String, words: &[&str]| {
        words.iter().any(|words| !words.is_empty() && line.contains(&without_numbers(words)))
    };
    // On a slow machine, too, its own clock may have been faster.
    let mut said = news(&log[..before]);
    said.retain(|line| !about(line, OVER));
    assert!(fault.said.contains(&"") || !said.is_empty(), "{what}: nothing is said\n{log}");
    let due = |line: &String| about(line, fault.said) || about(line, listener.also);
    assert!(said.iter().all(due) && said.len() <= 2, "{what}: {said:#?}\n{log}");
    let late = news(&log[before..]);
    assert!(late.iter().all(|line| due(line) || about(line, OVER)), "{what}: {late:#?}\n{log}");
    Played { when, said }
}

/// A listener at work, and everything around it.
struct Cell<'a> {
    ground: &'a Ground,
    listener: &'a Listener,
    world: World,
    process: Process,
}

impl Cell<'_> {
    fn new<'a>(ground: &'a Ground, listener: &'a Listener) -> Cell<'a> {
        let fake = if listener.inet { FakeSupervisor::inet() } else { FakeSupervisor::unix() };
        let http = HttpServer::builder().usually(HttpAnswer::status(500)).start();
        let world = World { fake, mailbox: Mailbox::new(), http };
        world.fake.add(FakeProcess::running("foo", ground.pid(0)).next_pid(ground.pid(1)));
        let (url, mail) = (world.http.url(), world.mailbox.command());
        let fill = |arg: &&str| arg.replace("{http}", &url).replace("{mailbox}", &mail);
        let subject = Subject::ours(ours(), listener.name).args(listener.args.iter().map(fill));
        let process = subject.server_url(&world.fake.server_url()).spawn();
        Cell { ground, listener, world, process }
    }

    #[track_caller]
    fn send(&mut self) {
        self.process.event(self.listener.event.0, self.listener.event.1);
        assert_eq!(self.process.wait_result(), "OK", "{}", self.listener.title);
    }

    fn done(&self) -> usize {
        (self.listener.done)(&self.world)
    }

    fn runs(&self) -> bool {
        self.world.fake.process("foo:foo").state == ProcessState::Running
    }

    /// Waits until no call and no event is under way.
    #[track_caller]
    fn rest(&mut self) {
        // In this order: what was asked is answered before the process is looked at, and if it asked
        // for more meanwhile, that is counted.
        let World { fake, http, .. } = &self.world;
        let asked = || fake.calls().len() + http.requests().len();
        loop {
            let before = asked();
            wait_until("all answers", SOON, || fake.is_idle() && http.is_idle());
            self.process.wait_idle();
            if fake.is_idle() && http.is_idle() && asked() == before {
                return;
            }
        }
    }

    /// Has `foo` run as another process, started by somebody else.
    fn start_elsewhere(&self) {
        self.world.fake.update("foo:foo", |foo| {
            foo.state = ProcessState::Running;
            foo.pid = self.ground.pid(2);
            foo.start = foo.stop.max(foo.start) + 1;
        });
    }

    /// So that it is restarted once more.
    fn make_heavy_again(&self) {
        self.world.fake.update("foo:foo", |foo| {
            foo.pid = self.ground.pid(0);
            foo.next_pid = Some(self.ground.pid(1));
        });
    }
}

/// Times, sizes and process IDs are not compared.
fn without_numbers(line: &str) -> String {
    let mut kept = String::new();
    for c in line.chars() {
        match c.is_ascii_digit() {
            true if kept.ends_with('#') => {}
            true => kept.push('#'),
            false => kept.push(c),
        }
    }
    kept
}
