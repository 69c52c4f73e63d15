//! The fault matrix: every call that a listener makes, and every way in which supervisord may answer it
//! badly. Each time the listener lives, answers `OK`, says what is wrong, does its work at the next
//! event, and starts what it has stopped.

mod cell;
mod fault;
mod listeners;
mod page;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cell::Ground;
use fault::FAULTS;
use listeners::LISTENERS;
use page::Cells;

/// Most of a cell is waiting, so there may be many more of them than processors.
const AT_ONCE: usize = 16;

#[test]
fn whatever_supervisord_does_in_whichever_call() {
    let ground = Ground::new();
    let mut cells = Vec::new();
    for listener in LISTENERS {
        let usual = cell::rehearse(&ground, listener);
        for call in listener.calls {
            cells.extend(FAULTS.iter().map(|fault| (listener, usual.clone(), *call, fault)));
        }
    }
    let (next, played) = (AtomicUsize::new(0), Mutex::new(Cells::new()));
    let play = || {
        while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (listener, usual, call, fault) = cell;
            let outcome = cell::play(&ground, listener, call, fault, usual);
            played.lock().unwrap().insert((listener.title, call, fault.name), outcome);
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(play))));
    page::check_or_write(&played.into_inner().unwrap());
}
