//! Sends events as supervisord does: again, until the listener has acknowledged them.

use nix::sys::signal::Signal;

use crate::frame::Frame;
use crate::listener::Listener;
use crate::subject::Subject;
use crate::wait::SOON;

/// Events for a listener that may be killed at any moment.
///
/// Like supervisord, it starts another listener after the death of one, and sends it first what the
/// other has not acknowledged, with the same serial number.
#[derive(Debug)]
pub struct Feed {
    subject: Subject,
    listener: Listener,
    serial: u64,
    /// What the listeners that were killed had said.
    logs: String,
}

impl Feed {
    /// Starts the listener.
    #[must_use]
    #[track_caller]
    pub fn new(subject: Subject) -> Feed {
        let listener = subject.spawn();
        Feed { subject, listener, serial: 0, logs: String::new() }
    }

    /// Sends an event, and waits until it is acknowledged.
    #[track_caller]
    pub fn event(&mut self, eventname: &str, payload: &str) {
        let frame = self.next(eventname, payload);
        self.send_until_acknowledged(&frame);
    }

    /// Sends an event, and kills the listener when `wait` returns. Another one is started, and goes
    /// on with the event if the first has not acknowledged it.
    #[track_caller]
    pub fn event_and_kill(
        &mut self,
        eventname: &str,
        payload: &str,
        wait: impl FnOnce(&mut Listener),
    ) {
        let frame = self.next(eventname, payload);
        let answers = self.listener.results().len();
        self.listener.send(&frame);
        wait(&mut self.listener);
        self.listener.signal(Signal::SIGKILL);
        self.listener.wait_exit(SOON);
        let acknowledged = self.listener.results().len() > answers;
        self.logs = self.logs();
        self.listener = self.subject.spawn();
        if !acknowledged {
            self.send_until_acknowledged(&frame);
        }
    }

    /// The listener that runs now.
    pub fn listener(&mut self) -> &mut Listener {
        &mut self.listener
    }

    /// What all listeners so far have written to standard error.
    #[must_use]
    pub fn logs(&self) -> String {
        format!("{}{}", self.logs, self.listener.stderr())
    }

    fn next(&mut self, eventname: &str, payload: &str) -> Frame {
        self.serial += 1;
        Frame::new(eventname, payload).serial(self.serial)
    }

    #[track_caller]
    fn send_until_acknowledged(&mut self, frame: &Frame) {
        self.listener.send(frame);
        self.listener.wait_result();
    }
}
