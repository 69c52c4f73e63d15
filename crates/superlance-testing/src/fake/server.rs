//! The fake supervisord's server: it accepts connections, and ends them all when it stops.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use super::connection::Connection;
use super::state::State;
use crate::wire::socket::{Acceptor, Stream};

/// What all connections and the test share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Woken when held calls are released, and when the server stops.
    pub(super) changed: Condvar,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    stops: u64,
    accepted: u64,
    open: HashMap<u64, Stream>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often the server was stopped so far: whoever serves for an earlier one gives up.
    pub(super) fn era(&self) -> u64 {
        self.connections().stops
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap()
    }

    /// Closes all connections, and makes the server end at the next one.
    pub(super) fn stop(&self) {
        let mut connections = self.connections();
        connections.stops += 1;
        connections.open.drain().for_each(|(_, stream)| stream.close());
        drop(connections);
        // Under the lock that the waiting ones hold, so that none misses it.
        let _state = self.state();
        self.changed.notify_all();
    }

    pub(super) fn serve(self: &Arc<Shared>, acceptor: Acceptor) -> JoinHandle<()> {
        let shared = Arc::clone(self);
        let era = self.era();
        thread::spawn(move || {
            while let Ok(stream) = acceptor.accept() {
                let mut connections = shared.connections();
                if connections.stops != era {
                    return;
                }
                connections.accepted += 1;
                let number = connections.accepted;
                connections.open.insert(number, stream.try_clone().expect("files can be opened"));
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    // An error is a client that went away, which it may.
                    let _ = Connection { shared: &shared, stream, era }.serve();
                    if let Some(stream) = shared.connections().open.remove(&number) {
                        stream.close();
                    }
                });
            }
        })
    }
}
