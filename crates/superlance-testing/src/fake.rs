//! A fake supervisord that the test controls: processes, scripted faults, a record of every call.
//!
//! It speaks XML-RPC over HTTP on a Unix socket or a port of 127.0.0.1, as far as listeners go.

mod answer;
mod connection;
mod log;
mod process;
mod record;
mod server;
mod state;

use std::sync::Arc;
use std::thread::JoinHandle;

pub use answer::Answer;
pub use process::{FakeProcess, ProcessState};
use server::Shared;

use crate::scratch::Scratch;
use crate::wait::{SOON, wait_for};
use crate::wire::socket::Address;

/// A fake supervisord; it serves until it is stopped or its value goes.
#[derive(Debug)]
pub struct FakeSupervisor {
    address: Address,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
    /// The folder of the socket and of logs.
    scratch: Scratch,
}

impl FakeSupervisor {
    /// Serves on a Unix socket.
    #[must_use]
    pub fn unix() -> FakeSupervisor {
        let scratch = Scratch::new();
        FakeSupervisor::at(Address::Unix(scratch.join("fake.sock")), scratch)
    }

    /// Serves on a free port of 127.0.0.1.
    #[must_use]
    pub fn inet() -> FakeSupervisor {
        FakeSupervisor::at(Address::free_port(), Scratch::new())
    }

    fn at(address: Address, scratch: Scratch) -> FakeSupervisor {
        let shared = Arc::new(Shared::default());
        let mut fake = FakeSupervisor { address, shared, server: None, scratch };
        fake.start();
        fake
    }

    /// The value for `SUPERVISOR_SERVER_URL`.
    #[must_use]
    pub fn server_url(&self) -> String {
        self.address.url()
    }

    /// Adds a process, or replaces the one of the same name; its logs are files.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn add(&self, mut process: FakeProcess) {
        process.write_logs(self.scratch.path());
        self.shared.state().put(process);
    }

    /// Removes a process, as if it were no longer in the configuration.
    pub fn remove(&self, namespec: &str) {
        self.shared.state().processes.retain(|process| !process.is(namespec));
    }

    /// A process as it is now.
    ///
    /// # Panics
    /// When there is none of this name.
    #[must_use]
    #[track_caller]
    pub fn process(&self, namespec: &str) -> FakeProcess {
        let found = self.shared.state().find(namespec).cloned();
        found.unwrap_or_else(|| panic!("no fake process {namespec}: add it first"))
    }

    /// Changes a process.
    ///
    /// # Panics
    /// When there is none of this name.
    #[track_caller]
    pub fn update(&self, namespec: &str, change: impl FnOnce(&mut FakeProcess)) {
        let mut process = self.process(namespec);
        change(&mut process);
        self.add(process);
    }

    /// Sets what `getState` says: 1 RUNNING, 0 RESTARTING, -1 SHUTDOWN.
    pub fn set_state(&self, code: i64) {
        self.shared.state().statecode = code;
    }

    /// Sets supervisord's own log, which `readLog` reads.
    pub fn set_log(&self, log: impl Into<Vec<u8>>) {
        self.shared.state().log = log.into();
    }

    /// From now on, answers 401 to requests without this user and password.
    pub fn require_login(&self, user: &str, password: &str) {
        self.shared.state().login = Some((user.to_owned(), password.to_owned()));
    }

    /// From now on, answers calls in this way; `call` is a method (`stopProcess`), a method with
    /// its arguments (`stopProcess(foo:foo)`), or `*`. What was said last wins.
    pub fn on(&self, call: &str, answer: Answer) {
        self.shared.state().scripts.push((call.to_owned(), answer, usize::MAX));
    }

    /// Like [`on`](FakeSupervisor::on), for the next call only.
    pub fn once(&self, call: &str, answer: Answer) {
        self.times(1, call, answer);
    }

    /// Like [`on`](FakeSupervisor::on), for this many calls only.
    pub fn times(&self, count: usize, call: &str, answer: Answer) {
        self.shared.state().scripts.push((call.to_owned(), answer, count));
    }

    /// Answers everything as supervisord would again.
    pub fn behave(&self) {
        self.shared.state().scripts.clear();
    }

    /// Lets all calls go that [`Answer::Hold`] holds now.
    pub fn release(&self) {
        self.shared.state().released += 1;
        self.shared.changed.notify_all();
    }

    /// Stops to serve: the socket is gone, every connection is closed, held calls are dropped.
    pub fn stop(&mut self) {
        let Some(server) = self.server.take() else {
            return;
        };
        self.shared.stop();
        // Wakes the thread that waits for connections, so that it sees the end.
        let _ = self.address.connect();
        server.join().expect("the server should not panic");
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Serves again, at the same address and with the same processes.
    pub fn start(&mut self) {
        if self.server.is_none() {
            // A client of another test may have been given the port meanwhile, for a while.
            let acceptor = wait_for("the address of the fake", SOON, || self.address.listen().ok());
            self.server = Some(self.shared.serve(acceptor));
        }
    }
}

impl Drop for FakeSupervisor {
    fn drop(&mut self) {
        self.stop();
    }
}
