//! From supervisord to a text of metrics, again and again.

use std::sync::Arc;

use superlance_config::server::Connection;
use superlance_core::options::label::Label;
use superlance_core::system::log::{Log, LogOnce};

use crate::FULL_NAME;
use crate::exposition::text;
use crate::look::{Eyes, Look};
use crate::restarts::Restarts;

/// A supervisord, and what is remembered of it.
pub(crate) struct Watcher {
    eyes: Eyes,
    restarts: Restarts,
    unanswered: LogOnce,
    unmeasured: LogOnce,
    unread: LogOnce,
    labels: Vec<Label>,
    log: Arc<Log>,
}

impl Watcher {
    pub(crate) fn new(server: Connection, labels: Vec<Label>, log: Arc<Log>) -> Self {
        Self {
            eyes: Eyes::new(server),
            restarts: Restarts::default(),
            unanswered: LogOnce::default(),
            unmeasured: LogOnce::default(),
            unread: LogOnce::default(),
            labels,
            log,
        }
    }

    /// The metrics, and whether supervisord answers.
    pub(crate) fn once(&mut self) -> (String, bool) {
        let look = self.look();
        (text(&look, None, &self.labels), look.processes.is_ok())
    }

    /// The metrics of a program that goes on.
    pub(crate) fn continued(&mut self) -> String {
        let look = self.look();
        if let Ok(processes) = &look.processes {
            self.restarts.note(processes);
        }
        text(&look, Some(&self.restarts), &self.labels)
    }

    fn look(&mut self) -> Look {
        let look = self.eyes.look();
        match &look.processes {
            Ok(_) => {
                if self.unanswered.clear() {
                    self.log.line(format_args!("{FULL_NAME}: supervisord answers again"));
                }
            }
            Err(why) => self.unanswered.report(&self.log, format!("{FULL_NAME}: {why}")),
        }
        match &look.memory {
            Ok(_) => drop(self.unmeasured.clear()),
            Err(why) => {
                let message = format!("{FULL_NAME}: memory is left out: {why}");
                self.unmeasured.report(&self.log, message);
            }
        }
        match &look.listeners {
            Ok(_) => drop(self.unread.clear()),
            Err(why) => {
                let message = format!("{FULL_NAME}: superlance_listener_state is left out: {why}");
                self.unread.report(&self.log, message);
            }
        }
        look
    }
}
