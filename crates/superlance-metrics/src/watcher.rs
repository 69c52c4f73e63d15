//! From supervisord to a text of metrics, again and again.

use std::sync::Arc;

use superlance_config::server::Connection;
use superlance_core::system::log::{Log, LogOnce};
use superlance_measure::Local;

use crate::FULL_NAME;
use crate::exposition::text;
use crate::look::{Look, look};
use crate::restarts::Restarts;

/// A supervisord, and what is remembered of it.
pub(crate) struct Watcher {
    server: Connection,
    local: Local,
    restarts: Restarts,
    unanswered: LogOnce,
    unread: LogOnce,
    log: Arc<Log>,
}

impl Watcher {
    pub(crate) fn new(server: Connection, log: Arc<Log>) -> Self {
        Self {
            server,
            local: Local::of_this_system(),
            restarts: Restarts::default(),
            unanswered: LogOnce::default(),
            unread: LogOnce::default(),
            log,
        }
    }

    /// The metrics, and whether supervisord answers.
    pub(crate) fn once(&mut self) -> (String, bool) {
        let look = self.look();
        (text(&look, None), look.processes.is_ok())
    }

    /// The metrics of a program that goes on.
    pub(crate) fn continued(&mut self) -> String {
        let look = self.look();
        if let Ok(processes) = &look.processes {
            self.restarts.note(processes);
        }
        text(&look, Some(&self.restarts))
    }

    fn look(&mut self) -> Look {
        let look = look(&mut self.server, &self.local);
        match &look.processes {
            Ok(_) => {
                if self.unanswered.clear() {
                    self.log.line(format_args!("{FULL_NAME}: supervisord answers again"));
                }
            }
            Err(why) => self.unanswered.report(&self.log, format!("{FULL_NAME}: {why}")),
        }
        match &look.memory {
            Ok(_) => drop(self.unread.clear()),
            Err(why) => {
                let message = format!("{FULL_NAME}: memory is left out: {why}");
                self.unread.report(&self.log, message);
            }
        }
        look
    }
}
