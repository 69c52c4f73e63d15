//! What has been begun and not finished, so that it is not lost in silence when time is up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A register of things begun. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    last: u64,
    texts: BTreeMap<u64, String>,
}

/// Something begun; finished when it is dropped.
#[derive(Debug)]
#[must_use = "dropped at once, it is finished at once"]
pub struct Entry {
    register: InFlight,
    number: u64,
}

impl InFlight {
    /// Notes something begun. `text` is what the log will say if it is never finished.
    pub fn begin(&self, text: impl Into<String>) -> Entry {
        let mut entries = self.lock();
        entries.last += 1;
        let number = entries.last;
        entries.texts.insert(number, text.into());
        Entry { register: self.clone(), number }
    }

    /// The texts of everything unfinished, oldest first.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.lock().texts.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.register.lock().texts.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_finished() {
        let unfinished = InFlight::default();
        let first = unfinished.begin("first");
        let _second = unfinished.begin("second");
        assert_eq!(unfinished.texts(), ["first", "second"]);
        drop(first);
        assert_eq!(unfinished.clone().texts(), ["second"]);
    }
}
