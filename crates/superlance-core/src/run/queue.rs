//! The queue of events that are acknowledged and not yet handled.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::listener::Interest;
use crate::protocol::frame::Frame;
use crate::system::clock::Moment;

/// Events that may wait.
const CAPACITY: usize = 10_000;

/// Bytes of payload that may wait.
const CAPACITY_BYTES: usize = 64 << 20;

/// An event with the time of its arrival.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// When it arrived; for one that an earlier listener has left, by the clock on the wall only.
    pub at: Moment,
    pub frame: Frame,
    /// Its id.
    pub id: Option<u64>,
    /// The listener's interest in it.
    pub interest: Interest,
    /// Its number in the backlog, if it is there.
    pub number: Option<u64>,
}

/// The result of [`Queue::next`].
#[derive(Debug)]
pub(crate) enum Next {
    /// The oldest event. The worker counts as busy until it asks again.
    Event(Arrival),
    /// The deadline has come, or the worker was woken.
    Deadline,
    /// The queue is closed and empty.
    Closed,
}

/// A bounded queue between the reader and the worker.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arrival>,
    bytes: usize,
    busy: bool,
    woken: bool,
    closed: bool,
}

impl Queue {
    /// Appends an event, waiting for room; `false` when the queue was closed instead.
    #[must_use]
    pub(crate) fn push(&self, arrival: Arrival) -> bool {
        let mut state = self.lock();
        while state.is_full() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closed {
            state.bytes += arrival.frame.payload.len();
            state.waiting.push_back(arrival);
            // A system call, which a busy worker does not need: it looks into the queue before it
            // sleeps.
            if !state.busy {
                self.changed.notify_all();
            }
        }
        !state.closed
    }

    /// Whether an event pushed now would be handled at once.
    #[must_use]
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        !state.busy && state.waiting.is_empty()
    }

    /// Waits for the next event, until `deadline` if there is one.
    pub(crate) fn next(&self, deadline: Option<Instant>) -> Next {
        let mut state = self.lock();
        state.busy = false;
        loop {
            let was_full = state.is_full();
            if let Some(arrival) = state.waiting.pop_front() {
                state.bytes -= arrival.frame.payload.len();
                state.busy = true;
                if was_full {
                    self.changed.notify_all();
                }
                return Next::Event(arrival);
            }
            if state.closed {
                return Next::Closed;
            }
            if mem::take(&mut state.woken) {
                state.busy = true;
                return Next::Deadline;
            }
            let Some(deadline) = deadline else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.busy = true;
                return Next::Deadline;
            }
            state =
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Wakes the worker once it has handled what waits, since there is something to see to.
    pub(crate) fn wake(&self) {
        self.lock().woken = true;
        self.changed.notify_all();
    }

    /// Takes no more events; those that wait are still handled.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Removes the events that still wait.
    pub(crate) fn take_rest(&self) -> Vec<Arrival> {
        self.lock().waiting.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.waiting.len() >= CAPACITY || self.bytes >= CAPACITY_BYTES
    }
}
