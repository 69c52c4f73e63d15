//! A thread that starts as soon as the system has one to spare.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::system::log::Log;

/// How long a thread may be waited for. A limit of processes is reached for seconds, as a rule, and
/// supervisord gives up a listener that it cannot start again, sooner than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Starts a thread of this name, trying again for a while.
///
/// # Errors
/// When the system has none for a minute.
pub(crate) fn start(
    name: &str,
    log: &Log,
    body: impl FnOnce() + Send + 'static,
) -> Result<(), String> {
    let spawn = |body: Body| thread::Builder::new().name(name.to_owned()).spawn(body).map(drop);
    let mut said = false;
    patiently(body, PATIENCE, spawn, |error| {
        if !said {
            log.line(format_args!("no thread for the {name}, trying again: {error}"));
            said = true;
        }
        thread::sleep(PAUSE);
    })
    .map_err(|error| format!("no thread for the {name}: {error}"))
}

type Body = Box<dyn FnOnce() + Send>;

fn patiently(
    body: impl FnOnce() + Send + 'static,
    patience: Duration,
    mut spawn: impl FnMut(Body) -> io::Result<()>,
    mut wait: impl FnMut(&io::Error),
) -> io::Result<()> {
    // What could not be started is dropped, so that each try gets a share only.
    let body = Arc::new(Mutex::new(Some(body)));
    let deadline = Instant::now() + patience;
    loop {
        let share = Arc::clone(&body);
        let run = move || {
            let body = share.lock().unwrap_or_else(PoisonError::into_inner).take();
            body.into_iter().for_each(|body| body());
        };
        match spawn(Box::new(run)) {
            Err(error) if Instant::now() < deadline => wait(&error),
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn no_room() -> io::Error {
        io::Error::from_raw_os_error(11)
    }

    #[test]
    fn a_thread_that_is_not_to_be_had_is_tried_again() {
        let (ran, mut waits, mut failures) = (Arc::new(AtomicUsize::new(0)), 0, 3);
        let count = Arc::clone(&ran);
        let body = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let spawn = |body: Body| {
            if failures == 0 {
                body();
                return Ok(());
            }
            failures -= 1;
            Err(no_room())
        };
        patiently(body, Duration::from_secs(60), spawn, |_| waits += 1).unwrap();
        assert_eq!((ran.load(Ordering::Relaxed), waits), (1, 3));
    }

    #[test]
    fn in_the_end_it_is_given_up() {
        let given_up = patiently(|| {}, Duration::ZERO, |_| Err(no_room()), |_| {});
        assert_eq!(given_up.unwrap_err().raw_os_error(), Some(11));
    }
}
