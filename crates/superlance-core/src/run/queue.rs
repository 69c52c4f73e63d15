//! The queue of events that are acknowledged and not yet handled.

use std::collections::VecDeque;
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
    /// The deadline has come, or the worker was woken. An event that waits comes next, so that neither
    /// holds up the other for ever.
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
    /// An event was handed out since the last deadline.
    served: bool,
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

    /// Waits for the next event, until `deadline` if there is one. Once the queue is closed, deadlines
    /// wait for the end.
    pub(crate) fn next(&self, deadline: Option<Instant>) -> Next {
        let mut state = self.lock();
        state.busy = false;
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let is_due = state.woken || left.is_some_and(|left| left.is_zero());
            let is_free = state.waiting.is_empty() || state.served;
            if is_due && is_free && !state.closed {
                (state.woken, state.served, state.busy) = (false, false, true);
                return Next::Deadline;
            }
            let was_full = state.is_full();
            if let Some(arrival) = state.waiting.pop_front() {
                state.bytes -= arrival.frame.payload.len();
                (state.served, state.busy) = (true, true);
                if was_full {
                    self.changed.notify_all();
                }
                return Next::Event(arrival);
            }
            if state.closed {
                return Next::Closed;
            }
            state = match left {
                Some(left) => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Wakes the worker, since there is something to see to.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::frame;

    fn queue(events: usize) -> Queue {
        let queue = Queue::default();
        for _ in 0..events {
            let (at, frame, interest) = (Moment::now(), frame("X", ""), Interest::Every);
            assert!(queue.push(Arrival { at, frame, id: None, interest, number: None }));
        }
        queue
    }

    /// What comes next, so many times, with a deadline that is over.
    fn next(queue: &Queue, count: usize) -> String {
        let word = |next| match next {
            Next::Event(_) => 'e',
            Next::Deadline => 'd',
            Next::Closed => 'c',
        };
        (0..count).map(|_| word(queue.next(Some(Instant::now())))).collect()
    }

    #[test]
    fn events_that_never_end_hold_up_no_deadline_and_the_other_way_round() {
        assert_eq!(next(&queue(3), 8), "edededdd");
    }

    #[test]
    fn a_worker_that_is_woken_looks_before_the_next_event() {
        let queue = queue(3);
        let next = || matches!(queue.next(None), Next::Deadline);
        assert!(!next());
        queue.wake();
        assert!(next() && !next() && !next());
    }

    #[test]
    fn at_the_end_only_events_are_handed_out() {
        let queue = queue(2);
        queue.close();
        assert_eq!(next(&queue, 3), "eec");
    }
}
