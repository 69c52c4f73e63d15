//! What has been begun and not finished, so that it is not lost in silence when time is up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A register of things begun. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    last: u64,
    texts: BTreeMap<u64, Text>,
}

/// Makes the text when it is needed, which it seldom is.
type Text = Box<dyn Fn() -> String + Send>;

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.texts.keys()).finish()
    }
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
        let text = text.into();
        self.begin_with(move || text.clone())
    }

    /// The same with a text that is long, or depends on how things are then.
    pub fn begin_with(&self, text: impl Fn() -> String + Send + 'static) -> Entry {
        let mut entries = self.lock();
        entries.last += 1;
        let number = entries.last;
        entries.texts.insert(number, Box::new(text));
        Entry { register: self.clone(), number }
    }

    /// The texts of everything unfinished, oldest first.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.lock().texts.values().map(|text| text()).collect()
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
