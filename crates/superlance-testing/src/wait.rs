//! Waiting in tests: poll until a deadline.
//!
//! Nothing in this crate sleeps for luck; tests wait with one of these functions.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what should happen at once, on a machine that is busy.
pub const SOON: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(3);

/// Asks until there is an answer; `None` when the time is over without one.
pub fn try_wait<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        // The clock is read before the question, so that the last answer counts however long it
        // took to come.
        let over = Instant::now() >= deadline;
        match ask() {
            Some(answer) => return Some(answer),
            None if over => return None,
            None => thread::sleep(PAUSE),
        }
    }
}

/// Waits for a value, and panics with `what` when it does not come in time.
#[track_caller]
pub fn wait_for<T>(what: impl Display, limit: Duration, ask: impl FnMut() -> Option<T>) -> T {
    match try_wait(limit, ask) {
        Some(answer) => answer,
        None => panic!("waited {limit:?} in vain for {what}"),
    }
}

/// Waits until a condition holds, and panics with `what` when it does not in time.
#[track_caller]
pub fn wait_until(what: impl Display, limit: Duration, mut holds: impl FnMut() -> bool) {
    wait_for(what, limit, || holds().then_some(()));
}
