//! A running listener; the test plays supervisord.

use std::io::Write;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::capture::Capture;
use crate::frame::Frame;
use crate::idle::Watch;
use crate::leash::Leash;
use crate::protocol::{ListenerState, Protocol};
use crate::wait::{SOON, try_wait};

/// A running listener; killed, with all its children, when the value goes.
#[derive(Debug)]
pub struct Listener {
    /// First, so that it is killed before it could see its standard input end.
    process: Leash,
    name: String,
    stdin: Option<ChildStdin>,
    stdout: Capture,
    stderr: Capture,
    protocol: Protocol,
    /// How many bytes of standard output the protocol has seen.
    judged: usize,
    serial: u64,
}

impl Listener {
    #[track_caller]
    pub(crate) fn spawn(name: &str, command: &mut Command) -> Listener {
        let mut process = Leash::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let child = &mut process.child;
        Listener {
            name: name.to_owned(),
            stdin: child.stdin.take(),
            stdout: Capture::new(child.stdout.take().expect("stdout is a pipe")),
            stderr: Capture::new(child.stderr.take().expect("stderr is a pipe")),
            protocol: Protocol::new(),
            judged: 0,
            serial: 0,
            process,
        }
    }

    /// Waits until the listener is READY and sends it an event.
    #[track_caller]
    pub fn event(&mut self, eventname: &str, payload: &str) {
        self.send(&Frame::new(eventname, payload));
    }

    /// Waits until the listener is READY and sends it this frame.
    #[track_caller]
    pub fn send(&mut self, frame: &Frame) {
        self.wait_state(ListenerState::Ready);
        self.protocol.sent();
        let text = frame.to_text(&self.name, self.serial);
        self.serial += 1;
        self.write(text.as_bytes());
    }

    /// Writes to the listener's standard input, in any state.
    #[track_caller]
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input was closed by the test");
        if let Err(error) = stdin.write_all(bytes).and_then(|()| stdin.flush()) {
            panic!("cannot write: {error}\n{}", self.report());
        }
    }

    /// Waits until the last event is answered, and returns the answer.
    #[track_caller]
    pub fn wait_result(&mut self) -> String {
        self.wait("an answer", |listener| listener.state() != ListenerState::Busy);
        assert!(self.surprise().is_none(), "a surprise instead of an answer\n{}", self.report());
        self.protocol.results.last().cloned().unwrap_or_default()
    }

    /// Waits for a state of the protocol.
    #[track_caller]
    pub fn wait_state(&mut self, wanted: ListenerState) {
        let last = [wanted, ListenerState::Unknown];
        self.wait(&format!("state {wanted:?}"), |listener| last.contains(&listener.state()));
        assert_eq!(self.state(), wanted, "{}", self.report());
    }

    /// Waits until standard error contains a text, and returns all of it.
    #[track_caller]
    pub fn wait_for_log(&mut self, text: &str) -> String {
        self.wait(&format!("{text:?} on stderr"), |listener| listener.stderr().contains(text));
        self.stderr()
    }

    /// Waits until the listener does nothing but wait: no child, and every thread asleep for a
    /// while. A process that waits for an answer looks the same, so see that nothing keeps it waiting.
    #[track_caller]
    pub fn wait_idle(&mut self) {
        let mut watch = Watch::default();
        self.wait("idleness", |listener| listener.is_resting(&mut watch));
    }

    /// One look of many at whether the process rests.
    pub(crate) fn is_resting(&self, watch: &mut Watch) -> bool {
        watch.is_resting(self.process.pid())
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        match try_wait(limit, || self.exit_status()) {
            Some(status) => status,
            None => panic!("still running after {limit:?}\n{}", self.report()),
        }
    }

    /// The exit status, if the process has ended.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.child.try_wait().expect("the process is our child")
    }

    /// Closes the listener's standard input, as the death of supervisord does.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Whether the process has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.exit_status().is_none()
    }

    /// The process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// All of standard output so far: the protocol.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Standard error so far: the log, but for the line with which ours introduces itself.
    #[must_use]
    pub fn stderr(&self) -> String {
        let text = self.stderr.text();
        text.split_inclusive('\n').filter(|line| !self.is_introduction(line)).collect()
    }

    /// What ours says of itself at its start; empty before that.
    #[must_use]
    pub fn introduction(&self) -> String {
        let text = self.stderr.text();
        text.lines().filter(|line| self.is_introduction(line)).collect()
    }

    fn is_introduction(&self, line: &str) -> bool {
        line.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.starts_with(" (superlance "))
    }

    /// The state in which supervisord would see the listener now.
    pub fn state(&mut self) -> ListenerState {
        let news = self.stdout.bytes_from(self.judged);
        self.judged += news.len();
        self.protocol.feed(&news);
        self.protocol.state
    }

    /// The answers to all events so far.
    pub fn results(&mut self) -> &[String] {
        self.state();
        &self.protocol.results
    }

    /// What the listener said out of turn, if it did: it is UNKNOWN then.
    pub fn surprise(&mut self) -> Option<&str> {
        self.state();
        self.protocol.surprise.as_deref()
    }

    /// Waits for what can only come while the process lives.
    #[track_caller]
    fn wait(&mut self, what: &str, mut holds: impl FnMut(&mut Listener) -> bool) {
        let held = try_wait(SOON, || {
            // In this order: what it did last counts.
            let gone = !self.is_running();
            match holds(self) {
                true => Some(true),
                false => gone.then_some(false),
            }
        });
        assert!(held == Some(true), "waited in vain for {what}\n{}", self.report());
    }

    fn report(&mut self) -> String {
        let (state, exit) = (self.state(), self.exit_status());
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let name = &self.name;
        format!("{name} is {state:?}, exit {exit:?}\nstdout: {stdout:?}\nstderr:\n{stderr}")
    }
}
