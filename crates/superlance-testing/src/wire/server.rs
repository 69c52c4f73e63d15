//! Accepts connections, and ends them all when it is dropped.

use std::collections::HashMap;
use std::io::{self, BufReader};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::{self, JoinHandle};

use nix::poll::PollTimeout;

use crate::wire::socket::{Acceptor, Stream, is_readable};

/// What the thread that accepts and the test share.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    stops: u64,
    accepted: u64,
    open: HashMap<u64, Stream>,
    acceptor: Weak<Acceptor>,
    serving: usize,
}

/// A request is being served until this goes.
pub(crate) struct Serving<'a>(&'a Connections);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.state().serving -= 1;
    }
}

impl Connections {
    /// How often the server was stopped so far: a thread of an earlier one gives up.
    pub(crate) fn era(&self) -> u64 {
        self.state().stops
    }

    /// Whether no client waits for anything: no connection is pending, nothing that was sent is
    /// unread, and nothing that was read is unanswered. However busy the machine is, a request that
    /// was sent is one of these.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.state();
        let unread = |stream: &Stream| is_readable(stream, PollTimeout::ZERO);
        let knocking = state
            .acceptor
            .upgrade()
            .is_some_and(|acceptor| is_readable(&*acceptor, PollTimeout::ZERO));
        !knocking && !state.open.values().any(unread) && state.serving == 0
    }

    /// Waits for a request, without reading it.
    fn wait_for_request(&self, stream: &Stream) -> Serving<'_> {
        is_readable(stream, PollTimeout::NONE);
        self.state().serving += 1;
        Serving(self)
    }

    /// Has requests answered until one of both sides has had enough: `serve_one` answers one, and says
    /// whether there may be another.
    pub(crate) fn converse(
        &self,
        stream: Stream,
        mut serve_one: impl FnMut(&mut BufReader<Stream>) -> io::Result<bool>,
    ) -> io::Result<()> {
        let mut input = BufReader::new(stream);
        loop {
            let serving = self.wait_for_request(input.get_ref());
            let again = serve_one(&mut input);
            if !matches!(again, Ok(true)) {
                // Before it counts as served: this may be all the answer there is.
                input.get_mut().close();
                return again.map(drop);
            }
            drop(serving);
        }
    }

    /// Closes all connections, and makes the server end at the next one.
    pub(crate) fn stop(&self) {
        let mut state = self.state();
        state.stops += 1;
        state.open.drain().for_each(|(_, mut stream)| stream.close());
    }

    /// Accepts connections until it is stopped, and serves each in a thread: `serve` gets the
    /// stream and its number, from 1.
    pub(crate) fn serve<F>(self: &Arc<Connections>, acceptor: Acceptor, serve: F) -> JoinHandle<()>
    where
        F: Fn(Stream, u64) + Clone + Send + 'static,
    {
        let connections = Arc::clone(self);
        let era = self.era();
        let acceptor = Arc::new(acceptor);
        self.state().acceptor = Arc::downgrade(&acceptor);
        thread::spawn(move || {
            while let Ok(stream) = acceptor.accept() {
                let mut state = connections.state();
                if state.stops != era {
                    return;
                }
                state.accepted += 1;
                let number = state.accepted;
                state.open.insert(number, stream.try_clone().expect("files can be opened"));
                let (connections, serve) = (Arc::clone(&connections), serve.clone());
                thread::spawn(move || {
                    serve(stream, number);
                    if let Some(mut stream) = connections.state().open.remove(&number) {
                        stream.close();
                    }
                });
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}
