//! The state that the fake supervisord's connections share with the test.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use super::connection::Connection;
use super::state::State;
use crate::wire::server::Connections;
use crate::wire::socket::Acceptor;

/// The fake's state, and its server.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Woken when held calls are released, and when the server stops.
    pub(super) changed: Condvar,
    pub(super) connections: Arc<Connections>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often the server was stopped so far: a thread of an earlier one gives up.
    pub(super) fn era(&self) -> u64 {
        self.connections.era()
    }

    /// Closes all connections, and makes the server end at the next one.
    pub(super) fn stop(&self) {
        self.connections.stop();
        // Under the lock that the waiting ones hold, so that none misses it.
        let _state = self.state();
        self.changed.notify_all();
    }

    pub(super) fn serve(self: &Arc<Shared>, acceptor: Acceptor) -> JoinHandle<()> {
        let shared = Arc::clone(self);
        let era = self.era();
        self.connections.serve(acceptor, move |stream, _| {
            // An error is a client that went away, which it may.
            let _ = Connection { shared: &shared, era }.serve(stream);
        })
    }
}
