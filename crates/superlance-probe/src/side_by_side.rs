//! Work that waits for others, done side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many at once.
const AT_ONCE: usize = 16;

/// Does `work` for each number below `count`, at most 16 at once, and returns the results in order.
pub fn side_by_side<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, results) =
        (AtomicUsize::new(0), Mutex::new(Vec::from_iter((0..count).map(|_| None))));
    let go_on = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let result = work(number);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = results.get_mut(number) {
                *place = Some(result);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..count.min(AT_ONCE) {
            // Where no thread can be had, those that are there do it all.
            let thread = thread::Builder::new().name("check".to_owned());
            if thread.spawn_scoped(scope, go_on).is_err() {
                break;
            }
        }
        go_on();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn results_are_in_order() {
        for count in [0, 1, 2, 16, 17, 1000] {
            let results = side_by_side(count, |number| number * 2);
            let expected: Vec<_> = (0..count).map(|number| number * 2).collect();
            assert_eq!(results, expected);
        }
    }

    #[test]
    fn sixteen_wait_as_long_as_one() {
        let (at_once, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let started = Instant::now();
        side_by_side(48, |_| {
            most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(200));
            at_once.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(most.into_inner(), 16);
        let took = started.elapsed();
        assert!(
            took >= Duration::from_millis(600) && took < Duration::from_millis(2400),
            "{took:?}"
        );
    }
}
